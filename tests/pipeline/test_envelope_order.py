"""Numbered deliveries in any order, some twice, in any batches: the end is the same, and so are its findings."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.loading import load_sources
from hub.settings import Settings
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.telling import digest
from sharedrepo.telling.ledger import check
from tests.crash.campaign import KILLED, Driver, Site, difference, execute
from tests.emptying import emptied
from tests.envelopes import Office

MOST = 7
# That a version came late is a finding about the delivery, not about the record.
_FINDINGS = """
    SELECT f.rule, r.source_key, f.field, f.detail FROM quality.finding AS f
    LEFT JOIN ledger.source_record AS r USING (record_id)
    WHERE f.state = 'open' AND f.rule <> 'stale_version' ORDER BY 1, 2, 3"""
_RESET = "UPDATE ledger.stream SET state = '{}', envelope_through = 0, complete_through = NULL, complete_basis = NULL"


@st.composite
def _situations(draw: st.DrawFn) -> tuple[list[int], list[list[tuple[int, str]]], int]:
    """The numbers that come, and how they come: pulls of (number, file name), and the size of a batch."""
    numbers = sorted(draw(st.sets(st.integers(1, MOST), min_size=1)))
    again = draw(st.lists(st.sampled_from(numbers), max_size=3))
    order = draw(st.permutations([*numbers, *again]))
    named = [(number, f"{draw(st.integers(0, 99)):02d}_{place}.csv") for place, number in enumerate(order)]
    cuts = sorted(draw(st.sets(st.integers(1, len(named)), max_size=3)) | {len(named)})
    pulls = [named[start:end] for start, end in zip([0, *cuts], cuts, strict=False) if start < end]
    return numbers, pulls, draw(st.sampled_from([1, 2, 100]))


class Laboratory:
    """Delivers to an empty repository each time and tells what it then holds."""

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        self.runtime, self.folder = runtime, folder
        self.office = Office(folder / "sources", folder / "drop")
        self.tables = emptied()

    def after(self, pulls: list[list[tuple[int, str]]], slice_size: int) -> dict[str, Any]:
        self._empty()
        for pull in pulls:
            for number, name in pull:
                day = f"2026-03-{number:02d}T00:00:00+08:00"
                self.office.deliver(number, f"A{number}", f"B{number}", {"PROJID": "every", "DATAVERSION": number},
                                    name=name, complete_through=None if number % 3 == 0 else day)  # fmt: skip
            self._pull(slice_size)
        assert check(self.runtime.engine) == []
        out: dict[str, Any] = dict(digest.digest(self.runtime.engine, scopes=("core",)))
        with self.runtime.engine.connect() as connection:
            out["findings"] = connection.exec_driver_sql(_FINDINGS).all()
            out["numbers"] = connection.exec_driver_sql(
                "SELECT number, status, mark, complete_through FROM ledger.envelope ORDER BY 1"
            ).all()
            out["stream"] = connection.exec_driver_sql(
                "SELECT envelope_through, complete_through, complete_basis FROM ledger.stream"
            ).all()
            out["owed"] = connection.exec_driver_sql("SELECT count(*) FROM ledger.receipt").scalar_one()
        receipts = [json.loads(file.read_bytes()) for file in (self.office.drop / "receipts").glob("*.json")]
        out["received"] = sorted(one["number"] for one in receipts if one["outcome"] == "received")
        out["receipts"] = len(receipts) - sum(map(len, pulls))
        return out

    def _empty(self) -> None:
        shutil.rmtree(self.office.drop)
        self.office.drop.mkdir()
        with self.runtime.engine.begin() as connection:
            for table in self.tables:
                if table not in ("ledger.key_fingerprint", "core.source_system", "ledger.stream"):
                    connection.exec_driver_sql(f"DELETE FROM {table}")
            connection.exec_driver_sql(_RESET)

    def _pull(self, slice_size: int) -> None:
        chosen = self.runtime.settings.model_copy(update={"slice_size": slice_size})
        object.__setattr__(self.runtime, "settings", chosen)
        report = exchange(
            load_sources([self.office.folder.parent])[0], runtime=self.runtime, connections=lambda _: self.office.url
        )
        assert report.balanced


@pytest.fixture(scope="module")
def laboratory(
    server: EmbeddedServer, template: str, key_ring: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laboratory]:
    folder = tmp_path_factory.mktemp("numbers")
    execute(server, f"CREATE DATABASE numbers TEMPLATE {template}")
    execute(server, "ALTER DATABASE numbers SET synchronous_commit TO off")  # nothing is killed here
    runtime = Runtime.open(Settings(home=folder / "home", database_url=server.url("numbers"), keys=key_ring))
    yield Laboratory(runtime, folder)
    runtime.engine.dispose()
    execute(server, "DROP DATABASE numbers WITH (FORCE)")


@settings(
    max_examples=15, deadline=timedelta(seconds=120), database=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(situation=_situations())
def test_the_end_is_the_same_whatever_the_order_of_the_numbers(
    laboratory: Laboratory, situation: tuple[list[int], list[list[tuple[int, str]]], int]
) -> None:
    numbers, pulls, size = situation
    ordered = [[(number, f"{number:04d}.csv") for number in numbers]]
    expected = laboratory.after(ordered, 100)
    assert expected["received"] == numbers
    found = laboratory.after(pulls, size)
    assert found == expected
    assert _gaps(laboratory) == _missing(numbers)


def _gaps(laboratory: Laboratory) -> set[int]:
    with laboratory.runtime.engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT detail ->> 'missing' FROM quality.finding WHERE rule = 'envelope_gap' AND state = 'open'"
        ).scalars().all()  # fmt: skip
    assert len(found) <= 1
    spans = [part.split("-") for part in found[0].split(", ")] if found else []
    return {number for span in spans for number in range(int(span[0]), int(span[-1]) + 1)}


def _missing(numbers: list[int]) -> set[int]:
    return set(range(1, numbers[-1])) - set(numbers)


# --- killed processes ---

DEATHS = (
    {"only": "INTO ledger.envelope", "kill_at": 1},  # nothing is committed
    {"only": "INTO ledger.envelope", "kill_at": 3},  # the beginning of a delivery is
    {"only": "COPY ledger.receipt", "kill_at": 1},
    {"only": "FROM ledger.receipt WHERE stream_id", "kill_at": 4},  # committed, not told
    {"only": "DELETE FROM ledger.receipt", "kill_at": 1},  # told, and not known to be
)


def test_a_pull_may_be_killed_anywhere_and_every_delivery_still_gets_its_receipt(
    server: EmbeddedServer, template: str, key_ring: str, tmp_path: Path
) -> None:
    office = Office(tmp_path / "sources", tmp_path / "drop")
    for number in (1, 2, 4):
        office.deliver(number, f"A{number}", f"B{number}", {"PROJID": f"C{number}", "INFOTYPE": "no such code"})
    driver = Driver()
    try:
        empty = Site(server, driver, template, tmp_path / "empty", key_ring, slice_size=2)
        calm = empty.copy("calm_envelopes")
        done = calm.pull(office)  # type: ignore[arg-type]  # it has what the site asks of a department
        assert done["status"] == 0, done["error"]
        wanted, told = calm.digest(), _told(office)
        assert [one["number"] for one in told.values()] == [1, 2, 4]
        anywhere = [{"kill_at": done["boundaries"] * part // 4} for part in range(1, 4)]
        for number, death in enumerate([*DEATHS, *anywhere]):
            shutil.rmtree(office.drop / "receipts", ignore_errors=True)
            site = empty.copy(f"killed_envelopes_{number}")
            assert site.pull(office, **death)["status"] == KILLED, death  # type: ignore[arg-type]  # see above
            again = site.pull(office)  # type: ignore[arg-type]  # see above
            assert again["status"] == 0, f"{death}: {again.get('error')}"
            assert _told(office) == told, death
            assert not difference(calm, site, known=wanted), death
            with site.engine() as engine, engine.connect() as connection:
                assert connection.execute(sa.text("SELECT count(*) FROM ledger.receipt")).scalar_one() == 0
            site.drop()
        calm.drop()
    finally:
        driver.close()


def _told(office: Office) -> dict[str, dict[str, Any]]:
    """The receipts, without when they were written."""
    out = {}
    for file in sorted((office.drop / "receipts").iterdir()):
        said = json.loads(file.read_bytes())
        out[file.name] = {name: value for name, value in said.items() if name not in {"written", "signature"}}
    return out
