"""What is known of one case, now or at an earlier instant: from `core` and the images in `core_history`.

An image was known from the instant at which its batch was recorded until the one at which another batch closed it; a
version of an item from its publication on; a day of the calendar until it was changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from itertools import zip_longest
from typing import Any, Final

import sqlalchemy as sa

from hub.errors import RepositoryError
from hub.workdays import local_day
from supervision.clock.said import Day, Extension, Facts, Limit, Pause

_COLUMNS: Final = {
    "approval_case": "t.record_id, t.source_system_id, t.case_number, t.handling_organ, t.region, t.item_code, "
    "t.case_kind, t.applied_at",
    "acceptance": "t.outcome, t.accepted_at, t.due_at, t.due_at_precision",
    "suspension": "t.record_id, t.part, t.suspension_kind, t.started_at, t.ended_at, t.allowed_value, "
    "t.allowed_unit, t.approver_hash IS NOT NULL AS approved",
    "supplement": "t.told_at, t.received_at",
    "stage_event": "t.stage, t.started_at, t.finished_at",
    "case_link": "t.link_kind",
    "decision": "t.decided_at, t.outcome, t.closing",
    "delivery": "t.delivered_at",
}
_DAYS: Final = "SELECT day, kind, published FROM supervision.day WHERE calendar = :calendar"
_DAYS_THEN: Final = """
SELECT d.day, coalesce(c.kind_before, d.kind) AS kind, coalesce(c.published_before, d.published) AS published
FROM supervision.day AS d LEFT JOIN LATERAL (
    SELECT * FROM supervision.day_change AS c WHERE c.calendar = d.calendar AND c.day = d.day AND c.at > :at
    ORDER BY c.change_id LIMIT 1) AS c ON TRUE
