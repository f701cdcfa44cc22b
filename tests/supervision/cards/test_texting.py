"""Texts of cards: each recipient once, in the words of the cause; a held card is told to who keeps the feed."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from supervision import running
from supervision.cards import deeds
from supervision.cards.texting import words_of
from supervision.notices.wording import catalogue
from supervision.rules import service as rules
from tests.supervision.desk import Desk
from tests.supervision.world import ORGAN, World, at

FEEDER = "113300000024864972"


def go(desk: Desk, now: str) -> running.Run:
    return running.run(desk.engine, as_of=at(now), full=True, protector=desk.runtime.protector)


def texts(desk: Desk) -> list[tuple[str, str, str]]:
    with desk.engine.begin() as connection:
        query = "SELECT subject, words, phone_mask FROM supervision.notice ORDER BY notice_id"
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_a_run_queues_one_text_a_card_and_recipient_and_a_second_run_none(
    desk: Desk, world: World, tmp_path: Path
) -> None:
    desk.register(tmp_path)
    world.item()
    world.case()
    desk.only_rules("case_overdue")
    done = go(desk, "2026-03-18 09:00")
    number = desk.only()
    assert done.counts["texts"] == {"queued": 4}
    assert {(subject, words) for subject, words, _ in texts(desk)} == {(f"card:{number}", "overdue.red")}
    assert go(desk, "2026-03-18 10:00").counts["texts"] == {"queued": 0}
    assert desk.card()["seal"] is not None


def test_one_person_with_two_duties_is_told_once(desk: Desk, world: World, tmp_path: Path) -> None:
    rows = [f"{ORGAN},,{role},S002,吴国强,13900002222,2026-01-01,,\n" for role in ("division_head", "leader_in_charge")]
    desk.register(tmp_path, "organ,unit,role,staff,name,phone,from,to,deputy_of\n" + "".join(rows))
    world.item()
    world.case()
    desk.only_rules("case_overdue")
    go(desk, "2026-03-18 09:00")
    assert len(desk.card()["recipients"]) == 2
    assert [phone for _, _, phone in texts(desk)] == ["139******22"]


def test_a_held_card_is_told_to_the_feeds_owner_and_when_it_goes_out_to_the_department(
    desk: Desk, world: World, tmp_path: Path
) -> None:
    world.item()
    world.case()
    desk.do("UPDATE core.source_system SET organ = :organ", organ=FEEDER)
    desk.register(tmp_path, f"organ,unit,role,staff,name,phone,from,to,deputy_of\n"
                  f"{FEEDER},,division_head,F1,钱进,13900006666,2026-01-01,,\n"
                  f"{ORGAN},,division_head,S002,吴国强,13900002222,2026-01-01,,\n")  # fmt: skip
    desk.only_rules("case_overdue")
    desk.through("2026-03-10 00:00")
    go(desk, "2026-03-18 09:00")
    number = desk.only()
    assert texts(desk) == [(f"held:{number}", "feed.late", "139******66")]
    desk.through("2026-03-18 00:00")
    go(desk, "2026-03-18 12:00")
    assert texts(desk)[1:] == [(f"card:{number}", "overdue.red", "139******22")]


def test_a_card_that_is_taken_down_is_told_to_nobody_any_more(desk: Desk, world: World, tmp_path: Path) -> None:
    desk.register(tmp_path)
    world.item()
    world.case()
    desk.only_rules("case_overdue")
    go(desk, "2026-03-18 09:00")
    desk.deed(deeds.withdraw, desk.only(), now="2026-03-18 09:01", actor="account:o", cause="corrected", reason="x")
    assert desk.do("SELECT array_agg(DISTINCT state) FROM supervision.notice") == ["withheld"]


@pytest.mark.parametrize("code", sorted(rules.defaults()))
def test_there_are_words_for_every_rule_at_every_level(code: str) -> None:
    rule = rules.defaults()[code]
    for level in ("warning", "yellow", "red"):
        for left in (None, 0, 1, 5):
            card = {"why": "duty", "level": level, "kind": rule.kind, "measure": rule.measure, "left_days": left,
                    "stage": "review" if rule.scope == "stage" else None}  # fmt: skip
            assert words_of(card) in catalogue()
