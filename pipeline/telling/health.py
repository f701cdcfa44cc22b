"""The health of every declared stream: the ledger's facts beside what the source folder promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from connectors.source import Source
from hub.workdays import like_days
from pipeline.telling.province import due_at
from sharedrepo.telling import health

SIGNS = ("never", "late", "silent", "behind", "thin", "failing", "held", "owing", "gap")
"""Every sign that a feed can bear."""
FAILING = 0.05
"""From this share of refused records on, a feed counts as failing."""
FAR_FROM_USUAL = 0.5
"""A day with less than this share of what days like it usually bring is called thin, once it is past its due time."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One stream's health; `signs` names what is wrong, in words that the documentation explains, empty if all is well.

    An empty pull is a success and no health: `complete_through` stands beside `last_success_at`.
    """

    source: str
    stream: str
    organ: str
    last_success_at: datetime | None
    complete_through: datetime | None
    complete_basis: str | None
    lag_seconds: float | None
    volume: int
    usual_volume: float | None
    error_rate: float | None
    held: int
    receipts_owed: int
    envelope_last: int | None
    envelope_missing: str | None
    signs: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        found = asdict(self)
        for name in ("last_success_at", "complete_through"):
            found[name] = None if found[name] is None else found[name].isoformat()
        return {**found, "signs": list(self.signs)}


def feeds(
    engine: sa.Engine, sources: Sequence[Source], *, now: datetime | None = None, code: str | None = None
) -> list[Feed]:
    """Return the health of every declared stream, in the order of the folders; undeclared ones are left out."""
    now = now or datetime.now(UTC)
    asked = [source for source in sources if code is None or source.code == code]
    known = {}
    for zone in dict.fromkeys(source.time_zone for source in asked):  # one question for all that share a clock
        codes = [source.code for source in asked if source.time_zone == zone]
        # Working days are compared with working days of their weekday, holidays with holidays.
        like = like_days(now.astimezone(ZoneInfo(zone)).date())
        rows = health.feeds(engine, now=now, zone=zone, sources=codes, like=like)
        known.update({(row["source"], row["stream"]): row for row in rows})
    return [
        _feed(source, stream, known.get((source.code, stream), {}), now)
        for source in asked
        for stream in source.streams
    ]


def _feed(source: Source, stream: str, row: dict[str, Any], now: datetime) -> Feed:
    return Feed(
        source=source.code,
        stream=stream,
        organ=source.organ or source.owner.organ,
        last_success_at=row.get("last_success_at"),
        complete_through=row.get("complete_through"),
        complete_basis=row.get("complete_basis"),
        lag_seconds=row.get("lag_seconds"),
        volume=row.get("volume", 0),
        usual_volume=row.get("usual_volume"),
        error_rate=row.get("error_rate"),
        held=row.get("held", 0),
        receipts_owed=row.get("receipts_owed", 0),
        envelope_last=row.get("envelope_last"),
        envelope_missing=row.get("envelope_missing"),
        signs=tuple(_signs(source, row, now)),
    )


def _signs(source: Source, row: dict[str, Any], now: datetime) -> list[str]:
    """Name what is wrong: never, late, silent, behind, thin, failing, held, owing, gap."""
    success, through = row.get("last_success_at"), row.get("complete_through")
    if success is None:
        return ["never"]
    due = due_at(source, now)
    usual, refused = row.get("usual_volume"), row.get("error_rate")
    checks = {
        "late": due is not None and success < due,
        "silent": row["silent"],
        "behind": due is not None and through is not None and through < (due_at(source, due) or due),
        # A day on which records are posted is over when it is over: until then it is thin.
        "thin": source.kind != "push"
        and due is not None
        and success >= due
        and bool(usual)
        and row["volume"] < FAR_FROM_USUAL * (usual or 0.0),
        "failing": refused is not None and refused >= FAILING,
        "held": row["held"] > 0,
        "owing": row["receipts_owed"] > 0,
        "gap": row["envelope_missing"] is not None,
    }
    return [name for name, found in checks.items() if found]
