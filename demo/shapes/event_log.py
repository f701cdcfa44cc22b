"""Event logs (XES, gzipped) of a workflow engine: two departments export one every night (source folder `event-log`).

A trace is a case, an event a step; events have no number of their own, so that the hub tells them apart by a
fingerprint. When anything of a case changes, its whole trace is exported again: what did not change is unchanged.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from xml.sax.saxutils import quoteattr

from demo.model import Case, Certificate, Change, Decision, Defect, Department, Event, Suspension, UnitMark, Work
from demo.shapes import trim
from demo.shapes.contracts import SOURCES, by_name, contract
from demo.shapes.folders import Files, FolderSystem, Found
from demo.shapes.record import Entry, Values, joined, party_faults
from demo.shapes.system import Delivery

_KIND = {
    "natural": "person", "enterprise": "company", "institution": "institute", "social": "society",
    "individual_business": "trader",
}  # fmt: skip
_CARD = {"resident_id": "rid", "credit_code": "uscc", "organisation_code": "org"}
_WAY = {"window": "window", "online": "web", "post": "post", "mobile": "app"}
_PAUSE = {
    "hearing": "听证", "testing": "检测", "inspection": "检验", "appraisal": "鉴定", "expert_review": "评审",
    "extension": "延期",
}  # fmt: skip

_HERE = SOURCES / "event-log"
STREAMS = by_name(
    contract(
        _HERE, "traces", key=("case:concept:name",), case="case:concept:name",
        decides="case:acceptance:outcome", other="case:channel", text="case:title", moment="case:acceptance:due",
    ),
    contract(
        _HERE, "events", key=(), case="case:concept:name",
        decides="concept:name", other="outcome", text="opinion", moment="time:timestamp",
    ),
)  # fmt: skip
_PREFIX = "case:"


class EventLogShape(FolderSystem):
    """One log a part."""

    name = "event_log"
    parks = False
    carries = frozenset({
        "credit_code_check", "resident_id_check", "organisation_code_check", "certificate_id_check", "item_code_bad",
        "phone_bad", "placeholder", "future_date", "ended_before_started", "validity_reversed", "minute_habit",
        "stage_order", "closed_before_accepted", "approve_without_review", "pause_end_without_start",
        "pause_not_ended", "due_before_acceptance", "accepted_before_applied", "time_shifted", "batch_entered",
        "refusal_without_reason", "extension_without_approver", "granted_without_credential", "closed_twice",
        "unknown_code_deciding", "unknown_code_other", "too_long", "unreadable_date", "field_added", "truncated_file",
    })  # fmt: skip
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case without what the engine does not know."""
        return trim.without(
            case, "agent", "contact", "legal_person", "supplements", "materials", "fees", "deliveries", "links",
            "identifiers",
        )  # fmt: skip

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the trace of a case and its events."""
        del department
        yield _trace(case)
        for event in case.events:
            yield _step(case, event)
        for pause in case.suspensions:
            yield _pause(case, pause)
        for decision in case.decisions:
            yield _decision(case, decision)
        for certificate in case.certificates:
            yield _certificate(case, certificate)

    def stamped(self, delivery: Delivery) -> Values:
        """Add the time at which the engine wrote it."""
        name = "case:time:reported" if delivery.entry.role == "case" else "time:reported"
        return {**delivery.entry.values, name: _when(delivery.entry.at)}

    def _changed(self, department: Department, change: Change, when: datetime) -> Iterator[Delivery]:
        """Yield the whole case again wherever anything of it changed."""
        changed = list(super()._changed(department, change, when))
        if not changed or change.before is None:
            yield from changed
            return
        told = {one.entry.place: one for one in changed}
        for entry in self._spelled(department, change.after):
            yield told.get(entry.place) or Delivery(entry, "U", "unchanged", ())

    def files(
        self, folder: Path, name: str, department: Department, day: date, plans: Mapping[str, Defect]
    ) -> AbstractContextManager[Files]:
        """Open the log of one part."""
        del department, day
        return _Log(folder / f"log_{name}.xes.gz", added="field_added" in plans)

    def cut_short(self, folder: Path, name: str) -> None:
        """Cut the packed log in two."""
        file = folder / f"log_{name}.xes.gz"
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])

    def spoiled_units(
        self, department: Department, work: Work, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Found:
        """Name the finding of the attribute that a new release of the engine writes."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        if "field_added" in plans:
            yield UnitMark(department.code, "events", None, day, "unknown_field", "field_added")


