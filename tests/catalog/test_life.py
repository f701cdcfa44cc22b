"""An item goes from its draft to the public and on: each seat does its own deed, and nothing published ever changes."""

from __future__ import annotations

import threading
from datetime import date
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa

from catalog import service
from catalog.errors import ContentRefused, Cycle, DeedRefused, NoSuchItem, NumberTaken
from catalog.life import DEEDS, Doer, Proposal, Seat, State
from tests.catalog.items import (
    BASE,
    CLERK,
    CODE,
    LEGAL,
    LONG_AGO,
    ORGAN,
    OTHER,
    REFORM,
    WATCH,
    code,
    content,
    needs,
    proposed,
    published,
    reviewed,
)


def rows(engine: sa.Engine, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query), values)]


def in_force(engine: sa.Engine, on: date, number: str = CODE) -> list[tuple[Any, ...]]:
    return rows(
        engine,
        """SELECT version, status, content ->> 'name' FROM catalog.in_force
           WHERE code = :code AND valid_from <= :day AND (valid_to IS NULL OR :day < valid_to)""",
        code=number, day=on,
    )  # fmt: skip


def test_an_item_is_drafted_reviewed_by_both_and_published(engine: sa.Engine) -> None:
    proposed(engine, numbers={"浙江": "其他-02491-006"})
    assert service.act(engine, CODE, "submit", CLERK) == "in_review"
    assert service.act(engine, CODE, "agree", LEGAL) == "in_review", "one of the two is not enough"
    assert service.act(engine, CODE, "agree", REFORM) == "to_publish"
    service.publish(engine, CODE, date(2026, 3, 1), WATCH, today=LONG_AGO)
    assert in_force(engine, date(2026, 2, 28)) == []
    assert in_force(engine, date(2026, 3, 1)) == [(1, "in_force", "食品经营许可")]
    deeds = rows(engine, "SELECT actor, seat, what FROM catalog.item_deed ORDER BY deed_id")
    assert deeds == [
        ("account:clerk", "department", "propose"), ("account:clerk", "department", "submit"),
        ("account:legal", "legal", "agree"), ("account:reform", "reform", "agree"),
        ("account:watch", "supervision", "publish"),
    ]  # fmt: skip


def test_the_published_version_stands_while_the_next_is_drafted_and_until_it_takes_effect(engine: sa.Engine) -> None:
    published(engine)
    proposed(engine, change="change", content=content(name="食品生产经营许可"))
    assert in_force(engine, date(2026, 6, 1)) == [(1, "in_force", "食品经营许可")]
    reviewed(engine)
    service.publish(engine, CODE, date(2026, 7, 1), WATCH, today=LONG_AGO)
    assert in_force(engine, date(2026, 6, 30)) == [(1, "in_force", "食品经营许可")]
    assert in_force(engine, date(2026, 7, 1)) == [(2, "in_force", "食品生产经营许可")]


STEPS = {
    "draft": (),
    "in_review": (("submit", CLERK),),
    "to_publish": (("submit", CLERK), ("agree", LEGAL), ("agree", REFORM)),
}
SEATS: tuple[Seat, ...] = ("department", "legal", "reform", "supervision")


@pytest.mark.parametrize("state", STEPS)
def test_a_deed_is_done_from_its_seats_and_in_its_states_only(state: State, engine: sa.Engine) -> None:
    tried = product(sorted(set(DEEDS) - {"publish", "revise"}), SEATS)
    for number, (what, seat) in enumerate(tried, 100):
        item = code(number)
        proposed(engine, item)
        for step, doer in STEPS[state]:
            service.act(engine, item, step, doer)
        other = Doer(f"account:other-{seat}", seat)
        if seat in DEEDS[what].seats and state in DEEDS[what].states:
            service.act(engine, item, what, other, opinion="说明")
            continue
        with pytest.raises(DeedRefused):
            service.act(engine, item, what, other, opinion="说明")
        assert rows(engine, "SELECT v.state FROM catalog.item_version AS v JOIN catalog.item USING (item_id)"
                            " WHERE code = :code", code=item) == [(state,)]  # fmt: skip


def test_what_is_not_complete_is_not_reviewed(engine: sa.Engine) -> None:
    proposed(engine, content=content(fee=..., legal_basis=...))
    with pytest.raises(ContentRefused) as told:
        service.act(engine, CODE, "submit", CLERK)
    assert {one.pointer for one in told.value.faults} == {"/fee", "/legal_basis"}
    assert rows(engine, "SELECT state FROM catalog.item_version") == [("draft",)]


