"""Freezing a month out of a real repository, and ranking it from what was frozen."""

from __future__ import annotations

import hashlib
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from supervision.appraisal import editions, entering, freezing, inputs, people, ranking, ratings, sampling, service
from supervision.appraisal.entering import Entry
from supervision.appraisal.errors import AppraisalRefused, EntryRefused
from supervision.appraisal.inputs import MANIFEST
from tests.supervision.appraisal import filling
from tests.supervision.appraisal.filling import IDLE, LATE, ORGAN, OTHER
from tests.supervision.appraisal.making import unit

MONTH = "2026-10"
NOW = datetime(2026, 11, 3, 1, 0, tzinfo=UTC)


def frozen(engine: sa.Engine, **more: str) -> freezing.Frozen:
    return freezing.freeze(engine, MONTH, actor="test:anna", now=NOW, **more)


def test_departments_with_complete_feeds_are_ranked_the_others_are_listed_with_the_reason(engine: sa.Engine) -> None:
    frozen(engine)
    found = editions.ranked(engine, MONTH)["levels"]["department"]
    assert [(one["unit"], one["rank"], one["unranked"]) for one in found] == [
        (ORGAN, 1, []), (OTHER, 2, []), (LATE, None, ["feeds_incomplete"]), (IDLE, None, ["no_cases", "few_cases"]),
    ]  # fmt: skip
    assert [one["score"] for one in found] == ["108.30", "107.35", None, None], "114 and 113, × 0.95"
    measures = found[1]["measures"]
    assert (measures["closed"], measures["closed_late"], measures["closed_incomplete"]) == ("60", "6", "1")
    assert (measures["items_in_force"], measures["items_with_cases"], measures["accepted_in_force"]) == ("1", "1", "60")
    assert measures["lag_hours_median"] == "1.5"


@pytest.mark.parametrize(
    ("basis", "pulled", "silent", "behind"),
    [
        ("declared", "2026-11-02", False, "1"),
        ("envelope", "2026-11-02", False, "1"),
        ("inferred", "2026-11-02", False, "0"),
        ("inferred", "2026-10-31", False, "1"),
        ("inferred", "2026-11-02", True, "1"),
    ],
)
def test_inferred_completeness_is_enough_only_when_all_was_pulled_after_the_month_and_nobody_found_silence(
    engine: sa.Engine, basis: str, pulled: str, silent: bool, behind: str
) -> None:
    with engine.begin() as connection:
        stream = connection.execute(
            sa.text("""UPDATE ledger.stream SET complete_basis = :basis, last_success_at = CAST(:pulled AS timestamptz)
                       WHERE complete_through < timestamptz '2026-10-31' RETURNING stream_id"""),
            {"basis": basis, "pulled": f"{pulled} 12:00+08"},
        ).scalar_one()
        if silent:
            connection.execute(
                sa.text("""INSERT INTO quality.finding (stream_id, unit, rule, effect, field, batch_id)
                           VALUES (:stream, 'feed', 'silent_feed', 'flag', '', 1)"""),
                {"stream": stream},
            )
    rows = service.inputs_of(engine, frozen(engine)).rows["feeds.csv"]
    assert [row["behind"] for row in rows if row["organ"] == LATE] == [behind]


def test_cities_and_counties_have_the_cases_of_their_regions(engine: sa.Engine) -> None:
    frozen(engine)
    found = editions.ranked(engine, MONTH)
    for level, code, name in (("city", "330100", "杭州市"), ("county", "330102", "上城区")):
        one = unit(found, code, level)
        assert (one["name"], one["measures"]["closed"], one["unranked"]) == (name, "60", ["feeds_incomplete"])


def test_the_ranking_from_the_repository_is_the_one_from_the_exported_files(engine: sa.Engine, tmp_path: Path) -> None:
    made = frozen(engine)
    names = freezing.export(engine, made, tmp_path / "out")
    assert MANIFEST in names
    there = ranking.ranked(inputs.from_folder(tmp_path / "out", MONTH))
    assert inputs.canonical(there) == inputs.canonical(editions.ranked(engine, MONTH))
    with pytest.raises(AppraisalRefused, match="not empty"):
        freezing.export(engine, made, tmp_path / "out")


