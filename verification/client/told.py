"""What is answered, in types."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from .errors import NotProven

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CredentialAnswer:
    """What the hub says of one credential. Only `may_rely` says whether the case may go on by it."""

    outcome: str
    """match, mismatch, not_valid, not_found, ambiguous, undetermined or, by an officer, denied; silence is no no."""
    on: date
    may_rely: bool
    stale: bool
    later_status_unknown: bool
    complete_through: datetime | None
    status: str | None
    since: date | None
    valid_to: date | None
    reason: str | None
    fields: tuple[str, ...]
    not_compared: tuple[str, ...]
    evidence: tuple[int, ...]
    objection_since: date | None
    case: str
    basis: str | None = None
    """Who was asked where no feed could tell: `officer of NAME (CODE)`, or `source of NAME (CODE)`, live."""


@dataclass(frozen=True, slots=True)
class Option:
    """How one option of a group stands, by its best evidence."""

    state: str
    status: str | None
    since: date | None
    evidence: int | None
    stage: str | None
    organ: str | None
    due: datetime | None
    reason: str | None
    stale: bool
    may_rely: bool
    basis: str | None = None
    """On whose word it stands where no feed could tell: `officer of NAME (CODE)`, or `source of NAME (CODE)`, live."""


@dataclass(frozen=True, slots=True)
class Group:
    """How a group of options stands: as its best option, `options[option]`."""

    name: str
    day: date
    state: str
    option: int
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class PrerequisitesAnswer:
    """What the hub says of all prerequisites of an item."""

    outcome: str
    """met, not_met, pending or undetermined."""
    item: str
    item_version: int
    on: date
    groups: tuple[Group, ...]
    may_rely: bool
    stale: bool
    complete_through: datetime | None
    case: str


@dataclass(frozen=True, slots=True)
class Checked:
    """An answered check whose receipt was proven. Keep `document` with the case: it is the receipt."""

    id: str
    state: str
    """answered, waiting (a feed is waited for; read it again later) or lapsed."""
    answered_at: datetime
    answer: CredentialAnswer | PrerequisitesAnswer
    document: Json = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """A check of a bulk that the organ may not make."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """How it stands what an officer of the issuing department was asked; what was answered is a receipt to be read."""

    state: str
    """asked, silent (past its day; nothing is concluded), answered, overtaken (a feed was first) or withdrawn."""
    issuer: str
    due: date
    answer: str | None
    reason: str | None
    group: int | None = None
    option: int | None = None
    """Of prerequisites: which option of which group, by their places in the answer."""


@dataclass(frozen=True, slots=True)
class Recall:
    """A check of the organ that relied on what no longer holds, or was corrected."""

    number: int
    check: str
    case: str | None
    evidence: int
    status: str
    since: date | None
    told_at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that the hub posted; `id` stays the same however often it comes."""

    id: str
    kind: str
    """recall or credential-change."""
    at: int
    """When it was signed, in seconds since 1970."""
    said: Json


@dataclass(frozen=True, slots=True)
class Head:
    """A head of the log: it binds every entry before it. Who keeps one finds whatever is changed or cut off later."""

    number: int
    total: int
    head: str


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of one day, as the hub tells it to this organ; `document["own"]` are its own entries by kind."""

    day: date
    countersigned: str | None
    document: Json


def credential(said: Json) -> CredentialAnswer:
    """Read the answer about one credential."""
    return CredentialAnswer(
        outcome=said["outcome"], on=date.fromisoformat(said["on"]), may_rely=said["may_rely"], stale=said["stale"],
        later_status_unknown=said["later_status_unknown"], complete_through=_moment(said["complete_through"]),
        status=said["status"], since=day_of(said["since"]), valid_to=day_of(said["valid_to"]), reason=said["reason"],
        fields=tuple(said["fields"]), not_compared=tuple(said["not_compared"]), evidence=tuple(said["evidence"]),
        objection_since=day_of(said["objection_since"]), case=said["case"],
        basis=(said.get("officer") or said.get("live") or {}).get("basis"),
    )  # fmt: skip


def inquiry(said: Json) -> Inquiry:
    """Read how an inquiry stands."""
    return Inquiry(
        got(said, "state", str), got(said, "issuer", str), date.fromisoformat(got(said, "due", str)),
        said.get("answer"), said.get("reason"), said.get("group"), said.get("option"),
    )  # fmt: skip


def prerequisites(said: Json) -> PrerequisitesAnswer:
    """Read the answer about all prerequisites of an item."""
    groups = tuple(
        Group(
            one["name"], date.fromisoformat(one["day"]), one["state"], one["option"],
            tuple(_option(option) for option in one["options"]),
        )
        for one in said["groups"]
    )  # fmt: skip
    return PrerequisitesAnswer(
        said["outcome"], said["item"], said["item_version"], date.fromisoformat(said["on"]), groups, said["may_rely"],
        said["stale"], _moment(said["complete_through"]), said["case"],
    )  # fmt: skip


def _option(said: Json) -> Option:
    return Option(
        said["state"], said["status"], day_of(said["since"]), said["evidence"], said["stage"], said["organ"],
        _moment(said["due"]), said["reason"], said["stale"], said["may_rely"],
        (said.get("officer") or _brought(said) or {}).get("basis"),
    )  # fmt: skip


def _brought(said: Json) -> Json | None:
    """Return which of the systems that were asked live brought the record that an option stands on."""
    return next((one for one in said.get("live") or () if said["evidence"] in one["evidence"]), None)


def got(said: Json, name: str, kind: type) -> Any:
    """Return a field of an answer.

    Raises:
        NotProven: it is not there, or is something else.
    """
    if not isinstance(said.get(name), kind):
        raise NotProven(f"the answer has no {name}", hint="Is this the address of a hub?")
    return said[name]


def day_of(text: str | None) -> date | None:
    """Read a day."""
    return None if text is None else date.fromisoformat(text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else instant_of(text)


def instant_of(text: str) -> datetime:
    """Read an instant."""
    return datetime.fromisoformat(text)
