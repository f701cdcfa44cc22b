"""What a change of shape does: each mode with each sort of change, over real pulls of a database, files and a service.

The table is that of docs/integrate/contract.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from connectors.source import Source
from hub.contract import Contract
from hub.errors import ContractBroken
from pipeline.afterwards.rebuild import rebuild
from pipeline.afterwards.replay import replay
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.telling import digest, lists
from sharedrepo.telling.ledger import check
from tests.pipeline.drifting import TEXT, System, made, row

KINDS = ("database", "csv", "jsonl", "rest")
RULES = {"new": "unknown_field", "missing": "missing_field", "type": "changed_type"}
FIELDS = {"new": "extra", "missing": "version", "type": "version"}

CHANGED: dict[str, list[dict[str, Any]]] = {
    "new": [row(3, extra="a"), row(4, extra="b"), row(5)],
    "missing": [row(3, version=...), row(4, version=...), row(5, version=...)],
    "type": [row(3, version="8"), row(4), row(5)],
}
CONCERNED = {"new": 2, "missing": 3, "type": 1}
"""How many of the three records show the change, where records stand for themselves; a table shows it in all."""

CELLS = [(kind, change) for kind in KINDS for change in RULES if (kind, change) != ("csv", "type")]
"""Cells of CSV are texts: their type cannot change."""


@pytest.fixture(scope="module")
def department_database(server: EmbeddedServer) -> str:
    connection = psycopg2.connect(server.url("postgres"))
    connection.autocommit = True
    connection.cursor().execute("CREATE DATABASE drifting")
    connection.close()
    return server.url("drifting")


@pytest.fixture
def system(request: pytest.FixtureRequest, tmp_path: Path, department_database: str) -> Iterator[System]:
    yield from made(request.param, tmp_path, department_database)


class Pulls:
    """Pulls of the system under a contract, and what they leave."""

    def __init__(self, runtime: Runtime, system: System) -> None:
        self.runtime, self.system = runtime, system

    def __call__(self, source: Source, **how: Any) -> dict[str, Any]:
        report = exchange(source, runtime=self.runtime, connections=lambda _: self.system.url, **how)
        found: dict[str, Any] = report.as_dict()["streams"][0]
        return found

    def cases(self) -> int:
        with self.runtime.engine.connect() as connection:
            return int(connection.execute(sa.text("SELECT count(*) FROM core.approval_case")).scalar_one())

    def state(self) -> Any:
        with self.runtime.engine.connect() as connection:
            return connection.execute(sa.text("SELECT state FROM ledger.stream")).scalar_one()

    def findings(self) -> list[dict[str, Any]]:
        return lists.findings(self.runtime.engine)


@pytest.fixture
def pulls(runtime: Runtime, system: System) -> Pulls:
    return Pulls(runtime, system)


def concerned(system: System, change: str) -> int:
    """How many records show the change; of a table the last row before it is read again, and shows it too."""
    if system.kind == "database":
        return 4
    return 3 if system.options.get("format") == "csv" else CONCERNED[change]


def mended(system: System, change: str) -> None:
    """Declare what the department sends now."""
    if change == "new":
        system.schema["extra"] = {"type": TEXT}
    elif change == "missing":
        del system.schema["version"]
    else:
        system.schema["version"] = {"type": [*system.version, "string"]}


def begun(pulls: Pulls, contract: Any) -> Source:
    """Pull two records as agreed, then let the department change."""
    pulls.system.deliver([row(1), row(2)])
    source = pulls.system.source(contract)
    assert pulls(source)["new"] == 2
    assert pulls.findings() == []
    return source


@pytest.mark.parametrize(("system", "change"), CELLS, indirect=["system"])
def test_evolve_keeps_the_records_and_tells_the_change_once(pulls: Pulls, system: System, change: str) -> None:
    source = begun(pulls, {change: "evolve"})
    system.deliver(CHANGED[change])
    assert (pulls(source)["new"], pulls.cases()) == (3, 5)
    told = pulls.findings()
    assert [(one["rule"], one["effect"], one["field"], one["key"]) for one in told] == [
        (RULES[change], "flag", FIELDS[change], None)
    ]
    assert told[0]["seen"] == concerned(system, change)
    if change == "type":
        assert (told[0]["detail"]["types"], told[0]["detail"]["declared"]) == ("string", "integer|null")
        with pulls.runtime.engine.connect() as connection:
            read = connection.execute(sa.text("SELECT max(item_version_said) FROM core.approval_case")).scalar_one()
        assert read == 8  # the text could be read as a number
    mended(system, change)
    pulls(system.source({change: "evolve"}))
    assert pulls.findings() == []


@pytest.mark.parametrize(("system", "change"), CELLS, indirect=["system"])
def test_quarantine_lets_the_records_wait_and_a_replay_after_mending_takes_them(
    pulls: Pulls, system: System, change: str
) -> None:
    source = begun(pulls, {change: "quarantine"})
    system.deliver(CHANGED[change])
    got, number = pulls(source), concerned(system, change)
    assert (got["quarantined"], got["new"]) == (number, max(0, 3 - number))
    told = pulls.findings()
    assert [(one["rule"], one["effect"], one["field"], one["seen"]) for one in told] == [
        (RULES[change], "refuse", FIELDS[change], number)
    ]
    waiting = lists.waiting(pulls.runtime.engine, source=None, kind="quarantined")
    assert [one["rules"] for one in waiting] == [[RULES[change]]] * number
    mended(system, change)
    assert replay(pulls.runtime, system.source({change: "quarantine"})).counts["new"] == min(3, number)
    assert (pulls.cases(), pulls.findings()) == (5, [])
    assert check(pulls.runtime.engine) == []


@pytest.mark.parametrize(("system", "change"), CELLS, indirect=["system"])
def test_freeze_stops_the_stream_where_it_stands_until_it_is_mended(
    pulls: Pulls, system: System, change: str, empty_runtime: Runtime
) -> None:
    source = begun(pulls, {change: "freeze"})
    stood = pulls.state()
    system.deliver(CHANGED[change])
    for _ in range(2):
        with pytest.raises(ContractBroken, match=rf"field {FIELDS[change]} .*freeze"):
            pulls(source)
    assert (pulls.cases(), pulls.state()) == (2, stood)
    told = pulls.findings()
    assert [(one["rule"], one["effect"], one["field"], one["seen"]) for one in told] == [
        (RULES[change], "refuse", FIELDS[change], concerned(system, change))
    ]
    rebuild(empty_runtime)
    assert digest.digest(empty_runtime.engine) == digest.digest(pulls.runtime.engine)
    mended(system, change)
    assert pulls(system.source({change: "freeze"}))["new"] == 3
    assert (pulls.cases(), pulls.findings()) == (5, [])
    assert check(pulls.runtime.engine) == []


@pytest.mark.parametrize("system", ["database"], indirect=True)
def test_a_change_is_one_finding_however_many_slices_and_pulls_show_it(
    pulls: Pulls, system: System, runtime: Runtime
) -> None:
    source = begun(pulls, "evolve")
    small = Runtime(
        runtime.settings.model_copy(update={"slice_size": 2}), runtime.engine, runtime.protector, runtime.archive,
        runtime.documents,
    )  # fmt: skip
    pulls.runtime = small
    system.deliver([row(number, extra="x") for number in range(3, 10)])
    assert pulls(source)["batches"] == 4
    first = pulls.findings()
    assert [(one["rule"], one["seen"]) for one in first] == [("unknown_field", 8)]
    system.run("INSERT INTO cases (number, changed_at, extra) VALUES ('C10', '2026-03-10 09:00:00', NULL)")  # type: ignore[attr-defined]  # a database
    pulls(source)
    again = pulls.findings()
    assert [(one["id"], one["seen"]) for one in again] == [(first[0]["id"], 9)]
    with small.engine.connect() as connection:
        began = connection.execute(sa.text("SELECT min(read_at) FROM ledger.batch WHERE batch_id > 1")).scalar_one()
    group = lists.finding_groups(small.engine)
    assert [(one["findings"], one["records"], one["value"], one["since"]) for one in group] == [
        (1, 9, "null|string", began)
    ]


@pytest.mark.parametrize("system", ["database", "rest"], indirect=True)
def test_a_change_that_the_department_takes_back_is_told_no_more(pulls: Pulls, system: System) -> None:
    source = begun(pulls, "evolve")
    system.deliver(CHANGED["new"])
    pulls(source)
    assert len(pulls.findings()) == 1
    pulls(source)  # brings nothing: that proves nothing
    assert len(pulls.findings()) == 1
    if system.kind == "database":
        system.run("ALTER TABLE cases DROP COLUMN extra")  # type: ignore[attr-defined]  # a database
    system.deliver([row(6)])
    pulls(source)
    assert pulls.findings() == []


@pytest.mark.parametrize("system", ["jsonl", "rest"], indirect=True)
def test_a_missing_field_is_told_until_a_record_has_it_again(pulls: Pulls, system: System) -> None:
    source = begun(pulls, "evolve")
    system.deliver(CHANGED["missing"])
    pulls(source)
    told = pulls.findings()
    assert [one["rule"] for one in told] == ["missing_field"]
    # Records that differ in their fields leave out what is empty: of an absent field nothing can be said.
    system.deliver([row(6, version=...), row(7, version=..., item=...)])
    pulls(source)
    assert [(one["id"], one["seen"]) for one in pulls.findings()] == [(told[0]["id"], 3)]
    system.deliver([row(8), row(9, version=..., item=...)])
    pulls(source)
    assert pulls.findings() == []


@pytest.mark.parametrize("system", ["rest"], indirect=True)
def test_a_missing_field_that_came_again_in_an_early_slice_is_over_at_the_pulls_end(
    pulls: Pulls, system: System, runtime: Runtime, empty_runtime: Runtime
) -> None:
    source = begun(pulls, "evolve")
    system.deliver(CHANGED["missing"])
    pulls(source)
    pulls.runtime = Runtime(
        runtime.settings.model_copy(update={"slice_size": 2}), runtime.engine, runtime.protector, runtime.archive,
        runtime.documents,
    )  # fmt: skip
    told = pulls.findings()
    system.deliver([row(6), row(7, item=...), row(8, version=...), row(9, version=...)])
    pulls(source)  # the first slice has it, the second misses it again
    again = pulls.findings()
    assert [(one["id"], one["detail"], one["seen"]) for one in again] == [(told[0]["id"], told[0]["detail"], 5)]
    system.deliver([row(10), row(11, item=...), row(12, version=...), row(13, version=..., item=...)])
    assert pulls(source)["batches"] == 2  # the field stands in the first
    assert pulls.findings() == []
    rebuild(empty_runtime)
    assert digest.digest(empty_runtime.engine) == digest.digest(runtime.engine)


@pytest.mark.parametrize("system", ["rest"], indirect=True)
def test_a_field_that_one_record_lacks_is_empty_and_one_that_all_lack_is_missing(pulls: Pulls, system: System) -> None:
    source = begun(pulls, "freeze")
    system.deliver([row(3), row(4, version=...), row(5)])
    assert (pulls(source)["new"], pulls.findings()) == (3, [])
    system.deliver([row(6, version=...), row(7, version=...)])
    with pytest.raises(ContractBroken, match="field version is declared and came in none of 2 records"):
        pulls(source)


@pytest.mark.parametrize("system", ["jsonl"], indirect=True)
def test_a_required_field_that_comes_no_more_is_one_change_and_not_a_refusal_of_each_record(
    pulls: Pulls, system: System
) -> None:
    source = begun(pulls, "evolve")
    home = source.folder / "cases.schema.json"
    home.write_text(home.read_text().replace('"required": ["number"]', '"required": ["number", "item"]'))
    system.deliver([row(3, item=...), row(4, item=...)])
    assert pulls(source)["new"] == 2
    assert [(one["rule"], one["field"], one["seen"]) for one in pulls.findings()] == [("missing_field", "item", 2)]


@pytest.mark.parametrize("system", ["jsonl"], indirect=True)
def test_an_empty_required_field_is_no_change_of_type(pulls: Pulls, system: System) -> None:
    system.schema["item"] = {"type": "string"}
    system.deliver([row(1), row(2, item=None)])
    got = pulls(system.source("evolve"))
    assert (got["new"], got["quarantined"]) == (1, 1)
    assert [(one["rule"], one["detail"]["got"]) for one in pulls.findings()] == [("schema_violation", "null")]


@pytest.mark.parametrize("system", ["rest"], indirect=True)
def test_a_dry_run_stops_too_and_leaves_nothing(pulls: Pulls, system: System) -> None:
    source = begun(pulls, "freeze")
    system.deliver(CHANGED["new"])
    with pytest.raises(ContractBroken):
        pulls(source, dry_run=True)
    assert pulls.findings() == []


@pytest.mark.parametrize("system", ["rest"], indirect=True)
def test_a_stream_says_one_word_for_all_or_one_for_each(pulls: Pulls, system: System) -> None:
    assert pulls.system.source("freeze").streams["cases"].contract == Contract("freeze", "freeze", "freeze")
    assert pulls.system.source({"missing": "freeze"}).streams["cases"].contract == Contract(missing="freeze")
