"""Complaint 2: the state grows with what was read, until it breaks the pipelines that share its table."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from connectors.source import Cursor
from hub.errors import StateTooLarge
from sharedrepo.feeds.streams import MOST_STATE
from tests.complaints.parts import sliced
from tests.connectors.parts import opened, stream
from tests.journeys.conftest import Hub

ROWS = 100_000
FEW_VALUES = 512
"""So many bytes hold a few values."""


def test_the_state_of_a_table_is_a_few_values_though_all_rows_share_one_time(tmp_path: Path) -> None:
    """The worst case for engines that keep a hash for each row of the newest time."""
    file = tmp_path / "system.sqlite"
    with closing(sqlite3.connect(file)) as system:
        system.execute("CREATE TABLE events (id integer PRIMARY KEY, at text)")
        system.executemany("INSERT INTO events VALUES (?, '2026-03-02 09:00:00')", ((one,) for one in range(ROWS)))
        system.commit()
    one = stream("events", cursor=Cursor("at"), key=("id",))
    connector = opened("database", f"sqlite:///{file}", one)
    read, sizes = 0, []
    for piece in connector.read(one, {}, slice_size=20_000, full=False):
        read += piece.read
        sizes.append(len(json.dumps(piece.state)))
    assert read == ROWS
    assert max(sizes) < FEW_VALUES


def test_the_state_of_files_names_files_and_no_rows(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("id\n" + "\n".join(map(str, range(ROWS))) + "\n", encoding="utf-8")
    one = stream("events", path="*.csv", format="csv")
    slices = list(opened("files", str(tmp_path), one).read(one, {}, slice_size=20_000, full=False))
    assert sum(piece.read for piece in slices) == ROWS
    assert all(len(json.dumps(piece.state)) < FEW_VALUES for piece in slices)


HOARDER = """
from connectors.seam import CheckReport
from hub.records import Slice

class Hoarder:
    def __init__(self, source, url, keyed_hash):
        self.source = source

    def check(self):
        return CheckReport(self.source.code, ())

    def discover(self):
        return []

    def read(self, stream, state, *, slice_size, full):
        yield Slice(stream.name, [], [], {"page": 1})
        yield Slice(stream.name, [], [], {"page": 2, "seen": ["0" * 30] * 150_000}, last=True)
"""


def test_a_state_beyond_its_limit_is_a_loud_error_and_what_stood_before_stays(hub: Hub) -> None:
    hub.department.declare(kind="own", streams=("PRE_APASINFO",), each={"cursor": None})
    (hub.department.folder / "connector.py").write_text(HOARDER, encoding="utf-8")
    with pytest.raises(StateTooLarge) as told:
        hub.pull()
    said = str(told.value)
    assert "source labour, stream PRE_APASINFO: its state would take 4,950,0" in said
    assert f"(seen: 150000) (known: at most {MOST_STATE:,} bytes)" in said
    assert "afterwards: move" in said
    assert hub.one("SELECT state FROM ledger.stream WHERE name = 'PRE_APASINFO'") == {"page": 1}
    assert hub.one("SELECT count(*) FROM ledger.batch") == 1


def test_after_any_number_of_slices_the_repository_holds_one_state_a_stream(hub: Hub) -> None:
    for number in range(60):
        hub.department.put("PRE_APASINFO", PROJID=f"C-{number}")
    hub = Hub(sliced(hub.runtime, 3), hub.department)
    hub.pull()
    hub.pull()
    assert hub.one("SELECT count(*) FROM ledger.batch WHERE stream_id = 1") >= 40
    assert hub.one("SELECT count(*), max(octet_length(state::text)) < 512 FROM ledger.stream") == (4, True)
