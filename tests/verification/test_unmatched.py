"""Unmatched checks are findings for the personal-data officer: found by themselves, settled with a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.verification.conftest import Asker, Command
from tests.verification.registry import FIRM, FIRM_NAME, NOW, PERSON, PERSON_NAME, Registry, body
from verification.checks import confirming
from verification.checks.confirming import CannotSettle


def unmatched(registry: Registry, asker: Asker) -> dict[str, str]:
    """Checks for a case that never was, and for one of another party, when the asker's feed has come far enough."""
    registry.share(class_="unconditional")
    registry.credential()
    registry.case("A-1", party=(PERSON, PERSON_NAME))
    made = {case: str(asker.check(body(case=case))["id"]) for case in ("A-1", "A-9")}
    registry.through("asker", NOW + timedelta(days=1))
    return made


def test_a_check_without_a_case_is_found_and_settled_once(registry: Registry, asker: Asker, command: Command) -> None:
    made = unmatched(registry, asker)
    said = command("verify", "unmatched", "--json")
    assert said["counts"] == {"confirmed": 0, "unmatched": 2, "open": 0}
    states = {one["check_id"]: one["state"] for one in said["unmatched"]}
    assert states == {made["A-1"]: "not_a_party", made["A-9"]: "no_such_case"}
    told = command("verify", "settle", made["A-9"], "--verdict", "misuse", "--reason", "无办件依据", "--by", "officer")
    assert "misuse" in told
    (left,) = command("verify", "unmatched", "--json")["unmatched"]
    assert left["check_id"] == made["A-1"]
    all_ = command("verify", "unmatched", "--all", "--json")["unmatched"]
    settled = {one["check_id"]: (one["verdict"], one["settled_by"]) for one in all_}
    assert settled == {made["A-9"]: ("misuse", "officer"), made["A-1"]: (None, None)}
    with pytest.raises(CannotSettle, match="no open finding"):
        confirming.settle(registry.engine, made["A-9"], verdict="explained", reason="x", actor="officer")
    assert FIRM not in str(all_) + FIRM_NAME * 0


@pytest.mark.parametrize(
    ("check", "verdict", "reason", "words"),
    [
        ("x", "explained", "x", "form of a UUID"),
        ("00000000-0000-0000-0000-000000000000", "fine", "x", "none of explained, misuse"),
        ("00000000-0000-0000-0000-000000000000", "misuse", " ", "say why"),
        ("00000000-0000-0000-0000-000000000000", "misuse", "x", "no open finding"),
    ],
)
def test_what_cannot_be_settled_says_why(registry: Registry, check: str, verdict: str, reason: str, words: str) -> None:
    with pytest.raises(CannotSettle, match=words):
        confirming.settle(registry.engine, check, verdict=verdict, reason=reason, actor="officer")


def test_a_confirmed_check_is_no_finding(registry: Registry, asker: Asker) -> None:
    registry.share(class_="unconditional")
    registry.credential()
    number = str(asker.check(body())["id"])
    registry.case("A-1")
    confirming.confirm(registry.engine, registry.protector)
    assert confirming.unmatched(registry.engine) == []
    with pytest.raises(CannotSettle):
        confirming.settle(registry.engine, number, verdict="misuse", reason="x", actor="officer")
