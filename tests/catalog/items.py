"""Small items for tests, and the people who work on them."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from catalog import service
from catalog.life import Doer, Proposal
from hub.identifiers import item_code

ORGAN = "11330000002482285J"
OTHER = "11330000002483659R"
BASE = "330117021000"
CODE = item_code.make(BASE, body=ORGAN)

LONG_AGO = date(2020, 1, 1)
"""The day on which tests publish: nothing is published for a day that is past."""

CLERK = Doer("account:clerk", "department")
LEGAL = Doer("account:legal", "legal")
REFORM = Doer("account:reform", "reform")
WATCH = Doer("account:watch", "supervision")


def content(**over: Any) -> dict[str, Any]:
    """Return a faultless content; a field that is `...` is left out."""
    said = {
        "name": "食品经营许可", "item_type": "01", "kind": "promised",
        "legal_limit": {"value": 20, "unit": "working_day"}, "promised_limit": {"value": 10, "unit": "working_day"},
        "legal_basis": ["《中华人民共和国食品安全法》第三十五条"], "fee": {"charged": False},
        "materials": [{"name": "申请书"}], "disclosure": "public",
        "results": [{"kind": "credential", "type": "食品经营许可证", "name": "食品经营许可证"}], **over,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not ...}


def code(number: int, organ: str = ORGAN) -> str:
    """Return the implementation code of a test item."""
    return item_code.make(f"3301{17:02d}{number:03d}000", body=organ)


def needs(*codes: str, **more: Any) -> list[dict[str, Any]]:
    """Return requirements: all of these items."""
    return [
        {"name": f"前置{place}", "holder": "applicant", "valid_on": "application", "any_of": [{"item": one}], **more}
        for place, one in enumerate(codes)
    ]


def proposed(engine: sa.Engine, number: str = CODE, *, change: str = "new", **over: Any) -> None:
    """Propose a version."""
    facts = {"organ": number[:18] if change == "new" else "", "reason": "依法新增", "content": content(), **over}
    service.propose(engine, Proposal(number, change, **facts), CLERK)  # type: ignore[arg-type]  # tests say what they like


def reviewed(engine: sa.Engine, number: str = CODE) -> None:
    """Bring a draft to where it can be published."""
    service.act(engine, number, "submit", CLERK)
    service.act(engine, number, "agree", LEGAL)
    assert service.act(engine, number, "agree", REFORM) == "to_publish"


def published(engine: sa.Engine, number: str = CODE, *, on: date = date(2026, 1, 1), **over: Any) -> None:
    """Propose, review and publish a version."""
    proposed(engine, number, **over)
    reviewed(engine, number)
    service.publish(engine, number, on, WATCH, today=LONG_AGO)
