"""The hub's checks for a department's program, in one file: `Hub(address, client, secret).check(…)`.

It stands alone: besides Python it needs `requests` and `joserfc`, so a department may copy it. Tokens are got and
renewed, a question that did not get through is sent again under the same Idempotency-Key, and each answer is proven by
its receipt before it is returned. An error's type says what to do next:

HubProblem
├── BadQuestion   mend the question; `faults` names each field
├── NotAdmitted   the client's code or secret are wrong, expired or revoked
├── NotGranted    ask for a grant
├── NotThere      the number or the item does not exist, or is not your organ's
├── TryLater      the hub is busy or not reached; the client has tried several times already
└── NotProven     what came is not what the hub signed: rely on nothing of it
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import uuid4

import requests
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

Json = dict[str, Any]
ALGORITHM: Final = "Ed25519"
RECEIPT: Final = "hub-receipt+jws"
NOTICE: Final = "secevent+jwt"
HEAD: Final = "hub-head+jws"
COUNTERSIGNATURE: Final = "hub-countersignature+jws"
"""The kinds of signatures: of a receipt, a notice that the hub posts (RFC 8417), a head, and the organ's own."""
LARGEST: Final = 32 << 20
"""Bytes of an answer at most."""
LONGEST_WAIT: Final = 30.0
"""Seconds between two tries at most."""
_EARLY: Final = 30.0
_PIECE: Final = 65_536
_SHORTEST_SALT: Final = 16
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_REGISTRY = jws.JWSRegistry(algorithms=[ALGORITHM])
_PROVEN = ("id", "asked", "answer", "answered_at")


# --- what goes wrong ---


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a question: at which field, a stable code, a few words."""

    field: str
    code: str
    said: str


class HubProblem(Exception):
    """The hub did not do what was asked; says what it said and what to do next."""

    next_step = "See docs/verify."

    def __init__(
        self, got: str, *, hint: str = "", status: int | None = None, code: str = "", request: str = "",
        faults: Sequence[Fault] = (), after_seconds: float | None = None,
    ) -> None:  # fmt: skip
        self.got, self.hint, self.status = got, hint or self.next_step, status
        self.code, self.request, self.faults, self.after_seconds = code, request, tuple(faults), after_seconds
        fields = "; ".join(f"{one.field}: {one.said} ({one.code})" for one in self.faults)
        number = f" (request {request})" if request else ""
        super().__init__(f"{got}{': ' + fields if fields else ''}. {self.hint}{number}")


class BadQuestion(HubProblem):
    """The question cannot be read or contradicts itself."""

    next_step = "Mend the fields that are named."


class NotAdmitted(HubProblem):
    """The client's code or secret are wrong, expired or revoked."""

    next_step = "Ask the hub's operators for a new secret (`hub client new`)."


class NotGranted(HubProblem):
    """Neither a sharing class nor a grant lets the organ see this for this purpose."""

    next_step = "Ask for a grant (`hub share ask`)."


class NotThere(HubProblem):
    """There is no such check of your organ, or no such item."""

    next_step = "Compare the number with the one that the hub gave."


class TryLater(HubProblem):
    """The hub is busy or was not reached; nothing was lost, the same question may be sent again."""

    next_step = "Ask again later, with the same key."


class NotProven(HubProblem):
    """A receipt or a notice does not prove what it says."""

    next_step = "Rely on nothing of it; read the check again by its number, and tell the hub's operators."


# --- what is answered ---


@dataclass(frozen=True, slots=True)
class CredentialAnswer:
    """What the hub says of one credential. Only `may_rely` says whether the case may go on by it."""

    outcome: str
    """match, mismatch, not_valid, not_found, ambiguous or undetermined; silence of a feed is never a no."""
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


# --- the client ---


