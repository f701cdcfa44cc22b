"""The comparison is tried on a perfect hub made from the truth, and then on hubs that err in one way each."""

import copy
import json
from collections import Counter
from datetime import date

import pytest
from typer.testing import CliRunner

from demo import cli
from demo import verify as verification
from demo.casework import build
from demo.cli import demo
from demo.compare import OUTCOMES, Said, compare
from demo.model import KINDS
from demo.truth import build_truth, write_truth
from hub.findings import RULES
from tests.demo.fakes import fake_shapes

DAY = date(2026, 3, 18)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    shapes = fake_shapes()
    work = build(1, 900, DAY, shapes)
    home = tmp_path_factory.mktemp("home")
    truth = build_truth(work, shapes, home, dry=True)
    write_truth(truth, home)
    return home, json.loads(json.dumps(truth.as_json()))


def perfect(truth, day):
    """Answer as a hub would that does everything right."""
    counts, total = {}, Counter()
    for row in truth["counts"]:
        if row["day"] <= day:
            counts.setdefault((row["source"], row["stream"]), Counter())[row["outcome"]] += row["records"]
            total[row["outcome"]] += row["records"]
    waiting = [one for one in truth["waiting"] if one["day"] <= day]
    quarantined = [one for one in waiting if one["outcome"] == "quarantined"]
    parked = [one for one in waiting if one["outcome"] == "parked" and (day == 1 or one["defect"] == "orphan")]
    back = total["parked"] - len(parked)
    return Said(
        streams=[
            {"source": source, "stream": stream, "read": sum(found.values()), "balanced": True}
            | {name: found[name] for name in OUTCOMES}
            for (source, stream), found in counts.items()
        ],
        records={"kept": total["new"] + back - total["deleted"], "deleted": total["deleted"], "parked": len(parked)},
        findings=[
            {"source": one["source"], "stream": one["stream"] or "case", "unit": one["unit"], "rule": one["rule"],
             "key": one["key"] or (f"case:{one['case']}" if one["scope"] == "case" else None), "case": one["case"],
             "effect": RULES[one["rule"]].effect, "field": None, "pointer": None, "row": 1, "state": "open"}
            for one in truth["findings"] if one["day"] <= day
        ],
        quarantined=[{**one, "rules": list(one["rules"]), "id": 1} for one in quarantined],
        parked=[{**one, "rules": [], "id": 1} for one in parked],
        sets=[
            {"source": one["source"], "organ": one["organ"], "rule": one["rule"], "success": False}
            for one in truth["sets"]
        ],
    )  # fmt: skip


@pytest.mark.parametrize("day", [1, 2])
def test_a_perfect_hub_passes(made, day):
    _, truth = made
    verdict = compare(truth, perfect(truth, day), day)
    assert verdict.problems == []
    assert verdict.holds
    assert all(count.expected == count.found for count in verdict.rules.values())


def without(rows, place):
    return [row for number, row in enumerate(rows) if number != place]


def changed(said, **parts):
    found = {name: getattr(said, name) for name in Said.__slots__}
    return Said(**{**copy.deepcopy(found), **parts})


def test_each_missing_finding_is_noticed(made):
    _, truth = made
    said = perfect(truth, 1)
    for place, finding in enumerate(said.findings):
        verdict = compare(truth, changed(said, findings=without(said.findings, place)), 1)
        assert [source for source, _ in verdict.problems] == [finding["source"]]
        assert finding["rule"] in verdict.problems[0][1]
        assert verdict.rules[finding["rule"]].missing == 1


def test_a_finding_that_the_truth_does_not_hold_is_noticed(made):
    _, truth = made
    said = perfect(truth, 2)
    extra = {**said.findings[0], "key": "somebody else", "case": "no such case", "unit": None}
    verdict = compare(truth, changed(said, findings=[*said.findings, extra]), 2)
    assert len(verdict.problems) == 1
    assert "unexpected" in verdict.problems[0][1]


def test_a_right_finding_on_the_wrong_record_is_both(made):
    _, truth = made
    said = perfect(truth, 1)
    place = next(n for n, row in enumerate(said.findings) if row["rule"] == "phone_invalid")
    moved = [*said.findings]
    moved[place] = {**moved[place], "key": "another record"}
    sentences = [sentence for _, sentence in compare(truth, changed(said, findings=moved), 1).problems]
    assert len(sentences) == 2
    assert any("missing" in sentence for sentence in sentences)
    assert any("unexpected" in sentence for sentence in sentences)


def kinds(verdict):
    return {kind: (count.injected, count.found, count.unexpected) for kind, count in verdict.kinds.items()}


