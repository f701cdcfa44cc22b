"""Every case of the book comes out as it was computed by hand, in the table and day by day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from sharedrepo.embedded import EmbeddedServer
from supervision.clock import explaining
from supervision.clock.service import recount
from tests.conftest import Stock
from tests.supervision.clock.book import BOOK, Worked
from tests.supervision.world import World, at, day_of

_LONG = {"wd": "working_day", "cd": "calendar_day"}


def _limit(said: str | None) -> str | None:
    return said and " ".join(_LONG.get(word, word) for word in said.split(" "))


def _write(world: World, place: int, worked: Worked) -> int:
    item, case = dict(worked.item), dict(worked.case)
    code = case.pop("item_code", f"item-{place}")
    limits = {name: _limit(item.pop(name, None)) for name in ("promised", "legal")}
    since = date.fromisoformat(item.pop("since", "1990-01-01"))
    world.item(f"item-{place}", since=since, **limits, **item)  # type: ignore[arg-type]  # the book says them
    return world.case(f"B{place}", item=code, **case)


@pytest.fixture(scope="module")
def book(server: EmbeddedServer, supervised: Stock) -> Iterator[tuple[World, list[int]]]:
    """All cases of the book in one repository, computed together."""
    with _database(server, supervised.database) as engine:
        world = World(engine)
        numbers = [_write(world, place, worked) for place, worked in enumerate(BOOK)]
        with engine.begin() as connection:
            recount(connection)
        yield world, numbers


@contextmanager
def _database(server: EmbeddedServer, template: str) -> Iterator[sa.Engine]:
    def execute(statement: str) -> None:
        connection = psycopg2.connect(server.url("postgres"))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    execute(f"CREATE DATABASE hub_book TEMPLATE {template}")
    engine = sa.create_engine(server.url("hub_book", driver="psycopg2"))
    try:
        yield engine
    finally:
        engine.dispose()
        execute("DROP DATABASE hub_book WITH (FORCE)")


def test_the_book_has_more_than_eighty_cases_and_no_sentence_twice() -> None:
    sentences = [one.sentence for one in BOOK]
    assert len(sentences) > 80
    assert sorted(set(sentences)) == sorted(sentences)


@pytest.mark.parametrize("place", range(len(BOOK)), ids=[one.sentence for one in BOOK])
def test_a_case_of_the_book_comes_out_as_computed_by_hand(place: int, book: tuple[World, list[int]]) -> None:
    world, numbers = book
    row = world.clock(numbers[place], view="clock")
    want = dict(BOOK[place].want)
    moments = want.pop("now", {})
    assert {name: _got(row, name) for name in want} == {
        **want,
        **{name: at(want[name]) for name in ("due_at", "paused_since") if name in want},
    }
    for now, (due, left, *legal) in moments.items():
        found = world.clock(numbers[place], now)
        assert (day_of(found["due_at"]), found["left_days"]) == (due, left), now
        assert not legal or [day_of(found["legal_due_at"])] == legal, now


def _got(row: dict[str, Any], name: str) -> Any:
    return {
        "due": day_of(row["due_at"]), "legal_due": day_of(row["legal_due_at"]),
        "notice_due": day_of(row["notice_due_at"]),
        "used": row["used_days"], "paused": row["paused_days"], "extended": row["extended_days"],
    }.get(name, row.get(name))  # fmt: skip


@pytest.mark.parametrize("place", range(len(BOOK)), ids=[one.sentence for one in BOOK])
def test_a_case_of_the_book_is_explained_by_the_same_day(place: int, book: tuple[World, list[int]]) -> None:
    world, numbers = book
    with world.engine.begin() as connection:
        told = explaining.explain(connection, numbers[place])
    assert told.agrees, told
    if told.walk.due_at is not None and told.walk.paused_since is None:
        assert [one.day.isoformat() for one in told.days if one.does == "due"] == [BOOK[place].want["due"]]
