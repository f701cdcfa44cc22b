"""Answers as documents: what stands in them is what is signed, told to the asker, and kept in the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from verification.comparing import Answer
from verification.prerequisites import GroupTold, Overall, Told


def instant(at: datetime | None) -> str | None:
    """Write an instant by RFC 3339, in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def of_credential(said: Answer, *, confirmed: str) -> dict[str, Any]:
    """Write the answer to a check of one credential."""
    return {
        "outcome": said.outcome, "on": said.on.isoformat(), "fields": list(said.fields),
        "not_compared": list(said.not_compared), "former_name": said.former_name, "status": said.status,
        "since": _day(said.since), "valid_to": _day(said.valid_to), "reason": said.reason,
        "complete_through": instant(said.complete_through), "complete_basis": said.basis, "stale": said.stale,
        "later_status_unknown": said.stale and said.outcome in ("match", "not_valid", "mismatch"),
        "may_rely": said.may_rely, "objection_since": _day(said.objection_since), "mended": list(said.mended),
        "evidence": list(said.records), "case": confirmed,
    }  # fmt: skip


def of_prerequisites(
    outcome: Overall, told: Sequence[GroupTold], *, item: str, version: int, on: date, confirmed: str
) -> dict[str, Any]:
    """Write the answer to a check of an item's prerequisites."""
    best = [one.best for one in told]
    throughs = [one.complete_through for one in best]
    through = None if not throughs or any(one is None for one in throughs) else min(one for one in throughs if one)
    return {
        "outcome": outcome, "item": item, "item_version": version, "on": on.isoformat(),
        "groups": [_group(one) for one in told],
        "complete_through": instant(through), "stale": any(one.stale for one in best),
        "later_status_unknown": outcome == "met" and any(one.stale for one in best),
        "may_rely": outcome == "met" and all(one.may_rely for one in best), "case": confirmed,
    }  # fmt: skip


def _group(told: GroupTold) -> dict[str, Any]:
    return {
        "name": told.name, "day": told.day.isoformat(), "state": told.state, "option": told.best.option,
        "options": [_told(one) for one in told.options],
    }  # fmt: skip


def _told(said: Told) -> dict[str, Any]:
    return {
        "state": said.state, "status": said.status, "since": _day(said.since), "evidence": said.record_id,
        "stage": said.stage, "organ": said.organ, "due": instant(said.due), "reason": said.reason,
        "complete_through": instant(said.complete_through), "complete_basis": said.basis, "stale": said.stale,
        "may_rely": said.may_rely, "objection_since": _day(said.objection_since), "mended": list(said.mended),
    }  # fmt: skip


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