def test_what_comes_after_a_freeze_changes_nothing_and_a_second_freeze_needs_a_reason(engine: sa.Engine) -> None:
    before = frozen(engine)
    first = inputs.canonical(editions.ranked(engine, MONTH))
    with engine.begin() as connection:
        filling.card(connection, "K-1", 1009, ORGAN, "red")
    assert inputs.canonical(editions.ranked(engine, MONTH)) == first
    with pytest.raises(AppraisalRefused, match="frozen 1 time"):
        frozen(engine)
    again = frozen(engine, reason="card K-1 was missing")
    assert (again.number, again.digest != before.digest) == (2, True)
    assert unit(editions.ranked(engine, MONTH))["measures"]["cards_red"] == "1"
    assert inputs.canonical(editions.ranked(engine, MONTH, 1)) == first


def test_frozen_rows_can_be_neither_changed_nor_taken_away(engine: sa.Engine) -> None:
    frozen(engine)
    for statement in ("UPDATE supervision.frozen_file SET content = '\\x00'", "DELETE FROM supervision.frozen_month",
                      "TRUNCATE supervision.frozen_file"):  # fmt: skip
        with pytest.raises(sa.exc.IntegrityError, match="only added"), engine.begin() as connection:
            connection.execute(sa.text(statement))


def test_a_month_that_is_not_over_or_none_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(AppraisalRefused, match="not over"):
        freezing.freeze(engine, MONTH, actor="a", now=datetime(2026, 10, 31, 15, 59, tzinfo=UTC))
    for wrong in ("2026-13", "10-2026", "2026-1", "", "2026-10-01", "１０"):
        with pytest.raises(AppraisalRefused, match="no month"):
            freezing.freeze(engine, wrong, actor="a", now=NOW)
    with pytest.raises(AppraisalRefused, match="not frozen"):
        editions.ranked(engine, MONTH)


