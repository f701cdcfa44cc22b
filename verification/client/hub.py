"""Asks one hub, over one line."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import uuid4

import requests
from joserfc import jws
from joserfc.jwk import OKPKey

from .errors import BadQuestion, Fault, HubProblem, NotAdmitted, NotGranted, NotProven, NotThere, TryLater
from .proofs import ALGORITHM, COUNTERSIGNATURE, REGISTRY, canonical, follows, kid_of, open_notice, prove
from .told import (
    Balance,
    Checked,
    Head,
    Inquiry,
    Json,
    NotAllowed,
    Notice,
    Recall,
    credential,
    day_of,
    got,
    inquiry,
    instant_of,
    prerequisites,
)

LARGEST: Final = 32 << 20
"""Bytes of an answer at most."""
LONGEST_WAIT: Final = 30.0
"""Seconds between two tries at most."""
_EARLY: Final = 30.0
_PIECE: Final = 65_536
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


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
            HubProblem: see the tree at the head of the package.
        """
        return self._checked(self._call("POST", "/v1/checks", body=question, key=key or str(uuid4())))

    def check_credential(
        self, *, type: str, number: str, case: str, purpose: str, holder_number: str | None = None,  # noqa: A002  # the API's own word
        holder_name: str | None = None, on: date | None = None, key: str | None = None, **more: Any,
    ) -> Checked:  # fmt: skip
        """Ask whether a credential is genuine and valid; `more` are further fields of the question.

        Raises:
            HubProblem: see the tree at the head of the package.
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
            HubProblem: see the tree at the head of the package.
        """
        asked = {
            "kind": "prerequisites", "item": item, "applicant": {"number": applicant}, "case": case,
            "purpose": purpose, "project": project, "on": on and on.isoformat(),
        }  # fmt: skip
        return self.check({name: said for name, said in asked.items() if said is not None}, key=key)

    def bulk(self, questions: Sequence[Mapping[str, Any]], *, key: str | None = None) -> list[Checked | NotAllowed]:
        """Ask up to a thousand questions about credentials at once; answers come in the order of the questions.

        Raises:
            HubProblem: see the tree at the head of the package; one bad question refuses them all.
        """
        said = self._call("POST", "/v1/bulk-checks", body={"checks": list(questions)}, key=key or str(uuid4()))
        told = got(said, "checks", list)
        if len(told) != len(questions):
            raise NotProven(f"{len(told)} answers came to {len(questions)} questions")
        return [NotAllowed() if one.get("outcome") == "not_allowed" else self._checked(one) for one in told]

    # reading

    def read(self, number: str) -> Checked:
        """Read the newest answer to a check of the own organ.

        Raises:
            HubProblem: see the tree at the head of the package.
        """
        return self._checked(self._call("GET", f"/v1/checks/{quote(number, safe='')}"))

    def inquire(
        self, number: str, *, issuer: str | None = None, group: int | None = None, option: int | None = None
    ) -> Inquiry:
        """Put an undetermined check to an officer of the issuing department; asking again tells how it stands.

        Of prerequisites one option is asked about: its group and option by their places in the answer. The answer comes
        as a newer receipt on the check: `read` it.

        Raises:
            HubProblem: see the tree; `BadQuestion` where no officer can decide it, or nobody there answers.
        """
        body = _named(issuer, group, option)
        return inquiry(self._call("POST", f"/v1/checks/{quote(number, safe='')}/inquiry", body=body))

    def ask_live(
        self, number: str, *, issuer: str | None = None, group: int | None = None, option: int | None = None
    ) -> Checked:
        """Have the issuing department's own system asked where its feed is behind; return the newest answer.

        It stays as it was where that system brought nothing: a number may be written otherwise there. Of prerequisites
        all that is open is asked about, each department's system for what the applicant holds, or one option by the
        places of its group and itself. Each is asked once: who is told to come later decides whether to ask again.

        Raises:
            HubProblem: see the tree; `BadQuestion` where no system can be asked, `TryLater` where it is busy or silent.
        """
        body = _named(issuer, group, option)
        return self._checked(self._call("POST", f"/v1/checks/{quote(number, safe='')}/live", body=body, tries=1))

    def recalls(self, *, after: int = 0, page: int = 100) -> Iterator[Recall]:
        """Read the inbox from behind a number on, page by page; keep the last number, and begin there next time.

        Raises:
            HubProblem: see the tree at the head of the package.
        """
        next_: int | None = after
        while next_ is not None:
            said = self._call("GET", "/v1/recalls", params={"after": next_, "limit": page})
            for one in got(said, "recalls", list):
                yield Recall(
                    one["number"], one["check"], one["case"], one["evidence"], one["status"], day_of(one["since"]),
                    instant_of(one["told_at"]),
                )  # fmt: skip
            next_ = said["next"]

    def keys(self) -> Json:
        """Read the public keys; who keeps them proves receipts without the hub.

        Raises:
            HubProblem: see the tree at the head of the package.
        """
        return self._call("GET", "/v1/keys", admitted=False)

    def heads(self, *, after: Head | None = None) -> Iterator[Head]:
        """Read the signed heads of the log from behind a kept one on; each is proven to follow the one before it.

        Raises:
            NotProven: a head is not signed, or does not follow: the log is another one than the kept head's.
            HubProblem: see the tree at the head of the package.
        """
        last = after or Head(0, 0, bytes(32).hex())
        while True:
            said = self._call("GET", "/v1/audit/heads", params={"after": last.number, "limit": 1000})
            page = got(said, "heads", list)
            for one in page:
                last = follows(last, one, self._keys_for(str(one.get("signature"))))
                yield last
            if not page:
                return

    def balances(self, *, after: date | None = None) -> list[Balance]:
        """Read the balances of closed days, by day; a month at once.

        Raises:
            HubProblem: see the tree at the head of the package.
        """
        said = self._call("GET", "/v1/audit/balances", params=None if after is None else {"after": after.isoformat()})
        return [
            Balance(date.fromisoformat(one["balance"]["day"]), one["countersigned"], one["balance"])
            for one in got(said, "balances", list)
        ]

    def countersign(self, balance: Balance, key: OKPKey, *, agrees: bool, kept: Head | None = None) -> Head:
        """Prove that a balance stands under the log, sign it by the organ's own key, and return its head: keep that.

        `kept` is the head that the last countersignature returned; `agrees` says whether the counts are the own ones.

        Raises:
            NotProven: the log between the kept head and this balance does not hang together; nothing was signed.
            HubProblem: see the tree at the head of the package.
        """
        said = balance.document
        found = next((one for one in self.heads(after=kept) if one.number == said["number"]), None)
        if found is None or (found.head, found.total) != (said["head"], said["total"]):
            raise NotProven("the balance names another head than the log has")
        payload = canonical({"balance": said, "verdict": "agrees" if agrees else "differs"})
        header = {"alg": ALGORITHM, "kid": key.thumbprint(), "typ": COUNTERSIGNATURE}
        token = jws.serialize_compact(header, payload, key, registry=REGISTRY)
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
            read = prerequisites if "groups" in said else credential
            return Checked(document["id"], document["state"], instant_of(document["answered_at"]), read(said), document)
        except (KeyError, TypeError, ValueError) as error:
            raise NotProven(
                f"the answer lacks what this client reads ({error})", hint="Take the hub's newer client."
            ) from None

    def _keys_for(self, token: str) -> Json:
        if not self._kept and kid_of(token) not in {one.get("kid") for one in self._keys["keys"]}:
            self._keys = self.keys()
        return self._keys

    # the line

    def _call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, params: Mapping[str, Any] | None = None,
        key: str | None = None, admitted: bool = True, tries: int | None = None,
    ) -> Json:  # fmt: skip
        tries = tries or self._tries
        headers = {"Idempotency-Key": key} if key is not None else {}
        renewed = False
        for attempt in range(tries + 1):
            try:
                auth = _Bearer(self._authorised() if admitted else "")
                return self._once(method, path, json=body, params=params, headers=headers, auth=auth)
            except NotAdmitted:
                if renewed or not admitted or not self._token:
                    raise
                renewed, self._token = True, ""
            except TryLater as error:
                if attempt >= tries - 1:
                    raise
                self._wait(min(LONGEST_WAIT, error.after_seconds or 2.0**attempt))
        raise TryLater("the hub did not answer")  # not reached: the last try returns or raises

    def _authorised(self) -> str:
        with self._lock:
            if not self._token or time.monotonic() >= self._ends:
                form = {"grant_type": "client_credentials"}
                said = self._once("POST", "/v1/token", data=form, auth=(self._client, self._secret))
                self._token = got(said, "access_token", str)
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


def _named(issuer: str | None, group: int | None, option: int | None) -> Json:
    said = {"issuer": issuer, "group": group, "option": option}
    return {name: one for name, one in said.items() if one is not None}


def _bounded(answer: requests.Response) -> bytes:
    pieces, size = [], 0
    for piece in answer.iter_content(_PIECE):
        size += len(piece)
        if size > LARGEST:
            raise TryLater(f"the answer is larger than {LARGEST >> 20} MiB", hint="Ask less at once.")
        pieces.append(piece)
    return b"".join(pieces)


_BY_STATUS: Final[Mapping[int, type[HubProblem]]] = {
    401: NotAdmitted, 403: NotGranted, 404: NotThere, 408: TryLater, 409: TryLater, 429: TryLater,
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
