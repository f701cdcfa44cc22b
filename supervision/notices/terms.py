"""The words of notices: who is told what, and what a gateway can have done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

Channel = Literal["sms", "mail", "group"]
"""sms: to a phone; mail: to a mailbox; group: to the chat of a department, which has no address of its own."""
Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told: an opaque key, and how they are reached; with neither phone nor mailbox, the department's group."""

    key: str
    name: str | None = None
    phone: str | None = field(default=None, repr=False)
    mail: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be told to one recipient. `subject` is what it is about: of one subject nobody is told twice.

    `put` fills the places of the words: numbers of cards, levels, names of organs, days; nothing of a person.
    """

    subject: str
    recipient: Recipient
    words: str
    level: str
    put: Mapping[str, str]
    organ: str | None = None
    card_id: int | None = None
    language: Language = "zh"
    until: datetime | None = None
    """After this it is too late to tell it; None: a day after it was queued."""


@dataclass(frozen=True, slots=True)
class Due:
    """A notice that was taken to be sent, or to be asked after."""

    notice_id: int
    message: str
    organ: str | None
    level: str
    channel: Channel
    said: str
    sealed: bytes | None = field(repr=False)
    was: str
    """The state in which it was found: waiting, sending (its sender died), doubtful or sent."""
    tries: int
    until: datetime
    gateway: str | None
    gateway_number: str | None
    sent_at: datetime | None


class Outcome(StrEnum):
    """What became of one try, as far as can be known."""

    TAKEN = "taken"
    """The gateway said that it has it."""
    NOT_TAKEN = "not_taken"
    """It certainly has it not; it is sent again."""
    REFUSED = "refused"
    """It said that it never will take it."""
    DOUBT = "doubt"
    """Nobody can say: the request went out, and no answer came that is understood."""


@dataclass(frozen=True, slots=True)
class Tried:
    """The outcome of one try, with a stable word for what was wrong and the number that the gateway gave it."""

    outcome: Outcome
    fault: str | None = None
    number: str | None = None


class Receipt(StrEnum):
    """What a gateway says of a message it was given."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    UNDER_WAY = "under_way"
    UNKNOWN = "unknown"
    """It never got it."""
    NO_ANSWER = "no_answer"
    """It could not be asked, or what it said is not understood."""


@dataclass(frozen=True, slots=True)
class Reported:
    """One line of a callback: our key or the gateway's number of a message, and what became of it."""

    receipt: Receipt
    key: str | None = None
    number: str | None = None
