"""Objections to a ranking under hearing: lodged by a unit, answered by somebody else, both kept in the record."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from hub.sentences import Code, sentence
from hub.workdays import local_day
from sharedrepo.models.appraisal import OBJECTION_OUTCOMES
from supervision.appraisal import editions, moments
from supervision.appraisal.errors import AppraisalRefused

LONGEST: Final = 2_000
_ABOUT: Final = 200


def lodge(
    engine: sa.Engine, month: str, level: str, unit: str, about: str, said: str, actor: str,
    now: datetime | None = None,
) -> int:  # fmt: skip
    """Lodge an objection of a unit to the ranking under hearing; return its number.

    Raises:
        AppraisalRefused: nothing is heard, the hearing is over, the ranking has no such unit, or nothing is said.
    """
    edition = editions.under_way(engine, month)
    if edition is None or edition.state != "hearing" or edition.hearing_until is None:
        raise AppraisalRefused(month, "no ranking of it is under hearing", "See `hub supervise edition list`.")
    if local_day(now or moments.now()) > edition.hearing_until:
        raise AppraisalRefused(month, sentence("the hearing was over on {day}", day=edition.hearing_until),
                               "Ask for an erratum instead, in writing.")  # fmt: skip
    ranking = orjson.loads(editions.ranking_of(engine, edition))
    if unit not in {one["unit"] for one in ranking["levels"].get(level, ())}:
        got = sentence("the ranking has no {level} {unit!r}", level=Code("ranking.level", level[:20]), unit=unit[:40])
        raise AppraisalRefused(month, got, "Name it as the ranking does.")
    if not 0 < len(said.strip()) <= LONGEST or not 0 < len(about.strip()) <= _ABOUT:
        raise AppraisalRefused(month, "an objection says to what it objects and why",
                               sentence("Write at most {most} characters.", most=LONGEST))  # fmt: skip
    with engine.begin() as connection:
        made = connection.execute(
            sa.text("""INSERT INTO supervision.objection (edition_id, level, unit, about, said, lodged_by)
                       VALUES (:id, :level, :unit, :about, :said, :actor) RETURNING objection_id"""),
            {"id": edition.edition_id, "level": level, "unit": unit, "about": about.strip(), "said": said.strip(),
             "actor": actor},
        )  # fmt: skip
        return int(made.scalar_one())


def answer(engine: sa.Engine, number: int, outcome: str, said: str, actor: str) -> None:
    """Answer an objection, once: it is upheld or rejected, with the reason.

    Raises:
        AppraisalRefused: none of this number waits, the same person lodged it, or there is no reason.
    """
    what = sentence("objection {number}", number=number)
    if outcome not in OBJECTION_OUTCOMES:
        got = sentence("{outcome!r} is no outcome", outcome=outcome[:20])
        raise AppraisalRefused(what, got, sentence("There are: {known}.", known=", ".join(OBJECTION_OUTCOMES)))
    if not 0 < len(said.strip()) <= LONGEST:
        raise AppraisalRefused(what, "an answer gives its reason", "Write it: `--answer`.")
    with engine.begin() as connection:
        done = connection.execute(
            sa.text("""UPDATE supervision.objection
                       SET outcome = :outcome, answer = :said, answered_by = :actor, answered_at = now()
                       WHERE objection_id = :number AND outcome IS NULL AND lodged_by <> :actor"""),
            {"outcome": outcome, "said": said.strip(), "actor": actor, "number": number},
        )
    if not done.rowcount:
        raise AppraisalRefused(what, "none of this number waits for you: it is answered, or your own",
                               "`hub supervise objection list` shows them.")  # fmt: skip


def listed(engine: sa.Engine, month: str) -> list[dict[str, Any]]:
    """Return the objections to the editions of a month, with their answers."""
    query = """SELECT o.objection_id AS objection, e.number AS edition, e.state, o.level, o.unit, o.about, o.said,
                   o.lodged_by, o.lodged_at, o.outcome, o.answer, o.answered_by, o.answered_at
               FROM supervision.objection AS o JOIN supervision.edition AS e USING (edition_id)
               WHERE e.month = :month ORDER BY o.objection_id"""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(query), {"month": month}).mappings()]


def counts(engine: sa.Engine, edition: editions.Edition) -> dict[str, int]:
    """Return how many objections an edition had, by outcome: all that the public is told of them."""
    query = """SELECT coalesce(outcome, 'open') AS outcome, count(*) AS objections FROM supervision.objection
               WHERE edition_id = :id GROUP BY 1"""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query), {"id": edition.edition_id})
        return {row.outcome: row.objections for row in rows}
