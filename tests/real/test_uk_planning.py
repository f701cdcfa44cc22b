"""English planning application types: taken in by configuration alone, and what is wrong with them is said."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from catalog import reading
from catalog.imports import entries
from catalog.imports.plan import Plan
from catalog.imports.service import take_in
from catalog.life import Doer
from pipeline.runtime import Runtime
from quality.sets.service import check
from tests.real.puller import Counts, Puller, changes

KEEPER = Doer("cli:keeper", "hub")
SINCE = date(2020, 1, 1)


@pytest.fixture(scope="module")
def pulled(module_hub: Runtime, shared_data: Path) -> tuple[Puller, Counts]:
    """What one pull of the file gives."""
    puller = Puller(module_hub, shared_data / "catalogues")
    return puller, puller.pull("uk-planning")


def by_hand(puller: Puller) -> list[dict[str, object]]:
    text = (puller.folder / "uk_planning_application_types.yml").read_text(encoding="utf-8")
    found: list[dict[str, object]] = yaml.safe_load(text)
    return found


def taken(puller: Puller, **more: object) -> Plan:
    with puller.runtime.engine.connect() as connection:
        found = list(entries.from_source(connection, "uk-planning"))
    return take_in(puller.runtime.engine, found, KEEPER, reason="公布的申请类型", effective_on=SINCE, **more)  # type: ignore[arg-type]  # options of the import


def test_every_type_comes_in_under_its_own_code(pulled: tuple[Puller, Counts]) -> None:
    puller, counts = pulled
    said = by_hand(puller)
    assert changes(counts) == {"types": (len(said), 0)}
    codes = {str(one["code"]) for one in said}
    rows = puller.rows("SELECT implementation_code, legal_value, legal_unit FROM core.item_version")
    assert {code for code, _, _ in rows} == codes
    limits = {str(one["code"]): one.get("determination_period_days") for one in said}
    assert all(value == limits[code] and (unit == "calendar_day") == (value is not None) for code, value, unit in rows)
    assert puller.one("SELECT count(*) FROM ledger.waiting") == 0


def test_what_is_wrong_is_reported_and_the_others_are_taken_in(pulled: tuple[Puller, Counts]) -> None:
    puller, _ = pulled
    with puller.runtime.engine.connect() as connection:
        bare = list(entries.from_source(connection, "uk-planning"))
    dated = take_in(puller.runtime.engine, bare, KEEPER, reason="试", dry_run=True)
    assert dated.counts == {"refused": len(bare)}, "none says since when it holds, and no day is guessed"
    plan = taken(puller, dry_run=True)
    refused = {one.entry.code: {fault.rule for fault in one.faults} for one in plan.lines if one.fate == "refused"}
    assert refused == {"preApp": {"unknown_code", "shape"}}, "its category is no type of an item"
    done = taken(puller, skip_refused=True)
    assert done.counts == {"new": len(bare) - 1, "refused": 1}
    lacking = {one.entry.code: set(one.missing) for one in done.lines if one.fate == "new"}
    assert "legal_limit" in lacking["pp.full.householder.retro"], "the file says no period for it"
    assert all({"kind", "promised_limit", "legal_basis"} <= lacks for lacks in lacking.values())
    names = Counter(one["name"] for one in by_hand(puller))
    twice = {name for name, count in names.items() if count > 1}
    shown = reading.listed(puller.runtime.engine, day=SINCE)
    assert {one["name"] for one in shown if names[one["name"]] > 1} == twice, "one name for two items is no fault"
    with puller.runtime.engine.connect() as connection:
        found = connection.scalar(sa.text("SELECT count(*) FROM quality.finding WHERE rule = 'item_code_invalid'"))
    assert found == 0, "numbers of another scheme are no faulty numbers of the standard"


def test_what_suites_say_of_limits_is_what_the_file_says(pulled: tuple[Puller, Counts]) -> None:
    puller, _ = pulled
    said = by_hand(puller)
    report = check(
        puller.runtime.engine, [puller.source("uk-planning")], puller.runtime.documents, only=("item_version",)
    )
    without = sum(one.get("determination_period_days") is None for one in said)
    assert [(one.rule, one.field, one.unexpected, one.elements) for one in report.failed] == [
        ("set_incomplete", "legal_value", without, len(said))
    ]
    assert (without, len(said)) == (2, 6)
