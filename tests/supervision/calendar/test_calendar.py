"""Working days as dated data: filled once, changed with a source and a reason, every deadline moved and logged."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from hub import workdays
from hub.workdays import DayKind
from supervision import running
from supervision.calendar import changing, service
from supervision.calendar.errors import BadDay, NoSuchCalendar
from supervision.calendar.service import FIRST, LAST, Change
from supervision.cli import supervise
from supervision.clock import explaining
from tests.supervision.world import World, at, day_of

SAID = {"source": "国办发明电〔2026〕7号", "reason": "春节放假安排", "actor": "test"}


def rows(world: World, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with world.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query), values)]


def set_days(world: World, *changes: Change, calendar: str = "", **said: Any) -> changing.Changed:
    with world.engine.begin() as connection:
        return changing.change(connection, calendar, changes, **{**SAID, **said})


def test_the_first_filling_says_of_every_day_what_the_published_calendar_says(world: World) -> None:
    held = rows(world, "SELECT day, kind, works, published FROM supervision.day WHERE calendar = '' ORDER BY day")
    assert (held[0][0], held[-1][0], len(held)) == (FIRST, LAST, (LAST - FIRST).days + 1)
    for day, kind, works, published in held:
        assert (kind, works, published) == (workdays.kind(day).value, workdays.is_workday(day), workdays.known(day)), (
            day
        )


def test_ordinals_count_the_working_days_so_that_the_nth_is_one_look_up(world: World) -> None:
    for start, count in ((date(2026, 2, 13), 7), (date(2025, 9, 30), 3), (date(2031, 5, 1), 40)):
        [(due,)] = rows(
            world,
            """SELECT w.day FROM supervision.day AS s JOIN supervision.day AS w
               ON w.calendar = s.calendar AND w.works AND w.ordinal = s.ordinal + :count
               WHERE s.calendar = '' AND s.day = :start""",
            start=start, count=count,
        )  # fmt: skip
        assert due == workdays.after(start, count).day


def test_a_notice_makes_provisional_deadlines_firm_and_moves_them_and_each_is_logged(world: World) -> None:
    world.item()
    case = world.case(applied="2026-12-28 09:00", accepted="2026-12-28 10:00")
    running.run(world.engine)
    before = world.clock(case, view="clock")
    assert (day_of(before["due_at"]), before["provisional"]) == ("2027-01-11", True)

    named = [Change(date(2027, 1, day), DayKind.HOLIDAY) for day in (1, 2, 3)]
    with world.engine.begin() as connection:
        done = changing.publish(connection, "", 2027, named, source="国办发明电〔2026〕8号", actor="test")
    after = world.clock(case, view="clock")
    # 29, 30, 31 December (3), 4-8 January (8), 11, 12 (10)
    assert (day_of(after["due_at"]), after["provisional"]) == ("2027-01-12", False)
    assert (done.moved, done.changed) == (1, 365)
    [move] = rows(world, "SELECT cause, filling, due_before, due_at, provisional_before, provisional "
                  "FROM supervision.due_move WHERE cause = 'calendar'")  # fmt: skip
    assert move == ("calendar", done.filling, before["due_at"], after["due_at"], True, False)
    full = running.run(world.engine, full=True).counts["clock"]
    assert (full["changed"], full["stages_changed"]) == (0, 0), "what a change recounts is what a recount of all finds"


def test_a_day_that_becomes_free_moves_what_lies_after_it_and_nothing_before(world: World) -> None:
    world.item()
    late, early = world.case("LATE"), world.case("EARLY", applied="2026-02-02 09:00", accepted="2026-02-02 10:00",
                                                 closed="2026-02-05 10:00")  # fmt: skip
    running.run(world.engine)
    done = set_days(world, Change(date(2026, 3, 10), DayKind.HOLIDAY))
    assert (day_of(world.clock(late)["due_at"]), done.moved) == ("2026-03-17", 1)
    # 3-6 February (4), 9-13 (9), the make-up Saturday (10)
    assert day_of(world.clock(early)["due_at"]) == "2026-02-14"
    back = set_days(world, Change(date(2026, 3, 10), DayKind.WORK), reason="更正")
    assert (day_of(world.clock(late)["due_at"]), back.moved) == ("2026-03-16", 1)


def test_what_was_known_of_the_calendar_stays_known(world: World) -> None:
    world.item()
    world.case("C1", recorded="2026-03-02 10:00")
    running.run(world.engine)
    [(then,)] = rows(world, "SELECT clock_timestamp()")
    set_days(world, Change(date(2026, 3, 10), DayKind.HOLIDAY))
    with world.engine.begin() as connection:
        assert day_of(explaining.explain(connection, "C1").walk.due_at) == "2026-03-17"
        assert day_of(explaining.explain(connection, "C1", then).walk.due_at) == "2026-03-16"


def test_a_region_has_its_own_holidays_and_keeps_them_when_the_nation_changes(world: World) -> None:
    world.item()
    own, other = world.case("OWN", region="331102"), world.case("OTHER", region="330100")
    running.run(world.engine)
    with world.engine.begin() as connection:
        service.add(connection, "331100", title="丽水", source="市政府通知", actor="test")
        changing.recount_of(connection, "331100")
    set_days(world, Change(date(2026, 3, 5), DayKind.HOLIDAY), calendar="331100", source="市政府通知")
    assert [day_of(world.clock(case)["due_at"]) for case in (own, other)] == ["2026-03-17", "2026-03-16"]
    set_days(world, Change(date(2026, 3, 5), DayKind.WORK), Change(date(2026, 3, 6), DayKind.HOLIDAY))
    # the region keeps the 5th free; the 6th is free for all
    assert [day_of(world.clock(case)["due_at"]) for case in (own, other)] == ["2026-03-18", "2026-03-17"]
    assert {row[0] for row in rows(world, "SELECT calendar FROM supervision.clock")} == {"", "331100"}


def test_the_days_of_a_calendar_that_the_planner_never_heard_of_are_counted_at_once(world: World) -> None:
    with world.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE supervision.day")  # as autovacuum does while there is the nation's only
    with world.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = '20s'")  # it took 168 s, and takes half a second
        service.add(connection, "331100", title="丽水", source="市政府通知", actor="test")
        changing.change(connection, "331100", [Change(date(2001, 3, 5), DayKind.HOLIDAY)], **SAID)
    wrong = """SELECT count(*) FROM (
        SELECT ordinal, count(*) FILTER (WHERE works) OVER (PARTITION BY calendar ORDER BY day) AS counted
        FROM supervision.day) AS d WHERE ordinal <> counted"""
    assert rows(world, wrong) == [(0,)]


@pytest.mark.parametrize(
    ("region", "calendar"),
    [("331102", "331100"), ("331100", "331100"), ("330102", "330000"), ("330000", "330000"), ("110000", ""), ("", ""),
     ("331102001", "331100"), ("no code", "")],
)  # fmt: skip
def test_the_calendar_of_a_region_is_its_own_or_its_parents(world: World, region: str, calendar: str) -> None:
    with world.engine.begin() as connection:
        for code in ("331100", "330000"):
            service.add(connection, code, title=code, source="a test", actor="test")
        found = connection.execute(sa.text("SELECT supervision.calendar_of(:region)"), {"region": region}).scalar()
    assert found == calendar


@pytest.mark.parametrize(
    ("changes", "said", "fault"),
    [
        ([Change(date(1999, 12, 31), DayKind.WORK)], {}, "outside the calendars"),
        ([Change(date(2050, 1, 1), DayKind.WORK)], {}, "outside the calendars"),
        ([Change(date(2026, 3, 3), DayKind.WORK)] * 2, {}, "named twice"),
        ([Change(date(2026, 3, 3), DayKind.HOLIDAY)], {"source": " "}, "needs its source"),
        ([Change(date(2026, 3, 3), DayKind.HOLIDAY)], {"reason": "x" * 1001}, "needs its reason"),
    ],
)  # fmt: skip
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(
    world: World, changes: list[Change], said: dict[str, str], fault: str
) -> None:
    with pytest.raises(BadDay, match=fault):
        set_days(world, *changes, **said)
    assert rows(world, "SELECT count(*) FROM supervision.day_change") == [(0,)]


def test_a_calendar_that_nobody_has_is_named_with_those_there_are(world: World) -> None:
    with pytest.raises(NoSuchCalendar, match="the nation"):
        set_days(world, Change(date(2026, 3, 3), DayKind.HOLIDAY), calendar="119900")


def test_the_log_of_changes_cannot_be_rewritten(world: World) -> None:
    set_days(world, Change(date(2026, 3, 3), DayKind.HOLIDAY))
    for query in ("UPDATE supervision.day_change SET reason = 'other'", "DELETE FROM supervision.day_change",
                  "TRUNCATE supervision.day_change", "TRUNCATE supervision.due_move"):  # fmt: skip
        with pytest.raises(sa.exc.IntegrityError, match="only added"), world.engine.begin() as connection:
            connection.execute(sa.text(query))


def test_a_calendar_with_holes_makes_the_clocks_over_them_not_computable(world: World) -> None:
    world.item()
    over, beside = world.case("OVER"), world.case("BESIDE", applied="2026-04-07 09:00", accepted="2026-04-07 10:00")
    with world.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM supervision.day WHERE calendar = '' AND day = '2026-03-10'"))
    done = running.run(world.engine)
    assert world.clock(over)["why"] == "calendar_hole"
    assert world.clock(beside)["why"] is None
    assert done.counts["clock"]["not_computable"] == {"calendar_hole": 1}


def test_the_commands_show_change_and_explain(
    world: World, database: str, key_ring: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", database)
    monkeypatch.setenv("HUB_KEYS", key_ring)
    monkeypatch.setenv("HUB_HOME", str(tmp_path))
    world.item()
    world.case("C1")
    world.case("C2", item=None)
    world.case("C3", accepted=None, supplements=[("2026-03-03 10:00", None)])
    cli = CliRunner()

    def says(*words: str, status: int = 0) -> Any:
        plain = cli.invoke(supervise, [*words])
        assert plain.exit_code == status, plain.output
        done = cli.invoke(supervise, [*words, "--json"])
        assert done.exit_code == status, done.output
        return json.loads(done.output)

    assert says("run", "--as-of", "2026-03-20")["counts"]["clock"]["cases"] in {0, 3}
    assert says("calendar", "list")["calendars"][0]["published_through"] == "2026-12-31"
    assert [one["kind"] for one in says("calendar", "show", "2026-02-14", "2026-02-15")["days"]] == [
        "make_up",
        "holiday",
    ]
    words = ("calendar", "set", "2026-03-10=holiday", "--source", "通知", "--reason", "台风")
    assert says(*words)["filling"] is None, "the first of the two calls set it"
    assert len(says("calendar", "log")["changes"]) == 1
    assert [one["case_number"] for one in says("calendar", "moved")["moved"]] == ["C1"]
    told = says("explain", "C1")
    assert (told["due_at"][:10], told["agrees"]) == ("2026-03-17", True)
    assert [one["says_zh"] for one in told["days"]][:2] == ["计时起点，不计入", "计 1 日"]
    assert says("explain", "C2")["why"] == "no_item_said"
    assert says("explain", "C3")["due_at"] is None
    assert [one["why"] for one in says("uncomputable")["counts"]] == ["no_item_said"]
    [waits] = says("waiting", "--as-of", "2026-03-20")["waiting"]
    # 4-6 (3), 9-13 without the 10th (7), 16-20 (12); reminded after 5 and after 10
    assert (waits["case_number"], waits["days"], waits["reminders"]) == ("C3", 12, 2)
    assert cli.invoke(supervise, ["explain", "nobody"]).exception is not None
    assert cli.invoke(supervise, ["run", "--as-of", "soon"]).exception is not None
    assert (
        cli.invoke(supervise, ["calendar", "set", "soon=holiday", "--source", "x", "--reason", "y"]).exception
        is not None
    )


def test_reminders_are_made_once_for_each_time_of_waiting_and_step(world: World) -> None:
    world.item()
    world.case("C1", accepted=None, supplements=[("2026-03-03 10:00", None)])
    for moment in ("2026-03-09 10:00", "2026-03-10 10:00", "2026-03-10 11:00", "2026-03-17 10:00"):
        running.run(world.engine, as_of=at(moment))
    # 4, 5, 6, 9, 10 March; 17 March is the tenth
    assert rows(world, "SELECT after_days, due_on FROM supervision.reminder ORDER BY 1") == [
        (5, date(2026, 3, 10)), (10, date(2026, 3, 17)),
    ]  # fmt: skip
