"""A ranking's way to publication: draft, hearing, numbered sealed edition. An erratum is the next edition.

Who drafted an edition does not publish it. It is published after its hearing, when every objection is answered and none
was upheld: an upheld one is mended in the data, which is frozen anew, and drafted again. The seal is the hub's
signature over the digests of inputs, formula and ranking, and of the edition before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa
import zstandard

from hub.workdays import local_day
from sharedrepo.keyring.signing import Signer
from supervision.appraisal import freezing, inputs, moments, ranking
from supervision.appraisal.errors import AppraisalRefused

KIND: Final = "hub-ranking+jws"
LARGEST: Final = 256 << 20
_COLUMNS: Final = """edition_id, month, number, state, freeze_id, ranking_digest, reason, hearing_until, published_by,
    published_at, signature"""


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a month's ranking; without a number until it is published."""

    edition_id: int
    month: str
    number: int | None
    state: str
    freeze_id: int
    ranking_digest: str
    reason: str | None
    hearing_until: date | None
    published_by: str | None
    published_at: datetime | None
    signature: str | None


def ranked(engine: sa.Engine, month: str, number: int | None = None) -> dict[str, Any]:
    """Return the ranking of a month from its frozen inputs, as it would be drafted.

    Raises:
        AppraisalRefused: the month is not frozen.
    """
    return ranking.ranked(freezing.opened(engine, freezing.found(engine, month, number)))


def draft(engine: sa.Engine, month: str, actor: str, reason: str | None = None) -> Edition:
    """Draft the ranking of a month from its newest frozen inputs; after a published edition a reason is needed.

    Raises:
        AppraisalRefused: the month is not frozen, another draft is under way, or an erratum has no reason.
    """
    frozen = freezing.found(engine, month)
    data = inputs.canonical(ranking.ranked(freezing.opened(engine, frozen)))
    with engine.begin() as connection:
        _alone(connection)
        if under_way := _one(connection, month, "state IN ('draft', 'hearing')"):
            raise AppraisalRefused(month, f"an edition is under way already ({under_way.state})",
                                   "Withdraw it first: `hub supervise edition withdraw`.")  # fmt: skip
        if _one(connection, month, "state = 'published'") and not (reason or "").strip():
            raise AppraisalRefused(month, "its ranking is published; a further edition is an erratum",
                                   "Say what it mends: `--reason`.")  # fmt: skip
        row = connection.execute(
            sa.text(f"""INSERT INTO supervision.edition (month, freeze_id, ranking, ranking_digest, reason)
                        VALUES (:month, :freeze_id, :ranking, :digest, :reason) RETURNING {_COLUMNS}"""),
            {"month": month, "freeze_id": frozen.freeze_id, "reason": reason, "digest": inputs.sha256(data),
             "ranking": zstandard.ZstdCompressor(level=9).compress(data)},
        ).one()  # fmt: skip
        made = Edition(**row._asdict())
        _noted(connection, made, actor, "drafted", reason)
    return made


def hear(engine: sa.Engine, month: str, until: date, actor: str, now: datetime | None = None) -> Edition:
    """Open the hearing of a draft: units may object up to a day.

    Raises:
        AppraisalRefused: there is no draft, or the day is past.
    """
    if until < local_day(now or moments.now()):
        raise AppraisalRefused(month, f"{until} is past", "Give the units some days: `--until`.")
    with engine.begin() as connection:
        _alone(connection)
        found = _must(connection, month, "draft", "Draft it first: `hub supervise edition draft`.")
        connection.execute(
            sa.text("UPDATE supervision.edition SET state = 'hearing', hearing_until = :until WHERE edition_id = :id"),
            {"until": until, "id": found.edition_id},
        )
        _noted(connection, found, actor, "heard", None)
    return of_id(engine, found.edition_id)


def withdraw(engine: sa.Engine, month: str, reason: str, actor: str) -> Edition:
    """Withdraw an edition that is not published, with a reason; a published one is never withdrawn but mended.

    Raises:
        AppraisalRefused: none is under way, or there is no reason.
    """
    if not reason.strip():
        raise AppraisalRefused(month, "there is no reason", "Say why: `--reason`.")
    with engine.begin() as connection:
        _alone(connection)
        found = _one(connection, month, "state IN ('draft', 'hearing')")
        if found is None:
            raise AppraisalRefused(month, "no edition is under way", "A published one is mended by the next edition.")
        connection.execute(
            sa.text("UPDATE supervision.edition SET state = 'withdrawn' WHERE edition_id = :id"),
            {"id": found.edition_id},
        )
        _noted(connection, found, actor, "withdrawn", reason)
    return of_id(engine, found.edition_id)


