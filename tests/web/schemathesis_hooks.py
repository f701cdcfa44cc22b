"""What no schema can say, for schemathesis: it loads this module as its hooks, in a process of its own.

A case that was made by the document is mended where a rule looks at two fields, at the clock, at a check character, at
an earlier request, or into a file. Nothing else is touched: what the document can say, it must say.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

import schemathesis
from hypothesis import strategies as st

from hub.identifiers import credit_code, item_code
from hub.protect.text import normalize_number
from tests.verification.registry import ISSUER
from tests.web.earlier import Earlier

TOKENS = "HUB_TEST_TOKENS"
"""The variable with the token of each security scheme, as JSON."""
LONG_AGO, LONG_AFTER = "2026-01-05", "2990-01-05T00:00:00Z"
ADDRESS = "HUB_TEST_ADDRESS"
"""The variable with the address of the hub."""
STREAM, XML_STREAM = "PRE_APASINFO", "PRE_NODE"
"""Where posts of JSON go, and where the source declares XML."""
XML = "application/xml"
SHARED = ("食品经营许可证", "前置审批核验")
_VIEWER, _PARTY = "X-Road-UserId", "X-Road-Represented-Party"
"""A number, and a number behind its class."""
_KEY = "Idempotency-Key"
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_BORNE = 18
"""So many characters has a number that bears a check character."""
_NOT_XML = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write."""
_COLUMNS = ("case", "purpose", "on", "type", "number", "holder_name")


def _signed_in(scheme: str) -> None:
    """Give the token of a security scheme to the operations that ask for it."""

    @schemathesis.auth(refresh_interval=None).apply_to(schemathesis.openapi.require_security_scheme(scheme))
    class _Bearer:
        def get(self, case: Any, context: Any) -> str:  # as schemathesis calls it
            return str(json.loads(os.environ[TOKENS])[scheme])

        def set(self, case: Any, data: str, context: Any) -> None:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


for _scheme in ("client", "checks", "gateway"):
    _signed_in(_scheme)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:  # as schemathesis calls it
    """Mend a case before it is sent."""
    headers = case.headers if case.headers is not None else {}
    if re.fullmatch("[ -~]{1,200}", str(headers.get(_KEY, ""))):
        headers[_KEY] = f"{case.id}-{datetime.now(UTC).timestamp()}"  # a key that came before is refused
    _mend_headers(headers)
    if case.operation.path.startswith("/v1/records/"):
        _mend_post(case, headers)
    elif not _mend_inquiry(case) and isinstance(case.body, dict):
        many = case.body.get("checks")
        for one in many if isinstance(many, list) else [case.body]:
            if isinstance(one, dict):
                _mend(one)
                if case.meta.generation.mode.is_positive and isinstance(one.get("credential"), dict):
                    one["credential"]["type"], one["purpose"] = SHARED  # what is not shared gets no answer


def _mend_headers(headers: Any) -> None:
    if isinstance(headers.get(_VIEWER), str):
        headers[_VIEWER] = _borne(headers[_VIEWER])
    if isinstance(headers.get(_PARTY), str):
        before, slash, number = headers[_PARTY].rpartition("/")
        headers[_PARTY] = f"{before}{slash}{_borne(number)}"


def _mend_post(case: Any, headers: Any) -> None:
    """Let posts of right data reach a stream that there is, which declares no envelopes; XML, one that declares it."""
    if not case.meta.generation.mode.is_positive:
        return
    case.path_parameters["stream"] = STREAM
    if case.media_type == XML:
        # A text that is no document, as the schema alone makes it, goes where nothing is.
        case.path_parameters["stream"] = XML_STREAM if isinstance(case.body, bytes) else "nowhere"
    (case.query or {}).pop("source", None)
    headers.pop("Envelope", None)
    if "Record-Count" in headers:
        headers["Record-Count"] = str(_held(case))
    at = _at(headers.get("Complete-Through"))
    if at is not None and not datetime(1900, 1, 2, tzinfo=UTC) < at < datetime.now(UTC):
        headers["Complete-Through"] = f"{LONG_AGO}T00:00:00Z"


def _held(case: Any) -> int:
    body = case.body
    if isinstance(body, bytes) and case.media_type == XML:
        return body.count(b"<ROW>")
    return len(body.splitlines() if isinstance(body, bytes) else body if isinstance(body, list) else [body])


