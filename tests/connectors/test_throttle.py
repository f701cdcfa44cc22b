"""Rates: no system is asked for more in a second than its stream declares, counted where it answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.loading import load_sources
from connectors.throttle import Throttle
from hub.errors import ConfigError
from kit.suite.loopback import Quiet, serving
from tests.connectors.conftest import Department
from tests.connectors.parts import pull, records, stream

PAGES = {"records": "/data", "paging": {"style": "page", "param": "page"}, "backoff": 0.001}


class Counting:
    """A service of five pages that notes when it is asked; its third answer is a refusal, which is asked again."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.url = ""

    def handler(self, own: str) -> type[Quiet]:
        """Return what answers at `own`."""
        service = self
        service.url = f"http://{own}"

        class Handler(Quiet):
            def do_GET(self) -> None:
                service.asked.append(time.monotonic())
                page = int(self.path.rpartition("=")[2])
                body = json.dumps({"data": [{"id": page}] if page <= 5 else []}).encode()
                self.say(503 if len(service.asked) == 3 else 200, {"Content-Type": "application/json"}, body)

        return Handler


@pytest.fixture
def service() -> Iterator[Counting]:
    made = Counting()
    with serving(made.handler):
        yield made


def test_a_service_is_asked_no_faster_than_declared_retries_among_them(service: Counting) -> None:
    one = replace(stream("cases", **PAGES), rate={"requests": 10})
    began = time.monotonic()
    assert [found["id"] for found in records(pull("rest", service.url, one))] == [1, 2, 3, 4, 5]
    assert len(service.asked) == 7  # five pages, the empty one after them, and the one that was asked again
    # Not the times between two of them: what one is late by on its way is missing before the next.
    assert all(asked - began > place * 0.1 - 0.001 for place, asked in enumerate(service.asked))


def test_without_a_rate_nothing_waits() -> None:
    waits: list[float] = []
    one = Throttle(None, clock=lambda: 0.0, sleep=waits.append)
    for _ in range(100):
        one.take(1_000)
    assert not one.slows
    assert waits == []


def test_rows_are_read_in_portions_of_a_second(department: Department) -> None:
    department.run("CREATE TABLE cases (id integer PRIMARY KEY, name varchar(20))")
    department.run(*(f"INSERT INTO cases VALUES ({number}, 'x')" for number in range(60)))
    one = replace(stream("cases", key=("id",), table="cases", **department.options), rate={"rows": 50})
    began = time.monotonic()
    slices = pull("database", department.url, one, size=1000)
    assert [len(piece.records) for piece in slices] == [50, 10]
    assert time.monotonic() - began > 0.99


@pytest.mark.parametrize("kind", ["local", "fetched"])
def test_a_file_is_read_no_faster_than_declared(tmp_path: Path, kind: str) -> None:
    text = "id,name\n" + "".join(f"{number},{'name' * 250}\n" for number in range(4000))  # several blocks
    if kind == "local":
        (tmp_path / "a.csv").write_text(text)
        url = str(tmp_path)
    else:
        url = f"memory://throttle-{time.monotonic_ns()}"
        with fsspec.open(f"{url}/a.csv", "w") as handle:
            handle.write(text)
    one = replace(stream("cases", path="*.csv", format="csv"), rate={"bytes": len(text)})
    began = time.monotonic()
    assert len(records(pull("files", url, one, size=10_000))) == 4000
    assert 0.8 < time.monotonic() - began < 60


@given(st.lists(st.integers(1, 50), max_size=30), st.integers(1, 20))
def test_in_no_span_does_more_pass_than_its_rate_allows(counts: list[int], rate: int) -> None:
    now = [0.0]
    throttle = Throttle(rate, clock=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
    passed: list[tuple[float, int]] = []
    for count in counts:
        throttle.take(count)
        passed.append((now[0], count))
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            before = sum(count for _, count in passed[first:last])
            assert before <= (passed[last][0] - passed[first][0]) * rate + 1e-6


def test_a_rate_that_the_kind_does_not_know_is_a_fault_of_the_file(tmp_path: Path) -> None:
    home = tmp_path / "hall"
    home.mkdir()
    (home / "source.yml").write_text(
        "version: 2\ncode: hall\ntitle: {zh: 厅}\nowner: {organ: 11330000002482285J, name: o, contact: c}\n"
        "legal_basis: l\norgan: 11330000002482285J\nkind: rest\nprofile: zhejiang-pre\nconnection: hall\n"
        "streams:\n  PRE_APASINFO:\n    options: {path: cases}\n    rate: {rows: 10}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"source.yml:13: kind rest has no rate of rows; it has requests"):
        load_sources([home])
