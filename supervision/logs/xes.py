"""Writes a log of cases as XES (IEEE 1849-2016), streamed: a trace a case, an event what happened in it.

Extensions are those of the standard (concept, time, lifecycle, organizational); what is the hub's own begins with
`hub:`. A stage that took time is one event at its end, and `start_timestamp` says when it began, as tools read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import IO, Any, Final, Literal

import sqlalchemy as sa
from lxml import etree

from hub.protect import Protector
from hub.workdays import ZONE
from supervision.logs.events import NAMES, Event, Log, snapshot
from supervision.logs.files import whole_file
from supervision.logs.scope import Scope, gather

VERSION: Final = "1849.2016"
NAMESPACE: Final = "http://www.xes-standard.org/"
_NSMAP: Final[Any] = {None: NAMESPACE}
Language = Literal["zh", "en"]
_EXTENSIONS: Final = (
    ("Concept", "concept"), ("Time", "time"), ("Lifecycle", "lifecycle"), ("Organizational", "org"),
)  # fmt: skip
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_OF_CASE: Final = (
    "source", "item", "item_name", "organ", "region", "kind", "channel", "state", "outcome", "verdict", "due_at",
    "used_days", "paused_days",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """What a log holds, and what of its cases has no place in it: events that have no time, by activity."""

    cases: int
    events: int
    without_time: dict[str, int]


def write(engine: sa.Engine, protector: Protector, scope: Scope, to: Path, *, language: Language = "zh") -> Written:
    """Write the log of a scope into a new file, packed if its name ends in .gz; return what it holds.

    Raises:
        BadScope: no case fits.
        CannotWrite: the file is there already, or cannot be made.
    """
    with snapshot(engine) as connection:
        cases = gather(connection, scope)
        log = Log(connection, protector)
        with whole_file(to) as out:
            events = _Writer(out, log, language).write(scope)
        return Written(cases, events, log.timeless())


class _Writer:
    """Writes one log."""

    def __init__(self, out: IO[bytes], log: Log, language: Language) -> None:
        self._out, self._log, self._language = out, log, language

    def write(self, scope: Scope) -> int:
        count = 0
        attributes = {"xes.version": VERSION, "xes.features": ""}
        with ExitStack() as stack:
            file: Any = stack.enter_context(etree.xmlfile(self._out, encoding="utf-8"))
            file.write_declaration()
            stack.enter_context(file.element(f"{{{NAMESPACE}}}log", attributes, nsmap=_NSMAP))
            for element in self._head(scope):
                file.write(element)
            events = groupby(self._log.events(), key=attrgetter("case_id"))
            current = next(events, None)
            for case in self._log.cases():
                mine: Iterator[Event] = iter(())
                if current is not None and current[0] == case["case_id"]:
                    mine = current[1]
                count += self._trace(file, case, mine)
                if current is not None and current[0] == case["case_id"]:
                    current = next(events, None)
        return count

    def _head(self, scope: Scope) -> Iterator[Any]:
        for name, prefix in _EXTENSIONS:
            yield _element("extension", name=name, prefix=prefix, uri=f"{NAMESPACE}{prefix}.xesext")
        for level, keys in (("trace", ("concept:name",)), ("event", ("concept:name", "lifecycle:transition"))):
            common = _element("global", scope=level)
            common.extend(_attribute(key, "unknown") for key in keys)
            if level == "event":
                common.append(_attribute("time:timestamp", datetime(1970, 1, 1, tzinfo=ZONE)))
            yield common
        yield _element("classifier", name="Activity", keys="concept:name")
        yield _element("classifier", name="Stage", keys="hub:activity")
        yield _attribute("concept:name", "政府行政审批办件日志 approval cases")
        for name, one in scope.said().items():
            yield _attribute(f"hub:scope_{name}", one)

    def _trace(self, file: Any, case: dict[str, Any], events: Iterator[Event]) -> int:
        count = 0
        with file.element(f"{{{NAMESPACE}}}trace"):
            file.write(_attribute("concept:name", f"{case['source']}:{case['case_number']}"))
            for name in _OF_CASE:
                if case[name] is not None:
                    file.write(_attribute(f"hub:{name}", case[name]))
            for count, event in enumerate(events, 1):  # noqa: B007  # the last one is how many there were
                file.write(self._event(event))
        return count

    def _event(self, event: Event) -> Any:
        made = _element("event")
        zh, en = NAMES[event.activity]
        said: dict[str, Any] = {
            "concept:name": zh if self._language == "zh" else en, "time:timestamp": event.at,
            "lifecycle:transition": "complete" if event.done else "start", "hub:activity": event.activity,
            "start_timestamp": event.began, "hub:detail": event.detail, "org:role": event.post, "hub:node": event.node,
            "org:resource": None if event.handler is None else self._log.pseudonym(bytes(event.handler)),
            "hub:handler": event.handler_mask, "hub:precision": "day" if event.precision == "d" else None,
        }  # fmt: skip
        made.extend(_attribute(key, value) for key, value in said.items() if value is not None)
        return made


def _element(tag: str, **attributes: str) -> Any:
    return etree.Element(f"{{{NAMESPACE}}}{tag}", attributes, nsmap=_NSMAP)


def _attribute(key: str, value: Any) -> Any:
    """Write a value under the type that the standard has for it; what XML cannot hold is replaced."""
    if isinstance(value, datetime):
        return _element("date", key=key, value=value.astimezone(ZONE).isoformat(timespec="milliseconds"))
    if isinstance(value, int):
        return _element("int", key=key, value=str(value))
    return _element("string", key=key, value=_UNFIT.sub("�", str(value)))
