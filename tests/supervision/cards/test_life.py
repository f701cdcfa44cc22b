"""The life of a card: who may do what when, kept by the database itself."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from sharedrepo.models.cards import CARD_STATES, CAUSES
from supervision.cards import deeds, orders
from supervision.cards.errors import CardRefuses, NoSuchCard
from tests.supervision.desk import Desk
from tests.supervision.world import World, at

OFFICER, CHIEF, CLERK = "account:officer", "account:chief", "account:clerk"


@pytest.fixture
def number(desk: Desk, world: World) -> str:
    """A red card that was sent on Wednesday 18 March 2026."""
    world.item()
    world.case()
    desk.only_rules("case_overdue")
    desk.run("2026-03-18 09:00")
    return desk.only()


def test_feedback_is_due_after_the_rules_working_days(desk: Desk, number: str) -> None:
    assert desk.card()["due_at"] == at("2026-03-25 23:59:59")  # 19, 20, 23, 24, 25 March


def test_a_feedback_is_kept_once_and_a_second_one_beside_it(desk: Desk, number: str) -> None:
    for text in ("已办结", "已办结", "补充说明"):
        desk.deed(deeds.answer, number, actor=CLERK, text=text)
    assert [one["reason"] for one in desk.card()["deeds"] if one["what"] == "answered"] == ["已办结", "补充说明"]
    assert desk.card()["state"] == "answered"


@pytest.mark.parametrize(("now", "late"), [("2026-03-25 23:59:59", False), ("2026-03-26 00:00:00", True)])
def test_a_late_feedback_says_so(desk: Desk, number: str, now: str, late: bool) -> None:
    desk.deed(deeds.answer, number, now=now, actor=CLERK, text="已办结")
    (deed,) = [one for one in desk.card()["deeds"] if one["what"] == "answered"]
    assert deed["detail"].get("late", False) is late


def test_an_appeal_is_upheld_by_another_than_who_appealed(desk: Desk, number: str) -> None:
    desk.deed(deeds.appeal, number, actor=CLERK, reason="系统故障")
    with pytest.raises(CardRefuses, match="for the department"):
        desk.deed(deeds.uphold, number, actor=CLERK, reason="不成立")
    desk.deed(deeds.uphold, number, actor=OFFICER, reason="不成立")
    card = desk.card()
    assert (card["state"], card["ended_at"]) == ("upheld", at("2026-03-20 10:00"))


@pytest.mark.parametrize("cause", [one for one in CAUSES if one != "corrected"])
def test_a_card_is_taken_down_for_an_objective_cause_by_two_persons(desk: Desk, number: str, cause: str) -> None:
    desk.deed(deeds.withdraw, number, actor=OFFICER, cause=cause, reason="停电两日")
    assert desk.card()["state"] == "sent"
    with pytest.raises(CardRefuses, match="yourself"):
        desk.deed(deeds.grant, number, actor=OFFICER, reason="同意")
    desk.deed(deeds.grant, number, actor=CHIEF, reason="同意")
    assert desk.card()["state"] == "withdrawn"
    assert desk.do("SELECT count(*) FROM supervision.card_counted WHERE counted") == 0


def test_a_refused_withdrawal_leaves_the_card_and_can_be_asked_for_again(desk: Desk, number: str) -> None:
    desk.deed(deeds.withdraw, number, actor=OFFICER, cause="objective", reason="停电")
    with pytest.raises(CardRefuses, match="already"):
        desk.deed(deeds.withdraw, number, actor=CHIEF, cause="objective", reason="停电")
    with pytest.raises(CardRefuses, match="asked for"):
        desk.deed(deeds.uphold, number, actor=CHIEF, reason="不成立")
    desk.deed(deeds.refuse, number, actor=CHIEF, reason="无证明")
    assert desk.card()["state"] == "sent"
    desk.deed(deeds.withdraw, number, actor=OFFICER, cause="objective", reason="停电，附证明")
    desk.deed(deeds.grant, number, actor=CHIEF, reason="同意")
    assert [one["state"] for one in desk.card()["withdrawals"]] == ["refused", "granted"]


def test_a_corrected_card_is_taken_down_by_one_supervisor_who_is_not_of_the_department(desk: Desk, number: str) -> None:
    desk.deed(deeds.answer, number, actor=CLERK, text="已办结")
    with pytest.raises(CardRefuses, match="for the department"):
        desk.deed(deeds.withdraw, number, actor=CLERK, cause="corrected", reason="已整改")
    desk.deed(deeds.withdraw, number, actor=OFFICER, cause="corrected", reason="已整改")
    assert desk.card()["state"] == "withdrawn"


def test_what_has_ended_is_touched_no_more(desk: Desk, number: str) -> None:
    desk.deed(deeds.uphold, number, actor=OFFICER, reason="属实")
    for deed, said in ((deeds.answer, {"text": "x"}), (deeds.appeal, {"reason": "x"}), (deeds.uphold, {"reason": "x"}),
                       (deeds.withdraw, {"cause": "corrected", "reason": "x"})):  # fmt: skip
        with pytest.raises(CardRefuses, match="upheld"):
            desk.deed(deed, number, actor=CHIEF, **said)


@pytest.mark.parametrize("text", ["", "  ", "\0\n", "x" * 2_001])
def test_words_are_there_and_bounded(desk: Desk, number: str, text: str) -> None:
    with pytest.raises(CardRefuses, match="characters"):
        desk.deed(deeds.answer, number, actor=CLERK, text=text)


@pytest.mark.parametrize("actor", ["", "hub", "nobody", "account:", "account:a b", "account:" + "a" * 101])
def test_an_actor_has_a_name_that_logs_can_keep(desk: Desk, number: str, actor: str) -> None:
    with pytest.raises(CardRefuses, match="names no actor"):
        desk.deed(deeds.answer, number, actor=actor, text="x")


def test_an_unknown_number_and_an_unknown_cause_are_told(desk: Desk, number: str) -> None:
    with pytest.raises(NoSuchCard, match="cards list"):
        desk.deed(deeds.answer, "R-2026-999999", actor=CLERK, text="x")
    with pytest.raises(CardRefuses, match="corrected, objective"):
        desk.deed(deeds.withdraw, number, actor=OFFICER, cause="mercy", reason="x")


# --- the database's own law ---

ALLOWED = {
    ("held", "sent"), ("held", "lapsed"), ("sent", "answered"), ("sent", "appealed"), ("sent", "upheld"),
    ("answered", "appealed"), ("answered", "upheld"), ("appealed", "upheld"),
}  # fmt: skip
"""Withdrawals go nowhere by a bare statement: they need a decision."""


def test_no_statement_moves_a_card_past_its_life(desk: Desk, number: str) -> None:
    row = desk.do("SELECT card_id FROM supervision.card")
    for before, after in product(CARD_STATES, CARD_STATES):
        if before == after:
            continue
        moved = moves(desk, row, before, after)
        assert moved == ((before, after) in ALLOWED), (before, after)


def moves(desk: Desk, card: int, before: str, after: str) -> bool:
    """Try a move by a bare statement, on a card that was put into a state past the guards; then take all back."""
    fit = """sent_at = CASE WHEN :state IN ('held', 'lapsed') THEN NULL ELSE coalesce(sent_at, now()) END,
             ended_at = CASE WHEN :state IN ('upheld', 'withdrawn', 'lapsed') THEN now() END"""
    with desk.engine.connect() as connection, connection.begin() as transaction:
        connection.execute(sa.text("ALTER TABLE supervision.card DISABLE TRIGGER moves"))
        put = sa.text(f"UPDATE supervision.card SET state = :state, {fit} WHERE card_id = :card")
        connection.execute(put, {"state": before, "card": card})
        connection.execute(sa.text("ALTER TABLE supervision.card ENABLE TRIGGER moves"))
        kept = "sent_at = sent_at" if before not in ("held", "lapsed") else fit.split(",\n", maxsplit=1)[0]
        statement = f"""UPDATE supervision.card SET state = :state, {kept},
            ended_at = CASE WHEN :state IN ('upheld', 'withdrawn', 'lapsed') THEN now() END WHERE card_id = :card"""
        try:
            connection.execute(sa.text(statement), {"state": after, "card": card})
        except DBAPIError:
            return False
        finally:
            transaction.rollback()
        return True


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE supervision.card SET level = 'warning'",
        "UPDATE supervision.card SET evidence = '{}'",
        "UPDATE supervision.card SET seal = 'other'",
        "UPDATE supervision.card SET due_at = now() + INTERVAL '1 year'",
        "UPDATE supervision.card SET organ = 'other'",
        "DELETE FROM supervision.card",
        "TRUNCATE supervision.card CASCADE",
        "UPDATE supervision.card_deed SET reason = 'other'",
        "DELETE FROM supervision.card_deed",
        "UPDATE supervision.rule SET enabled = false",
        "DELETE FROM supervision.rule_run",
        "DELETE FROM supervision.card_recipient",
        "UPDATE supervision.card SET state = 'withdrawn', ended_at = now()",
        """INSERT INTO supervision.withdrawal (card_id, cause, reason, state, asked_by, asked_at, answered_by)
           SELECT card_id, 'objective', 'x', 'granted', 'account:a', now(), 'account:a' FROM supervision.card""",
        """INSERT INTO supervision.withdrawal (card_id, cause, reason, state, asked_by, asked_at)
           SELECT card_id, 'objective', 'x', 'granted', 'account:a', now() FROM supervision.card""",
    ],
)  # fmt: skip
def test_the_database_itself_refuses_what_no_one_may_do(desk: Desk, number: str, statement: str) -> None:
    with pytest.raises(DBAPIError):
        desk.do(statement)


def test_an_answered_withdrawal_is_answered_once(desk: Desk, number: str) -> None:
    desk.deed(deeds.withdraw, number, actor=OFFICER, cause="objective", reason="停电")
    desk.deed(deeds.refuse, number, actor=CHIEF, reason="无证明")
    with pytest.raises(DBAPIError):
        desk.do("UPDATE supervision.withdrawal SET state = 'granted'")


# --- supervision orders ---


def test_an_order_has_its_limit_is_answered_and_closed_by_another(desk: Desk, number: str) -> None:
    order = desk.deed(orders.issue, number, actor=OFFICER, opinion="三日内办结", days=3)
    assert order == "D-2026-000001"
    with desk.at("2026-03-20 10:00") as connection:
        (one,) = orders.listed(connection)
    assert (one["due_at"], one["overdue"]) == (at("2026-03-25 23:59:59"), False)  # from Friday: 23, 24, 25
    with pytest.raises(CardRefuses, match="closed when it was answered"):
        desk.deed(orders.close, order, actor=OFFICER, verdict="属实")
    desk.deed(orders.answer, order, actor=CLERK, text="已办结")
    with pytest.raises(CardRefuses, match="yourself"):
        desk.deed(orders.close, order, actor=CLERK, verdict="属实")
    desk.deed(orders.close, order, actor=OFFICER, verdict="属实")
    assert desk.whats()[-3:] == ["ordered", "order_answered", "order_closed"]


def test_an_order_that_is_not_answered_in_time_becomes_a_red_card(desk: Desk, world: World) -> None:
    world.item()
    world.case()
    desk.only_rules("case_ninety_percent", "order_overdue")
    desk.run("2026-03-13 09:00")
    desk.deed(orders.issue, desk.only(), now="2026-03-13 10:00", actor=OFFICER, opinion="今日办结", days=1)
    desk.run("2026-03-16 23:59:00")
    assert [one["level"] for one in desk.cards()] == ["yellow"]
    desk.run("2026-03-17 00:00:01")
    assert [(one["level"], one["rule"]) for one in desk.cards()][1:] == [("red", "order_overdue")]


def test_a_yellow_card_without_an_answer_becomes_red_and_an_answered_one_does_not(desk: Desk, world: World) -> None:
    world.item(promised="100 working_day", stages={"review": "1 working_day"})
    for case in ("silent", "answered"):
        world.case(case, stages=[("review", "2026-03-02 11:00", "2026-03-06 11:00")])
    desk.only_rules("stage_overdue", "yellow_not_corrected")
    desk.run("2026-03-06 12:00")
    yellow = {str(one["case"]): str(one["number"]) for one in desk.cards()}
    desk.deed(deeds.answer, yellow["answered"], now="2026-03-09 10:00", actor=CLERK, text="已整改")
    desk.run("2026-03-13 23:59:59")  # the fifth working day
    assert {one["level"] for one in desk.cards()} == {"yellow"}
    desk.run("2026-03-14 00:00:01")
    (red,) = desk.cards(level="red")
    assert (red["case"], red["clock"], red["rule"]) == ("silent", "review#1", "yellow_not_corrected")
    card = desk.card(red["number"])
    assert card["deeds"][0]["detail"]["escalated_from"] == yellow["silent"]


def test_a_silent_card_is_told_again_after_the_rules_days(desk: Desk, number: str, tmp_path: Path) -> None:
    assert desk.run("2026-03-20 09:00").reminded == 0  # two working days
    assert desk.run("2026-03-23 09:00").reminded == 1
    assert desk.run("2026-03-24 09:00").reminded == 0
    desk.deed(deeds.answer, number, now="2026-03-25 09:00", actor=CLERK, text="已办结")
    assert desk.run("2026-04-20 09:00").reminded == 0