class Hub:
    """Asks one hub for one client of an organ; may be shared by threads.

    `keys` is a kept copy of `GET /v1/keys`; without it the hub's own are read. `wait` sleeps between two tries.

    Raises:
        ValueError: the address is not https and not this machine's own; `plain_http=True` allows that within a closed
            network.
    """

    def __init__(
        self, address: str, client: str, secret: str, *, keys: Json | None = None, timeout: float = 30.0,
        tries: int = 4, plain_http: bool = False, wait: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        place = urlsplit(address)
        if place.scheme != "https" and not (plain_http or place.hostname in _LOCAL):
            raise ValueError("the secret would go over the line in clear: write https://, or plain_http=True")
        self._at, self._client, self._secret = address.rstrip("/"), client, secret
        self._timeout, self._tries, self._wait = timeout, max(1, tries), wait
        self._session, self._lock = requests.Session(), threading.Lock()
        self._token, self._ends = "", 0.0
        self._kept, self._keys = keys is not None, keys or {"keys": []}

    # asking

    def check(self, question: Mapping[str, Any], *, key: str | None = None) -> Checked:
        """Ask one question, `docs/verify/checks.md` says its fields; under one `key` it is asked once only.

        Raises:
            HubProblem: see the tree at the head of this file.
        """
        return self._checked(self._call("POST", "/v1/checks", body=question, key=key or str(uuid4())))

    def check_credential(
        self, *, type: str, number: str, case: str, purpose: str, holder_number: str | None = None,  # noqa: A002  # the API's own word
        holder_name: str | None = None, on: date | None = None, key: str | None = None, **more: Any,
    ) -> Checked:  # fmt: skip
        """Ask whether a credential is genuine and valid; `more` are further fields of the question.

        Raises:
            HubProblem: see the tree at the head of this file.
        """
        shown = {"type": type, "number": number, "holder_number": holder_number, "holder_name": holder_name}
        asked = {
            "kind": "credential", "case": case, "purpose": purpose, "on": on and on.isoformat(), **more,
            "credential": {name: said for name, said in shown.items() if said is not None},
        }  # fmt: skip
        return self.check({name: said for name, said in asked.items() if said is not None}, key=key)

    def check_prerequisites(
        self, *, item: str, applicant: str, case: str, purpose: str, project: str | None = None,
        on: date | None = None, key: str | None = None,
    ) -> Checked:  # fmt: skip
        """Ask whether all prerequisites of an item are met for an applicant's number.

        Raises:
            HubProblem: see the tree at the head of this file.
        """
        asked = {
            "kind": "prerequisites", "item": item, "applicant": {"number": applicant}, "case": case,
            "purpose": purpose, "project": project, "on": on and on.isoformat(),
        }  # fmt: skip
        return self.check({name: said for name, said in asked.items() if said is not None}, key=key)

    def bulk(self, questions: Sequence[Mapping[str, Any]], *, key: str | None = None) -> list[Checked | NotAllowed]:
        """Ask up to a thousand questions about credentials at once; answers come in the order of the questions.

        Raises:
            HubProblem: see the tree at the head of this file; one bad question refuses them all.
        """
        said = self._call("POST", "/v1/bulk-checks", body={"checks": list(questions)}, key=key or str(uuid4()))
        told = _got(said, "checks", list)
        if len(told) != len(questions):
            raise NotProven(f"{len(told)} answers came to {len(questions)} questions")
        return [NotAllowed() if one.get("outcome") == "not_allowed" else self._checked(one) for one in told]

    # reading

    def read(self, number: str) -> Checked:
        """Read the newest answer to a check of the own organ.

        Raises:
            HubProblem: see the tree at the head of this file.
        """
        return self._checked(self._call("GET", f"/v1/checks/{quote(number, safe='')}"))

    def recalls(self, *, after: int = 0, page: int = 100) -> Iterator[Recall]:
        """Read the inbox from behind a number on, page by page; keep the last number, and begin there next time.

        Raises:
            HubProblem: see the tree at the head of this file.
        """
        next_: int | None = after
        while next_ is not None:
            said = self._call("GET", "/v1/recalls", params={"after": next_, "limit": page})
            for one in _got(said, "recalls", list):
                yield Recall(
                    one["number"], one["check"], one["case"], one["evidence"], one["status"], _day(one["since"]),
                    _at(one["told_at"]),
                )  # fmt: skip
            next_ = said["next"]

    def keys(self) -> Json:
        """Read the public keys; who keeps them proves receipts without the hub.

        Raises:
            HubProblem: see the tree at the head of this file.
        """
        return self._call("GET", "/v1/keys", admitted=False)

    def heads(self, *, after: Head | None = None) -> Iterator[Head]:
        """Read the signed heads of the log from behind a kept one on; each is proven to follow the one before it.

        Raises:
            NotProven: a head is not signed, or does not follow: the log is another one than the kept head's.
            HubProblem: see the tree at the head of this file.
        """
        last = after or Head(0, 0, bytes(32).hex())
        while True:
            said = self._call("GET", "/v1/audit/heads", params={"after": last.number, "limit": 1000})
            page = _got(said, "heads", list)
            for one in page:
                last = _follows(last, one, self._keys_for(str(one.get("signature"))))
                yield last
            if not page:
                return

    def balances(self, *, after: date | None = None) -> list[Balance]:
        """Read the balances of closed days, by day; a month at once.

        Raises:
            HubProblem: see the tree at the head of this file.
        """
        said = self._call("GET", "/v1/audit/balances", params=None if after is None else {"after": after.isoformat()})
        return [
            Balance(date.fromisoformat(one["balance"]["day"]), one["countersigned"], one["balance"])
            for one in _got(said, "balances", list)
        ]

    def countersign(self, balance: Balance, key: OKPKey, *, agrees: bool, kept: Head | None = None) -> Head:
        """Prove that a balance stands under the log, sign it by the organ's own key, and return its head: keep that.

        `kept` is the head that the last countersignature returned; `agrees` says whether the counts are the own ones.

        Raises:
            NotProven: the log between the kept head and this balance does not hang together; nothing was signed.
            HubProblem: see the tree at the head of this file.
        """
        said = balance.document
        found = next((one for one in self.heads(after=kept) if one.number == said["number"]), None)
        if found is None or (found.head, found.total) != (said["head"], said["total"]):
            raise NotProven("the balance names another head than the log has")
        payload = _canonical({"balance": said, "verdict": "agrees" if agrees else "differs"})
        header = {"alg": ALGORITHM, "kid": key.thumbprint(), "typ": COUNTERSIGNATURE}
        token = jws.serialize_compact(header, payload, key, registry=_REGISTRY)
        self._call("POST", f"/v1/audit/balances/{balance.day.isoformat()}", body={"jws": token})
        return found

    # proving

    def prove(self, document: Mapping[str, Any]) -> Json:
        """Prove a kept receipt and return what was signed; keys are read anew only where one is unknown.

        Raises:
            NotProven: it does not prove its question, answer and moment.
        """
        receipt = document.get("receipt")
        return prove(document, self._keys_for(str(receipt.get("jws")) if isinstance(receipt, dict) else ""))

    def open_notice(self, token: str, *, audience: str) -> Notice:
        """Prove a notice that was posted to the own address; `audience` is what `hub verify subscribe` printed.

        Raises:
            NotProven: the hub did not sign it, or signed it for another subscription.
        """
        return open_notice(token, self._keys_for(token), audience=audience)

    def _checked(self, document: Json) -> Checked:
        self.prove(document)
        try:
            said = document["answer"]
            read = _prerequisites if "groups" in said else _credential
            return Checked(document["id"], document["state"], _at(document["answered_at"]), read(said), document)
        except (KeyError, TypeError, ValueError) as error:
            raise NotProven(
                f"the answer lacks what this client reads ({error})", hint="Take the hub's newer client."
            ) from None

    def _keys_for(self, token: str) -> Json:
        if not self._kept and _kid(token) not in {one.get("kid") for one in self._keys["keys"]}:
            self._keys = self.keys()
        return self._keys

    # the line

    def _call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, params: Mapping[str, Any] | None = None,
        key: str | None = None, admitted: bool = True,
    ) -> Json:  # fmt: skip
        headers = {"Idempotency-Key": key} if key is not None else {}
        renewed = False
        for attempt in range(self._tries + 1):
            try:
                auth = _Bearer(self._authorised() if admitted else "")
                return self._once(method, path, json=body, params=params, headers=headers, auth=auth)
            except NotAdmitted:
                if renewed or not admitted or not self._token:
                    raise
                renewed, self._token = True, ""
            except TryLater as error:
                if attempt >= self._tries - 1:
                    raise
                self._wait(min(LONGEST_WAIT, error.after_seconds or 2.0**attempt))
        raise TryLater("the hub did not answer")  # not reached: the last try returns or raises

    def _authorised(self) -> str:
        with self._lock:
            if not self._token or time.monotonic() >= self._ends:
                form = {"grant_type": "client_credentials"}
                said = self._once("POST", "/v1/token", data=form, auth=(self._client, self._secret))
                self._token = _got(said, "access_token", str)
                self._ends = time.monotonic() + max(1.0, float(said["expires_in"]) - _EARLY)
            return self._token

    def _once(self, method: str, path: str, **more: Any) -> Json:
        try:
            with self._session.request(
                method, self._at + path, timeout=self._timeout, stream=True, allow_redirects=False, **more
            ) as answer:
                text = _bounded(answer)
                status, after = answer.status_code, answer.headers.get("Retry-After", "")
        except (requests.RequestException, OSError) as error:
            raise TryLater(f"the hub was not reached ({type(error).__name__})") from None
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            said = None
        if status in (200, 202) and isinstance(said, dict):
            return said
        raise _problem(status, said if isinstance(said, dict) else {}, float(after) if after.isdigit() else None)


