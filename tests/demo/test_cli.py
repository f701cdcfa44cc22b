import json
import stat
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from demo import cli
from demo.model import KINDS
from demo.truth import personal_file, read_truth, truth_file
from tests.demo.fakes import Fake, fake_shapes


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "_shapes", fake_shapes)
    monkeypatch.setattr(cli, "_connections", lambda _: {"zj-hrss": "postgresql://x/y?options=-csearch_path=hrss"})
    home = tmp_path / "home"

    def invoke(*words):
        return CliRunner().invoke(cli.demo, [*words, "--home", str(home)])

    invoke.home = home
    return invoke


def test_build_writes_the_truth_and_says_where(run):
    done = run("build", "--cases", "300", "--seed", "5", "--date", "2026-03-18")
    assert done.exit_code == 0, done.output
    assert "澜江省, seed 5: 43 departments, 300 cases" in done.output
    records = sum(kind.level != "set" for kind in KINDS.values())  # too few cases for a habit to show
    assert f"of {records} kinds" in done.output
    truth = read_truth(run.home)
    assert (truth["seed"], truth["cases"], truth["date"]) == (5, 300, "2026-03-18")
    assert personal_file(run.home).stat().st_size > 10_000
    assert stat.S_IMODE((run.home / "demo").stat().st_mode) == 0o700


def test_the_connections_are_for_the_shell_and_for_nobody_else(run):
    run("build", "--cases", "50", "--date", "2026-03-18")
    file = run.home / "demo" / "connections.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text(encoding="utf-8") == "HUB_CONN_ZJ_HRSS='postgresql://x/y?options=-csearch_path=hrss'\n"


def test_the_same_words_build_the_same_truth(run):
    run("build", "--cases", "120", "--date", "2026-03-18")
    first = truth_file(run.home).read_text(encoding="utf-8")
    run("build", "--cases", "120", "--date", "2026-03-18")
    assert truth_file(run.home).read_text(encoding="utf-8") == first


def test_change_writes_what_the_truth_foretold(run):
    run("build", "--cases", "300", "--date", "2026-03-18")
    done = run("change")
    assert done.exit_code == 0, done.output
    placed = sum(row["records"] for row in read_truth(run.home)["counts"] if row["day"] == 2)
    assert f"{placed:,} records" in done.output


class Fickle(Fake):
    """Foretells more for day 2 than it writes."""

    def write(self, department, work, home, day, *, dry) -> Iterator[object]:
        placed = list(super().write(department, work, home, day, dry=dry))
        yield from placed[:-1] if day == 2 and not dry else placed


def test_change_refuses_to_go_on_when_day_two_came_otherwise(run, monkeypatch):
    monkeypatch.setattr(cli, "_shapes", lambda: {**fake_shapes(), "rest": Fickle("rest")})
    run("build", "--cases", "300", "--date", "2026-03-18")
    done = run("change")
    assert isinstance(done.exception, cli.DemoTrouble)
    assert "build the province again" in str(done.exception)


def test_a_province_that_contradicts_itself_leaves_no_truth(run, monkeypatch):
    run("build", "--cases", "100", "--date", "2026-03-18")
    broken = Fake("rest", carries=frozenset({"time_shifted"}))
    broken.precision = "m"
    monkeypatch.setattr(cli, "_shapes", lambda: {**fake_shapes(frozenset()), "rest": broken})
    done = run("build", "--cases", "500", "--date", "2026-03-18")
    assert isinstance(done.exception, cli.DemoTrouble)
    assert not truth_file(run.home).exists()


@pytest.mark.parametrize("command", ["change", "verify"])
def test_without_a_truth_the_next_step_is_named(run, command):
    done = run(command)
    assert isinstance(done.exception, cli.DemoTrouble)
    assert "hub demo build" in str(done.exception)


def test_a_date_in_the_future_is_refused(run):
    done = run("build", "--date", "2999-01-01")
    assert isinstance(done.exception, cli.DemoTrouble)
    assert "future" in str(done.exception)


def test_the_truth_is_plain_json(run):
    run("build", "--cases", "60", "--date", "2026-03-18")
    found = json.loads(truth_file(run.home).read_text(encoding="utf-8"))
    assert found.keys() == {
        "version", "seed", "cases", "date", "departments", "localities", "counts", "waiting", "findings", "sets",
        "defects", "checks",
    }  # fmt: skip
