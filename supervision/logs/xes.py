"""Writes a log of cases as XES (IEEE 1849-2016), streamed: a trace a case, an event what happened in it.

Extensions are those of the standard (concept, time, lifecycle, organizational); what is the hub's own begins with
`hub:`. A stage that took time is one event at its end, and `start_timestamp` says when it began, as tools read it.
Elements are written as text: as objects of a library, millions of events would take ten times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import TextIOWrapper
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import IO, Any, Final, Literal
from xml.sax.saxutils import quoteattr

import sqlalchemy as sa

from hub.protect import Protector
from hub.workdays import ZONE
from supervision.logs.events import NAMES, Event, Log, snapshot
from supervision.logs.files import whole_file
from supervision.logs.scope import Scope, gather

VERSION: Final = "1849.2016"
NAMESPACE: Final = "http://www.xes-standard.org/"
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
        self._out = TextIOWrapper(out, encoding="utf-8", newline="\n")
        self._log, self._language = log, language

    def write(self, scope: Scope) -> int:
        count = 0
        put = self._out.write
        put('<?xml version="1.0" encoding="utf-8"?>\n')
        put(f'<log xes.version="{VERSION}" xes.features="" xmlns="{NAMESPACE}">\n')
        put("".join(self._head(scope)))
        events = groupby(self._log.events(), key=attrgetter("case_id"))
        current = next(events, None)
        for case in self._log.cases():
            mine: Iterator[Event] = iter(())
            its = current is not None and current[0] == case["case_id"]
            if its and current is not None:
                mine = current[1]
            count += self._trace(case, mine)
            if its:
                current = next(events, None)
        put("</log>\n")
        self._out.flush()
        self._out.detach()  # the file is its owner's to close
        return count

    def _head(self, scope: Scope) -> Iterator[str]:
        for name, prefix in _EXTENSIONS:
            yield f'<extension name="{name}" prefix="{prefix}" uri="{NAMESPACE}{prefix}.xesext"/>\n'
        yield f'<global scope="trace">{_attribute("concept:name", "unknown")}</global>\n'
        common = {
            "concept:name": "unknown", "lifecycle:transition": "complete",
            "time:timestamp": datetime(1970, 1, 1, tzinfo=ZONE),
        }  # fmt: skip
        yield f'<global scope="event">{"".join(_attribute(key, one) for key, one in common.items())}</global>\n'
        yield '<classifier name="Activity" keys="concept:name"/>\n<classifier name="Stage" keys="hub:activity"/>\n'
        yield _attribute("concept:name", "政府行政审批办件日志 approval cases")
        for name, one in scope.said().items():
            yield _attribute(f"hub:scope_{name}", one)

    def _trace(self, case: dict[str, Any], events: Iterator[Event]) -> int:
        put = self._out.write
        put("\n<trace>")
        put(_attribute("concept:name", f"{case['source']}:{case['case_number']}"))
        put("".join(_attribute(f"hub:{name}", case[name]) for name in _OF_CASE if case[name] is not None))
        count = 0
        for count, event in enumerate(events, 1):  # noqa: B007  # the last one is how many there were
            put(self._event(event))
        put("</trace>")
        return count

    def _event(self, event: Event) -> str:
        zh, en = NAMES[event.activity]
        said: dict[str, Any] = {
            "concept:name": zh if self._language == "zh" else en, "time:timestamp": event.at,
            "lifecycle:transition": "complete" if event.done else "start", "hub:activity": event.activity,
            "start_timestamp": event.began, "hub:detail": event.detail, "org:role": event.post, "hub:node": event.node,
            "org:resource": None if event.handler is None else self._log.pseudonym(bytes(event.handler)),
            "hub:handler": event.handler_mask, "hub:precision": "day" if event.precision == "d" else None,
        }  # fmt: skip
        return f"<event>{''.join(_attribute(key, one) for key, one in said.items() if one is not None)}</event>"


def _attribute(key: str, value: Any) -> str:
    """Write a value under the type that the standard has for it; what XML cannot hold is replaced."""
    if isinstance(value, datetime):
        return f'<date key="{key}" value="{value.astimezone(ZONE).isoformat(timespec="milliseconds")}"/>'
    if isinstance(value, int):
        return f'<int key="{key}" value="{value}"/>'
    return f'<string key="{key}" value={quoteattr(_UNFIT.sub("�", str(value)))}/>'
