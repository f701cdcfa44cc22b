"""The published items of one district: taken in by configuration alone, and what is wrong with them is said."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from catalog.imports import entries
from catalog.imports.service import take_in
from catalog.life import Doer
from pipeline.runtime import Runtime
from quality.sets.service import check
from tests.real.puller import Counts, Puller, changes

ITEMS = 1_135
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.fixture(scope="module")
def pulled(module_hub: Runtime, shared_data: Path) -> tuple[Puller, Counts]:
    """What one pull of the file gives."""
    puller = Puller(module_hub, shared_data / "catalogues")
    return puller, puller.pull("guangan")


def by_hand(puller: Puller) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((puller.folder / "guangan_items.json").read_text(encoding="utf-8"))
    return found


def fits(code: str) -> bool:
    """Check a credit code's form and check character (GB 32100-2015)."""
    if len(code) != 18 or any(character not in ALPHABET for character in code):
        return False
    total = sum(ALPHABET.index(character) * 3**place for place, character in enumerate(code[:17]))
    return ALPHABET[-total % 31] == code[17]


def test_every_item_comes_in_under_its_own_number(pulled: tuple[Puller, Counts]) -> None:
    puller, counts = pulled
    assert changes(counts) == {"items": (ITEMS, 0)}
    assert puller.one("SELECT count(DISTINCT implementation_code) FROM core.item_version") == ITEMS
    assert len({one["item_code"] for one in by_hand(puller)}) == ITEMS, "counted by hand"
    assert puller.one("SELECT count(*) FROM ledger.waiting") == 0


def test_items_of_organs_that_cannot_be_read_are_refused_and_the_others_are_incomplete(
    pulled: tuple[Puller, Counts],
) -> None:
    puller, _ = pulled
    readable = [one for one in by_hand(puller) if fits(one["dept_code"])]
    with puller.runtime.engine.connect() as connection:
        found = list(entries.from_source(connection, "guangan"))
    assert len(found) == ITEMS
    doer = Doer("cli:keeper", "hub")
    plan = take_in(puller.runtime.engine, found, doer, reason="公布的清单", dry_run=True)
    assert plan.counts == {"refused": ITEMS}, "no item says since when it holds, and no day is guessed"
    done = take_in(
        puller.runtime.engine, found, doer, reason="公布的清单", effective_on=date(2024, 1, 1), skip_refused=True
    )
    assert done.counts == {"new": len(readable), "refused": ITEMS - len(readable)}
    rules = Counter(fault.rule for one in done.lines for fault in one.faults)
    assert rules["organ_unreadable"] == ITEMS - len(readable)
    taken = [one for one in done.lines if one.fate == "new"]
    assert all({"kind", "legal_limit", "promised_limit"} <= set(one.missing) for one in taken)
    types = Counter(one.entry.content["item_type"] for one in taken)
    assert types == Counter(f"{int(one['task_type']):02d}" for one in readable)


def test_what_suites_say_of_the_departments_codes_is_what_the_file_says(pulled: tuple[Puller, Counts]) -> None:
    puller, _ = pulled
    codes = Counter(one["dept_code"] for one in by_hand(puller))
    other = {code: count for code, count in codes.items() if len(code) != 18}
    report = check(puller.runtime.engine, [puller.source("guangan")], puller.runtime.documents, only=("item_version",))
    told = {
        one.organ: one.unexpected for one in report.failed if (one.rule, one.field) == ("set_contradiction", "organ")
    }
    large = {code: count for code, count in other.items() if count >= 5}
    strange = {code: count for code, count in codes.items() if len(code) == 18 and not fits(code) and count >= 5}
    assert told == large | strange
    assert (sum(other.values()), len(large), sum(large.values())) == (871, 21, 852)
    assert {one.rule for one in report.failed} == {"set_contradiction"}
    assert puller.findings()["credit_code_invalid"] == sum(strange.values()) == 13