WHERE d.calendar = :calendar
"""
_NOTHING: Final[dict[str, Any]] = {"suspension_kind": None, "started_at": None, "ended_at": None}


class NoCalendar(RepositoryError):
    """No calendar is filled yet: nothing was ever computed here."""


class NoSuchCase(RepositoryError):
    """No case has this number, or several have it."""


def find(connection: sa.Connection, case: str | int) -> int:
    """Return the case_id of a case by its number, by `SOURCE:NUMBER`, or by its case_id as it is.

    Raises:
        NoSuchCase: none has it, or cases of several sources do.
    """
    if isinstance(case, int):
        return case
    source, _, number = case.rpartition(":")
    rows = connection.execute(
        sa.text(
            """SELECT DISTINCT c.record_id, s.code FROM (
                   SELECT record_id, source_system_id, case_number FROM core.approval_case
                   UNION SELECT record_id, source_system_id, case_number FROM core_history.approval_case) AS c
               JOIN core.source_system AS s USING (source_system_id)
               WHERE c.case_number = :whole OR (c.case_number = :number AND s.code = :source)"""
        ),
        {"whole": case, "number": number, "source": source},
    ).all()
    if len(rows) == 1:
        return int(rows[0][0])
    if not rows:
        raise NoSuchCase(f"no case has the number {case!r}. Give it as its department does, or as SOURCE:NUMBER.")
    several = ", ".join(f"{row[1]}:{case}" for row in sorted(rows, key=lambda row: str(row[1])))
    raise NoSuchCase(f"{len(rows)} cases have the number {case!r}. Say which one: {several}.")


def facts_of(connection: sa.Connection, case_id: int, at: datetime | None = None) -> Facts:
    """Gather what is known of a case, or was known at an instant.

    Raises:
        NoSuchCase: nothing was known of it then.
        NoCalendar: there is no calendar by which to count.
    """
    cases = _rows(connection, "approval_case", "t.record_id = :case", {"case": case_id}, at)
    if not cases:
        when = "" if at is None else f" at {at.isoformat()}"
        raise NoSuchCase(f"nothing was known of case {case_id}{when}. It was reported later, or taken back.")
    case, of_case = cases[0], {"case": case_id}

    def children(table: str) -> list[dict[str, Any]]:
        return _rows(connection, table, "t.case_id = :case", of_case, at)

    acceptances, stages = children("acceptance"), children("stage_event")
    decisions = _rows(
        connection, "decision", "t.source_system_id = :system AND t.case_number = :number",
        {"system": case["source_system_id"], "number": case["case_number"]}, at,
    )  # fmt: skip
    accepted = _least(one["accepted_at"] for one in acceptances if one["outcome"] == "accepted")
    first_stage = _least(one["started_at"] for one in stages if one["stage"] == "accept")
    closed = _least(one["decided_at"] for one in decisions if one["closing"])
    closed = _least((closed, _least(one["started_at"] for one in stages if one["stage"] == "complete")))
    refused = any(one["outcome"] == "not_accepted" for one in acceptances)
    outcomes = sorted(one["outcome"] for one in decisions if one["closing"])
    calendar, closes_at = _calendar_of(connection, case["region"])
    suspensions = children("suspension")
    return Facts(
        case["case_number"], case["handling_organ"], case["region"], calendar, closes_at,
        applied_at=case["applied_at"], accepted_at=accepted or first_stage,
        from_stage=accepted is None and first_stage is not None,
        not_accepted=refused and accepted is None and closed is None, closed_at=closed,
        closing_outcome=outcomes[0] if outcomes else None,
        declared_due_at=max((one["due_at"] for one in acceptances if one["due_at"]), default=None),
        pauses=_paired(suspensions), extensions=_extensions(suspensions),
        joint=any(one["link_kind"] == "parallel" for one in children("case_link")),
        supplements=_supplements(children("supplement"), acceptances),
        **_version(connection, case, accepted or case["applied_at"], at),
    )  # fmt: skip


def calendar_days(connection: sa.Connection, calendar: str, at: datetime | None = None) -> dict[date, Day]:
    """Return the days of a calendar, as they are or as they were known at an instant."""
    query = _DAYS if at is None else _DAYS_THEN
    rows = connection.execute(sa.text(query), {"calendar": calendar, "at": at})
    return {row[0]: Day(row[1] in ("work", "make_up"), row[1], row[2]) for row in rows}


def _rows(
    connection: sa.Connection, table: str, where: str, values: dict[str, Any], at: datetime | None
) -> list[dict[str, Any]]:
    columns = _COLUMNS[table]
    query = f"SELECT {columns} FROM core.{table} AS t WHERE {where}"
    if at is not None:
        query = f"""SELECT {columns} FROM core.{table} AS t JOIN ledger.batch AS b USING (batch_id)
                    WHERE {where} AND b.recorded_at <= :at
                    UNION ALL
                    SELECT {columns} FROM core_history.{table} AS t JOIN ledger.batch AS b USING (batch_id)
                    JOIN ledger.batch AS x ON x.batch_id = t.closed_by
                    WHERE {where} AND b.recorded_at <= :at AND x.recorded_at > :at"""
    return [dict(row) for row in connection.execute(sa.text(query), {**values, "at": at}).mappings()]


def _least(instants: Any) -> datetime | None:
    return min((one for one in instants if one is not None), default=None)


def _paired(rows: Sequence[dict[str, Any]]) -> tuple[Pause, ...]:
    """Pair starts and ends that came as rows of their own, as `pauses` does; extensions stop nothing."""
    extends = {id(row): row["suspension_kind"] == "extension" for row in rows}
    starts = [row for row in rows if row["started_at"] is not None and row["ended_at"] is None]
    ends = [row for row in rows if row["started_at"] is None and row["ended_at"] is not None]
    if len(starts) != len(ends):
        starts = [row for row in starts if not extends[id(row)]]
    starts.sort(key=lambda row: (row["started_at"], row["record_id"], row["part"]))
    ends.sort(key=lambda row: (row["ended_at"], row["record_id"], row["part"]))
    whole = [
        Pause(row["suspension_kind"], row["started_at"], row["ended_at"]) for row in rows
        if row["started_at"] is not None and row["ended_at"] is not None and not extends[id(row)]
    ]  # fmt: skip
    for start, end in zip_longest(starts, ends, fillvalue=_NOTHING):
        if start["suspension_kind"] != "extension":
            whole.append(Pause(start["suspension_kind"], start["started_at"], end["ended_at"]))
    return tuple(whole)


def _extensions(rows: Sequence[dict[str, Any]]) -> tuple[Extension, ...]:
    return tuple(
        Extension(row["started_at"], row["allowed_value"], row["allowed_unit"], row["approved"])
        for row in rows if row["suspension_kind"] == "extension"
    )  # fmt: skip


def _supplements(
    rows: Sequence[dict[str, Any]], acceptances: Sequence[dict[str, Any]]
) -> tuple[tuple[datetime | None, datetime | None], ...]:
    """Return requests and answers; those that acceptance rows tell of count where no row of their own tells one."""
    said = [(row["told_at"], row["received_at"]) for row in rows]
    if any(told is not None for told, _ in said):
        return tuple(said)
    required = [one["accepted_at"] for one in acceptances if one["outcome"] == "supplement_required"]
    return (*said, *((one, None) for one in required if one is not None))


def _calendar_of(connection: sa.Connection, region: str | None) -> tuple[str, Any]:
    row = connection.execute(
        sa.text(
            """SELECT calendar, closes_at FROM supervision.calendar
               WHERE calendar = coalesce(supervision.calendar_of(:region), '')"""
        ),
        {"region": region or ""},
    ).first()
    if row is None:
        raise NoCalendar("no clock was computed here yet, and no calendar is filled. Run `hub supervise run` first.")
    return str(row[0]), row[1]


def _version(
    connection: sa.Connection, case: dict[str, Any], started: datetime | None, at: datetime | None
) -> dict[str, Any]:
    """Return the version of its item that a case keeps: the one in force on the day of its acceptance."""
    code = case["item_code"]
    if code is None:
        return {"why": "no_item_said", "kind": case["case_kind"]}
    item = connection.execute(
        sa.text(
            """SELECT item_id FROM (
                   SELECT item_id, 1 AS place FROM catalog.item WHERE code = :code
                   UNION ALL SELECT item_id, 2 FROM catalog.item_number WHERE number = :code
                   UNION ALL SELECT item_id, 3 FROM catalog.item WHERE base_code = :code AND organ = :organ
               ) AS found ORDER BY place, item_id LIMIT 1"""
        ),
        {"code": code, "organ": case["handling_organ"]},
    ).scalar()
    absent = {"item_code": code, "kind": case["case_kind"]}
    if item is None:
        return {"why": "not_in_catalogue", **absent}
    if started is None:
        return {"why": "no_day", **absent}
    row = (
        connection.execute(
            sa.text(
                """SELECT version_id, version, content FROM catalog.item_version
                   WHERE item_id = :item AND state = 'published' AND effective_on <= :day
                     AND (CAST(:at AS timestamptz) IS NULL OR published_at <= :at)
                   ORDER BY effective_on DESC, version DESC LIMIT 1"""
            ),
            {"item": item, "day": local_day(started), "at": at},
        )
        .mappings()
        .first()
    )
    if row is None:
        return {"why": "not_yet_in_force", **absent}
    content = row["content"]
    said = content.get("kind")
    return {
        "item_code": code, "version_id": row["version_id"], "version": row["version"],
        "kind": said if said in ("immediate", "promised") else case["case_kind"],
        "basis": "receipt" if content.get("counted_from") == "receipt" else "acceptance",
        "promised": limit_of(content.get("promised_limit")), "legal": limit_of(content.get("legal_limit")),
    }  # fmt: skip


def limit_of(said: Any) -> Limit | None:
    """Read a limit of a version's content; None where it says none."""
    if said is None:
        return None
    value, unit = (said.get("value"), said.get("unit")) if isinstance(said, dict) else (None, None)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return Limit(None, None)
    return Limit(int(value), unit if isinstance(unit, str) else None)
