"""Planning on the Isle of Man: other headers, encodings and title lines each year, and a publication cut off in 2014.

Each file of delegated decisions ends with a line that holds nothing but their number. 2014's file has 1,237 rows below
its header: 1,236 decisions, and that line. Counted as a decision it would be one without a case, which is how 1,237 and
1,027 come about; the hub reads it as the declared total, and 1,236 and 1,026 are what it keeps.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli import build
from pipeline.afterwards.rebuild import rebuild
from pipeline.runtime import Runtime
from sharedrepo.telling.digest import digest
from sharedrepo.telling.ledger import check
from tests.real.counting import read_csv
from tests.real.puller import SOURCES, Counts, Puller, changes

CODE = "isle-of-man"
YEARS = (2011, 2012, 2013, 2014, 2015)
HELD = "annual/2014/planning-applications.csv"

OF_STREAM = """FROM core.decision AS t JOIN ledger.source_record AS r USING (record_id)
    JOIN ledger.stream AS st USING (stream_id) WHERE st.name = :stream"""
LISTED = """EXISTS (SELECT FROM core.approval_case AS c
    WHERE c.source_system_id = t.source_system_id AND c.case_number = t.case_number)"""
IN_YEAR = "extract(year FROM decided_at AT TIME ZONE 'Europe/Isle_of_Man') = :year"


class Planning(Puller):
    """The source with what its tests ask again and again."""

    def decisions(self, stream: str, year: int, *, listed: bool) -> int:
        """Count the decisions of a stream and year whose case is there, or is not."""
        wanted = LISTED if listed else f"NOT {LISTED}"
        found: int = self.one(f"SELECT count(*) {OF_STREAM} AND {IN_YEAR} AND {wanted}", stream=stream, year=year)
        return found


@pytest.fixture
def planning(runtime: Runtime, shared_data: Path, tmp_path: Path) -> Planning:
    """The folder as delivered, copied to where a test may change it."""
    folder = tmp_path / "delivered"
    shutil.copytree(shared_data / "results" / "isle_of_man_planning", folder, copy_function=shutil.copyfile)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Planning(runtime, folder)


@pytest.fixture(scope="module")
def pulled(module_hub: Runtime, shared_data: Path) -> tuple[Planning, Counts]:
    """What one pull of the folder as it lies there gives."""
    planning = Planning(module_hub, shared_data / "results" / "isle_of_man_planning")
    return planning, planning.pull(CODE)


def _by_hand(folder: Path, name: str, year: int) -> list[dict[str, str]]:
    """Read a year's file with plain csv: the closing line of delegated decisions is among the rows."""
    path = folder / "annual" / str(year) / f"{name}.csv"
    encoding = "utf-8-sig" if _is_utf8(path) else "cp1252"
    header, *rows = read_csv(path, encoding=encoding, skip=1 if name == "delegated-decisions" else 0)
    return [dict(zip(header, row, strict=True)) for row in rows if any(row)]


def _is_utf8(path: Path) -> bool:
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
    return True


def test_every_year_comes_in_by_configuration_alone(pulled: tuple[Planning, Counts]) -> None:
    planning, counts = pulled
    folder = planning.folder
    files = {name: {year: _by_hand(folder, name, year) for year in YEARS} for name in _NAMES}
    headers = {tuple(rows[0]) for years in files.values() for rows in years.values()}
    assert len(headers) == 4, "2015 names and orders the columns of its applications otherwise"
    paths = [folder / "annual" / str(year) / f"{name}.csv" for name in files for year in YEARS]
    assert {_is_utf8(path) for path in paths} == {True, False}
    whole = sum(len(rows) for year, rows in files["planning-applications"].items() if year != 2014)
    assert changes(counts) == {
        "applications": (whole, 0),
        "delegated": (sum(len(rows) - 1 for rows in files["delegated-decisions"].values()), 0),
        "appeals": (sum(map(len, files["appeals"].values())), 0),
        "weekly": (658, 0),
    }
    assert (whole, counts["delegated"]["new"], counts["appeals"]["new"]) == (6_441, 6_445, 862)
    assert planning.one("SELECT count(*) FROM core.case_party WHERE sealed IS NOT NULL") == sum(
        bool((row.get("Property Address") or row.get("ADDRESS", "")).strip())
        for year, rows in files["planning-applications"].items() if year != 2014 for row in rows
    )  # fmt: skip
    assert not (SOURCES / CODE / "connector.py").exists()
    assert check(planning.runtime.engine) == []


