"""What a live question brings is what the next pull would have brought, and that pull finds it known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.settings import Settings
from pipeline.pulls import live
from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.telling import digest
from sharedrepo.telling.ledger import check
from tests.connectors.conftest import Department
from tests.crash.campaign import execute
from tests.emptying import emptied
from tests.verification.office import STREAM, Office

ALIKE = ("ledger.source_record", "ledger.waiting", "quality.finding")
"""Beside all of `core`, what must be equal; batches are others, and so is how often a record was read."""
_KEPT = ("ledger.key_fingerprint", "core.source_system", "ledger.stream")

_NUMBERS = st.sampled_from(["JY-001", "JY-002", "浙食〔2025〕7号", "0", "%", "'"])
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "CERT_NO": _NUMBERS,
            "HOLDER": st.sampled_from(["杭州青山建设有限公司", "", "王?岚"]),
            "FROM_DAY": st.sampled_from(["2025-01-01", "昨天", ""]),
            "TO_DAY": st.sampled_from(["2035-12-31", "2020-01-01"]),
            "STATE": st.sampled_from(["1", "2", "9"]),
            "CHANGED": st.sampled_from(["2026-03-02 09:00:00", "2026-03-03 09:00:00", "now"]),
        }
    ),
    max_size=6,
)


class Laboratory:
    """One department and one hub, begun anew for each case."""

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        file = folder / "licences.sqlite"
        self.database = Department("sqlite", f"sqlite:///{file}", None)
        file.touch()
        self.office = Office(folder / "sources", self.database, runtime)
        self.office.declare(stream={"cursor": None})
        self.runtime, self.tables = runtime, [one for one in emptied() if one not in _KEPT]

    def begin(self, rows: list[dict[str, str]]) -> None:
        self.database.run("DELETE FROM licence")
        for number, row in enumerate(rows):
            self.office.put(ID=f"L-{number}", **row)
        with self.runtime.engine.begin() as connection:
            for table in self.tables:
                connection.exec_driver_sql(f"DELETE FROM {table}")

    def ask(self, number: str) -> live.Brought:
        return live.look_up(
            self.runtime, self.office.source(), STREAM, [number], seconds=10, wait=1,
            connections=lambda _: self.database.url,
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        assert check(self.runtime.engine) == []
        found = digest.digest(self.runtime.engine)
        return {name: said for name, said in found.items() if name.startswith("core.") or name in ALIKE}


@pytest.fixture(scope="module")
def laboratory(
    server: EmbeddedServer, template: str, key_ring: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laboratory]:
    execute(server, f"CREATE DATABASE live_lab TEMPLATE {template}")
    folder = tmp_path_factory.mktemp("live")
    runtime = Runtime.open(Settings(home=folder / "home", database_url=server.url("live_lab"), keys=key_ring))  # type: ignore[arg-type]  # as the environment says them
    yield Laboratory(runtime, folder)
    runtime.engine.dispose()
    execute(server, "DROP DATABASE live_lab WITH (FORCE)")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_ROWS, asked=st.lists(_NUMBERS, max_size=4))
def test_what_is_asked_is_what_would_have_been_pulled(
    laboratory: Laboratory, rows: list[dict[str, str]], asked: list[str]
) -> None:
    laboratory.begin(rows)
    told = laboratory.office.pull()
    assert told["read"] == len(rows)
    pulled = laboratory.state()
    laboratory.begin(rows)
    for number in asked:
        brought = laboratory.ask(number)
        assert brought.read == sum(row["CERT_NO"] == number for row in rows)
        assert len(brought.kept) <= brought.read
    told = laboratory.office.pull()
    assert told["unchanged"] == sum(row["CERT_NO"] in asked for row in rows), "no word of it is read twice"
    assert laboratory.state() == pulled