def test_recall_and_precision_are_whole_for_every_kind_of_a_perfect_hub(made):
    _, truth = made
    verdict = compare(truth, perfect(truth, 1), 1)
    rows = verification.kind_rows(verdict)
    assert {row["defect"] for row in rows} == KINDS.keys()
    assert {row["recall %"] for row in rows} <= {100.0, None}
    assert {row["precision %"] for row in rows} <= {100.0, None}
    injected = {row["defect"] for row in rows if row["injected"]}
    delivered = {one["kind"] for one in truth["defects"] if one["day"] == 1} - {"orphan"}
    assert injected >= delivered


def test_a_habit_that_is_not_seen_is_noticed(made):
    _, truth = made
    said = perfect(truth, 2)
    lost = truth["sets"][0]
    verdict = compare(truth, changed(said, sets=said.sets[1:]), 2)
    assert verdict.problems == [
        (lost["source"], f"{lost['rule']} is not raised for {lost['organ']} (defect {lost['defect']})")
    ]
    count = verdict.kinds[lost["defect"]]
    assert (count.found, count.recall) == (count.injected - 1, (count.injected - 1) / count.injected)


def test_a_sign_where_the_truth_holds_none_is_noticed_and_what_follows_a_habit_is_borne(made):
    _, truth = made
    said = perfect(truth, 2)
    honest = {"source": "civil", "organ": "X", "rule": "set_hard_coded", "success": False}
    verdict = compare(truth, changed(said, sets=[*said.sets, honest]), 2)
    assert [source for source, _ in verdict.problems] == ["civil"]
    assert verdict.kinds["hard_coded_habit"].unexpected == 1
    habit, *others = truth["sets"]
    borne = {**honest, **{name: habit[name] for name in ("source", "organ")}, "rule": "set_told_late"}
    follower = {**truth, "sets": [{**habit, "follows": ["set_told_late"]}, *others]}
    assert compare(follower, changed(said, sets=[*said.sets, borne]), 2).holds
    assert not compare(truth, changed(said, sets=[*said.sets, borne]), 2).holds
    held = {**honest, "success": True}
    assert compare(truth, changed(said, sets=[*said.sets, held]), 2).holds


def test_a_rule_of_no_kind_that_is_raised_has_a_row_of_its_own(made):
    _, truth = made
    said = perfect(truth, 2)
    stale = {"source": "civil", "organ": "X", "rule": "set_stale", "success": False}
    verdict = compare(truth, changed(said, sets=[*said.sets, stale]), 2)
    assert kinds(verdict)["set_stale"] == (0, 0, 1)
    assert verification.kind_rows(verdict)[-1]["precision %"] == 0.0


def test_without_a_run_of_the_suites_signs_are_not_verified(made):
    _, truth = made
    verdict = compare(truth, changed(perfect(truth, 2), sets=None), 2)
    assert verdict.holds
    assert not verdict.judged
    assert not {row["defect"] for row in verification.kind_rows(verdict)} & {one["defect"] for one in truth["sets"]}


@pytest.mark.parametrize("outcome", ["new", "updated", "stale", "deleted", "quarantined", "parked"])
def test_one_record_more_or_less_is_noticed(made, outcome):
    _, truth = made
    said = perfect(truth, 2)
    for change in (1, -1):
        streams = copy.deepcopy(said.streams)
        row = next(one for one in streams if one[outcome])
        row[outcome] += change
        verdict = compare(truth, changed(said, streams=streams), 2)
        assert any(outcome in sentence and source == row["source"] for source, sentence in verdict.problems)


def test_reading_more_often_changes_nothing(made):
    _, truth = made
    said = perfect(truth, 2)
    streams = [{**row, "unchanged": row["unchanged"] + 40, "read": row["read"] + 40} for row in said.streams]
    assert compare(truth, changed(said, streams=streams), 2).holds


def test_an_unbalanced_stream_is_noticed(made):
    _, truth = made
    said = perfect(truth, 1)
    streams = [{**said.streams[0], "balanced": False}, *said.streams[1:]]
    assert "balance" in compare(truth, changed(said, streams=streams), 1).problems[0][1]


def test_a_ledger_that_disagrees_with_the_contents_is_noticed(made):
    _, truth = made
    wrong = [{"check": "a kept record has no row in core", "count": 3}]
    assert not compare(truth, changed(perfect(truth, 1), disagreements=wrong), 1).holds


def test_a_stream_that_was_never_read_is_noticed(made):
    _, truth = made
    said = perfect(truth, 1)
    verdict = compare(truth, changed(said, streams=said.streams[1:]), 1)
    assert any("never read" in sentence for _, sentence in verdict.problems)


@pytest.mark.parametrize("state", ["kept", "deleted", "parked"])
def test_a_lost_record_is_noticed(made, state):
    _, truth = made
    said = perfect(truth, 2)
    records = {**said.records, state: said.records[state] - 1}
    assert [sentence for _, sentence in compare(truth, changed(said, records=records), 2).problems]