_NAMES = ("planning-applications", "delegated-decisions", "appeals")


def test_two_vocabularies_of_decisions_say_the_same(pulled: tuple[Planning, Counts]) -> None:
    planning, _ = pulled
    words = {"PER": "granted", "PERDMC": "granted", "CLAWA": "granted", "REF": "refused", "CLAWR": "refused"}
    expected = Counter(
        words[row["Decision"]]
        for year in YEARS
        for row in _by_hand(planning.folder, "delegated-decisions", year)
        if row["Decision"]
    )
    assert planning.counts(f"SELECT outcome, count(*) {OF_STREAM} GROUP BY 1", stream="delegated") == expected
    kinds = "SELECT decision_kind, count(*) FROM core.decision GROUP BY 1"
    assert planning.counts(kinds) == {"decision": 6_441 + 6_445, "appeal": 862}
    assert "closed_twice" not in planning.findings(), "officer's decision and register agree in each case"
    assert not planning.findings().keys() & {"unknown_code", "unknown_field", "missing_field", "total_mismatch"}


def test_weekly_lists_repeat_applications_and_change_nothing(pulled: tuple[Planning, Counts]) -> None:
    planning, counts = pulled
    files = sorted((planning.folder / "weekly" / "2023").glob("*.csv"))
    numbers = Counter(row[0] for path in files for row in list(read_csv(path))[1:])
    assert (len(files), sum(numbers.values()), len(numbers)) == (26, 686, 658)
    weekly = counts["weekly"]
    assert (weekly["read"], weekly["new"], weekly["updated"], weekly["unchanged"]) == (686, 658, 0, 28)


def test_the_cut_off_publication_is_held_and_nothing_of_it_is_published(pulled: tuple[Planning, Counts]) -> None:
    planning, counts = pulled
    assert counts["applications"]["refused_units"] == [HELD]
    assert counts["applications"]["quarantined"] == len(_by_hand(planning.folder, "planning-applications", 2014)) == 274
    numbers = [row["PA Ref"] for row in _by_hand(planning.folder, "planning-applications", 2014)]
    published = "SELECT count(*) FROM core.approval_case WHERE case_number = ANY(:numbers)"
    assert planning.one(published, numbers=numbers) == 0
    ((status, unit, archive, read),) = planning.rows(
        "SELECT status, unit, archive_key, read FROM ledger.batch WHERE status <> 'committed'"
    )
    assert (status, unit, read) == ("held", HELD, 274)
    assert len(list(planning.runtime.archive.open(archive)[1])) == 274
    found = planning.rows("SELECT unit, detail FROM quality.finding WHERE rule = 'volume_below' AND state = 'open'")
    assert found == [(HELD, {"rows": "274", "least": "1000", "most": "5000"})]


def test_its_delegated_decisions_come_in_without_their_cases(pulled: tuple[Planning, Counts]) -> None:
    planning, _ = pulled
    rows = _by_hand(planning.folder, "delegated-decisions", 2014)
    assert len(rows) == 1_237
    assert [row["Planning Application No"] for row in rows if not row["Decision"]] == ["1236"], "the closing line"
    assert planning.one(f"SELECT count(*) {OF_STREAM} AND {IN_YEAR}", stream="delegated", year=2014) == 1_236
    assert planning.decisions("delegated", 2014, listed=True) == 0, "its applications are held"
    assert planning.one("SELECT count(*) FROM ledger.waiting") == 0, "a decision never waits for its case"
    for year in (2011, 2012, 2013, 2015):
        assert planning.decisions("delegated", year, listed=False) == 0
    assert planning.decisions("appeals", 2011, listed=True) == 142


