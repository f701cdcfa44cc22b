"""What hostile cases are judged by: each process has bounds of its own, and one that ends early is no refusal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.connectors.parts import stream
from tests.hostile.probe import read_apart


def test_what_one_case_takes_is_not_billed_to_the_next(tmp_path: Path) -> None:
    (tmp_path / "large.json").write_text(json.dumps([{"a": "x" * 1000}] * 20_000))
    (tmp_path / "small.json").write_text('[{"a": "x"}]')
    small, large, again = (
        read_apart("files", str(tmp_path), stream("s", path=f"{name}.json", format="json"))
        for name in ("small", "large", "small")
    )
    assert (small["read"], large["read"], again["read"]) == (1, 20_000, 1)
    assert large["peak_mib"] > small["peak_mib"] + 20
    assert large["seconds"] > again["seconds"]
    assert again["peak_mib"] < small["peak_mib"] + 5


def test_a_process_that_ends_before_it_tells_is_no_refusal(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no such kind"):
        read_apart("no such kind", str(tmp_path), stream("s", path="*", format="csv"))
