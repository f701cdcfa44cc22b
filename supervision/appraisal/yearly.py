"""A year's ranking published: numbered, sealed, for everybody; an erratum is the next edition.

It has no hearing of its own: its months had theirs, and disciplinary measures stood in their published inputs. So it is
published when the year or half is over and no edition of one of its months is under way. The seal is the hub's
signature over the digest of the ranking, the editions of the months that it was made from, and the edition before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa
import zstandard

from hub.refusals import NotFound
from hub.workdays import ZONE
from sharedrepo.keyring.signing import BadSignature, Signer, opened, published
from supervision.appraisal import editions, inputs, moments, years
from supervision.appraisal.errors import AppraisalRefused

KIND: Final = "hub-year-ranking+jws"
EDITION: Final = "edition.json"
_COLUMNS: Final = "year_edition_id, year, number, ranking_digest, reason, published_by, published_at, signature"


@dataclass(frozen=True, slots=True)
class YearEdition:
    """One published edition of the ranking of a year (2026) or half-year (2026-H1)."""

    year_edition_id: int
    year: str
    number: int
    ranking_digest: str
    reason: str | None
    published_by: str
    published_at: datetime
    signature: str


def publish(
    engine: sa.Engine, year: int, half: int | None, *, actor: str, signer: Signer, reason: str | None = None,
    now: datetime | None = None,
) -> YearEdition:  # fmt: skip
    """Publish the ranking of a year or half from the newest editions of its months.

    Raises:
        AppraisalRefused: it is not over, an edition of one of its months is under way, nothing has changed since the
            edition before, or an erratum has no reason.
    """
    moment, name = now or moments.now(), years.name_of(year, half)
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('hub.edition'))"))
        _refuse_too_early(engine, year, half, moment)
        ranking = years.ranked(engine, year, half)
        data = inputs.canonical(ranking)
        before = next(iter(listed(engine, name)), None)
        if before is not None and before.ranking_digest == inputs.sha256(data):
            raise AppraisalRefused(name, f"edition {before.number} says the same", "There is nothing to mend.")
        if before is not None and not (reason or "").strip():
            raise AppraisalRefused(name, "its ranking is published; a further edition is an erratum",
                                   "Say what it mends: `--reason`.")  # fmt: skip
        claims = {
            "year": name, "edition": 1 + (before.number if before else 0), "formula": ranking["formula"],
            "months": _months(engine, ranking["months"]), "ranking_sha256": inputs.sha256(data), "reason": reason,
            "published_at": moment.astimezone(UTC).isoformat(timespec="seconds"),
            "before_sha256": before.ranking_digest if before else None,
        }  # fmt: skip
        row = connection.execute(
            sa.text(f"""INSERT INTO supervision.year_edition
                            (year, number, ranking, ranking_digest, reason, published_by, published_at, signature)
                        VALUES (:year, :number, :ranking, :digest, :reason, :actor, :at, :signature)
                        RETURNING {_COLUMNS}"""),
            {"year": name, "number": claims["edition"], "digest": claims["ranking_sha256"], "reason": reason,
             "ranking": zstandard.ZstdCompressor(level=9).compress(data), "actor": actor, "at": moment,
             "signature": signer.sign(orjson.dumps(claims, option=orjson.OPT_SORT_KEYS), KIND)},
        ).one()  # fmt: skip
    return YearEdition(**row._asdict())


def listed(engine: sa.Engine, year: str | None = None) -> list[YearEdition]:
    """Return the published editions, those of the newest year first and of a year the newest first."""
    query = f"""SELECT {_COLUMNS} FROM supervision.year_edition
                WHERE CAST(:year AS text) IS NULL OR year = :year ORDER BY year DESC, number DESC"""
    with engine.connect() as connection:
        return [YearEdition(**row._asdict()) for row in connection.execute(sa.text(query), {"year": year})]


def ranking_of(engine: sa.Engine, edition: YearEdition) -> dict[str, Any]:
    """Return the ranking of an edition."""
    query = "SELECT ranking FROM supervision.year_edition WHERE year_edition_id = :id"
    with engine.connect() as connection:
        packed = bytes(connection.execute(sa.text(query), {"id": edition.year_edition_id}).scalar_one())
    unpacked = zstandard.ZstdDecompressor().decompress(packed, max_output_size=editions.LARGEST)
    found: dict[str, Any] = orjson.loads(unpacked)
    return found


def files(engine: sa.Engine, edition: YearEdition) -> dict[str, bytes]:
    """Return the files of an edition, its seal with what stands under it among them.

    Raises:
        NotFound: the seal does not open: the row was changed in the database.
    """
    try:
        said = opened(edition.signature, published(engine), KIND)
    except BadSignature:
        raise NotFound("the seal of this edition does not open", hint="Tell the hub's operators.") from None
    sealed = inputs.canonical({"signature": edition.signature, "claims": orjson.loads(orjson.dumps(said))})
    return {**years.files(ranking_of(engine, edition)), EDITION: sealed}


def _refuse_too_early(engine: sa.Engine, year: int, half: int | None, moment: datetime) -> None:
    months, name = years.months_of(year, half), years.name_of(year, half)
    last = datetime.combine(datetime.fromisoformat(f"{months[-1]}-28").date(), time.min, tzinfo=ZONE)
    over = (last + timedelta(days=4)).replace(day=1)
    if moment < over:
        raise AppraisalRefused(name, "it is not over", f"Publish it from {over:%Y-%m-%d} on.")
    for one in editions.listed(engine):
        if one.month in months and one.state in ("draft", "hearing"):
            raise AppraisalRefused(name, f"an edition of {one.month} is under way ({one.state})",
                                   "Publish or withdraw it first: `hub supervise edition`.")  # fmt: skip


def _months(engine: sa.Engine, months: list[str]) -> dict[str, dict[str, Any]]:
    """Return number and digest of the newest published edition of each month."""
    newest: dict[str, dict[str, Any]] = {}
    for one in editions.listed(engine, published=True):
        if one.month in months:
            newest.setdefault(one.month, {"edition": one.number, "ranking_sha256": one.ranking_digest})
    return newest
