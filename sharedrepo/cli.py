"""`hub db` and `hub key`: the repository's server, its schema, and its keys."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from hub.protect import Protector, load_ring, new_ring, store_ring
from hub.protect.ciphers import CIPHERS
from hub.protect.keys import CONTENT, KeyTrouble, ring_path
from hub.protect.protector import key_number
from hub.settings import Settings
from sharedrepo import connect
from sharedrepo.embedded import EmbeddedServer

db = typer.Typer(help="The repository's database: start, stop, upgrade, compare.", no_args_is_help=True)
key = typer.Typer(help="The keys that protect personal data: list, rotate, retire.", no_args_is_help=True)

NOT_RUNNING = 3
"""Exit status of `hub db status` for a server that does not answer, as `pg_ctl status` gives it."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
REAL_SERVER = "HUB_DATABASE_URL names a real server, which its keeper starts and stops."


@db.command()
def start(as_json: AsJson = False) -> None:
    """Start the embedded PostgreSQL (nothing happens when it runs) and print its URL."""
    settings = Settings.load()
    if not settings.embedded:
        _show(as_json, {"embedded": False}, REAL_SERVER)
        return
    url = EmbeddedServer.from_settings(settings).start()
    typer.echo("the embedded server is for demonstration and development", err=True)
    _show(as_json, {"embedded": True, "running": True, "url": url}, url)


@db.command()
def stop(as_json: AsJson = False) -> None:
    """Stop the embedded PostgreSQL."""
    settings = Settings.load()
    if not settings.embedded:
        _show(as_json, {"embedded": False}, REAL_SERVER)
        return
    stopped = EmbeddedServer.from_settings(settings).stop()
    _show(
        as_json, {"embedded": True, "running": False, "stopped": stopped}, "stopped" if stopped else "was not running"
    )


@db.command()
def status(as_json: AsJson = False) -> None:
    """Say whether the database answers; exit status 3 when it does not."""
    settings = Settings.load()
    found = _embedded_status(settings) if settings.embedded else _real_status(settings)
    _show(as_json, found, "\n".join(f"{name:10} {value}" for name, value in found.items() if value is not None))
    if not found["running"]:
        raise typer.Exit(NOT_RUNNING)


