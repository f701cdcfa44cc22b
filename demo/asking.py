"""A department's program that relies on others: three checks that a person can follow, compared with the truth.

It does what docs/verify tells a department to do: a grant is asked for and answered, a token is got, questions are
asked over HTTP, the receipt is checked, the recall is read. Nothing of the product is imported.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests

from demo.processes import Halted, answer

_PURPOSE = "前置审批核验"
_CLIENT = "demo-asker"
_SECONDS = 60


@dataclass(slots=True)
class Asking:
    """The program, with what the truth says of its checks; `wrong` collects where the hub says otherwise."""

    url: str
    environment: Mapping[str, str]
    checks: Mapping[str, Mapping[str, Any]]
    secret: str = ""
    wrong: list[str] = field(default_factory=list)
    relied: str = ""
    """The number of the check whose licence is revoked afterwards."""

    def prepare(self) -> None:
        """Have the asking department admitted, and what it asks for shared with it."""
        one = self.checks["revoked"]
        said = self._hub("client", "new", _CLIENT, "--organ", one["asker"], "--check", "--json")
        self.secret = json.loads(said)["token"]
        self._hub(
            "share", "set", "credential_type", one["type"], "--class", "conditional", "--ground", "省级共享目录",
            "--by", "省大数据局",
        )  # fmt: skip
        asked = self._hub(
            "share", "ask", "credential_type", one["type"], "--organ", one["asker"], "--purpose", _PURPOSE, "--basis",
            "《行政许可法》第三十三条", "--stale-allowed", "--by", one["asker_name"], "--json",
        )  # fmt: skip
        number = str(json.loads(asked)["grant"])
        self._hub("share", "answer", number, "--reason", "依法共享", "--by", one["giver_name"])
        self._hub(
            "share", "set", "item", self.checks["met"]["needs"], "--class", "unconditional", "--ground", "省级共享目录",
            "--by", "省大数据局",
        )  # fmt: skip
        _say(f"{one['giver_name']} lets {one['asker_name']} check {one['type']}, for {_PURPOSE}.")

    def before(self) -> None:
        """Check, on day 1, the licence that is revoked on day 2."""
        one = self.checks["revoked"]
        told = self._licence(one)
        self.relied = told["id"]
        self._compare("on day 1, the licence that will be revoked", one["outcome"], told["answer"]["outcome"])
        _say(f"{one['asker_name']}, case {one['case']} of {one['holder_name']}: asks about {_named(one)}.")
        _say(f"  → {_outcome(told)}")
        with tempfile.TemporaryDirectory(prefix="hub-demo-") as folder:
            file = Path(folder) / "check.json"
            file.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
            proven = json.loads(self._hub("verify", "receipt", str(file), "--json"))["proven"]
        _say(f"  → receipt {told['id']}: {'proven' if proven else 'NOT proven'} (hub verify receipt)")

    def after(self) -> None:
        """Ask the three questions, when both days are there."""
        one = self.checks["met"]
        question = {
            "kind": "prerequisites", "item": one["item"], "applicant": {"number": one["holder_number"]},
            "case": one["case"], "purpose": _PURPOSE,
        }  # fmt: skip
        told = self._post(question)
        _say(f"1. {one['asker_name']} handles {one['item_name']} for {one['holder_name']} (case {one['case']}).")
        _say(f"   Before it: {one['needs_name']}, {one['needs']}, given by {one['giver_name']}.")
        _say(f"   → {_outcome(told)}; " + "; ".join(
            f"{group['name']} {group['state']} by record {group['options'][group['option']]['evidence']}"
            for group in told["answer"]["groups"]
        ))  # fmt: skip
        self._compare("the prerequisites", one["outcome"], told["answer"]["outcome"])
        one = self.checks["expired"]
        told = self._licence(one)
        _say(f"2. The firm shows {_named(one)}, valid to {one['valid_to']}.")
        _say(f"   → {_outcome(told)}")
        self._compare("the licence that ran out", one["outcome"], told["answer"]["outcome"])
        self._compare("its status", one["status"], told["answer"]["status"])
        self._recalled()

    def _recalled(self) -> None:
        one = self.checks["revoked"]
        self._hub("verify", "recall", "--json")
        found = [row for row in self._get("/v1/recalls")["recalls"] if row["check"] == self.relied]
        _say(f"3. {_named(one)}, relied on on day 1, was revoked by {one['giver_name']} on day 2.")
        for row in found:
            _say(f"   → recall in the department's inbox: case {row['case']}, {row['status']} since {row['since']}")
        self._compare("the recall", [one["status"]], [row["status"] for row in found])
        told = self._licence(one)
        _say(f"   → asked again: {_outcome(told)}")
        self._compare("the licence that was revoked", one["later"], told["answer"]["outcome"])
        self._compare("its status", one["status"], told["answer"]["status"])

    def _compare(self, what: str, expected: object, got: object) -> None:
        if got != expected:
            self.wrong.append(f"{what}: the truth says {expected!r}, the hub {got!r}")

    def _licence(self, one: Mapping[str, Any]) -> dict[str, Any]:
        return self._post({
            "kind": "credential", "case": one["case"], "purpose": _PURPOSE, "credential": {
                "type": one["type"], "number": one["number"], "issuer": one["issuer"],
                "holder_number": one["holder_number"], "holder_name": one["holder_name"],
            },
        })  # fmt: skip

    def _post(self, question: Mapping[str, Any]) -> dict[str, Any]:
        got = requests.post(f"{self.url}/v1/checks", json=question, headers=self._headers(), timeout=_SECONDS)
        return _read(got)

    def _get(self, path: str) -> dict[str, Any]:
        return _read(requests.get(f"{self.url}{path}", headers=self._headers(), timeout=_SECONDS))

    def _headers(self) -> dict[str, str]:
        form = {"grant_type": "client_credentials"}
        got = requests.post(f"{self.url}/v1/token", data=form, auth=(_CLIENT, self.secret), timeout=_SECONDS)
        return {"Authorization": f"Bearer {_read(got)['access_token']}"}

    def _hub(self, *words: str) -> str:
        return answer(words, self.environment)


def asking(url: str, environment: Mapping[str, str], truth: Mapping[str, Any]) -> Asking | None:
    """Return the department's program; None in a province too small for its story."""
    checks = {one["what"]: one for one in truth["checks"]}
    return Asking(url, environment, checks) if checks else None


def _read(got: requests.Response) -> dict[str, Any]:
    if got.status_code not in (HTTPStatus.OK, HTTPStatus.ACCEPTED):
        raise Halted(f"the hub answered a check with {got.status_code}: {got.text[:300]}", 1)
    said: dict[str, Any] = got.json()
    return said


def _outcome(told: Mapping[str, Any]) -> str:
    answered = told["answer"]
    words = [str(answered["outcome"])]
    if answered.get("status"):
        words.append(f"{answered['status']} since {answered['since']}")
    if answered["complete_through"]:
        words.append(f"as far as the feed goes, {answered['complete_through'][:16]}")
    return ", ".join(words)


def _named(one: Mapping[str, Any]) -> str:
    return f"{one['type']} {one['number']}"


def _say(text: str) -> None:
    sys.stdout.write(f"  {text}\n")
    sys.stdout.flush()
