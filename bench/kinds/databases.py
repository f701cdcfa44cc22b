"""Kinds `database` and `exchange_table`: the department's tables, on PostgreSQL and on MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from bench.kinds.feeds import STREAMS, Feed, Ground, Kind, Missing, declared

MARIADB = "mysql+pymysql://root@127.0.0.1:3306"
KEYS = {"PRE_APASINFO": "PROJID", "PRE_NODE": "UNID"}
WRITTEN = {
    "HUB_FLAG": "varchar(1)",
    "HUB_CLAIM": "varchar(64)",
    "HUB_TIME": "timestamp NULL",
    "HUB_ERROR": "varchar(500)",
}
EXCHANGED = {
    "flag": {"column": "HUB_FLAG", "waiting": ["0"], "claimed": "9", "done": "1", "failed": "2"},
    "claim": {"id": "HUB_CLAIM"},
    "receipt": {"time": "HUB_TIME", "error": "HUB_ERROR"},
    "version": "DATAVERSION",
    "order": ["CREATE_TIME"],
    "leave_out": list(WRITTEN),
}


@contextmanager
def postgresql(ground: Ground) -> Iterator[Feed]:
    """The tables that the ground lies in."""
    url = ground.server.url(ground.database)
    yield _plain(ground, url, "pre")


@contextmanager
def mariadb(ground: Ground) -> Iterator[Feed]:
    """The same tables on the MariaDB of this machine."""
    with _on_mariadb(ground) as url:
        yield _plain(ground, url, None)


@contextmanager
def exchange_postgresql(ground: Ground) -> Iterator[Feed]:
    """A copy of the tables with the columns that the hub writes."""
    copy = ground.server.create("bench_exchange", template=ground.database)
    url = ground.server.url(copy)
    try:
        with ground.server.connect(copy) as cursor:
            for stream, table in STREAMS.items():
                cursor.execute(f"ALTER TABLE pre.{table} " + ", ".join(f'ADD "{n}" {t}' for n, t in WRITTEN.items()))
                cursor.execute(f"UPDATE pre.{table} SET \"HUB_FLAG\" = '0'")
                cursor.execute(f'ALTER TABLE pre.{table} ADD PRIMARY KEY ("{KEYS[stream]}")')
                cursor.execute(f'DROP INDEX pre."{table}_CREATE_TIME_{KEYS[stream]}_idx"')
                cursor.execute(f'CREATE INDEX ON pre.{table} ("HUB_FLAG", "CREATE_TIME")')
                cursor.execute(f"VACUUM FULL ANALYZE pre.{table}")
        yield _exchanged(ground, url, "pre")
    finally:
        ground.server.drop(copy)


@contextmanager
def exchange_mariadb(ground: Ground) -> Iterator[Feed]:
    """The same on MariaDB."""
    with _on_mariadb(ground, WRITTEN) as url:
        yield _exchanged(ground, url, None)


def _plain(ground: Ground, url: str, schema: str | None) -> Feed:
    streams = {
        stream: {"options": _of({"table": table}, schema), "cursor": {"field": "CREATE_TIME"}}
        for stream, table in STREAMS.items()
    }
    tables = [table if schema is None else f"{schema}.{table}" for table in STREAMS.values()]
    return Feed(declared("database", streams), url, ["sql", url, *tables], ground.size.records)


def _exchanged(ground: Ground, url: str, schema: str | None) -> Feed:
    found = _plain(ground, url, schema)
    streams = {
        stream: {"options": _of({"table": table, "key": [KEYS[stream]]}, schema)} for stream, table in STREAMS.items()
    }
    found.declare = declared("exchange_table", streams, options=EXCHANGED)

    def told() -> None:
        engine = sa.create_engine(url if "+" in url else url.replace("postgresql:", "postgresql+psycopg2:"))
        with engine.connect() as connection:
            for table in found.floor[2:]:
                column = engine.dialect.identifier_preparer.quote("HUB_FLAG")
                flags = connection.execute(sa.text(f"SELECT DISTINCT {column} FROM {table}")).scalars().all()
                assert flags == ["1"], f"{table}: rows without a receipt: {flags}"
        engine.dispose()

    found.proof = told
    return found


def _of(options: dict[str, Any], schema: str | None) -> dict[str, Any]:
    return options if schema is None else {"schema": schema, **options}


@contextmanager
def _on_mariadb(ground: Ground, more: dict[str, str] | None = None) -> Iterator[str]:
    server = sa.create_engine(MARIADB, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    name = "bench_kinds"
    try:
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}")
            connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    except sa.exc.OperationalError as error:
        raise Missing(
            f"no MariaDB that lets root in without a password at 127.0.0.1:3306 ({type(error).__name__})"
        ) from None
    url = f"{MARIADB}/{name}?charset=utf8mb4"
    engine = sa.create_engine(url)
    try:
        for stream, table in STREAMS.items():
            _copied(engine, ground, stream, table, more or {})
        yield url
    finally:
        engine.dispose()
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}")
        server.dispose()


def _copied(engine: sa.Engine, ground: Ground, stream: str, table: str, more: dict[str, str]) -> None:
    """Make one table with its rows."""
    sized = {KEYS[stream]: "varchar(64) NOT NULL", "CREATE_TIME": "varchar(32)", "DATAVERSION": "int"}
    names = ground.columns[stream]
    columns = [f"`{name}` {sized.get(name, 'text')}" for name in names] + [f"`{n}` {t}" for n, t in more.items()]
    keys = [
        f"PRIMARY KEY (`{KEYS[stream]}`)",
        "KEY (`CREATE_TIME`)",
        *(["KEY (`HUB_FLAG`, `CREATE_TIME`)"] if more else []),
    ]
    marks = ", ".join(["%s"] * len(names))
    said = ", ".join(f"`{name}`" for name in names)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {table} ({', '.join([*columns, *keys])})")
        rows = [tuple(row[name] for name in names) for row in ground.rows(stream)]
        for start in range(0, len(rows), 1000):
            connection.exec_driver_sql(f"INSERT INTO {table} ({said}) VALUES ({marks})", rows[start : start + 1000])
        if more:
            connection.exec_driver_sql(f"UPDATE {table} SET HUB_FLAG = '0'")


KINDS = (
    Kind("database-postgresql", "database (PostgreSQL)", postgresql),
    Kind("database-mariadb", "database (MariaDB)", mariadb),
    Kind("exchange-postgresql", "exchange_table with receipts (PostgreSQL)", exchange_postgresql),
    Kind("exchange-mariadb", "exchange_table with receipts (MariaDB)", exchange_mariadb),
)
