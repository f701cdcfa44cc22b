"""What people do with an issue: each deed is checked against its status, kept with actor and reason, and logged."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from hub.remark import one_line
from hub.sentences import Code, sentence
from hub.workdays import after, local_day
from quality.issues.errors import DeedDoesNotFit, NoSuchIssue
from quality.issues.refreshing import LOCK
from quality.issues.terms import STEP

ACTOR = re.compile(r"(account|cli):\S{1,100}|hub")
"""Who does a deed: an account, a user of the machine's command line, or the hub itself."""
LONGEST_REASON = 1000
LONGEST_SNOOZE = timedelta(days=92)
"""So far off a snooze ends at the latest: what is put off for longer is accepted, with a reason that is looked at."""

_OPEN = ("new", "acknowledged", "waiting", "accepted", "snoozed")


def acknowledge(engine: sa.Engine, code: str, *, actor: str, reason: str = "", now: datetime | None = None) -> None:
    """Take an issue up: somebody is on it, and silence is counted anew from today.

    Raises:
        NoSuchIssue, DeedDoesNotFit: see the message; nothing was changed.
    """
    _do(engine, code, "acknowledged", actor, reason, now, fits=("new", "waiting", "accepted", "snoozed"),
        status="acknowledged", accepted_records=None, snoozed_until=None)  # fmt: skip


def send_to_department(
    engine: sa.Engine, code: str, *, actor: str, reason: str = "", now: datetime | None = None
) -> None:
    """Hand an issue to its department: it waits for the department's answer, and silence is counted anew from today.

    Raises:
        NoSuchIssue, DeedDoesNotFit: see the message; nothing was changed.
    """
    _do(engine, code, "sent", actor, reason, now, fits=("new", "acknowledged", "accepted", "snoozed"),
        status="waiting", accepted_records=None, snoozed_until=None)  # fmt: skip


def accept(
    engine: sa.Engine, code: str, *, actor: str, reason: str, up_to: int | None = None, now: datetime | None = None
) -> None:
    """Bear an issue as it is: it stays accepted while at most `up_to` records show it (without: as many as do now).

    Raises:
        NoSuchIssue, DeedDoesNotFit: see the message; nothing was changed.
    """
    _do(engine, code, "accepted", actor, reason, now, fits=_OPEN, must_say=True, up_to=up_to,
        status="accepted", snoozed_until=None)  # fmt: skip


def snooze(
    engine: sa.Engine, code: str, *, actor: str, until: date, reason: str, now: datetime | None = None
) -> None:  # fmt: skip
    """Put an issue off until a day, on which it wakes by itself; its due date stays.

    Raises:
        NoSuchIssue, DeedDoesNotFit: see the message; nothing was changed.
    """
    today = local_day(now or datetime.now(UTC))
    if not today < until <= today + LONGEST_SNOOZE:
        raise DeedDoesNotFit(
            code, sentence("it cannot be put off until {until}", until=until),
            sentence(
                "Name a day from {first} to {last}, or accept it with a reason.",
                first=today + timedelta(days=1), last=today + LONGEST_SNOOZE,
            ),
        )  # fmt: skip
    _do(engine, code, "snoozed", actor, reason, now, fits=("new", "acknowledged", "waiting", "snoozed"), must_say=True,
        status="snoozed", snoozed_until=until, accepted_records=None)  # fmt: skip


def assign(
    engine: sa.Engine, code: str, *, actor: str, assignee: str, reason: str = "", now: datetime | None = None
) -> None:  # fmt: skip
    """Give an issue to somebody: an account (`account:<code>`) or the name of an office.

    Raises:
        NoSuchIssue, DeedDoesNotFit: see the message; nothing was changed.
    """
    assignee = _plain(code, assignee, "assignee")
    if not assignee:
        raise DeedDoesNotFit(code, "nobody was named", "Say to whom it is given, for example account:li.")
    _do(engine, code, "assigned", actor, reason, now, fits=_OPEN, detail={"assignee": assignee}, assignee=assignee)


def note(engine: sa.Engine, code: str, *, actor: str, reason: str, now: datetime | None = None) -> None:
    """Add a word to the life of an issue, also of a closed one; on an open one silence is counted anew from today.

    Raises:
        NoSuchIssue, DeedDoesNotFit: see the message; nothing was changed.
    """
    _do(engine, code, "noted", actor, reason, now, fits=(*_OPEN, "fixed"), must_say=True)


