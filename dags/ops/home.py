"""Airflow's home under `HUB_HOME`/airflow: its configuration file, its secrets, its free port."""

from __future__ import annotations

import base64
import configparser
import contextlib
import io
import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hub.settings import SettingError, Settings, private_folder

DAGS = Path(__file__).resolve().parent.parent
"""The bundle that Airflow reads: this package's parent, whose .airflowignore leaves everything out but DAG files."""

USER = "admin"

PARALLELISM = min(16, 2 * (os.cpu_count() or 2))
"""Tasks at once: two a core, since half of a small task is waiting for the scheduler and the API server."""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that Airflow calls AIRFLOW_HOME, and the files in it."""

    path: Path

    @classmethod
    def of(cls, settings: Settings) -> Home:
        """Return the home of this deployment, made and closed to others."""
        settings.make_home()
        return cls(private_folder(settings.home / "airflow"))

    @property
    def config(self) -> Path:
        """Airflow's configuration file; written anew at each start, because the port changes."""
        return self.path / "airflow.cfg"

    @property
    def logs(self) -> Path:
        """The folder of the task logs and of the components' own logs."""
        return self.path / "logs"

    @property
    def passwords(self) -> Path:
        """The simple auth manager's file of passwords."""
        return self.path / "passwords.json"

    @property
    def state(self) -> Path:
        """What `hub airflow start` left for `stop`, `status` and `run`: process, address."""
        return self.path / "state.json"

    @property
    def components_log(self) -> Path:
        """Where scheduler, DAG processor and API server write."""
        return self.logs / "components.log"

    def password(self) -> str:
        """Return the password of the user `admin`, made at random on first use."""
        if not self.passwords.exists():
            write_private(self.passwords, json.dumps({USER: secrets.token_urlsafe(18)}))
        return str(json.loads(self.passwords.read_text(encoding="utf-8"))[USER])

    def secret(self, name: str) -> str:
        """Return a secret that outlives restarts (a 32-byte key in base64), made at random on first use."""
        path = private_folder(self.path / "secrets") / name
        if not path.exists():
            write_private(path, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
        return path.read_text(encoding="utf-8")

    def environment(self, settings: Settings) -> dict[str, str]:
        """Return the environment of Airflow's own processes: this home, this deployment, no proxy to ourselves."""
        inherited = dict(os.environ)
        inherited.update(
            AIRFLOW_HOME=str(self.path),
            AIRFLOW_CONFIG=str(self.config),
            HUB_HOME=str(settings.home),
            HUB_SOURCES=os.pathsep.join(map(str, settings.sources)),
            NO_PROXY=",".join(filter(None, [inherited.get("NO_PROXY"), "127.0.0.1", "localhost"])),
        )
        return inherited | bytecode_cache(inherited, self.path / "bytecode")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(temporary, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    temporary.replace(path)


def bytecode_cache(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the variables that let Python keep compiled modules in `folder` when it keeps them nowhere.

    Airflow's import takes twice as long without (4.5 instead of 2.2 seconds on two slow cores), for every process.
    """
    if not environment.get("PYTHONDONTWRITEBYTECODE") or environment.get("PYTHONPYCACHEPREFIX"):
        return {}
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder)}


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configuration(home: Home, *, database_url: str, port: int, lineage_url: str | None) -> dict[str, dict[str, object]]:
    """Return what differs from Airflow's defaults, by section, each group with its reason.

    Raises:
        SettingError: `lineage_url` leads nowhere that events can be sent to.
    """
    address = f"http://127.0.0.1:{port}"
    return {
        "core": {
            "dags_folder": DAGS,
            "executor": "LocalExecutor",
            "parallelism": PARALLELISM,
            "load_examples": False,
            "dags_are_paused_at_creation": False,  # a new source folder starts at its next scheduled time
            "fernet_key": home.secret("fernet"),
            "simple_auth_manager_users": f"{USER}:admin",
            "simple_auth_manager_passwords_file": home.passwords,
            "execution_api_server_url": f"{address}/execution/",
            "mp_start_method": "fork",  # tasks start as forks of a scheduler that has imported all they need
        },
        "database": {
            "sql_alchemy_conn": psycopg2(database_url),
            "sql_alchemy_conn_async": "",  # only multi-team and one waiting route use it; needs a second driver
            "load_default_connections": False,
        },
        "api": {
            "host": "127.0.0.1",
            "port": port,
            "base_url": address,
            "workers": 1,
            "secret_key": home.secret("api"),
        },
        "api_auth": {"jwt_secret": home.secret("jwt")},
        "scheduler": {
            "scheduler_idle_sleep_time": 0.2,  # the default second is half of what a small task takes
            "max_dagruns_to_create_per_loop": 64,
        },
        "dag_processor": {
            "parsing_processes": 1,
            "min_file_process_interval": 60,
            "bundle_refresh_check_interval": 2,
            "refresh_interval": 60,
        },
        "logging": {"base_log_folder": home.logs, "colored_console_log": False},
        "triggerer": {"capacity": 1},
        "usage_data_collection": {"enabled": False},
        "openlineage": {
            "namespace": "hub",
            "disable_source_code": True,  # an event tells what was exchanged, not how the hub is written
            "transport": "" if lineage_url is None else json.dumps(transport(lineage_url)),
        },
    }


def transport(url: str) -> dict[str, object]:
    """Return where OpenLineage events go, as its client takes it.

    Raises:
        SettingError: the URL is of no such place; it is not quoted, since it may hold a key.
    """
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.hostname:
        port = f":{parts.port}" if parts.port else ""
        found: dict[str, object] = {"type": "http", "url": f"{parts.scheme}://{parts.hostname}{port}{parts.path}"}
        key = unquote(parts.password or "")
        return {**found, "auth": {"type": "api_key", "apiKey": key}} if key else found
    if parts.scheme == "file" and parts.path.startswith("/"):
        return {"type": "file", "log_file_path": unquote(parts.path), "append": True}
    raise SettingError(
        "HUB_LINEAGE_URL is no place that events can be sent to. Known are http://host:5000, https://:KEY@host and "
        "file:///folder/lineage.jsonl; for anything else set AIRFLOW__OPENLINEAGE__TRANSPORT (docs/operate/lineage.md)."
    )


def psycopg2(url: str) -> str:
    """Name the driver in a PostgreSQL URL; without, SQLAlchemy 2.1 takes psycopg 3, which is not installed."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg2://{rest}" if scheme in {"postgresql", "postgres"} else url


def write_configuration(home: Home, *, database_url: str, port: int, lineage_url: str | None = None) -> None:
    """Write airflow.cfg, readable by its owner only: it holds secrets."""
    home.logs.mkdir(parents=True, exist_ok=True)
    home.password()
    parser = configparser.RawConfigParser()
    parser.read_dict(configuration(home, database_url=database_url, port=port, lineage_url=lineage_url))
    with io.StringIO() as text:
        parser.write(text)
        # Airflow expands %(…)s in values, so a percent sign in a URL or a key must be doubled.
        write_private(home.config, text.getvalue().replace("%", "%%"))