def publish(engine: sa.Engine, month: str, actor: str, signer: Signer, now: datetime | None = None) -> Edition:
    """Publish the edition under hearing: number it, seal it, and let everybody see it.

    Raises:
        AppraisalRefused: the hearing is not over, objections are not answered or were upheld, the same person drafted
            it, or its ranking no longer follows from its inputs.
    """
    moment = now or moments.now()
    with engine.begin() as connection:
        _alone(connection)
        found = _must(connection, month, "hearing", "Open its hearing first: `hub supervise edition hear`.")
        if found.hearing_until is None or local_day(moment) <= found.hearing_until:
            raise AppraisalRefused(month, f"it is heard until {found.hearing_until}", "Publish it after that day.")
        _refuse_open_matters(connection, found, actor)
        before = _one(connection, month, "state = 'published'")
        frozen = freezing.by_id(engine, found.freeze_id)
        data = inputs.canonical(ranking.ranked(freezing.opened(engine, frozen)))
        if inputs.sha256(data) != found.ranking_digest:
            raise AppraisalRefused(month, "the draft no longer follows from its frozen inputs",
                                   "Withdraw it and draft again, by one release.")  # fmt: skip
        claims = {
            "month": month, "edition": 1 + ((before and before.number) or 0), "frozen": frozen.number,
            "formula": frozen.formula, "inputs_sha256": frozen.digest, "ranking_sha256": found.ranking_digest,
            "published_at": moment.astimezone(UTC).isoformat(timespec="seconds"), "reason": found.reason,
            "before_sha256": before.ranking_digest if before else None,
        }  # fmt: skip
        connection.execute(
            sa.text("""UPDATE supervision.edition SET state = 'published', number = :number, published_by = :actor,
                           published_at = :at, signature = :signature WHERE edition_id = :id"""),
            {"number": claims["edition"], "actor": actor, "at": moment, "id": found.edition_id,
             "signature": signer.sign(orjson.dumps(claims, option=orjson.OPT_SORT_KEYS), KIND)},
        )  # fmt: skip
        _noted(connection, found, actor, "published", found.reason)
    return of_id(engine, found.edition_id)


def of_id(engine: sa.Engine, edition_id: int) -> Edition:
    """Return an edition by its key."""
    query = f"SELECT {_COLUMNS} FROM supervision.edition WHERE edition_id = :id"
    with engine.connect() as connection:
        return Edition(**connection.execute(sa.text(query), {"id": edition_id}).one()._asdict())


def listed(engine: sa.Engine, month: str | None = None, *, published: bool = False) -> list[Edition]:
    """Return editions, those of the newest month first and of a month the newest first."""
    query = f"""SELECT {_COLUMNS} FROM supervision.edition
                WHERE (CAST(:month AS text) IS NULL OR month = :month) AND (NOT :published OR state = 'published')
                ORDER BY month DESC, number DESC NULLS FIRST, edition_id DESC"""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query), {"month": month, "published": published})
        return [Edition(**row._asdict()) for row in rows]


def under_way(engine: sa.Engine, month: str) -> Edition | None:
    """Return the edition of a month that is drafted or heard; None where there is none."""
    with engine.connect() as connection:
        return _one(connection, month, "state IN ('draft', 'hearing')")


def ranking_of(engine: sa.Engine, edition: Edition) -> bytes:
    """Return the ranking of an edition, byte for byte as it was drafted."""
    query = "SELECT ranking FROM supervision.edition WHERE edition_id = :id"
    with engine.connect() as connection:
        packed = bytes(connection.execute(sa.text(query), {"id": edition.edition_id}).scalar_one())
    return zstandard.ZstdDecompressor().decompress(packed, max_output_size=LARGEST)


def deeds(engine: sa.Engine, month: str) -> list[dict[str, Any]]:
    """Return who did what with the editions of a month, and when."""
    query = """SELECT d.at, e.number AS edition, d.actor, d.what, d.reason
               FROM supervision.edition_deed AS d JOIN supervision.edition AS e USING (edition_id)
               WHERE e.month = :month ORDER BY d.deed_id"""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(query), {"month": month}).mappings()]


def _refuse_open_matters(connection: sa.Connection, found: Edition, actor: str) -> None:
    query = """SELECT count(*) FILTER (WHERE outcome IS NULL) AS open,
                   count(*) FILTER (WHERE outcome = 'upheld') AS upheld
               FROM supervision.objection WHERE edition_id = :id"""
    counts = connection.execute(sa.text(query), {"id": found.edition_id}).one()
    if counts.open:
        raise AppraisalRefused(found.month, f"{counts.open} objection(s) are not answered",
                               "Answer them: `hub supervise objection answer`.")  # fmt: skip
    if counts.upheld:
        raise AppraisalRefused(found.month, f"{counts.upheld} objection(s) were upheld",
                               "Mend the data, freeze anew, withdraw this edition and draft again.")  # fmt: skip
    query = "SELECT actor FROM supervision.edition_deed WHERE edition_id = :id AND what = 'drafted'"
    if connection.scalar(sa.text(query), {"id": found.edition_id}) == actor:
        raise AppraisalRefused(found.month, "who drafted an edition does not publish it",
                               "Have another person publish it: `--by`.")  # fmt: skip


def _alone(connection: sa.Connection) -> None:
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('hub.edition'))"))


def _one(connection: sa.Connection, month: str, where: str) -> Edition | None:
    query = f"""SELECT {_COLUMNS} FROM supervision.edition WHERE month = :month AND {where}
                ORDER BY number DESC NULLS LAST LIMIT 1"""
    row = connection.execute(sa.text(query), {"month": freezing.checked(month)}).first()
    return None if row is None else Edition(**row._asdict())


def _must(connection: sa.Connection, month: str, state: str, next_step: str) -> Edition:
    found = _one(connection, month, f"state = '{state}'")
    if found is None:
        raise AppraisalRefused(month, f"no edition of it is in the state {state!r}", next_step)
    return found


def _noted(connection: sa.Connection, edition: Edition, actor: str, what: str, reason: str | None) -> None:
    connection.execute(
        sa.text("""INSERT INTO supervision.edition_deed (edition_id, actor, what, reason)
                   VALUES (:id, :actor, :what, :reason)"""),
        {"id": edition.edition_id, "actor": actor, "what": what, "reason": reason},
    )
