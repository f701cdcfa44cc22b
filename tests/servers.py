"""Servers that a test process starts itself where none answers on its standard local port: MariaDB and RabbitMQ.

They are those of Debian's packages (mariadb-server, rabbitmq-server), each in a folder of its own on ports of its own;
they end with the process that started them, also a killed one. Where a package is missing the test says so and is
skipped.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pika  # type: ignore[import-untyped]  # it has types, but does not say that it has
import pymysql
import pytest

_WITHIN = 60
_MARIADB_PORT = int(os.environ.get("HUB_TEST_MARIADB_PORT", "3306"))
_AMQP = os.environ.get("HUB_TEST_AMQP", "amqp://guest:guest@127.0.0.1:5672/%2F")
_RABBIT = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))


def mariadb_port() -> int:
    """Return the port of a MariaDB that lets root in without a password; skip where there can be none."""
    if _usual_mariadb():
        return _MARIADB_PORT
    if shutil.which("mariadb-install-db") is None or shutil.which("mariadbd") is None:
        pytest.skip("no MariaDB on its standard local port, and the package mariadb-server is not installed")
    return _own_mariadb()


def amqp_url() -> str:
    """Return the address of a RabbitMQ on this machine; skip where there can be none."""
    if _usual_rabbit():
        return _AMQP
    if not _RABBIT or shutil.which("epmd") is None:
        pytest.skip("no RabbitMQ on its standard local port, and the package rabbitmq-server is not installed")
    return _own_rabbit()


@cache
def _usual_mariadb() -> bool:
    return _mariadb_answers(_MARIADB_PORT)


@cache
def _usual_rabbit() -> bool:
    return _rabbit_answers(_AMQP)


def _mariadb_answers(port: int) -> bool:
    try:
        pymysql.connect(host="127.0.0.1", port=port, user="root", connect_timeout=3).close()
    except pymysql.err.OperationalError:
        return False
    return True


def _rabbit_answers(url: str) -> bool:
    try:
        pika.BlockingConnection(pika.URLParameters(url)).close()
    except (OSError, pika.exceptions.AMQPError):
        return False
    return True


@cache
def _own_mariadb() -> int:
    folder, (port,) = _folder(), _ports(1)
    who = ["--no-defaults", "--user=root"] if os.geteuid() == 0 else ["--no-defaults"]
    data = f"--datadir={folder / 'data'}"
    subprocess.run(
        ["mariadb-install-db", *who, data, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True, capture_output=True, timeout=_WITHIN,
    )  # fmt: skip
    ways = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/socket", f"--pid-file={folder}/pid"]
    haste = ["--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M",
             "--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"]  # fmt: skip
    server = shutil.which("mariadbd")
    assert server is not None
    _started([server, *who, data, *ways, *haste], folder, lambda: _mariadb_answers(port))
    return port


@cache
def _own_rabbit() -> str:
    folder, (port, far, names) = _folder(), _ports(3)
    (folder / "plugins").write_text("[].", encoding="ascii")
    surroundings = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "RABBITMQ_NODENAME": "hubtest@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(port), "RABBITMQ_DIST_PORT": str(far),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"), "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"), "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"), "RABBITMQ_PID_FILE": str(folder / "pid"),
        "ERL_EPMD_PORT": str(names), "ERL_EPMD_ADDRESS": "127.0.0.1",
    }  # fmt: skip
    # Its register of names would start as a process of nobody's: this one ends with us.
    _started(["epmd", "-port", str(names), "-address", "127.0.0.1"], folder, lambda: True)
    url = f"amqp://guest:guest@127.0.0.1:{port}/%2F"
    _started([str(_RABBIT[-1])], folder, lambda: _rabbit_answers(url), surroundings)
    return url


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="hub-tests-server-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in probes]
    for one in probes:
        one.close()
    return ports


def _started(
    command: list[str], folder: Path, answers: Callable[[], bool], surroundings: dict[str, str] | None = None
) -> None:  # fmt: skip
    """Start a program that ends with this process, and wait until it answers."""
    tied = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    said = folder / f"{Path(command[0]).name}.log"
    with said.open("wb") as out:
        process = subprocess.Popen([*tied, *command], env=surroundings, stdout=out, stderr=out)
    atexit.register(_stop, process)
    ends = time.monotonic() + _WITHIN
    while not answers():
        told = said.read_text(encoding="utf-8", errors="replace")[-2000:]
        assert process.poll() is None, f"{command[0]} ended before it answered:\n{told}"
        assert time.monotonic() < ends, f"{command[0]} does not answer:\n{told}"
        time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