def test_a_person_accepts_the_held_publication_with_a_reason(
    planning: Planning, hub_command: CliRunner, rebuilt: Runtime
) -> None:
    planning.pull(CODE)
    (held,) = _ask(hub_command, "batch", "list", CODE, "--status", "held")["batches"]
    assert (held["unit"], held["quarantined"]) == (HELD, 274)
    assert planning.runtime.archive.head(held["archive"])["status"] == "held"

    done = _ask(hub_command, "batch", "accept", CODE, str(held["batch"]), "--reason", "the office has no other list")
    assert done["new"] == 274
    assert planning.one("SELECT count(*) FROM core.approval_case WHERE applied_at IS NULL") == 6_441 + 274
    assert planning.decisions("delegated", 2014, listed=True) == 210
    assert planning.decisions("delegated", 2014, listed=False) == 1_026, "1,027 with the closing line"
    assert _ask(hub_command, "batch", "list", CODE, "--status", "held")["batches"] == []
    assert planning.one("SELECT reason FROM ledger.batch WHERE kind = 'accept'") == "the office has no other list"
    assert "volume_below" not in planning.findings()
    assert sum(one["new"] + one["updated"] for one in planning.pull(CODE).values()) == 0
    assert check(planning.runtime.engine) == []
    rebuild(rebuilt)
    assert digest(rebuilt.engine) == digest(planning.runtime.engine)


def test_a_new_complete_file_supersedes_the_held_one(planning: Planning) -> None:
    planning.pull(CODE)
    path = planning.folder / HELD
    rows = _by_hand(planning.folder, "planning-applications", 2014)
    listed = {row["PA Ref"] for row in rows}
    decided = [row for row in _by_hand(planning.folder, "delegated-decisions", 2014) if row["Decision"]]
    words = {"PER": "Permitted", "REF": "Refused", "CLAWA": "Certificate of Lawfulness AGREED"}
    rows += [
        {
            "Decision": words[row["Decision"]], "PA Ref": row["Planning Application No"], "PROPOSAL": row["Proposal"],
            "Decision issued": row["Date decision issued"], "Determining Body": "", "Property Address": row["Address"],
        }
        for row in decided if row["Planning Application No"] not in listed
    ]  # fmt: skip
    with path.open("w", encoding="cp1252", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    counts = planning.pull(CODE)
    assert changes(counts)["applications"] == (274 + 1_026, 0)
    assert planning.counts("SELECT status, count(*) FROM ledger.batch WHERE unit = :unit GROUP BY 1", unit=HELD) == {
        "superseded": 1, "committed": 1,
    }  # fmt: skip
    assert "volume_below" not in planning.findings()
    assert planning.findings(state="closed")["volume_below"] == 1
    assert planning.decisions("delegated", 2014, listed=True) == 1_236
    assert planning.decisions("delegated", 2014, listed=False) == 0
    assert check(planning.runtime.engine) == []


def test_addresses_stand_nowhere_in_clear(pulled: tuple[Planning, Counts]) -> None:
    planning, _ = pulled
    addresses = {
        row.get("Property Address") or row["ADDRESS"]
        for year in YEARS
        for row in _by_hand(planning.folder, "planning-applications", year)
    }
    looked_for = sorted(one.strip() for one in addresses if len(one) > 30)[::25]
    assert len(looked_for) > 200
    whole = "\n".join(_all_text(planning))
    assert len(whole) > 1_000_000
    assert [one for one in looked_for if one in whole] == []
    archived = b"".join(path.read_bytes() for path in planning.runtime.settings.home.rglob("*") if path.is_file())
    assert [one for one in looked_for if one.encode() in archived] == []


def _all_text(planning: Planning) -> Iterator[str]:
    """Yield every row of core, ledger and quality as text."""
    tables = planning.rows(
        """SELECT table_schema, table_name FROM information_schema.tables
           WHERE table_schema IN ('core', 'ledger', 'quality')"""
    )
    for schema, table in tables:
        for (row,) in planning.rows(f"SELECT t::text FROM {schema}.{table} AS t"):
            yield row


@pytest.fixture
def hub_command(planning: Planning, key_ring: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The `hub` command on this test's repository."""
    settings = planning.runtime.settings
    assert settings.database_url is not None
    monkeypatch.setenv("HUB_HOME", str(settings.home))
    monkeypatch.setenv("HUB_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("HUB_KEYS", key_ring)
    monkeypatch.setenv("HUB_SOURCES", str(SOURCES))
    return CliRunner()


def _ask(runner: CliRunner, *words: str) -> Any:
    done = runner.invoke(build(), [*words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)
