import json
import stat
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from demo.casework import build
from demo.model import KINDS
from demo.truth import (
    TruthError,
    build_truth,
    personal_file,
    personal_writer,
    read_truth,
    truth_file,
    write_truth,
)
from tests.demo.fakes import Fake, fake_shapes

DAY = date(2026, 3, 18)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    shapes = fake_shapes()
    work = build(1, 1_200, DAY, shapes)
    with personal_writer(home) as personal:
        return work, shapes, home, build_truth(work, shapes, home, personal=personal)


def test_every_defect_left_its_mark(made):
    work, _, _, truth = made
    rules = {finding.rule for finding in truth.findings}
    for defect in work.defects():
        if KINDS[defect.kind].level == "set":
            assert defect.kind in {one.defect for one in truth.sets}
        elif defect.kind != "orphan":
            assert KINDS[defect.kind].rule in rules
    orphans = [one for one in truth.waiting if one.defect == "orphan"]
    assert len(orphans) == sum(defect.kind == "orphan" for defect in work.defects())
    assert all(one.outcome == "parked" for one in orphans)


def test_day_two_is_foretold_and_not_yet_written(made):
    work, _, home, truth = made
    assert {day for _, _, day, _ in truth.counts} == {1, 2}
    written = {path.name for path in home.iterdir() if path.is_file()}
    assert {f"{department.code}.1" for department in work.province.departments if department.cases} <= written
    assert not any(name.endswith(".2") for name in written)


def test_a_dry_truth_writes_nothing_and_says_the_same(made, tmp_path):
    work, shapes, _, truth = made
    again = build_truth(build(1, 1_200, DAY, shapes), shapes, tmp_path, dry=True)
    assert again.as_json() == truth.as_json()
    assert list(tmp_path.iterdir()) == []
    assert work.province.seed == again.seed


def test_counts_are_those_of_the_records_placed(made):
    work, shapes, home, truth = made
    department = next(one for one in work.province.departments if one.shape == "rest")
    placed = [
        one for one in shapes["rest"].write(department, work, home, 1, dry=True) if hasattr(one, "outcome")
    ]  # fmt: skip
    counted = Counter({
        (stream, outcome): count
        for (source, stream, day, outcome), count in truth.counts.items()
        if source == department.code and day == 1
    })  # fmt: skip
    assert counted == Counter((one.stream, one.outcome) for one in placed)


def test_findings_of_procedure_name_the_case_and_no_stream(made):
    _, _, _, truth = made
    of_cases = [finding for finding in truth.findings if finding.scope == "case"]
    assert {finding.rule for finding in of_cases} >= {kind.rule for kind in KINDS.values() if kind.level == "case"}
    assert all(finding.case and finding.stream is None for finding in of_cases)


def test_the_files_are_written_whole_and_the_personal_one_is_private(made, tmp_path):
    _, _, home, truth = made
    file = write_truth(truth, tmp_path)
    assert file == truth_file(tmp_path)
    assert read_truth(tmp_path) == json.loads(json.dumps(truth.as_json()))
    assert stat.S_IMODE(personal_file(home).stat().st_mode) == 0o600
    values = [json.loads(line) for line in personal_file(home).read_text(encoding="utf-8").splitlines()]
    assert {value["kind"] for value in values} == {"name", "number", "phone", "address"}
    assert "无" not in {value["value"] for value in values}


def test_the_personal_file_holds_everyone_in_the_cases(made):
    work, _, home, _ = made
    known = {json.loads(line)["value"] for line in personal_file(home).read_text(encoding="utf-8").splitlines()}
    for department in work.province.departments:
        for case in work.cases(department.code) if department.cases else ():
            for party in case.parties:
                assert {party.phone, party.address} <= known
                assert party.number in known or party.kind != "natural"
            for event in case.events:
                assert event.handler.name in known
            for delivery in case.deliveries:
                assert delivery.receiver in known


def test_the_truth_itself_holds_no_personal_value(made, tmp_path):
    _, _, home, truth = made
    text = write_truth(truth, tmp_path).read_text(encoding="utf-8")
    for line in personal_file(home).read_text(encoding="utf-8").splitlines():
        assert json.loads(line)["value"] not in text


class Careless(Fake):
    """Loses the defects that it was asked for."""

    def _first(self, source, case, day):
        for placed in super()._first(source, case, day):
            yield (
                placed
                if placed.defect is None
                else type(placed)(source, placed.stream, placed.key, day, "new", case.number)
            )


class Dropping(Fake):
    """Says that it sends no review, although its process has one: its clean cases break a rule."""

    def seen(self, case):

        return replace(case, events=tuple(event for event in case.events if event.stage != "review"))


def test_a_defect_that_was_not_put_in_is_noticed(tmp_path):
    shapes = fake_shapes(frozenset({"too_long"}))
    shapes |= {
        name: Careless(name, carries=frozenset({"too_long"})) for name in shapes if not hasattr(shapes[name], "x")
    }
    with pytest.raises(TruthError, match="not put in"):
        build_truth(build(1, 300, DAY, shapes), shapes, tmp_path, dry=True)


def test_a_shape_whose_clean_cases_break_a_rule_is_noticed(tmp_path):
    shapes = {**fake_shapes(frozenset()), "rest": Dropping("rest", carries=frozenset())}
    with pytest.raises(TruthError, match=r"clean case .* breaks approve_without_review"):
        build_truth(build(1, 1_000, DAY, shapes), shapes, tmp_path, dry=True)


def test_a_shape_that_cannot_show_what_it_carries_is_noticed(tmp_path):
    shapes = {**fake_shapes(frozenset()), "rest": Fake("rest", carries=frozenset({"time_shifted"}))}
    shapes["rest"].precision = "m"
    with pytest.raises(TruthError, match="cannot show it"):
        build_truth(build(1, 1_000, DAY, shapes), shapes, tmp_path, dry=True)


def test_reading_without_a_truth_says_what_to_do(tmp_path):
    with pytest.raises(TruthError, match="hub demo build"):
        read_truth(tmp_path)


def test_an_older_truth_is_not_read(tmp_path):
    file = truth_file(tmp_path)
    file.parent.mkdir(parents=True)
    file.write_text('{"version": 0}', encoding="utf-8")
    with pytest.raises(TruthError, match="build again"):
        read_truth(tmp_path)
