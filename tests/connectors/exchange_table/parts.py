"""An exchange table that a department made, and what tests do with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from connectors.kinds.exchange_table.connector import ExchangeTableConnector
from connectors.seam import Receipt
from connectors.source import StreamSpec
from hub.records import Slice
from tests.connectors.conftest import Department
from tests.connectors.parts import keyed, records, source, stream

FLAG = {"column": "REC_FLAG", "waiting": [None, "", "0"], "claimed": "9", "done": "1", "failed": "2"}
AGREED: dict[str, Any] = {
    "flag": FLAG, "claim": {"id": "CLAIM_ID", "time": "CLAIM_TIME"},
    "receipt": {"time": "RESPONSETIME", "error": "ERR_MSG"}, "version": "VERSION", "order": ["INSERTTIME"],
}  # fmt: skip
DECLARED = {"column": "BATCHNO", "table": "ex_batch", "number": "NO", "rows": "ROW_COUNT"}
TABLE = """CREATE TABLE {q}ex_sl{q} (
 {q}SBLSH{q} varchar(50) NOT NULL, {q}STEP{q} varchar(5) NOT NULL, {q}NAME{q} varchar(100),
 {q}VERSION{q} integer, {q}INSERTTIME{q} {stamp}, {q}REC_FLAG{q} varchar(2), {q}CLAIM_ID{q} varchar(40),
 {q}CLAIM_TIME{q} {stamp}, {q}RESPONSETIME{q} varchar(19), {q}ERR_MSG{q} varchar(60),
 PRIMARY KEY ({q}SBLSH{q}, {q}STEP{q}))"""


def quote(place: Department) -> str:
    return "`" if place.backend == "mysql" else '"'


def make(place: Department, count: int = 0) -> None:
    stamp = {"postgresql": "timestamp", "mysql": "datetime", "sqlite": "timestamp"}[place.backend]
    place.run(TABLE.format(q=quote(place), stamp=stamp))
    put(place, *(f"K{number:04}" for number in range(count)))


def put(place: Department, *keys: str, flag: str | None = "0", version: int | None = 1, step: str = "1") -> None:
    """Write rows as a department does."""
    names = ("SBLSH", "STEP", "NAME", "VERSION", "INSERTTIME", "REC_FLAG")
    rows = [
        (key, step, f"受理{key}", version, f"2026-01-05 08:{number % 60:02}:00", flag)
        for number, key in enumerate(keys)
    ]
    values = ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in rows)
    if keys:
        place.run(
            f"INSERT INTO ex_sl ({', '.join(quote(place) + name + quote(place) for name in names)}) VALUES {values}"
        )


def literal(value: Any) -> str:
    return "NULL" if value is None else repr(value)


def ask(place: Department, query: str) -> list[tuple[Any, ...]]:
    engine = sa.create_engine(re.sub("^mysql:", "mysql+pymysql:", place.url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        if place.schema and place.backend == "postgresql":
            connection.exec_driver_sql(f"SET search_path TO {place.schema}")
        return [tuple(row) for row in connection.exec_driver_sql(query.replace('"', quote(place)))]


def flags(place: Department) -> dict[str, str | None]:
    rows = ask(place, 'SELECT "SBLSH", "STEP", "REC_FLAG" FROM ex_sl')
    return {key + ("" if step == "1" else step): flag for key, step, flag in rows}


def change(place: Department, key: str, **values: Any) -> None:
    sets = ", ".join(f'"{name}" = {literal(value)}' for name, value in values.items())
    place.run(f"UPDATE ex_sl SET {sets} WHERE \"SBLSH\" = '{key}'".replace('"', quote(place)))


def table(place: Department, **options: Any) -> StreamSpec:
    expect = options.pop("expect", None)
    cursor = options.pop("cursor", None)
    own = {name: value for name, value in {**AGREED, **options}.items() if value is not None}
    return made("sl", {**place.options, "table": "ex_sl", **own}, cursor=cursor, expect=expect)


def made(name: str, options: dict[str, Any], **said: Any) -> StreamSpec:
    """Make a stream; `key` of the options is not the mapping's."""
    return replace(stream(name, **said), options=options)


def hub(place: Department, one: StreamSpec, mark: str = "") -> ExchangeTableConnector:
    """Open the connector of a hub; `mark` makes it another deployment."""
    return ExchangeTableConnector(source("exchange_table", one), place.url, lambda data: keyed(mark.encode() + data))


def pull(connector: ExchangeTableConnector, one: StreamSpec, *, size: int = 100, full: bool = False) -> list[Slice]:
    slices = list(connector.read(one, {}, slice_size=size, full=full))
    assert [piece.last for piece in slices] == [False] * (len(slices) - 1) + [True]
    assert all(len(piece.tokens) in (0, piece.read) for piece in slices)
    assert [row for piece in slices for row in sorted([*piece.rows, *(one.row for one in piece.broken)])] == list(
        range(1, sum(piece.read for piece in slices) + 1)
    )
    return slices


def keys(slices: Sequence[Slice]) -> list[str]:
    return [record["SBLSH"] for record in records(list(slices))]


def settle(connector: ExchangeTableConnector, one: StreamSpec, slices: Sequence[Slice], **errors: str) -> None:
    """Give each row its receipt: quarantined where an error is said of its key."""
    for piece in slices:
        told = [errors.get(record["SBLSH"]) for record in piece.records]
        connector.acknowledge(one, [
            Receipt(token, "new") if said is None else Receipt(token, "quarantined", (said,))
            for token, said in zip(piece.tokens, told, strict=True)
        ])  # fmt: skip
