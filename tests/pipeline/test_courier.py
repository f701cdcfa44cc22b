"""Receipts travel beside the loading: nobody waits for them, and none is lost when something goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest
import sqlalchemy as sa

from connectors.seam import Receipt
from connectors.source import Source, StreamSpec
from hub.documents import Documents
from hub.errors import RetrySource
from normalization.mapping import load_mapping
from pipeline.pulls.courier import courier
from pipeline.pulls.exchange import opened
from pipeline.work import Line, Work, transaction
from sharedrepo.feeds import receipts
from tests.departments import Department
from tests.journeys.conftest import Hub


class Office:
    """The source's end: keeps what it is told, answers when it may, and refuses when it is out of order."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.asked = threading.Event()
        self.open = threading.Event()
        self.open.set()
        self.broken = False

    def only_look(self) -> None:
        """Say nothing from now on."""

    def acknowledge(self, stream: StreamSpec, receipts_: Sequence[Receipt]) -> None:
        self.asked.set()
        assert self.open.wait(30), "nobody opened the office: the loading waited for it"
        if self.broken:
            raise RetrySource(source="labour", stream=stream.name, got="the office is out of order")
        self.told += [one.token for one in receipts_]


@pytest.fixture
def work(hub: Hub, department: Department) -> Iterator[Work]:
    source: Source = hub.source()
    with opened(hub.runtime, source, load_mapping(source.mapping, Documents.load())) as held:
        yield held


@pytest.fixture
def line(work: Work) -> Line:
    return work.lines["PRE_NODE"]


def owe(work: Work, line: Line, *tokens: str) -> None:
    with transaction(work) as cursor:
        owed = [receipts.Owed(token, "new") for token in tokens]
        receipts.owe(cursor, stream_id=line.stream_id, batch_id=1, receipts=owed)


def left(work: Work) -> list[str]:
    with work.runtime.engine.connect() as connection:
        return list(connection.execute(sa.text("SELECT token FROM ledger.receipt ORDER BY receipt_id")).scalars())


def test_the_loading_goes_on_while_the_source_is_told(work: Work, line: Line) -> None:
    office = Office()
    office.open.clear()
    with courier(work, line, office, idle=False) as send:
        owe(work, line, "a")
        send()
        assert office.asked.wait(30)
        owe(work, line, "b")
        send()
        office.open.set()
    assert office.told == ["a", "b"]
    assert left(work) == []


def pull(work: Work, line: Line, office: Office, *, sends: bool = True, fails: bool = False) -> None:
    """A pull that owes one receipt, and perhaps comes to grief after it."""
    with courier(work, line, office, idle=False) as send:
        owe(work, line, "a")
        if sends:
            send()
        if fails:
            raise ZeroDivisionError


def test_what_is_owed_is_handed_over_even_where_the_pull_fails(work: Work, line: Line) -> None:
    office = Office()
    with pytest.raises(ZeroDivisionError):
        pull(work, line, office, sends=False, fails=True)
    assert (office.told, left(work)) == (["a"], [])


def test_a_source_that_cannot_be_told_ends_the_pull_and_is_owed_on(work: Work, line: Line) -> None:
    office = Office()
    office.broken = True
    with pytest.raises(RetrySource, match="out of order"):
        pull(work, line, office)
    assert left(work) == ["a"]


def test_the_trouble_that_ended_the_pull_is_the_one_that_is_told(work: Work, line: Line) -> None:
    office = Office()
    office.broken = True
    with pytest.raises(ZeroDivisionError):
        pull(work, line, office, fails=True)
    assert left(work) == ["a"]


def test_a_dry_run_tells_nobody(work: Work, line: Line) -> None:
    office = Office()
    with courier(work, line, office, idle=True) as send:
        owe(work, line, "a")
        send()
    assert (office.told, left(work)) == ([], ["a"])