class _Bearer(requests.auth.AuthBase):
    """Sends the token; as an `auth` of its own, for else `requests` would send what a .netrc says."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _bounded(answer: requests.Response) -> bytes:
    pieces, size = [], 0
    for piece in answer.iter_content(_PIECE):
        size += len(piece)
        if size > LARGEST:
            raise TryLater(f"the answer is larger than {LARGEST >> 20} MiB", hint="Ask less at once.")
        pieces.append(piece)
    return b"".join(pieces)


_BY_STATUS: Final[Mapping[int, type[HubProblem]]] = {
    401: NotAdmitted, 403: NotGranted, 404: NotThere, 408: TryLater, 429: TryLater,
}  # fmt: skip
_REFUSED: Final = 400
_OUR_OWN: Final = 500


def _problem(status: int, said: Json, after: float | None) -> HubProblem:
    kind = _BY_STATUS.get(status, TryLater if status >= _OUR_OWN else BadQuestion)
    if status < _REFUSED:
        return NotProven(f"the answer ({status}) is in no form that a hub gives", hint="Is this the address of a hub?")
    got = str(said.get("detail") or said.get("title") or f"the hub answers {status} and says no more")
    faults = [
        Fault(str(one.get("field")), str(one.get("code")), str(one.get("said")))
        for one in said.get("faults") or () if isinstance(one, dict)
    ]  # fmt: skip
    return kind(
        got, hint=str(said.get("hint") or ""), status=status, code=str(said.get("type") or "").rpartition(":")[2],
        request=str(said.get("request") or ""), faults=faults, after_seconds=after,
    )  # fmt: skip


# --- receipts and notices, without the hub ---


def prove(document: Mapping[str, Any], jwks: Mapping[str, Any]) -> Json:
    """Prove an answered check by published keys, without the hub; return what was signed.

    Raises:
        NotProven: it is unreadable, signed by nobody known, or question, answer or moment were changed.
    """
    try:
        receipt = document["receipt"]
        token, salt = str(receipt["jws"]), base64.b64decode(receipt["salt"] + "==", altchars=b"-_", validate=False)
        said = {name: document[name] for name in _PROVEN}
    except (KeyError, TypeError, ValueError):
        raise NotProven("this is no answered check with a receipt") from None
    claims = _opened(token, jwks, RECEIPT)
    if len(salt) < _SHORTEST_SALT or claims.get("digest") not in ("sha-256", "sm3"):
        raise NotProven("its salt is too short, or its digest is unknown")
    made = hashlib.new("sm3") if claims["digest"] == "sm3" else hashlib.sha256()
    made.update(salt + _canonical(said))
    committed = base64.urlsafe_b64encode(made.digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(str(claims.get("commitment")), committed):
        raise NotProven("question, answer or moment are not those that were signed")
    if (claims.get("check"), claims.get("answered_at")) != (said["id"], said["answered_at"]):
        raise NotProven("number or moment are not those that were signed")
    return claims


def open_notice(token: str, jwks: Mapping[str, Any], *, audience: str) -> Notice:
    """Prove a notice by published keys, and that it was signed for this subscription.

    Raises:
        NotProven: it was not.
    """
    claims = _opened(token, jwks, NOTICE)
    if claims.get("aud") != audience:
        raise NotProven("the notice is signed for another subscription")
    try:
        ((kind, said),) = claims["events"].items()
        return Notice(str(claims["jti"]), str(kind).rpartition(":")[2], int(claims["iat"]), dict(said))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotProven("the notice holds no event") from None


def _follows(last: Head, said: Json, jwks: Mapping[str, Any]) -> Head:
    claims = _opened(str(said.get("signature")), jwks, HEAD)
    head = hashlib.sha256(b"\x02" + _canonical(claims)).hexdigest()
    total = last.total + int(claims["entries"])
    if (claims["number"], claims["before"], claims["total"]) != (last.number + 1, last.head, total):
        raise NotProven(f"head {claims['number']} does not follow head {last.number}: the log is another one")
    return Head(claims["number"], total, head)


def _canonical(value: Any) -> bytes:
    """Write JSON as RFC 8785 has it; our documents hold texts, whole numbers and booleans only."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _kid(token: str) -> str:
    try:
        return str(jws.extract_compact(token.encode("ascii")).headers().get("kid"))
    except (JoseError, ValueError, TypeError):
        raise NotProven("the signature cannot be read") from None


