"""The asker's own case confirmed later: a check whose case never comes is for the personal-data officer to look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import orjson
import psycopg2
import sqlalchemy as sa

from hub.errors import HubError
from hub.protect import Protector
from hub.protect.keys import KeyTrouble
from sharedrepo.models.verification import VERDICTS
from verification.audit import log
from verification.evidence.gathering import own_case
from verification.evidence.holders import Holder

MOST_AT_ONCE: Final = 5_000
_NUMBER: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NO_FEED_DAYS: Final = 30
"""Days that are waited for the case of an organ that has no feed which says how far it is complete."""

_OPEN = """
SELECT DISTINCT ON (e.check_id) e.check_id::text, e.organ, e.personal, e.recorded_at,
    (SELECT min(coalesce(s.complete_through, '-infinity')) FROM core.source_system AS ss
     JOIN ledger.stream AS s USING (source_system_id) WHERE ss.organ = e.organ) > e.recorded_at AS far_enough,
    e.recorded_at < now() - CAST(:days AS interval) AS old
FROM audit.entry AS e
WHERE e.confirmed = 'not_yet' AND e.kind IN ('credential', 'prerequisites') AND e.personal IS NOT NULL
    AND NOT EXISTS (SELECT FROM audit.confirmation AS c WHERE c.check_id = e.check_id)
ORDER BY e.check_id, e.entry_id LIMIT :most
"""


def confirm(engine: sa.Engine, protector: Protector) -> dict[str, int]:
    """Look again for the cases of checks that are not confirmed; return how many are, are not, and stay open."""
    counts = {"confirmed": 0, "unmatched": 0, "open": 0}
    for check_id, state in _judged(engine, protector):
        counts["open" if state is None else "confirmed" if state == "confirmed" else "unmatched"] += 1
        if state is not None:
            with engine.begin() as connection:
                connection.execute(
                    sa.text("""INSERT INTO audit.confirmation (check_id, state) VALUES (:id, :state)
                               ON CONFLICT DO NOTHING"""),
                    {"id": check_id, "state": state},
                )
    return counts


def _judged(engine: sa.Engine, protector: Protector) -> Iterator[tuple[str, str | None]]:
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(_OPEN), {"days": timedelta(days=NO_FEED_DAYS), "most": MOST_AT_ONCE}
        ).fetchall()  # fmt: skip
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg2.extensions.connection)  # noqa: S101  # the engine is psycopg2's
        for row in rows:
            with driver.cursor() as cursor:
                yield row.check_id, _state(cursor, protector, row)


def _state(cursor: Any, protector: Protector, row: Any) -> str | None:
    try:
        asked = orjson.loads(protector.unseal(row.personal, context=log.CONTEXT))["asked"]
    except KeyTrouble:  # its key was destroyed, and with it what it was about
        return "no_such_case"
    number, name = _subject(asked)
    holder = Holder(protector, lambda work: work(cursor), number=number, name=name)
    own = own_case(cursor, asked["case"], row.organ)
    if own.cases and holder.is_party(own.party_numbers, own.party_names):
        return "confirmed"
    if not (row.far_enough or row.old):
        return None
    return "not_a_party" if own.cases else "no_such_case"


_UNMATCHED = """
SELECT * FROM (
    SELECT DISTINCT ON (c.check_id) c.check_id::text, c.state, c.decided_at, e.organ, e.purpose, e.kind,
        e.recorded_at AS asked_at, k.code AS client, c.verdict, c.reason, c.settled_by, c.settled_at
    FROM audit.confirmation AS c JOIN audit.entry AS e ON e.check_id = c.check_id
        AND e.kind IN ('credential', 'prerequisites')
    LEFT JOIN access.client AS k ON k.client_id = e.client_id
    WHERE c.state <> 'confirmed' AND (:all OR c.verdict IS NULL)
        AND (CAST(:organ AS text) IS NULL OR e.organ = :organ) AND (CAST(:state AS text) IS NULL OR c.state = :state)
        AND (CAST(:check AS uuid) IS NULL OR c.check_id = :check)
    ORDER BY c.check_id, e.entry_id
) AS u
ORDER BY decided_at DESC, check_id OFFSET :first LIMIT :limit
"""
STATES: Final = ("no_such_case", "not_a_party")
"""What an unmatched check is: its case was never found, or has another party."""


def unmatched(
    engine: sa.Engine, *, all_: bool = False, organ: str | None = None, state: str | None = None,
    check: str | None = None, first: int = 0, limit: int | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the checks whose case was never found, or has another party: who asked, when and for what purpose.

    The latest found come first. Those that the personal-data officer settled are left out, unless `all_` asks for them
    too.
    """
    values = {"all": all_, "organ": organ, "state": state, "check": check, "first": first, "limit": limit}
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(_UNMATCHED), values).mappings()]


_NAMED = """SELECT personal FROM audit.entry WHERE check_id = :check AND personal IS NOT NULL
            AND kind IN ('credential', 'prerequisites') ORDER BY entry_id LIMIT 1"""


def named(engine: sa.Engine, protector: Protector, check: str) -> dict[str, str | None] | None:
    """Return which case a check named, and its subject, masked; None where that was erased."""
    with engine.connect() as connection:
        personal = connection.scalar(sa.text(_NAMED), {"check": check})
    try:
        asked = None if personal is None else orjson.loads(protector.unseal(personal, context=log.CONTEXT))["asked"]
    except KeyTrouble:  # its key was destroyed, and with it what it was about
        asked = None
    if asked is None:
        return None
    number, name = _subject(asked)
    return {
        "case": asked["case"], "number": None if number is None else protector.mask_number(number),
        "name": None if name is None else protector.mask_name(name),
    }  # fmt: skip


def _subject(asked: dict[str, Any]) -> tuple[str | None, str | None]:
    said, who = asked.get("credential") or {}, asked.get("applicant", {})
    return said.get("holder_number", who.get("number")), said.get("holder_name", who.get("name"))


class CannotSettle(HubError):
    """An unmatched check cannot be settled as it was asked for; nothing was written."""

    exit_status = 65


def settle(engine: sa.Engine, check_id: str, *, verdict: str, reason: str, actor: str) -> None:
    """Write down what the personal-data officer found of an unmatched check: it was explained, or it was misuse.

    Raises:
        CannotSettle: no open finding has this number, the verdict is unknown, or no reason is given.
    """
    faults = []
    if verdict not in VERDICTS:
        faults.append(f"verdict {verdict!r} is none of {', '.join(VERDICTS)}")
    if not reason.strip():
        faults.append("say why: it is kept with the finding")
    if not _NUMBER.fullmatch(check_id):
        faults.append("the number of a check has the form of a UUID")
    if faults:
        raise CannotSettle("; ".join(faults) + ".")
    with engine.begin() as connection:
        done = connection.execute(
            sa.text("""UPDATE audit.confirmation SET verdict = :verdict, reason = :reason, settled_by = :actor,
                           settled_at = now()
                       WHERE check_id = CAST(:id AS uuid) AND state <> 'confirmed' AND verdict IS NULL"""),
            {"id": check_id, "verdict": verdict, "reason": reason, "actor": actor},
        )
    if not done.rowcount:
        raise CannotSettle(f"no open finding is about check {check_id}. `hub verify unmatched` lists them.")
