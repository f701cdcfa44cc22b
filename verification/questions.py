"""What may be asked: read strictly, every fault told at its field, before anything is looked up or logged."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from hub.identifiers import credit_code, item_code, resident_id
from hub.protect.text import normalize_number
from hub.refusals import Fault, Malformed

MOST_IN_BULK: Final = 1_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_EIGHTEEN = 18
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ISO_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII)
"""RFC 3339, 5.6; a blank for the T is what its note allows. That the zone is missing is told apart."""
_FIRST_DAY = date(1949, 10, 1)
_FIRST_INSTANT, _END = datetime(1949, 9, 30, tzinfo=UTC), datetime(3000, 1, 2, tzinfo=UTC)


def _readable(text: str) -> str:
    if _CONTROL.search(text):
        raise PydanticCustomError("unreadable_text", "holds control characters or halves of characters")
    if not text.strip():
        raise PydanticCustomError("empty_text", "is empty")
    return text


def _holder_number(text: str) -> str:
    """Refuse a number whose check character is wrong, where its form says that it has one."""
    plain = normalize_number(_readable(text))
    if len(plain) != _EIGHTEEN:
        return text
    is_id = plain[:17].isdigit() and resident_id.fault(plain) is None
    if not is_id and (credit_code.fault(plain) is not None):
        raise PydanticCustomError("wrong_check_character", "is neither a resident id nor a credit code")
    return text


def _organ(text: str) -> str:
    if credit_code.fault(text) is not None:
        raise PydanticCustomError("wrong_code", "is no unified social credit code")
    return text


def _item(text: str) -> str:
    if item_code.claims_standard(_readable(text)) and item_code.fault(text):
        raise PydanticCustomError("wrong_code", "is no item code, though it has the form of one")
    return text


def iso_day(said: object) -> object:
    """Refuse what is no day as it is written: a number would be read as seconds since 1970."""
    if isinstance(said, date) or (isinstance(said, str) and _ISO_DAY.fullmatch(said)):
        return said
    raise PydanticCustomError("unreadable_day", "is no day as YYYY-MM-DD")


def _iso_instant(said: object) -> object:
    if isinstance(said, datetime) or (isinstance(said, str) and _ISO_INSTANT.fullmatch(said)):
        return said
    raise PydanticCustomError("unreadable_instant", "is no instant as RFC 3339 has it")


def _told(at: datetime) -> datetime:
    """Write an instant in UTC: offsets beyond those of any zone are read by RFC 3339, but by no database."""
    if not _FIRST_INSTANT <= at < _END:
        raise PydanticCustomError("instant_out_of_range", "lies before 1949-10-01 or after the year 2999")
    return at.astimezone(UTC)


def _past(day: date) -> date:
    if day < _FIRST_DAY:
        raise PydanticCustomError("day_too_early", "lies before 1949-10-01")
    return day


_BLANK = r"\x00-\x20\x7f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
PRINTABLE = {"pattern": rf"^[^\x00-\x1f\x7f]*[^{_BLANK}][^\x00-\x1f\x7f]*$"}
"""What `_readable` asks for, as the API's document says it."""
Text = Annotated[str, Field(min_length=1, max_length=200, json_schema_extra=PRINTABLE), AfterValidator(_readable)]
HolderNumber = Annotated[
    str, Field(min_length=1, max_length=40, json_schema_extra=PRINTABLE), AfterValidator(_holder_number)
]
Organ = Annotated[
    str,
    Field(
        min_length=18,
        max_length=18,
        json_schema_extra={"pattern": r"^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$"},
    ),
    AfterValidator(_organ),
]
Item = Annotated[str, Field(min_length=1, max_length=100, json_schema_extra=PRINTABLE), AfterValidator(_item)]
Day = Annotated[
    date,
    BeforeValidator(iso_day),
    AfterValidator(_past),
    Field(json_schema_extra={"pattern": r"^(1949-1[0-2]|19[5-9]\d-\d{2}|[2-9]\d{3}-\d{2})-\d{2}$"}),
]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_iso_instant),
    AfterValidator(_told),
    Field(json_schema_extra={"pattern": r"^(1949-1[0-2]|19[5-9]\d-\d{2}|2\d{3}-\d{2})-\d{2}[Tt ]"}),
]
_STRICT = ConfigDict(extra="forbid", str_strip_whitespace=False)


