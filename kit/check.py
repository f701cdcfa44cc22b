"""Checks a source as `hub source check` does, and more: its fields as declared, and its clock."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa

from connectors.seam import Connector
from hub.errors import SourceTrouble
from kit.compare import differences
from kit.subject import Subject
from kit.wire import Wire, engine_of, listening

_MOST_APART = 60.0
"""Seconds by which clocks may differ before a cursor's lookback has to make up for it."""

_SECONDS = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
    "mysql": "SELECT UNIX_TIMESTAMP(CURRENT_TIMESTAMP(3))",
    "oracle": "SELECT (CAST(SYS_EXTRACT_UTC(SYSTIMESTAMP) AS DATE) - DATE '1970-01-01') * 86400 FROM dual",
}
"""How each sort of database says its time in seconds since 1970; SQLite is a file and has no clock."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was tried. `ok` is None where it cannot be told."""

    what: str
    stream: str | None
    ok: bool | None
    message: str
    hint: str = ""


def check(subject: Subject, connector: Connector) -> list[Item]:
    """Try the connection, each stream, the declared fields and the clock; troubles are items, not exceptions."""
    with listening() as wire:
        report = connector.check()
    items = [Item("read", one.stream, one.ok, one.message, "" if one.ok else one.hint) for one in report.items]
    if report.items and report.items[0].ok:
        items += _fields(subject, connector)
    items.append(_clock(subject.source.code, connector, wire))
    return items


def _fields(subject: Subject, connector: Connector) -> list[Item]:
    try:
        found = connector.discover()
    except SourceTrouble as error:
        return [Item("fields", error.stream, False, f"its fields cannot be listed: {error.got}", str(error))]
    out = []
    for one in differences(subject.source, dict(subject.mapping.streams), found):
        ok = one.alike
        hint = "" if ok else f"`hub connector discover {subject.source.code}` proposes columns for new fields."
        out.append(Item("fields", one.stream, ok, one.sentence, hint if one.found else ""))
    return out


def _clock(code: str, connector: Connector, wire: Wire) -> Item:
    engine = engine_of(connector)
    try:
        ahead = wire.ahead if engine is None else _database_ahead(engine)
    except sa.exc.SQLAlchemyError as error:
        return Item("clock", None, None, f"cannot tell: the database did not say its time ({type(error).__name__})")
    if ahead is None:
        return Item("clock", None, None, "cannot tell: this source does not say its time")
    apart = f"the system's clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} ours"
    if abs(ahead) <= _MOST_APART:
        return Item("clock", None, True, apart)
    hint = f"Set a `lookback` above it in source.yml of {code}, and ask the department to set its clock."
    return Item("clock", None, False, apart, hint)


def _database_ahead(engine: sa.Engine) -> float | None:
    statement = _SECONDS.get(engine.dialect.name)
    if statement is None:
        return None
    with engine.connect() as connection:
        began = time.time()
        said = connection.exec_driver_sql(statement).scalar_one()
        return float(said) - (began + time.time()) / 2
