"""What earlier requests would have left behind, for operations that answer nothing without them: checks and inquiries.

A department asks about a credential of a feed that is behind, or about the prerequisites of an item that needs one, and
puts what stays undetermined to the officers of the issuing department, whose system may be asked live, too. It is
another client than the one that schemathesis has, of the same organ, so that who counts what schemathesis reached does
not count these.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import requests

from hub.settings import Settings
from tests.catalog import items
from tests.connectors.conftest import Department
from tests.verification.office import Office
from tests.verification.registry import NOW, PURPOSE, Registry, body

SYSTEM = "late"
"""The source of the issuing department."""
ITEM = items.code(1)
"""An item that needs a credential of `LATE`, of the applicant."""
ROWS = 40
"""So many credentials has the system that its feed has not brought."""
LATE = "出版物经营许可证"
"""The type of credential that only a feed brings which is behind: no check of one is determined."""


def behind(registry: Registry) -> None:
    """Let the feed of `LATE` be a month behind, and share it with the asking department."""
    registry.share(LATE)
    registry.grant(LATE)
    registry.credential("another", source=SYSTEM, credential_type=LATE)
    registry.through(SYSTEM, NOW - timedelta(days=30))
    needs = [{"name": "经营", "holder": "applicant", "valid_on": "decision", "any_of": [{"credential": LATE}]}]
    items.published(registry.engine, ITEM, content=items.content(requirements=needs))


def system(registry: Registry, settings: Settings, place: Path) -> Office:
    """Build the system of the department that issues `LATE`, which agrees to be asked live."""
    file = place / f"{SYSTEM}.sqlite"
    file.touch()
    made = Office(settings.sources[0], Department("sqlite", f"sqlite:///{file}", None), registry.runtime, code=SYSTEM)
    made.declare(stream={"cursor": None})
    for number in range(1, ROWS + 1):
        made.put(ID=f"L-{number}", CERT_NO=f"CB-{number}", CERT_TYPE=LATE, HOLDER_NO=f"T-{number}")
    return made


class Earlier:
    """Asks what must have been asked before; `checks` and `officer` are the tokens of who asks and who answers."""

    def __init__(self, at: str, *, checks: str, officer: str) -> None:
        self._at, self._checks, self._officer = at, checks, officer
        self._numbers = count(1)
        self._put: list[str] = []

    def check(self, *, option: bool = False) -> str:
        """Return the number of a new check that no feed can tell: of a credential, or of an item that needs one."""
        number = next(self._numbers)
        asked = body(credential={"type": LATE, "number": f"CB-{number}"})
        if option:
            asked = {
                "kind": "prerequisites", "item": ITEM, "case": "A-1", "purpose": PURPOSE,
                "applicant": {"number": f"T-{number}"},
            }  # fmt: skip
        said = self._post("/v1/checks", asked)
        assert said["answer"]["outcome"] == "undetermined", said
        return str(said["id"])

    def inquired(self) -> str:
        """Return the number of a check that was put to officers, of whom some may have answered."""
        if not self._put:
            self._ask()
        return self._put[-1]

    def inquiry(self) -> int:
        """Return the number of an inquiry that nobody answered so far."""
        for _ in range(2):
            found = requests.get(
                f"{self._at}/v1/inquiries", headers={"Authorization": f"Bearer {self._officer}"}, timeout=30
            )
            assert found.status_code == 200, found.text
            if rows := found.json()["inquiries"]:
                return int(rows[0]["number"])
            self._ask()
        raise AssertionError("what was put to the officers is not listed")

    def _ask(self) -> None:
        check = self.check()
        self._post(f"/v1/checks/{check}/inquiry", {})
        self._put.append(check)

    def _post(self, path: str, said: Any) -> Any:
        done = requests.post(
            self._at + path, json=said, headers={"Authorization": f"Bearer {self._checks}"}, timeout=30
        )  # fmt: skip
        assert done.status_code in (200, 202), done.text
        return done.json()
