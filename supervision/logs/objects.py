"""What the events of a log are about, as OCEL 2.0 has it: types, objects with their attributes, and what binds them.

Objects: the case (办件), its item (事项), the handling organ (部门), handlers (经办人, as pseudonyms), credentials that
were issued (证照, without holder). All values are written as text, as the published JSON schema wants them; the
declared types say what they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from supervision.logs.events import NAMES, Event, Log

EPOCH: Final = "1970-01-01T00:00:00Z"
"""The time of an attribute that holds from the beginning (the specification's own convention)."""
EVENT_ATTRIBUTES: Final = {
    "activity": "string", "lifecycle": "string", "began": "time", "detail": "string", "post": "string",
    "node": "string", "precision": "string",
}  # fmt: skip
OBJECT_TYPES: Final[dict[str, dict[str, str]]] = {
    "case": {"number": "string", "source": "string", "region": "string", "kind": "string", "channel": "string",
             "state": "string", "outcome": "string", "verdict": "string", "due_at": "time", "used_days": "integer",
             "paused_days": "integer"},
    "item": {"name": "string"},
    "organ": {"name": "string"},
    "handler": {"mask": "string"},
    "credential": {"type": "string", "status": "string"},
}  # fmt: skip
_ITEMS = """SELECT a.item_code, max(a.item_name) FROM log_scope JOIN core.approval_case AS a ON a.record_id = case_id
    WHERE a.item_code IS NOT NULL GROUP BY 1 ORDER BY 1"""
_ORGANS = """SELECT a.handling_organ, (SELECT o.name FROM core.organ AS o WHERE o.code = a.handling_organ
        ORDER BY o.valid_from DESC NULLS LAST LIMIT 1)
    FROM log_scope JOIN core.approval_case AS a ON a.record_id = case_id
    WHERE a.handling_organ IS NOT NULL GROUP BY 1 ORDER BY 1"""
_HANDLERS = """SELECT hashed, max(mask) FROM (
    SELECT handler_hash AS hashed, handler_mask AS mask FROM log_scope JOIN core.stage_event USING (case_id)
    UNION ALL SELECT handler_hash, handler_mask FROM log_scope JOIN core.acceptance USING (case_id)
    UNION ALL SELECT handler_hash, handler_mask FROM log_scope JOIN core.supplement USING (case_id)
    UNION ALL SELECT d.handler_hash, d.handler_mask FROM log_scope AS s
        JOIN core.approval_case AS a ON a.record_id = s.case_id
        JOIN core.decision AS d ON d.source_system_id = a.source_system_id AND d.case_number = a.case_number
) AS h WHERE hashed IS NOT NULL GROUP BY 1 ORDER BY 1"""
_CREDENTIALS = """SELECT c.record_id, c.part, c.credential_type, c.status, s.case_id FROM log_scope AS s
    JOIN core.approval_case AS a ON a.record_id = s.case_id
    JOIN core.credential AS c ON c.source_system_id = a.source_system_id AND c.case_number = a.case_number
    ORDER BY 1, 2"""


@dataclass(frozen=True, slots=True)
class Object:
    """One object: its name in the log, its type, attributes as text, and what it is bound to by which qualifier."""

    id: str
    type: str
    attributes: dict[str, str]
    bound: tuple[tuple[str, str], ...] = ()


def objects(log: Log) -> Iterator[Object]:
    """Yield every object of a log, by type."""
    for case in log.cases():
        said = {name: _text(case[name]) for name in OBJECT_TYPES["case"] if name != "number" and case[name] is not None}
        bound = tuple(
            (f"{kind}:{case[kind]}", kind) for kind in ("item", "organ") if case[kind] is not None
        )  # fmt: skip
        yield Object(f"case:{case['case_id']}", "case", {"number": case["case_number"], **said}, bound)
    for kind, query in (("item", _ITEMS), ("organ", _ORGANS)):
        for code, name in log.distinct(query):
            yield Object(f"{kind}:{code}", kind, {"name": name} if name else {})
    seen = set[str]()
    for hashed, mask in log.distinct(_HANDLERS):
        handler = log.pseudonym(bytes(hashed))
        if handler not in seen:
            seen.add(handler)
            yield Object(f"handler:{handler}", "handler", {"mask": mask} if mask else {})
    for record, part, kind, status, case in log.distinct(_CREDENTIALS):
        said = {"type": kind, **({"status": status} if status else {})}
        yield Object(f"credential:{record}-{part}", "credential", said, ((f"case:{case}", "issued in"),))


def attributes_of(event: Event) -> dict[str, str]:
    """Return an event's attributes, as text."""
    said = {
        "activity": event.activity, "lifecycle": "complete" if event.done else "start", "began": event.began,
        "detail": event.detail, "post": event.post, "node": event.node,
        "precision": "day" if event.precision == "d" else None,
    }  # fmt: skip
    return {name: _text(one) for name, one in said.items() if one is not None}


def bound_to(event: Event, log: Log) -> tuple[tuple[str, str], ...]:
    """Return what an event is about: its case with item and organ, who did it, and the credential that was issued."""
    about = [
        ("case", str(event.case_id)), ("item", event.item), ("organ", event.organ),
        ("handler", None if event.handler is None else log.pseudonym(bytes(event.handler))),
        ("credential", f"{event.record_id}-{event.part}" if event.activity == "issue" else None),
    ]  # fmt: skip
    return tuple((f"{kind}:{name}", kind) for kind, name in about if name is not None)


def type_of(event: Event, language: str) -> str:
    """Return the name of an event's type."""
    zh, en = NAMES[event.activity]
    return zh if language == "zh" else en


def instant(at: datetime) -> str:
    """Write an instant as ISO 8601 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(value: Any) -> str:
    return instant(value) if isinstance(value, datetime) else str(value)