def test_who_drafted_cannot_review_and_nobody_reviews_from_two_seats(engine: sa.Engine) -> None:
    proposed(engine)
    service.act(engine, CODE, "submit", CLERK)
    with pytest.raises(DeedRefused, match="drafted it"):
        service.act(engine, CODE, "agree", Doer(CLERK.actor, "legal"))
    service.act(engine, CODE, "agree", LEGAL)
    with pytest.raises(DeedRefused, match="another seat"):
        service.act(engine, CODE, "agree", Doer(LEGAL.actor, "reform"))


def test_what_was_returned_is_agreed_to_anew_by_both(engine: sa.Engine) -> None:
    proposed(engine)
    service.act(engine, CODE, "submit", CLERK)
    service.act(engine, CODE, "agree", LEGAL)
    with pytest.raises(DeedRefused, match="no opinion"):
        service.act(engine, CODE, "return", REFORM)
    assert service.act(engine, CODE, "return", REFORM, opinion="依据不足") == "draft"
    service.revise(engine, CODE, content(legal_basis=["《食品安全法》", "实施条例"]), CLERK, reason="补充依据")
    service.act(engine, CODE, "submit", CLERK)
    assert service.act(engine, CODE, "agree", REFORM) == "in_review", "the legal office agreed to another content"
    said = rows(engine, "SELECT what, content -> 'legal_basis' FROM catalog.item_deed WHERE content IS NOT NULL")
    assert said == [
        ("propose", content()["legal_basis"]), ("revise", ["《食品安全法》", "实施条例"]),
    ], "what each draft said is kept"  # fmt: skip


def test_a_suspended_item_is_restored_and_an_abolished_one_takes_no_change(engine: sa.Engine) -> None:
    published(engine)
    published(engine, change="suspend", content=None, on=date(2026, 2, 1), reason="暂停受理")
    assert in_force(engine, date(2026, 2, 1)) == [(2, "suspended", "食品经营许可")]
    published(engine, change="restore", content=None, on=date(2026, 3, 1), reason="恢复受理")
    published(engine, change="abolish", content=None, on=date(2026, 4, 1), reason="国务院决定取消")
    assert in_force(engine, date(2026, 5, 1)) == [(4, "abolished", "食品经营许可")]
    with pytest.raises(DeedRefused, match="is abolished"):
        proposed(engine, change="change")


def test_a_devolved_item_ends_above_and_begins_below_on_one_day_or_not_at_all(engine: sa.Engine) -> None:
    published(engine)
    below = CODE.replace(ORGAN, OTHER)
    proposed(engine, change="devolve", content=None, successors=[below], reason="下放至设区市")
    reviewed(engine)
    with pytest.raises(NoSuchItem):
        service.publish(engine, CODE, date(2026, 5, 1), WATCH, today=LONG_AGO)
    proposed(engine, below, reason="承接下放")
    with pytest.raises(DeedRefused, match="draft"):
        service.publish(engine, CODE, date(2026, 5, 1), WATCH, today=LONG_AGO)
    assert in_force(engine, date(2026, 5, 1)) == [(1, "in_force", "食品经营许可")]
    reviewed(engine, below)
    service.publish(engine, CODE, date(2026, 5, 1), WATCH, today=LONG_AGO)
    assert in_force(engine, date(2026, 5, 1)) == [(2, "devolved", "食品经营许可")]
    assert in_force(engine, date(2026, 5, 1), below) == [(1, "in_force", "食品经营许可")]
    assert rows(engine, "SELECT DISTINCT base_code FROM catalog.item") == [(BASE,)]


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"number": CODE}, DeedRefused),
        ({"number": "其他-02491-006", "organ": ORGAN}, DeedRefused),
        ({"number": code(9), "numbers": {"旧": "其他-02491-006"}}, NumberTaken),
        ({"number": code(9), "numbers": {"旧": CODE}}, NumberTaken),
        ({"number": code(9)[:-1], "organ": ORGAN}, ContentRefused),
        ({"number": code(9), "organ": OTHER}, ContentRefused),
        ({"number": code(9), "base_code": BASE}, ContentRefused),
        ({"number": "XK-1", "organ": "nobody"}, ContentRefused),
    ],
)
def test_a_number_is_read_strictly_and_never_given_twice(
    facts: dict[str, Any], error: type[Exception], engine: sa.Engine
) -> None:
    published(engine, numbers={"浙江": "其他-02491-006"})
    with pytest.raises(error):
        proposed(engine, facts.pop("number"), **facts)
    assert rows(engine, "SELECT count(*) FROM catalog.item") == [(1,)]