class _Log:
    """One log, opened with its first trace; the records of a case come one after the other, its trace first."""

    def __init__(self, file: Path, *, added: bool) -> None:
        self._file, self._added = file, added
        self._text: TextIOWrapper | None = None
        self._inside = False

    def __enter__(self) -> _Log:
        return self

    def put(self, entry: Entry, values: Values) -> None:
        """Write a trace's attributes, or one of its events."""
        if self._text is None:
            self._text = TextIOWrapper(gzip.GzipFile(self._file, "wb", mtime=0), encoding="utf-8")
            self._text.write(
                '<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1849-2016" xmlns="http://www.xes-standard.org/">\n'
            )
        if entry.role == "case":
            self._text.write("</trace>\n<trace>\n" if self._inside else "<trace>\n")
            self._inside = True
            self._text.write(_attributes({name.removeprefix(_PREFIX): value for name, value in values.items()}))
            return
        more = {"risk:level": "0"} if self._added else {}
        own = {name: value for name, value in values.items() if not name.startswith(_PREFIX)}
        self._text.write(f"<event>{_attributes({**own, **more})}</event>\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._text is not None:
            self._text.write("</trace>\n</log>\n" if self._inside else "</log>\n")
            self._text.close()


def _attributes(values: Values) -> str:
    """Write attributes; those that say nothing are left out."""
    return "".join(
        f"<{'date' if name.startswith('time:') else 'string'} key={quoteattr(name)} value={quoteattr(str(value))}/>"
        for name, value in values.items()
        if value is not None
    )


def _when(moment: datetime | date | None) -> str | None:
    if moment is None:
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}+08:00" if isinstance(moment, datetime) else moment.isoformat()


def _trace(case: Case) -> Entry:
    applicant, given = case.applicant, case.acceptance
    said: Values = {
        "concept:name": case.number, "item:code": case.item.implementation_code, "item:name": case.item.name,
        "case:kind": "1" if case.kind == "immediate" else "2", "channel": _WAY[case.channel], "title": case.subject,
        "applicant:kind": _KIND[applicant.kind], "applicant:name": applicant.name,
        "applicant:idtype": _CARD[applicant.number_kind], "applicant:id": applicant.number,
        "applicant:phone": applicant.phone, "applicant:address": applicant.address,
        "time:applied": _when(case.applied),
    }  # fmt: skip
    faults, at = joined(case.faults, party_faults(applicant)), case.reported_at
    if given is not None:
        said |= {
            "acceptance:outcome": "yes" if given.outcome == "accepted" else "no", "acceptance:time": _when(given.at),
            "acceptance:due": _when(given.due), "acceptance:reason": given.reason,
            "acceptance:officer": given.handler.name,
        }  # fmt: skip
        faults, at = joined(faults, given.faults), max(at, given.reported_at)
    values = {f"{_PREFIX}{name}": value for name, value in said.items()}
    return Entry("traces", "case", case.number, case.number, values, 1, at, faults)


def _event(case: Case, role: str, ident: str, values: Values, at: datetime, faults: tuple[str, ...]) -> Entry:
    row = {f"{_PREFIX}concept:name": case.number, "lifecycle:transition": "complete", **values}
    return Entry("events", role, None, case.number, row, 1, at, faults, ident)


def _step(case: Case, event: Event) -> Entry:
    values = {
        "concept:name": event.node, "org:resource": event.handler.name, "org:role": event.handler.post,
        "org:group": event.handler.unit, "time:start": _when(event.started), "time:timestamp": _when(event.finished),
        "outcome": "pass" if event.outcome == "passed" else "back", "opinion": event.opinion,
    }  # fmt: skip
    return _event(case, event.stage, event.id, values, event.reported_at, event.faults)


def _pause(case: Case, pause: Suspension) -> Entry:
    values = {
        "concept:name": "特别程序", "org:resource": pause.approver.name if pause.approver else None,
        "time:start": _when(pause.started), "time:timestamp": _when(pause.ended), "pause:kind": _PAUSE[pause.kind],
        "pause:reason": pause.reason,
    }  # fmt: skip
    at = pause.ended_reported_at or pause.reported_at
    return _event(case, "suspension", pause.id, values, at, pause.faults)


def _decision(case: Case, decision: Decision) -> Entry:
    values = {
        "concept:name": "决定", "org:resource": decision.handler.name, "time:start": _when(decision.decided),
        "time:timestamp": _when(decision.decided), "decision:outcome": decision.outcome,
        "decision:number": decision.document_number, "decision:reason": decision.reason,
    }  # fmt: skip
    return _event(case, "decision", decision.id, values, decision.reported_at, decision.faults)


def _certificate(case: Case, made: Certificate) -> Entry:
    status, holder = made.statuses[-1], made.holder
    values = {
        "concept:name": "制证", "time:start": _when(made.issued), "time:timestamp": _when(made.issued),
        "certificate:type": made.type, "certificate:number": made.number, "certificate:id": made.identifier,
        "certificate:document": made.document_number, "certificate:from": _when(made.valid_from),
        "certificate:to": _when(made.valid_to) or "2099-12-31", "certificate:status": status.status,
        "certificate:since": _when(status.since), "holder:name": holder.name,
        "holder:idtype": _CARD[holder.number_kind], "holder:id": holder.number,
    }  # fmt: skip
    faults = joined(made.faults, party_faults(holder, phone=False))
    return _event(case, "certificate", made.id, values, max(made.reported_at, status.reported_at), faults)
