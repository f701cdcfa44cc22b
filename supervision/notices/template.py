"""The SMS gateway of a deployment, as its file describes it: what is sent to it, and how its answers are read.

Each value is written as the place asks for it: percent-encoded in an address and in a form, escaped in JSON and XML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import quote, quote_plus, urlsplit
from xml.sax.saxutils import escape

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from hub import yamlsafe
from hub.outward import Request
from hub.settings import Settings
from supervision.notices.errors import GatewayFile

PLACES: Final = ("phone", "text", "key", "number", "secret")
_PLACE = re.compile(r"\{([a-z_]+)\}")
_JSON, _FORM, _XML = "json", "x-www-form-urlencoded", "xml"


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return text


Pattern = Annotated[str, Field(max_length=500), AfterValidator(_pattern)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Asked(_Strict):
    """One request that is made of the gateway."""

    url: str = Field(max_length=2_000, pattern=r"^https?://\S+$")
    method: Literal["GET", "POST", "PUT"] = "POST"
    headers: dict[str, str] = Field(default_factory=dict)
    body: str = Field(default="", max_length=10_000)

    @model_validator(mode="after")
    def _known_places(self) -> Self:
        named = {one for part in (self.url, self.body, *self.headers.values()) for one in _PLACE.findall(part)}
        if unknown := sorted(named - set(PLACES)):
            raise ValueError(f"{{{'}, {'.join(unknown)}}} is filled by nothing; there are {', '.join(PLACES)}")
        return self

    def request(self, values: Mapping[str, str], charset: str) -> Request:
        """Fill the places and return the request."""
        form = next((said for name, said in self.headers.items() if name.lower() == "content-type"), "").lower()

        def put(part: str, write: Any) -> str:
            return _PLACE.sub(lambda found: str(write(values.get(found[1], ""))), part)

        body = put(self.body, lambda one: _written(one, form, charset)).encode(charset, "replace")
        url = put(self.url, lambda one: quote(one, safe="", encoding=charset, errors="replace"))
        return Request(self.method, url, {name: put(said, str) for name, said in self.headers.items()}, body)


class Send(Asked):
    """How a text is sent; `taken` is what the answer holds if the gateway has it, all else is a no."""

    taken: Pattern
    number: Pattern | None = None
    refused: Pattern | None = None


class Ask(Asked):
    """How the gateway is asked what became of a text."""

    delivered: Pattern
    undelivered: Pattern
    under_way: Pattern
    unknown: Pattern


class Receipts(_Strict):
    """How callbacks of the gateway are read: where the list is, and the fields of each entry."""

    form: Literal["json", "form"] = "json"
    entries: str = ""
    key: str | None = None
    number: str | None = None
    state: str
    delivered: list[str]
    under_way: list[str] = []

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.key is None and self.number is None:
            raise ValueError("neither key nor number says which text a receipt is of")
        return self


class Gateway(_Strict):
    """A gateway; `deduplicates`: it sends no second text under the same {key}."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    charset: Literal["utf-8", "gbk", "gb18030"] = "utf-8"
    seconds: float = Field(default=10, gt=0, le=60)
    deduplicates: bool = False
    send: Send
    ask: Ask | None = None
    receipts: Receipts | None = None


def load(settings: Settings) -> Gateway | None:
    """Return the gateway that `HUB_SMS_GATEWAY` names; None where none is set.

    Raises:
        GatewayFile: the file cannot be read, or describes none; every fault is told.
    """
    if settings.sms_gateway is None:
        return None
    data = _read(settings.sms_gateway)
    try:
        made = Gateway.model_validate(data)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in error.errors()]
        raise GatewayFile("HUB_SMS_GATEWAY: the gateway's file is wrong:\n" + "\n".join(sorted(faults))) from None
    open_ = [one for one in (made.send, made.ask) if one is not None and not _guarded(one.url, settings)]
    if open_:
        raise GatewayFile(
            "HUB_SMS_GATEWAY: phones go over https, or over http to a numeric address on this machine or in "
            "HUB_NOTICE_NETWORKS."
        )
    return made


def _read(file: Path) -> Any:
    try:
        with file.open("rb") as lines:
            return yaml.safe_load(_checked(lines.read(yamlsafe.MAX_BYTES + 1)))
    except (OSError, yaml.YAMLError, yamlsafe.YamlFault) as error:
        raise GatewayFile(f"HUB_SMS_GATEWAY: {file.name} cannot be read ({type(error).__name__}).") from None


def _checked(data: bytes) -> bytes:
    yamlsafe.compose(data)
    return data


def _guarded(url: str, settings: Settings) -> bool:
    parts = urlsplit(_PLACE.sub("x", url))
    if parts.scheme == "https":
        return True
    try:
        address = ip_address(parts.hostname or "")
    except ValueError:
        return False
    networks: tuple[IPv4Network | IPv6Network, ...] = settings.notice_networks
    return address.is_loopback or any(address.version == one.version and address in one for one in networks)


def _written(value: str, form: str, charset: str) -> str:
    """Write a value as the body's form asks for it."""
    if _JSON in form:
        return json.dumps(value, ensure_ascii=charset != "utf-8")[1:-1]
    if _FORM in form:
        return quote_plus(value, encoding=charset, errors="replace")
    return escape(value, {'"': "&quot;"}) if _XML in form else value