class CredentialAsked(BaseModel):
    """What the applicant shows: type and number, and at least one of the holder's name and number."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"anyOf": [
        {"required": [name], "properties": {name: {"type": "string"}}} for name in ("holder_number", "holder_name")
    ]})  # fmt: skip

    type: Text
    number: Text
    issuer: Organ | None = None
    version: Text | None = None
    holder_number: HolderNumber | None = None
    holder_name: Text | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None


class Asked(BaseModel):
    """What every check says: the asker's own case, why it is checked, and for which day."""

    model_config = _STRICT

    case: Text
    """The number of the asker's own case."""
    purpose: Text
    """The purpose, as the grant names it."""
    on: Day | None = None
    """The day on which it must hold; today without it."""
    wait_until: Instant | None = None
    """Where the feed is behind: wait for it so long."""


class CredentialCheck(Asked):
    """A check of one credential."""

    kind: Literal["credential"]
    credential: CredentialAsked
    known_at: Instant | None = None
    """Answer as the hub knew it at this instant."""


class Applicant(BaseModel):
    """Who applies."""

    model_config = _STRICT

    number: HolderNumber
    name: Text | None = None


class PrerequisitesCheck(Asked):
    """A check of all prerequisites of an item, for an applicant and, where it has one, its project."""

    kind: Literal["prerequisites"]
    item: Item
    applicant: Applicant
    project: Text | None = None


class Progress(BaseModel):
    """How the cases of a project stand: the project's number, the asker's own case, and why it asks."""

    model_config = _STRICT

    project: Text
    case: Text
    purpose: Text


Check = Annotated[CredentialCheck | PrerequisitesCheck, Field(discriminator="kind")]


class Bulk(BaseModel):
    """Up to a thousand checks of credentials, answered by one query; each with an answer and receipt of its own."""

    model_config = _STRICT

    checks: Annotated[list[CredentialCheck], Field(min_length=1, max_length=MOST_IN_BULK)]


def mind(asked: CredentialCheck | PrerequisitesCheck, *, now: datetime, today: date, at: str = "") -> None:
    """Refuse what no single field shows: a day or an instant in the future, a holder that is not named.

    Raises:
        Malformed: with every fault.
    """
    faults = []
    if asked.on is not None and asked.on > today:
        faults.append(Fault(f"{at}on", "day_in_future", "lies in the future"))
    if asked.wait_until is not None and asked.wait_until <= now:
        faults.append(Fault(f"{at}wait_until", "instant_in_past", "is over already"))
    if isinstance(asked, CredentialCheck):
        held = asked.credential
        if asked.known_at is not None and asked.known_at > now:
            faults.append(Fault(f"{at}known_at", "instant_in_future", "lies in the future"))
        if held.holder_number is None and held.holder_name is None:
            faults.append(Fault(f"{at}credential.holder_number", "holder_missing", "holder_number or holder_name"))
        if held.valid_from and held.valid_to and held.valid_to < held.valid_from:
            faults.append(Fault(f"{at}credential.valid_to", "days_reversed", "lies before valid_from"))
    if faults:
        raise Malformed("the question contradicts itself", hint="Mend the fields.", faults=faults)


def faults_of(error: ValidationError, *, kinds: bool = False) -> list[Fault]:
    """Return what is wrong by field; never a value that was sent. With `kinds` places begin with the kind of check."""
    found = []
    for one in error.errors(include_input=False, include_context=False, include_url=False):
        place = ".".join(str(part) for part in (one["loc"][1:] if kinds else one["loc"]))
        found.append(Fault(place[:200], str(one["type"]), str(one["msg"])[:200]))
    return found[:50]