def _opened(token: str, jwks: Mapping[str, Any], kind: str) -> Json:
    kid = _kid(token)
    found = [one for one in jwks.get("keys", ()) if isinstance(one, dict) and one.get("kid") == kid]
    if not found:
        raise NotProven(f"key {kid[:40]!r} is none of the published ones")
    try:
        key = OKPKey.import_key({name: found[0][name] for name in ("kty", "crv", "x")})
        said = jws.deserialize_compact(token.encode("ascii"), key, registry=_REGISTRY)
        payload = json.loads(said.payload)
    except (JoseError, ValueError, KeyError, TypeError):
        raise NotProven(f"the signature is not that of key {kid!r}") from None
    if said.headers().get("typ") != kind or not isinstance(payload, dict):
        raise NotProven("the signature is of another kind")
    return payload


# --- reading answers ---


def _credential(said: Json) -> CredentialAnswer:
    return CredentialAnswer(
        outcome=said["outcome"], on=date.fromisoformat(said["on"]), may_rely=said["may_rely"], stale=said["stale"],
        later_status_unknown=said["later_status_unknown"], complete_through=_moment(said["complete_through"]),
        status=said["status"], since=_day(said["since"]), valid_to=_day(said["valid_to"]), reason=said["reason"],
        fields=tuple(said["fields"]), not_compared=tuple(said["not_compared"]), evidence=tuple(said["evidence"]),
        objection_since=_day(said["objection_since"]), case=said["case"],
    )  # fmt: skip


def _prerequisites(said: Json) -> PrerequisitesAnswer:
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
        said["state"], said["status"], _day(said["since"]), said["evidence"], said["stage"], said["organ"],
        _moment(said["due"]), said["reason"], said["stale"], said["may_rely"],
    )  # fmt: skip


def _got(said: Json, name: str, kind: type) -> Any:
    if not isinstance(said.get(name), kind):
        raise NotProven(f"the answer has no {name}", hint="Is this the address of a hub?")
    return said[name]


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else _at(text)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