def test_no_case_number_and_no_person_stands_in_a_public_file_and_both_are_kept_apart(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        filling.card(connection, "K-1", 1009, ORGAN)
    made = frozen(engine)
    public = b"".join(freezing.file(engine, made, name) or b"" for name in freezing.names(engine, made))
    assert b"C-1" not in public
    assert "周".encode() not in public
    assert freezing.file(engine, made, freezing.NUMBERS) is None
    numbers = freezing.case_numbers(engine, made)
    assert {number for _, number in numbers.values()} >= {"C-1001", "C-1009"}
    rows = service.evidence(engine, MONTH, ("department", ORGAN), "cards_time_yellow")
    assert [(row["card"], row["case_number"]) for row in rows] == [("K-1", "C-1009")]


def test_pseudonyms_stay_the_same_when_a_month_is_frozen_anew_and_differ_from_month_to_month(
    engine: sa.Engine,
) -> None:
    first = freezing.case_numbers(engine, frozen(engine))
    assert freezing.case_numbers(engine, frozen(engine, reason="again")) == first
    later = freezing.freeze(engine, "2026-09", actor="a", now=NOW)
    assert not set(freezing.case_numbers(engine, later)) & set(first)


def test_each_late_case_is_evidence_that_leads_to_its_number(engine: sa.Engine) -> None:
    frozen(engine)
    rows = service.evidence(engine, MONTH, ("department", ORGAN), "closed_late")
    assert sorted(row["case_number"] for row in rows) == ["C-1008", "C-1017", "C-1026", "C-1035"]
    with pytest.raises(AppraisalRefused, match="no measure with rows"):
        service.evidence(engine, MONTH, ("department", ORGAN), "score")
    with pytest.raises(AppraisalRefused, match="the ranking has no department"):
        service.evidence(engine, MONTH, ("department", "nobody"), "closed")


def test_held_and_withdrawn_cards_are_frozen_and_do_not_count(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for place, state in enumerate(("held", "withdrawn", "answered", "sent")):
            filling.card(connection, f"K-{place}", 1001 + place, ORGAN, state=state)
        filling.card(connection, "K-9", 1009, ORGAN, raised_at="2026-11-01 00:00+08")
        filling.answered(connection, "K-2", "2026-10-26 09:00+08")
    frozen(engine)
    measures = unit(editions.ranked(engine, MONTH))["measures"]
    assert (measures["cards_time_yellow"], measures["cards_unanswered"]) == ("2", "1")


def test_a_card_counts_as_unanswered_when_the_answer_came_late_or_not_by_its_day(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for place, at in enumerate(("2026-10-27 23:59+08", "2026-10-28 00:00+08", None)):
            filling.card(connection, f"K-{place}", 1001 + place, ORGAN, state="answered" if at else "sent")
            if at:
                filling.answered(connection, f"K-{place}", at)
        filling.card(connection, "K-7", 1007, ORGAN, due_at="2026-11-03 23:59+08")
    frozen(engine)
    rows = service.evidence(engine, MONTH, ("department", ORGAN), "cards_unanswered")
    assert [row["card"] for row in rows] == ["K-1", "K-2"]


# --- by hand ---


def test_points_by_hand_are_frozen_with_who_and_why_and_withdrawn_ones_are_not(engine: sa.Engine) -> None:
    kept = entering.enter(engine, Entry(MONTH, "department", ORGAN, "integrity", "-1.5", "2", "审计通报"), "test:anna")
    gone = entering.enter(engine, Entry(MONTH, "department", ORGAN, "bonus", "3", "1", "表彰"), "test:anna")
    entering.withdraw(engine, gone, "登记有误", "test:bernd")
    with pytest.raises(EntryRefused, match="no entry"):
        entering.withdraw(engine, gone, "again", "test:bernd")
    made = frozen(engine)
    rows = service.inputs_of(engine, made).rows["entries.csv"]
    assert [(row["entry"], row["unit_value"], row["quantity"], row["entered_by"]) for row in rows] == [
        (str(kept), "-1.50", "2.00", "test:anna")
    ]
    heads = {head["head"]: head["points"] for head in unit(editions.ranked(engine, MONTH))["heads"]}
    assert heads["integrity"] == "7"
    assert [one["withdrawn_by"] for one in entering.listed(engine, MONTH)] == [None, "test:bernd"]


def test_a_wrong_entry_is_told_with_all_that_is_wrong(engine: sa.Engine) -> None:
    with pytest.raises(EntryRefused) as caught:
        entering.enter(engine, Entry(MONTH, "village", "", "luck", "1e3", "NaN", " "), "a")
    for said in ("village", "no unit", "luck", "1e3", "NaN", "reason"):
        assert said in str(caught.value)
    with pytest.raises(AppraisalRefused, match="has the code"):
        entering.must_be_known(engine, MONTH, "department", "nobody")
    entering.must_be_known(engine, MONTH, "city", "330100")


RATINGS = """assessNumber,organ,办件编号,channel,satisfaction,rated_on,mended_on,valid
R1,11330000002482285J,C-1001,2,5,2026-10-16,,1
R2,11330000002482285J,C-1002,2,1,2026-10-01,,1
R3,11330000002482285J,,5,2,2026-10-02,2026-10-09,1
R4,11330000002482285J,,5,2,2026-10-30,,1
R5,11330000002482285J,,5,1,2026-10-16,,0
R6,11330000002482285J,,5,1,2026-09-30,,1
"""


def test_ratings_are_taken_in_once_brought_up_to_date_and_counted(engine: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "ratings.csv"
    file.write_text(RATINGS, encoding="utf-8")
    assert ratings.import_(engine, file, "a") == ratings.Imported(6, 6, 0)
    file.write_text(RATINGS.replace("2026-10-30,,1", "2026-10-30,2026-11-02,1"), encoding="utf-8")
    done = ratings.import_(engine, file, "a")
    assert (done.new, done.changed, done.unchanged) == (0, 1, 5)
    made = frozen(engine)
    measures = unit(editions.ranked(engine, MONTH))["measures"]
    assert [measures[name] for name in ("ratings", "ratings_good", "ratings_bad", "ratings_bad_unmended")] == [
        "4", "1", "3", "1",
    ]  # fmt: skip
    by_number = {row["rating"]: row["mended_in_time"] for row in service.inputs_of(engine, made).rows["ratings.csv"]}
    assert by_number == {"R1": "", "R2": "0", "R3": "1", "R4": "1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("number,organ,satisfaction\n", "rated_on"),
        ("number,number,organ,satisfaction,rated_on\n", "stand once"),
        ("number,organ,satisfaction,rated_on\nR1,A,6,2026-10-01\n", r"x\.csv:2: satisfaction '6'"),
        ("number,organ,satisfaction,rated_on\nR1,A,5,1.10.2026\n", "no day"),
        ("number,organ,satisfaction,rated_on\nR1,A,5\n", "3 values under 4"),
        ("number,organ,satisfaction,rated_on\nR1,A,5,2026-10-01\nR1,A,5,2026-10-01\n", r"x\.csv:3: its number stands"),
        ("number,organ,satisfaction,rated_on,mended_on\nR1,A,1,2026-10-02,2026-10-01\n", "mended before"),
        ('number,organ,satisfaction,rated_on\n"R1,A,5,2026-10-01\n', "no CSV"),
        ("number,organ,satisfaction,rated_on\n,A,5,2026-10-01\n", "number is empty"),
    ],
)
def test_a_wrong_file_of_ratings_is_refused_whole(engine: sa.Engine, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "x.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(EntryRefused, match=said):
        ratings.import_(engine, file, "a")
    assert ratings.counts(engine, MONTH) == []


# --- two at once ---


def test_who_freezes_while_somebody_else_does_waits_and_sees_what_was_frozen(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way, go_on = threading.Event(), threading.Event()
    gathered = freezing._gathered

    def slow(*said: Any) -> Any:
        under_way.set()
        assert go_on.wait(30)
        return gathered(*said)

    monkeypatch.setattr(freezing, "_gathered", slow)
    with ThreadPoolExecutor(3) as persons:
        first = persons.submit(frozen, engine)
        assert under_way.wait(30)
        second = persons.submit(frozen, engine)
        third = persons.submit(frozen, engine, reason="the register came late")
        assert wait((second, third), timeout=0.3).not_done == {second, third}, "both wait"
        go_on.set()
        with pytest.raises(AppraisalRefused, match=r"frozen [12] time\(s\) already. Say why"):
            second.result(30)
        assert (first.result(30).number, third.result(30).number) == (1, 2)


def test_who_would_wait_too_long_is_told_that_somebody_else_freezes(engine: sa.Engine) -> None:
    waits = 30
    impatient = sa.create_engine(engine.url, connect_args={"options": f"-c lock_timeout={waits}"})
    with engine.connect() as other:
        other.execute(sa.text(f"SELECT pg_advisory_xact_lock({freezing._LOCK})"))
        with pytest.raises(AppraisalRefused, match="somebody else is freezing a month just now"):
            frozen(impatient)
    assert frozen(impatient).number == 1
    impatient.dispose()


# --- staff and samples ---


def test_staff_are_ranked_inside_their_department_from_a_private_file(engine: sa.Engine, tmp_path: Path) -> None:
    made = frozen(engine)
    found = people.ranked(engine, MONTH, ORGAN)
    assert [one["name"] for one in found["levels"]["staff"]] == ["周* 审批处"] * 3
    assert sorted(int(one["measures"]["closed"]) for one in found["levels"]["staff"]) == [13, 13, 14]
    assert found["levels"]["post"][0]["measures"]["closed"] == "40"
    with pytest.raises(AppraisalRefused, match="no handler"):
        people.ranked(engine, MONTH, IDLE)
    assert not [name for name in freezing.export(engine, made, tmp_path / "all") if "staff" in name]
    own = freezing.export(engine, made, tmp_path / "own", organ=ORGAN)
    assert [name for name in own if "staff" in name] == [freezing.staff_file(ORGAN)]


def test_a_sample_is_drawn_again_by_anybody_with_sha256sum(engine: sa.Engine, tmp_path: Path) -> None:
    made = frozen(engine)
    number, drawn = sampling.draw(engine, MONTH, "双色球 2026130 期 03 09 11 17 28 31", 7, "test:anna")
    assert [one["place"] for one in drawn] == [1, 2, 3, 4, 5, 6, 7]
    assert all(one["case_number"].startswith("C-") for one in drawn)
    freezing.export(engine, made, tmp_path / "out")
    script = """tail -n +2 cases.csv | awk -F, '$11 ~ /^2026-10-/ {print $1}' | while read -r one; do
                printf '%s  %s\\n' "$(printf '%s' "$SEED$one" | sha256sum | cut -d' ' -f1)" "$one"
                done | LC_ALL=C sort | head -n 7 | cut -c67-"""
    seed = sampling.listed(engine, MONTH)[0]["seed"]
    redone = subprocess.run(["bash", "-c", script], cwd=tmp_path / "out", env={"PATH": "/usr/bin:/bin", "SEED": seed},
                            capture_output=True, text=True, check=True)  # fmt: skip
    assert redone.stdout.split() == [one["case"] for one in drawn]
    assert (number, sampling.listed(engine, MONTH)[0]["inputs_sha256"]) == (1, made.digest)


def test_the_digest_of_a_freeze_is_that_of_its_manifest(engine: sa.Engine) -> None:
    made = frozen(engine)
    assert hashlib.sha256(freezing.file(engine, made, MANIFEST) or b"").hexdigest() == made.digest