@db.command()
def url(
    database: Annotated[str | None, typer.Option(help="Another database of the server, for example airflow.")] = None,
    driver: Annotated[str, typer.Option(help="SQLAlchemy's driver, for example psycopg2; none for psql.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print the database's URL; the embedded server is started for it."""
    settings = Settings.load()
    found = connect.database_url(settings, database=database)
    text = found.set(drivername=f"postgresql+{driver}" if driver else "postgresql").render_as_string(
        hide_password=False
    )
    text = text.replace("%2F", "/")  # a socket's folder stays readable, and psql's scripts need not decode it
    _show(as_json, {"url": text}, text)


@db.command()
def upgrade(as_json: AsJson = False) -> None:
    """Bring the schema to the present state, whole or not at all."""
    from sharedrepo.migrate import upgrade as run  # noqa: PLC0415  # alembic is slow to import

    with _engine(Settings.load()) as engine:
        revision = run(engine)
    _show(as_json, {"revision": revision}, f"the database is at revision {revision}")


@db.command()
def digest(as_json: AsJson = False) -> None:
    """Print a hash of each table's rows and, last, of all: equal digests mean equal repositories."""
    from sharedrepo.telling.digest import digest as run  # noqa: PLC0415  # the models are slow to import

    with _engine(Settings.load()) as engine:
        found = run(engine)
    _show(as_json, found, "\n".join(f"{value}  {name}" for name, value in found.items()))


@key.command()
def make(file: Annotated[Path, typer.Argument(help="The key file to make; it must not exist.")]) -> None:
    """Make a key file (0600) for a deployment with a real server; keep a copy apart from the database's backups."""
    if not store_ring(file.absolute(), new_ring(), replace_existing=False):
        raise KeyTrouble(f"{file} exists; a key file is never overwritten.")
    typer.echo(f"made {file}; set HUB_KEY_FILE={file.absolute()}")


@key.command("list")
def list_keys(
    usage: Annotated[bool, typer.Option("--usage", help="Count the values under each key (reads every row).")] = False,
    as_json: AsJson = False,
) -> None:
    """List the keys (number, state, fingerprint, day of making) and the cipher in use. Key material is never shown."""
    settings = Settings.load()
    ring = load_ring(settings)
    prints = ring.fingerprints()
    counts = _usage(settings) if usage else Counter[bytes]()
    values = Counter[int]()
    for header, count in counts.items():
        values[key_number(header)] += count
    rows: list[dict[str, Any]] = [{"number": CONTENT, "state": "content", "fingerprint": prints[CONTENT]}]
    for root in ring.roots:
        state = "seals" if root is ring.newest else "live"
        found = {"number": root.number, "state": state, "fingerprint": prints[root.number], "made": root.made}
        rows.append({**found, "values": values[root.number]} if usage else found)
    rows += [
        {"number": gone.number, "state": "retired", "fingerprint": gone.fingerprint, "retired": gone.retired}
        for gone in ring.retired
    ]
    text = "\n".join("  ".join(str(value) for value in row.values()) for row in rows)
    said: dict[str, Any] = {"keys": rows, "cipher": settings.cipher}
    text += f"\nnew values are sealed with {settings.cipher}"
    if usage:
        marks = {one.name: sum(n for header, n in counts.items() if header[0] == one.mark) for one in CIPHERS}
        said["sealed"] = marks
        text += "; sealed are " + ", ".join(f"{count} with {name}" for name, count in marks.items())
    _show(as_json, said, text)


@key.command()
def rotate(
    make_only: Annotated[bool, typer.Option("--make-only", help="Make the key; re-key at the next `rotate`.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a new root key and re-key all hashes and sealed values; a rotation that was cut off is finished instead.

    The content key stays: it changes only by a `hub rebuild` under a new key file.
    """
    from sharedrepo.keyring.rekey import rekey  # noqa: PLC0415  # the models are slow to import

    settings = Settings.load()
    with _opened(settings) as (engine, protector):
        older = [root.number for root in protector.ring.roots[:-1]]
        unfinished = any(_in_use(settings, engine, protector, number) for number in older)
        present = protector if unfinished else _with_new_key(settings, engine, protector)
        newest = present.ring.newest.number
        rows = data_keys = 0
        if not make_only:
            with _progress() as told:
                rows = rekey(engine, present, told)
            data_keys = _archive(settings, present).data_keys.reseal()
    done = (
        "`hub key rotate` re-keys what is older."
        if make_only
        else f"{rows} rows and {data_keys} data keys of the archive were re-keyed. "
        "`hub key retire NUMBER` destroys an older key."
    )
    said = {"newest": newest, "resumed": unfinished, "rows": rows, "data_keys": data_keys}
    _show(as_json, said, f"key {newest} seals; {done}")


@key.command()
def retire(number: Annotated[int, typer.Argument(help="The root key to destroy.")], as_json: AsJson = False) -> None:
    """Destroy an older root key that nothing is under any more; what backups hold under it becomes unreadable."""
    from sharedrepo.models import key_fingerprint  # noqa: PLC0415  # the models are slow to import

    settings = Settings.load()
    path = _writable(settings)
    with _opened(settings) as (engine, protector):
        ring = protector.ring.without(number)
        used = _in_use(settings, engine, protector, number)
        if used:
            raise KeyTrouble(f"key {number} is still in use: {', '.join(used)}. Run `hub key rotate` to its end first.")
        store_ring(path, ring, replace_existing=True)
        with engine.begin() as connection:
            gone = key_fingerprint.c.key_number == number
            connection.execute(sa.update(key_fingerprint).where(gone).values(retired=True))
    _show(as_json, {"retired": number}, f"key {number} is destroyed; drop it from the copies of the key file too")


# --- inside ---


def _show(as_json: bool, data: Mapping[str, Any], text: str) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False, default=str) if as_json else text)


def _embedded_status(settings: Settings) -> dict[str, Any]:
    found = EmbeddedServer.from_settings(settings).status()
    return {
        "embedded": True, "running": found.running, "pid": found.pid, "version": found.version,
        "folder": str(found.folder), "socket": str(found.socket) if found.socket else None,
    }  # fmt: skip


def _real_status(settings: Settings) -> dict[str, Any]:
    engine = connect.engine(settings)
    shown = connect.database_url(settings).render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            version = connection.scalar(sa.text("SHOW server_version"))
    except sa.exc.OperationalError:
        return {"embedded": False, "running": False, "url": shown}
    finally:
        engine.dispose()
    return {"embedded": False, "running": True, "version": version, "url": shown}


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[sa.Engine, Protector]]:
    """Open the repository at its present revision, and the keys it was written with."""
    from sharedrepo.keyring.keys import check_fingerprints  # noqa: PLC0415  # the models are slow to import
    from sharedrepo.migrate import upgrade as run  # noqa: PLC0415  # alembic is slow to import

    with _engine(settings) as engine:
        run(engine)
        protector = Protector.from_settings(settings)
        check_fingerprints(engine, protector)
        yield engine, protector


@contextmanager
def _engine(settings: Settings) -> Iterator[sa.Engine]:
    """Give an engine without a limit on a statement's time, and close it."""
    engine = connect.engine(settings, statement_seconds=0)
    try:
        yield engine
    finally:
        engine.dispose()


def _with_new_key(settings: Settings, engine: sa.Engine, protector: Protector) -> Protector:
    """Write a ring with one more root key, then tell the repository its fingerprint (in this order: see keys.md)."""
    from sharedrepo.keyring.keys import check_fingerprints  # noqa: PLC0415  # the models are slow to import

    store_ring(_writable(settings), protector.ring.rotated(), replace_existing=True)
    rotated = Protector.from_settings(settings)
    check_fingerprints(engine, rotated)
    return rotated


def _writable(settings: Settings) -> Path:
    path = ring_path(settings)
    if path is None:
        raise KeyTrouble(
            "HUB_KEYS holds the keys, and the hub cannot write there. Put them into a file, set HUB_KEY_FILE instead, "
            "run this again, and bring the file's new content to your secret store."
        )
    return path


def _archive(settings: Settings, protector: Protector) -> Any:
    from sharedrepo.archive import Archive  # noqa: PLC0415  # only rotation and retirement need it

    return Archive.from_settings(settings, protector)


def _in_use(settings: Settings, engine: sa.Engine, protector: Protector, number: int) -> list[str]:
    """Return the places that hold a value under this root key."""
    from sharedrepo.keyring.rekey import in_use  # noqa: PLC0415  # the models are slow to import

    found = _archive(settings, protector).data_keys.usage()
    data_keys = sum(count for header, count in found.items() if key_number(header) == number)
    return in_use(engine, number) + ([f"{data_keys} data keys of the archive"] if data_keys else [])


def _usage(settings: Settings) -> Counter[bytes]:
    from sharedrepo.keyring.rekey import usage  # noqa: PLC0415  # the models are slow to import

    with _opened(settings) as (engine, protector):
        data_keys: Counter[bytes] = _archive(settings, protector).data_keys.usage()
        return usage(engine) + data_keys


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each table that is re-keyed, on the error stream."""
    console = Console(stderr=True)
    tasks: dict[str, TaskID] = {}
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console) as bars:

        def told(table: str, done: int, total: int) -> None:
            if table not in tasks:
                tasks[table] = bars.add_task(table, total=total)
            bars.update(tasks[table], completed=done, total=total)

        yield told