def test_items_that_require_each_other_are_refused_and_the_cycle_is_shown(engine: sa.Engine) -> None:
    published(engine, code(1))
    published(engine, code(2), content=content(requirements=needs(code(1))))
    published(engine, code(3), content=content(requirements=needs(code(2))))
    with pytest.raises(Cycle) as found:
        proposed(engine, code(1), change="change", content=content(requirements=needs(code(3)[19:31])))
    assert found.value.codes[0] == found.value.codes[-1]
    assert set(found.value.codes) == {code(number)[19:31] for number in (1, 2, 3)}
    assert rows(engine, "SELECT count(*) FROM catalog.item_version WHERE state = 'draft'") == [(0,)]


def test_items_that_would_require_each_other_for_a_month_only_are_refused(engine: sa.Engine) -> None:
    published(engine, code(1), content=content(requirements=needs(code(2))))
    published(engine, code(2))
    published(engine, code(1), change="change", on=date(2026, 7, 1))
    proposed(engine, code(2), change="change", content=content(requirements=needs(code(1))))
    reviewed(engine, code(2))
    with pytest.raises(Cycle):
        service.publish(engine, code(2), date(2026, 6, 1), WATCH, today=LONG_AGO)
    service.publish(engine, code(2), date(2026, 7, 1), WATCH, today=LONG_AGO)


def test_nothing_is_published_for_a_day_that_is_past(engine: sa.Engine) -> None:
    proposed(engine)
    reviewed(engine)
    with pytest.raises(DeedRefused, match="2026-03-01 is past"):
        service.publish(engine, CODE, date(2026, 3, 1), WATCH, today=date(2026, 3, 2))
    service.publish(engine, CODE, date(2026, 3, 2), WATCH, today=date(2026, 3, 2))
    proposed(engine, change="abolish", content=None)
    reviewed(engine)
    with pytest.raises(DeedRefused, match="is past"):
        service.publish(engine, CODE, date(2026, 3, 3), WATCH)


def test_a_version_cannot_take_effect_before_the_one_that_it_follows(engine: sa.Engine) -> None:
    published(engine, on=date(2026, 6, 1))
    proposed(engine, change="change")
    reviewed(engine)
    with pytest.raises(DeedRefused, match="2026-06-01"):
        service.publish(engine, CODE, date(2026, 5, 31), WATCH, today=LONG_AGO)


def test_the_public_comments_on_what_is_under_review_and_is_answered_once(engine: sa.Engine) -> None:
    proposed(engine)
    with pytest.raises(DeedRefused, match="not open"):
        service.comment(engine, CODE, "建议缩短期限")
    service.act(engine, CODE, "submit", CLERK)
    number = service.comment(engine, CODE, "建议缩短期限")
    service.answer(engine, CODE, number, "已采纳", CLERK)
    with pytest.raises(DeedRefused, match="not open"):
        service.answer(engine, CODE, number, "再答", CLERK)
    assert rows(engine, "SELECT said, answer FROM catalog.item_comment") == [("建议缩短期限", "已采纳")]


def test_two_who_propose_at_once_make_one_version(engine: sa.Engine) -> None:
    published(engine)
    ends: list[str] = []

    def propose() -> None:
        try:
            service.propose(engine, Proposal(CODE, "change", "并发", content()), CLERK)
            ends.append("made")
        except DeedRefused:
            ends.append("refused")

    both = [threading.Thread(target=propose) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert sorted(ends) == ["made", "refused"]


def test_words_are_bounded_and_kept_on_one_line(engine: sa.Engine) -> None:
    with pytest.raises(DeedRefused, match="no reason"):
        proposed(engine, reason=" \n")
    with pytest.raises(DeedRefused, match="2001 characters"):
        proposed(engine, reason="x" * 2001)
    proposed(engine)
    service.act(engine, CODE, "submit", CLERK, opinion="第一行\n第二行\x1b[31m")
    assert rows(engine, "SELECT opinion FROM catalog.item_deed WHERE what = 'submit'") == [("第一行 第二行 [31m",)]
