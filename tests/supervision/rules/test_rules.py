"""Rules are data: their defaults name a source, every change has a reason, and what cannot be is said all at once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from hub.findings import RULES
from supervision.rules import service
from supervision.rules.errors import BadRule, NoSuchRule
from supervision.rules.measures import MEASURES
from tests.supervision.desk import Desk
from tests.supervision.world import World, at


def test_every_default_is_sound_and_names_its_published_source() -> None:
    found = service.defaults()
    assert [(one.code, one.faults()) for one in found.values() if one.faults()] == []
    assert all(one.source_zh and one.source_en and one.title_zh and one.title_en for one in found.values())


def test_every_kind_of_rule_and_every_measure_has_a_default() -> None:
    found = service.defaults().values()
    assert {one.kind for one in found} == {"time", "process", "content", "fee", "item", "statistical"}
    assert {one.measure for one in found} == set(MEASURES)
    assert {one.scope for one in found if one.kind == "time"} == {"case", "stage", "card"}


def test_rules_reuse_the_findings_on_cases_and_judge_none_of_them_again() -> None:
    used = {one.basis["finding"] for one in service.defaults().values() if one.measure == "finding"}
    assert used <= {code for code, rule in RULES.items() if rule.scope == "case"}
    assert len(used) >= 8


def test_a_change_is_a_new_version_with_who_when_and_why(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        changed = service.change(
            connection, "case_ninety_percent", actor="account:chief", reason="省监察厅通知", basis={"at_least": 80},
            level="warning", recipients=("handler",), feedback_days=3, repeat_days=None, since=date(2026, 1, 1),
        )  # fmt: skip
        assert (changed.version, changed.basis) == (2, {"measure": "used_percent", "at_least": 80})
        versions = service.history(connection, "case_ninety_percent")
    assert [(one["version"], one["actor"], one["reason"]) for one in versions] == [
        (2, "account:chief", "省监察厅通知"), (1, "hub", "default"),
    ]  # fmt: skip


def test_defaults_never_undo_what_people_changed(desk: Desk) -> None:
    desk.set("case_overdue", enabled=False)
    with desk.engine.begin() as connection:
        service.ensure(connection)
        assert service.found(connection, "case_overdue").enabled is False


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("case_ninety_percent", {"basis": {"at_least": 0}}, "from 1 to 100"),
    ("case_ninety_percent", {"basis": {"at_least": 101}}, "from 1 to 100"),
    ("case_ninety_percent", {"basis": {"at_least": "90"}}, "whole number"),
    ("case_ninety_percent", {"basis": {"at_least": True}}, "whole number"),
    ("case_ninety_percent", {"basis": {"at_most": 1}}, "not known"),
    ("case_ninety_percent", {"basis": {"measure": "weather"}}, "measure 'weather'"),
    ("case_ninety_percent", {"level": "purple"}, "level is one of"),
    ("case_ninety_percent", {"recipients": ("emperor",)}, "recipients are some of"),
    ("case_ninety_percent", {"recipients": ()}, "recipients are some of"),
    ("case_ninety_percent", {"recipients": ("deputy",)}, "recipients are some of"),
    ("case_ninety_percent", {"feedback_days": 0}, "within 1 to 250"),
    ("case_ninety_percent", {"repeat_days": 0}, "after 1 to 250"),
    ("case_ninety_percent", {}, "nothing is said"),
    ("stage_missing", {"basis": {"stages": ["accept", "lunch"]}}, "list of"),
    ("stage_out_of_order", {"basis": {"finding": "no_such_rule"}}, "finding is one of"),
    ("item_not_in_force", {"basis": {"why": []}}, "list of"),
    ("refusal_rate", {"basis": {"more_than": 100}}, "from 0 to 99"),
]


@pytest.mark.parametrize(("code", "changes", "words"), BAD)
def test_what_a_rule_cannot_be_is_told_and_not_written(
    desk: Desk, code: str, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadRule, match=words):
        desk.set(code, **changes)
    with desk.engine.begin() as connection:
        assert service.found(connection, code).version == 1


def test_all_faults_of_a_change_are_told_at_once(desk: Desk) -> None:
    with desk.engine.begin() as connection, pytest.raises(BadRule) as refused:
        service.change(connection, "case_overdue", actor="cli:x", reason=" ", level="purple", feedback_days=999)
    assert len(refused.value.faults) == 3


def test_an_unknown_rule_is_told_with_those_that_there_are(desk: Desk) -> None:
    with pytest.raises(NoSuchRule, match="case_overdue"):
        desk.set("case_overdu", level="red")


# --- the other kinds, each on cases that break it and on some that do not ---


def test_an_open_finding_on_a_case_is_the_rules_evidence(desk: Desk, world: World) -> None:
    world.item()
    case = world.case(closed="2026-03-09 16:00")
    desk.only_rules("refused_without_reason")
    number = finding(desk, world, case, "refusal_without_reason")
    desk.run("2026-03-10 09:00")
    card = desk.card()
    assert (card["kind"], card["clock"], card["level"]) == ("process", "!refused_without_reason", "yellow")
    assert card["evidence"]["facts"]["finding"] == number
    desk.do("UPDATE quality.finding SET state = 'closed'")
    assert desk.run("2026-03-11 09:00").contradicted == 1


def test_each_finding_that_a_rule_names_raises_the_card_of_that_rule_and_of_no_other(desk: Desk, world: World) -> None:
    world.item()
    named = {code: one for code, one in service.defaults().items() if one.measure == "finding"}
    assert {"stage_order", "approve_without_review", "extension_without_approver", "pause_not_ended",
            "refusal_without_reason", "granted_without_credential"} <= {
        str(one.basis["finding"]) for one in named.values()}  # fmt: skip
    cases = {world.case(code, closed="2026-03-09 16:00"): rule for code, rule in named.items()}
    desk.only_rules(*named)
    for code in named:
        desk.set(code, holds_from=date(2026, 1, 1))
    for case, rule in cases.items():
        finding(desk, world, case, rule.basis["finding"])
    desk.run("2026-03-10 09:00")
    assert {(one["case"], one["rule"], one["level"], one["kind"]) for one in desk.cards()} == {
        (code, code, one.level, one.kind) for code, one in named.items()
    }


def test_a_missing_certificate_waits_for_the_feed_and_a_missing_reason_does_not(desk: Desk, world: World) -> None:
    world.item()
    case = world.case(closed="2026-03-09 16:00")
    desk.through("2026-03-09 12:00")
    for rule in ("granted_without_credential", "refusal_without_reason"):
        finding(desk, world, case, rule)
    desk.only_rules("granted_without_certificate", "refused_without_reason")
    desk.run("2026-03-10 09:00")
    assert {one["rule"]: one["state"] for one in desk.cards()} == {
        "granted_without_certificate": "held", "refused_without_reason": "sent",
    }  # fmt: skip


def test_a_stage_is_missing_only_where_the_source_reports_it_for_others(desk: Desk, world: World) -> None:
    world.item()
    world.case("whole", closed="2026-03-09 16:00", stages=[
        ("accept", "2026-03-02 10:00", "2026-03-02 11:00"),
        ("undertake", "2026-03-03 10:00", "2026-03-03 11:00")])  # fmt: skip
    world.case("skipped", closed="2026-03-09 16:00", stages=[("accept", "2026-03-02 10:00", "2026-03-02 11:00")])
    world.case("immediate", kind="immediate", closed="2026-03-02 16:00")
    world.case("withdrawn", closed="2026-03-09 16:00", outcome="withdrawn")
    desk.only_rules("stage_missing")
    desk.run("2026-03-10 09:00")
    card = desk.card()
    assert (card["case"], card["evidence"]["facts"]["missing"]) == ("skipped", ["undertake"])  # none reports approvals


def test_an_extension_beyond_the_laws_days_is_found(desk: Desk, world: World) -> None:
    world.item()
    world.case("ten", extensions=[{"allowed_value": 10}])
    world.case("sixteen", extensions=[{"allowed_value": 16}])
    desk.only_rules("extension_too_long")
    desk.run("2026-03-10 09:00")
    extended = desk.do("SELECT max(extended_days) FROM supervision.clock")
    assert [one["case"] for one in desk.cards()] == (["sixteen"] if extended > 15 else [])


def test_a_suspension_of_very_many_days_is_warned_of(desk: Desk, world: World) -> None:
    world.item()
    world.case(pauses=[("2026-03-04 09:00", None)])
    desk.only_rules("pause_very_long")
    desk.set("pause_very_long", basis={"days": 3})
    desk.run("2026-03-09 09:00")  # Monday: three working days after Wednesday
    assert desk.cards() == []
    desk.run("2026-03-10 09:00")
    assert [one["rule"] for one in desk.cards()] == ["pause_very_long"]


@pytest.mark.parametrize(
    ("fee", "amount", "expected"),
    [
        ({"charged": False}, "10.00", ["fee_on_free_item"]),
        ({"charged": False}, "0.00", []),
        (None, "10.00", []),
        ({"charged": True, "standard": "每证200元，加急1,300.50元"}, "200.00", []),
        ({"charged": True, "standard": "每证200元，加急1,300.50元"}, "1300.50", []),
        ({"charged": True, "standard": "每证200元"}, "20.00", ["fee_other_than_tariff"]),
        ({"charged": True, "standard": "按物价部门批准的标准"}, "20.00", []),
        ({"charged": True}, "20.00", []),
    ],
)
def test_fees_are_judged_by_the_catalogue(
    desk: Desk, world: World, fee: dict[str, Any] | None, amount: str, expected: list[str]
) -> None:
    world.item(**({} if fee is None else {"fee": fee}))
    case = world.case(closed="2026-03-09 16:00")
    with desk.engine.begin() as connection:
        batch = world.batch(connection, at("2026-03-09 17:00"))  # type: ignore[arg-type]  # it is said
        world._put(connection, "fee", record_id=world._record(connection, batch), part=0, case_id=case,
                   amount=amount, currency="CNY", batch_id=batch, content_hash=b"\x00")  # fmt: skip
    desk.only_rules("fee_on_free_item", "fee_other_than_tariff")
    desk.run("2026-03-10 09:00")
    assert [one["rule"] for one in desk.cards()] == expected


def test_an_item_outside_the_catalogue_and_one_not_in_force_are_two_things(desk: Desk, world: World) -> None:
    world.item("in-force")
    world.item("later", since=date(2026, 6, 1))
    world.case("a", item="in-force")
    world.case("b", item="later")
    world.case("c", item="unheard-of")
    desk.only_rules("item_not_in_catalogue", "item_not_in_force")
    desk.run("2026-03-10 09:00")
    assert {(one["case"], one["rule"]) for one in desk.cards()} == {
        ("b", "item_not_in_force"), ("c", "item_not_in_catalogue"),
    }  # fmt: skip


# --- statistics of a month ---


def month(world: World, *, refused: int, late: int, suspended: int, last_day: int, plain: int) -> None:
    """Cases that all end in March 2026."""
    world.item()
    for place in range(refused):
        world.case(f"r{place}", closed="2026-03-09 16:00", outcome="refused")
    for place in range(late):
        world.case(f"l{place}", closed="2026-03-20 16:00")
    for place in range(suspended):
        world.case(f"s{place}", closed="2026-03-09 16:00", pauses=[("2026-03-03 09:00", "2026-03-04 09:00")])
    for place in range(last_day):
        world.case(f"d{place}", closed="2026-03-16 16:00")
    for place in range(plain):
        world.case(f"p{place}", closed="2026-03-09 16:00")


RATES = ("refusal_rate", "overdue_rate", "suspended_share", "closed_on_last_day")


@pytest.mark.parametrize(
    ("cases", "code", "percent", "fires"),
    [
        ({"refused": 2, "plain": 2}, "refusal_rate", 49, True),
        ({"refused": 2, "plain": 2}, "refusal_rate", 50, False),  # more than, not as much as
        ({"late": 1, "plain": 3}, "overdue_rate", 24, True),
        ({"late": 1, "plain": 3}, "overdue_rate", 25, False),
        ({"suspended": 3, "plain": 1}, "suspended_share", 74, True),
        ({"suspended": 3, "plain": 1}, "suspended_share", 75, False),
        ({"last_day": 4}, "closed_on_last_day", 99, True),
        ({"last_day": 3, "plain": 1}, "closed_on_last_day", 75, False),
    ],
)
def test_a_rate_of_the_month_that_ended_is_compared_with_its_bound(
    desk: Desk, world: World, cases: dict[str, int], code: str, percent: int, fires: bool
) -> None:
    month(world, **{"refused": 0, "late": 0, "suspended": 0, "last_day": 0, "plain": 0, **cases})
    desk.only_rules(code)
    desk.set(code, basis={"more_than": percent, "least": 4})
    desk.run("2026-03-31 23:59:59")
    assert desk.cards() == []  # the month is not over
    desk.run("2026-04-01 00:00:00")
    assert [(one["clock"], one["case"]) for one in desk.cards()] == ([(f"month:2026-03!{code}", None)] if fires else [])
    desk.run("2026-04-20 09:00")
    assert len(desk.cards()) == int(fires)


def test_few_cases_are_no_statistics(desk: Desk, world: World) -> None:
    month(world, refused=3, late=0, suspended=0, last_day=0, plain=0)
    desk.only_rules("refusal_rate")
    desk.set("refusal_rate", basis={"more_than": 10, "least": 4})
    desk.run("2026-04-01 09:00")
    assert desk.cards() == []


def test_the_card_of_a_month_waits_for_the_feeds_of_the_month_even_into_the_next_one(desk: Desk, world: World) -> None:
    month(world, refused=0, late=4, suspended=0, last_day=0, plain=0)
    desk.only_rules("overdue_rate")
    desk.set("overdue_rate", basis={"more_than": 10, "least": 4})
    desk.through("2026-03-31 12:00")
    desk.run("2026-04-02 09:00")
    assert desk.card()["state"] == "held"
    desk.run("2026-05-02 09:00")
    assert desk.card()["state"] == "held"
    desk.through("2026-04-01 00:00")
    assert desk.run("2026-05-03 09:00").released == 1


def finding(desk: Desk, world: World, case: int, rule: str) -> int:
    """Open a finding on a case as a batch does."""
    with desk.engine.begin() as connection:
        return int(connection.execute(sa.text(
            """INSERT INTO quality.finding (stream_id, record_id, case_id, row, rule, effect, field, batch_id)
               SELECT :stream, :case, :case, 1, :rule, 'flag', 'x', max(batch_id) FROM ledger.batch
               RETURNING finding_id"""),
            {"stream": world.stream, "case": case, "rule": rule}).scalar_one())  # fmt: skip
