"""The shapes of answers, as the API's document promises them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

_STRICT = ConfigDict(extra="forbid")


class Officer(BaseModel):
    """On whose word an answer stands, where no feed could tell."""

    model_config = _STRICT

    basis: str
    """`officer of NAME (CODE)`."""
    organ: str
    said: Literal["yes", "no", "not_ours"]
    asked_at: str
    answered_at: str


class Live(BaseModel):
    """That the issuing department's own system was asked, and what it brought."""

    model_config = _STRICT

    basis: str
    """`source of NAME (CODE)`."""
    organ: str
    found: Literal["none", "refused", "taken"]
    """`none` says nothing: a number may be written otherwise there. `refused`: what came cannot be relied on."""
    asked_at: str
    answered_at: str


class LiveOfOption(BaseModel):
    """That a stream of a department's system was asked for what the applicant holds, and what it brought."""

    model_config = _STRICT

    source: str
    """Source and stream: `market/LICENCES`."""
    basis: str
    """`source of NAME (CODE)`; `source CODE` where it is one of many departments."""
    organ: str | None
    found: Literal["none", "refused", "taken", "failed"]
    """`none` says nothing: the holder may be written otherwise there. `refused`: of what came some cannot be relied on.
    `failed`: it gave no answer."""
    evidence: list[int]
    """The hub's numbers of the records that came and fit the option; they are so as of `asked_at`."""
    asked_at: str
    answered_at: str


class Inquiry(BaseModel):
    """How an inquiry of an officer stands, as who asked is told."""

    model_config = _STRICT

    group: int | None = None
    """Of prerequisites: the place of the group in the answer's `groups`, from 0 on."""
    option: int | None = None
    """Of prerequisites: the place of the option in the group's `options`, from 0 on."""
    state: Literal["asked", "silent", "answered", "overtaken", "withdrawn"]
    """`silent`: nobody answered by its day, and nothing is concluded; `overtaken`: a feed was first."""
    issuer: str
    asked_at: str
    due: str
    """The last day on which the officer is to answer."""
    answer: Literal["yes", "no", "not_ours"] | None
    reason: str | None
    ended_at: str | None


class CredentialAnswer(BaseModel):
    """What the hub says of one credential; a right value never stands in it where the asked one is wrong."""

    model_config = _STRICT

    outcome: Literal["match", "mismatch", "not_valid", "not_found", "ambiguous", "undetermined", "denied"]
    """`denied`: an officer of the issuing department says that it is not so."""
    on: str
    """The day it is said for."""
    known_at: str | None = None
    fields: list[str]
    """Where it differs: names of fields."""
    not_compared: list[str]
    """Fields that the hub does not hold, or in which a character was lost."""
    former_name: bool
    """The holder had the asked name before."""
    status: str | None
    since: str | None
    valid_to: str | None
    reason: str | None
    complete_through: str | None
    """Up to this instant the issuer's feed is complete; what happened since, nobody can tell yet."""
    complete_basis: Literal["declared", "inferred", "envelope"] | None
    stale: bool
    """The feed is further behind than the asked day needs."""
    later_status_unknown: bool
    """It is so as of `complete_through`; the status since is not known."""
    may_rely: bool
    """A match that may be relied on: fresh, or stale and the grant allows that."""
    objection_since: str | None
    mended: list[str]
    """Raw fields that were put right in the hub."""
    evidence: list[int]
    """The hub's numbers of the records that say so."""
    case: Literal["confirmed", "not_yet"]
    """Whether the asker's own case was found with this holder as a party."""
    officer: Officer | None = None
    """Only in an answer that stands on the word of an officer, and on no record."""
    live: Live | None = None
    """Only in an answer for which the department's system was asked."""


class OptionTold(BaseModel):
    """How one option of a group stands, by its best evidence."""

    model_config = _STRICT

    state: str
    status: str | None
    since: str | None
    evidence: int | None
    """The hub's number of the record that says so."""
    stage: str | None
    """Where another department's case stands that may yet bring it."""
    organ: str | None
    due: str | None
    reason: str | None
    complete_through: str | None
    complete_basis: str | None
    stale: bool
    may_rely: bool
    objection_since: str | None
    mended: list[str]
    officer: Officer | None = None
    """Only where an officer answered about this option, and no fresh feed tells how it stands."""
    live: list[LiveOfOption] | None = None
    """Only where departments' systems were asked about this option: each stream with what it brought last."""


class GroupTold(BaseModel):
    """How a group of options stands: as its best option."""

    model_config = _STRICT

    name: str
    day: str
    state: str
    option: int
    options: list[OptionTold]


class PrerequisitesAnswer(BaseModel):
    """What the hub says of all prerequisites of an item."""

    model_config = _STRICT

    outcome: Literal["met", "not_met", "pending", "undetermined"]
    item: str
    item_version: int
    on: str
    groups: list[GroupTold]
    complete_through: str | None
    stale: bool
    later_status_unknown: bool
    may_rely: bool
    case: Literal["confirmed", "not_yet"]


class Receipt(BaseModel):
    """The signature under the answer; `hub verify receipt` checks the whole document without the hub."""

    model_config = _STRICT

    jws: str
    salt: str | None
    """Null where the personal parts of the log were erased."""


class Checked(BaseModel):
    """A check with its answer; keep the whole document, it is the receipt."""

    model_config = _STRICT

    id: str
    state: Literal["answered", "waiting", "lapsed"]
    """`waiting`: a feed is waited for, and a later answer will stand on the same number."""
    asked: dict[str, Any] | None
    answer: CredentialAnswer | PrerequisitesAnswer
    answered_at: str
    receipt: Receipt
    inquiry: Inquiry | None = None
    """Only where an officer was asked about the credential; no part of what is signed."""
    inquiries: list[Inquiry] | None = None
    """Only where officers were asked about options of prerequisites: of each the newest; no part of what is signed."""


class Refused(BaseModel):
    """A check of a bulk that the asker may not make."""

    model_config = _STRICT

    outcome: Literal["not_allowed"]


class BulkChecked(BaseModel):
    """The answers in the order of the questions."""

    model_config = _STRICT

    checks: list[Checked | Refused]