def _mend_inquiry(case: Any) -> bool:
    """Let right data reach a check that may be put to officers, or an inquiry that is open; say whether it was one."""
    path = case.operation.path
    if not ("inquir" in path or path.startswith("/v1/checks/{id}")) or not case.meta.generation.mode.is_positive:
        return False
    if path in ("/v1/checks/{id}/inquiry", "/v1/checks/{id}/live"):
        option = isinstance(case.body, dict) and case.body.get("option") is not None
        case.path_parameters["id"] = _earlier().check(option=option)
        if isinstance(case.body, dict):
            if case.body.get("issuer"):
                case.body["issuer"] = ISSUER
            place = 0 if option else None  # one credential has no options, and the item has one
            case.body |= {name: place for name in ("group", "option") if name in case.body}
    elif path == "/v1/inquiries/{number}":
        case.path_parameters["number"] = _earlier().inquiry()
    elif path == "/v1/checks/{id}":
        case.path_parameters["id"] = _earlier().inquired()
    return True


@cache
def _earlier() -> Earlier:
    tokens = json.loads(os.environ[TOKENS])
    return Earlier(os.environ[ADDRESS], checks=tokens["earlier"], officer=tokens["client"])


def _mend(one: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    if (day := _day(one.get("on"))) is not None and day > now.date():
        one["on"] = LONG_AGO
    if (at := _at(one.get("known_at"))) is not None and at > now:
        one["known_at"] = f"{LONG_AGO}T00:00:00Z"
    if (at := _at(one.get("wait_until"))) is not None and at < now + timedelta(hours=1):
        one["wait_until"] = LONG_AFTER
    item = one.get("item")
    if isinstance(item, str) and item_code.claims_standard(item) and item_code.fault(item):
        one["item"] = "其他-02491-006"
    for held in (one, one.get("credential"), one.get("applicant")):
        if isinstance(held, dict):
            _mend_held(held)


def _mend_held(held: dict[str, Any]) -> None:
    name = "number" if "holder_number" not in held and "type" not in held else "holder_number"
    if isinstance(held.get(name), str):
        held[name] = _borne(held[name])
    issuer = held.get("issuer")
    if isinstance(issuer, str) and re.fullmatch(r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}", issuer):
        held["issuer"] = _borne(issuer)
    first, last = _day(held.get("valid_from")), _day(held.get("valid_to"))
    if first is not None and last is not None and last < first:
        held["valid_from"], held["valid_to"] = held["valid_to"], held["valid_from"]


def _borne(number: str) -> str:
    """Return a number that bears its check character, where it has the length of one that does."""
    plain = normalize_number(number)
    if len(plain) != _BORNE:
        return number
    return credit_code.make("".join(re.findall("[0-9]", plain))[:8].rjust(8, "0"))


def _day(said: object) -> date | None:
    try:
        return date.fromisoformat(said) if isinstance(said, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", said) else None
    except ValueError:
        return None


def _at(said: object) -> datetime | None:
    try:
        return datetime.fromisoformat(said) if isinstance(said, str) and _INSTANT.fullmatch(said) else None
    except ValueError:
        return None


# --- files of checks, and documents: a schema says nothing of what lies in a text ---

_TEXT = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=20)
_ROWS = st.lists(
    st.fixed_dictionaries(dict.fromkeys(_COLUMNS, _TEXT) | {"on": st.just(LONG_AGO)}), min_size=1, max_size=5
)


def _lines(rows: list[dict[str, str]]) -> bytes:
    own, held = _COLUMNS[:3], _COLUMNS[3:]
    said = [
        {"kind": "credential", **{name: one[name] for name in own}, "credential": {name: one[name] for name in held}}
        for one in rows
    ]
    return b"".join(json.dumps(one).encode() + b"\n" for one in said)


def _sheet(rows: list[dict[str, str]]) -> bytes:
    lines = [",".join(_COLUMNS), *(",".join(one[name] for name in _COLUMNS) for one in rows)]
    return "\r\n".join(lines).encode()


def _document(rows: list[tuple[str, str]]) -> bytes:
    held = (f"<ROW><UNID>{_cell(key)}</UNID><OPINION>{_cell(said)}</OPINION></ROW>" for key, said in rows)
    return f"<D>{''.join(held)}</D>".encode()


def _cell(text: str) -> str:
    return escape(_NOT_XML.sub("?", text))


schemathesis.openapi.media_type(
    XML, st.lists(st.tuples(_TEXT, st.text(max_size=40)), min_size=1, max_size=5).map(_document)
)
schemathesis.openapi.media_type("application/x-ndjson", _ROWS.map(_lines))
schemathesis.openapi.media_type("text/csv", _ROWS.map(_sheet))