def _do(
    engine: sa.Engine, code: str, what: str, actor: str, reason: str, now: datetime | None, *, fits: Collection[str],
    must_say: bool = False, up_to: int | None = None, detail: dict[str, Any] | None = None, **changes: Any,
) -> None:  # fmt: skip
    """Check a deed against the issue as it stands, change the issue and log it, in one transaction."""
    now, reason, detail = now or datetime.now(UTC), _plain(code, reason, "reason"), dict(detail or {})
    if not ACTOR.fullmatch(actor):
        raise DeedDoesNotFit(
            code, sentence("{actor!r} names no actor", actor=actor[:40]), "An actor is account:<code> or cli:<user>."
        )
    if must_say and not reason:
        raise DeedDoesNotFit(code, "no reason was given", "Say why: it is kept with the issue.")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock_shared({LOCK})")
        row = _locked(connection, code)
        if row["status"] not in fits:
            raise _does_not_fit(code, row["status"], what)
        if what == "accepted":
            changes["accepted_records"] = detail["up_to"] = _bound(code, row["records"], up_to)
        if changes.get("status") in ("accepted", "snoozed"):
            changes |= {"reason": reason, "climbs_on": None}
        elif row["status"] not in ("accepted", "snoozed", "fixed") or "status" in changes:
            # A deed breaks the silence: nobody above is told before another step has passed.
            step = after(local_day(now), STEP[row["severity"]]).day
            changes["climbs_on"] = max(step, row["due_on"]) if row["due_on"] else step
            changes |= {"reason": None} if "status" in changes else {}
        detail |= {name: str(value) for name, value in changes.items() if name == "snoozed_until" and value}
        _write(connection, row["issue_id"], changes)
        connection.execute(
            sa.text("""INSERT INTO quality.issue_event (issue_id, at, actor, what, reason, detail)
                       VALUES (:issue, :at, :actor, :what, :reason, CAST(:detail AS jsonb))"""),
            {"issue": row["issue_id"], "at": now, "actor": actor, "what": what, "reason": reason or None,
             "detail": orjson.dumps(detail).decode()},
        )  # fmt: skip


def _locked(connection: sa.Connection, code: str) -> dict[str, Any]:
    query = "SELECT issue_id, status, severity, records, due_on FROM quality.issue WHERE code = :code FOR UPDATE"
    found = connection.execute(sa.text(query), {"code": code}).mappings().first()
    if found is None:
        raise NoSuchIssue(code)
    return dict(found)


def _bound(code: str, records: int, up_to: int | None) -> int:
    if up_to is not None and up_to < records:
        raise DeedDoesNotFit(
            code,
            sentence("{records} records show it, more than {up_to}", records=records, up_to=up_to),
            sentence("Accept at least {records}.", records=records),
        )
    return records if up_to is None else up_to


def _write(connection: sa.Connection, issue_id: int, changes: dict[str, Any]) -> None:
    if changes:
        sets = ", ".join(f"{name} = :{name}" for name in changes)
        connection.execute(sa.text(f"UPDATE quality.issue SET {sets} WHERE issue_id = :issue"),
                           {**changes, "issue": issue_id})  # fmt: skip


def _does_not_fit(code: str, status: str, what: str) -> DeedDoesNotFit:
    if status == "fixed":
        step = "The fault is gone; it opens again by itself when it returns. A note can still be added."
    else:
        step = sentence("See `hub quality issues show {code}`.", code=code)
    return DeedDoesNotFit(
        code,
        sentence("it is {status}, so it cannot be {what}", status=Code("status", status), what=Code("event", what)),
        step,
    )


def _plain(code: str, text: str, name: str) -> str:
    """Return a person's words on one line, as they stand in logs and tables."""
    words = one_line(text)
    if len(words) > LONGEST_REASON:
        raise DeedDoesNotFit(
            code, sentence("the {name} has {count} characters", name=Code("said", name), count=len(words)),
            sentence("Say it in at most {longest}.", longest=LONGEST_REASON),
        )  # fmt: skip
    return words
