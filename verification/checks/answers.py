"""Answers as documents: what stands in them is what is signed, told to the asker, and kept in the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from verification.rules import prerequisites
from verification.rules.comparing import Answer
from verification.rules.prerequisites import GroupTold, Overall, Told
from verification.rules.words import Heard, Word


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
        "later_status_unknown": outcome == "met" and any(prerequisites.later_unknown(one) for one in best),
        "may_rely": outcome == "met" and all(one.may_rely for one in best), "case": confirmed,
    }  # fmt: skip


def of_officer(undetermined: dict[str, Any], word: Word) -> dict[str, Any]:
    """Write what an officer of the issuing department said in place of an answer that no feed could give.

    It stands on no record: how far the feed is stays told, and a yes may be relied on as of when it was said.
    """
    outcome = {"yes": "match", "no": "denied"}.get(word.said, "undetermined")
    return {
        **undetermined, "outcome": outcome, "reason": "not_ours" if outcome == "undetermined" else None, "fields": [],
        "not_compared": [] if outcome == "match" else undetermined["not_compared"], "later_status_unknown": False,
        "may_rely": outcome == "match", "evidence": [], **_officer(word),
    }  # fmt: skip


def of_source(
    said: dict[str, Any], *, found: str, sure: bool, organ: str, name: str | None, asked_at: datetime, at: datetime
) -> dict[str, Any]:
    """Add to an answer that the issuing department's system was asked, and what it brought: none, refused or taken.

    What stands on a record that came just now (`sure`) is so as of now, however far the feed is behind. Of nothing that
    came nothing is concluded. Where what came was refused, nothing older may be relied on: it may say otherwise.
    """
    reason = {"none": "source_has_none", "refused": "source_record_refused"}.get(found)
    more: dict[str, Any] = {}
    if said["outcome"] == "undetermined" and reason is not None:
        more["reason"] = reason
    if sure:
        more |= {"later_status_unknown": False, "may_rely": said["outcome"] == "match"}
    elif found == "refused":
        more["may_rely"] = False
    return {
        **said, **more,
        "live": {
            "basis": f"source of {name} ({organ})" if name else f"source of {organ}", "organ": organ, "found": found,
            "asked_at": instant(asked_at), "answered_at": instant(at),
        },
    }  # fmt: skip


def _officer(word: Word | None) -> dict[str, Any]:
    """Name on whose word something stands; nothing where it stands on none, as answers were before there were any."""
    if word is None:
        return {}
    return {"officer": {
        "basis": word.basis, "organ": word.organ, "said": word.said, "asked_at": instant(word.asked_at),
        "answered_at": instant(word.answered_at),
    }}  # fmt: skip


def _live(heard: Sequence[Heard]) -> dict[str, Any]:
    """Tell which systems were asked live, and what each brought; nothing where none was."""
    if not heard:
        return {}
    return {"live": [
        {
            "source": one.source, "basis": one.basis, "organ": one.organ, "found": one.found,
            "evidence": sorted(one.records), "asked_at": instant(one.asked_at),
            "answered_at": instant(one.answered_at),
        }
        for one in heard
    ]}  # fmt: skip


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
        **_officer(said.word), **_live(said.heard),
    }  # fmt: skip


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