def test_a_clean_record_in_quarantine_is_noticed(made):
    _, truth = made
    said = perfect(truth, 1)
    entry = {"source": "rest", "stream": "case", "key": "a clean one", "rules": ["schema_violation"], "id": 9}
    verdict = compare(truth, changed(said, quarantined=[*said.quarantined, entry]), 1)
    assert "without a reason" in verdict.problems[0][1]


@pytest.mark.parametrize("part", ["quarantined", "parked"])
def test_a_record_that_should_wait_and_does_not_is_noticed(made, part):
    _, truth = made
    said = perfect(truth, 1)
    rows = getattr(said, part)
    assert rows
    verdict = compare(truth, changed(said, **{part: rows[1:]}), 1)
    assert any(f"should be {part}" in sentence for _, sentence in verdict.problems)


def test_records_without_a_key_are_compared_by_number(made):
    _, truth = made
    blind = copy.deepcopy(truth)
    said = perfect(truth, 1)
    for one in (*blind["waiting"], *blind["findings"]):
        if one["defect"] in {"missing_key", "too_long"}:
            one["key"] = one["case"] = None
    assert compare(blind, said, 1).holds
    assert not compare(blind, changed(said, quarantined=said.quarantined[1:]), 1).holds


def test_a_finding_on_a_unit_may_be_settled_on_the_next_day(made):
    _, truth = made
    said = perfect(truth, 2)
    settled = [row for row in said.findings if row["rule"] != "truncated_file"]
    assert compare(truth, changed(said, findings=settled), 2).holds
    first = perfect(truth, 1)
    missing = [row for row in first.findings if row["rule"] != "truncated_file"]
    assert not compare(truth, changed(first, findings=missing), 1).holds


def test_a_parked_record_is_given_a_day_before_its_finding_is_missed(made):
    _, truth = made
    rows = [row for row in perfect(truth, 2).findings if row["rule"] == "parent_missing"]
    assert rows == []
    orphan = next(one for one in truth["waiting"] if one["defect"] == "orphan")
    row = {"source": orphan["source"], "stream": orphan["stream"], "rule": "parent_missing", "key": orphan["key"]}
    expected = {
        **row,
        "scope": "record",
        "day": 1,
        "case": None,
        "unit": None,
        "defect": "orphan",
        "due": 2,
        "until": None,
    }
    asking = {**truth, "findings": [*truth["findings"], expected]}
    assert compare(asking, perfect(truth, 1), 1).holds
    assert not compare(asking, perfect(truth, 2), 2).holds
    first = perfect(truth, 1)
    early = changed(first, findings=[*first.findings, {**row, "case": None, "unit": None}])
    assert compare(asking, early, 1).holds
    assert compare(truth, early, 1).holds


def test_a_finding_on_a_unit_may_be_raised_more_than_once(made):
    _, truth = made
    said = perfect(truth, 2)
    more = [row for row in said.findings if row["rule"] == "unknown_field"]
    assert compare(truth, changed(said, findings=[*said.findings, *more]), 2).holds


def answer_with(monkeypatch, said):
    answers = {
        "ledger": {"streams": said.streams, "records": said.records, "disagreements": []},
        "finding": {"findings": said.findings},
        "quarantine": {"entries": said.quarantined},
        "--parked": {"entries": said.parked},
        "quality": {"held": 1, "failed": len(said.sets), "results": said.sets},
    }

    def run(command, **_):
        word = "--parked" if "--parked" in command else command[1]
        return verification.subprocess.CompletedProcess(command, 0, json.dumps(answers[word]), "")

    monkeypatch.setattr(verification.subprocess, "run", run)
    monkeypatch.setattr(cli, "_shapes", fake_shapes)


def test_the_command_ends_with_0_only_if_all_is_true(made, monkeypatch):
    home, truth = made
    answer_with(monkeypatch, perfect(truth, 2))
    done = CliRunner().invoke(demo, ["verify", "--home", str(home)])
    assert done.exit_code == 0, done.output
    assert "nothing is lost" in done.output
    said = perfect(truth, 2)
    answer_with(monkeypatch, changed(said, findings=said.findings[1:]))
    done = CliRunner().invoke(demo, ["verify", "--home", str(home)])
    assert done.exit_code == 1
    assert "missing finding" in done.output


def test_the_command_answers_in_json(made, monkeypatch):
    home, truth = made
    answer_with(monkeypatch, perfect(truth, 1))
    done = CliRunner().invoke(demo, ["verify", "--day", "1", "--json", "--home", str(home)])
    found = json.loads(done.stdout)
    assert found["ok"] is True
    assert len(found["departments"]) == 43
    assert all(row["balance"] and row["true"] for row in found["departments"])


def test_a_command_that_gives_no_answer_is_named(made, monkeypatch):
    home, _ = made
    failed = verification.subprocess.CompletedProcess([], 1, "", "the server is down")
    monkeypatch.setattr(verification.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(verification.NoAnswer, match=r"hub ledger --check --json .* the server is down"):
        verification.ask(home)
