"""Great Expectations' own pages: built on demand, of the worst sets, as many as asked, into an empty folder only."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from quality.sets.datadocs import FolderTaken, build
from tests.departments import Department
from tests.journeys.conftest import Hub


def test_the_worst_sets_are_told_and_nothing_is_kept(hub: Hub, department: Department, tmp_path: Path) -> None:
    for number in range(30):
        department.case(f"C{number}")
    hub.pull()
    given = hub.runtime.engine, [hub.source()], hub.runtime.documents, tmp_path / "pages"
    index, told = build(*given, source=None, runs=2, as_of=date(2026, 4, 1))
    assert index.is_file()
    assert len(told) == 2
    assert told[0]["failed"] >= told[1]["failed"] > 0
    validations = list((tmp_path / "pages" / "validations").rglob("*.html"))
    assert len(validations) == 2
    assert hub.one("SELECT count(*) FROM quality.set_result") == 0
    with pytest.raises(FolderTaken, match="is not empty"):
        build(*given, source=None, runs=2, as_of=None)
