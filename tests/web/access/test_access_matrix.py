"""The access matrix: every way to read, asked by everybody; nobody sees what was not granted.

`matrix.csv` beside this file has a row for each way (a route with a filter, an expansion, a bulk, a view, a table) and
a column for each kind of asker. A cell is the status and the letters of the secrets that the answer tells
(`world.SECRETS`).
A route or a view without a row fails here; `remade.py` writes the cells of new rows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from hub.settings import Settings
from hub.visitor import CHIEF, RIGHTS
from pipeline.runtime import Runtime
from sharedrepo.access import readers
from tests.web.access import world
from tests.web.access.world import KINDS, World
from tests.web.serving import serving
from web.app import create

MATRIX = Path(__file__).with_name("matrix.csv")
ROW = ("method", "route", "asked")
SUPERVISORS = {"supervisor", CHIEF}
"""They see the cases of every department, by number and by organ."""
PUBLISHED = ("/ranking", "/supervision/ranking")
"""A published ranking names every organ to everybody."""


def rows() -> list[dict[str, str]]:
    with MATRIX.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture
def hub(settings: Settings, runtime: Runtime) -> Iterator[World]:
    with serving(lambda: runtime) as url:
        made = world.made(url, settings, runtime)
        yield made
        world.gone(made)


def test_every_route_and_every_view_has_its_rows_and_every_kind_of_asker_its_column() -> None:
    listed = {(row["method"], row["route"]) for row in rows()}
    routes = {(method, one.path) for one in create().routes if isinstance(one, APIRoute) for method in one.methods}
    below = {("SQL", name) for name in (*readers.VIEWS, *readers.COLUMNS)}
    assert sorted((routes | below) - listed) == [], "a new way to read belongs into the matrix"
    assert sorted(listed - routes - below - {("SQL", "other tables")}) == [], "rows of ways that are gone"
    assert {*rows()[0]} == {*ROW, *KINDS}
    assert set(RIGHTS) <= set(KINDS), "a new role belongs into the matrix"


def test_nobody_sees_what_was_not_granted(hub: World) -> None:
    wrong = []
    for row in rows():
        for kind in KINDS:
            got = hub.ask(kind, row["method"], row["route"], row["asked"])
            if got != row[kind]:
                wrong.append((*(row[name] for name in ROW), kind, f"expected {row[kind]}", f"got {got}"))
    assert wrong == []
    told = {letter for row in rows() for kind in KINDS for letter in row[kind].partition(" ")[2]}
    assert told == {*"ABCDFGHIKOQRUVXYZ"}, (
        "whoever is meant to see a secret does, so that its absence elsewhere says something"
    )


@pytest.mark.parametrize(
    ("letters", "kinds"),
    [
        ("C", {"check granted", "check issuer"}),
        ("K", {"check issuer"}),
        ("PN", set()),
        ("V", {"steward", "department_steward", "department_steward other"}),
        ("F", {"quality own", "steward", "department_steward", "supervisor", "engineer"}),
        ("G", {"quality other", "steward", "department_steward other", "supervisor", "engineer"}),
        ("D", {"department_steward", "supervisor", "legal_office", "reform_commission"}),
        ("I", {"check issuer", "department_steward", "supervisor", "legal_office", "reform_commission"}),
        (
            "A",
            {
                "portal",
                "check granted",
                "officers own",
                "issuing_officer",
                "department_steward",
                "personal_data_officer",
                *SUPERVISORS,
            },
        ),
        ("R", {"check granted", *SUPERVISORS}),
        ("B", {"check issuer", "steward", "department_steward", "supervisor", "engineer"}),
        ("H", {"steward", "department_steward", "supervisor", "engineer"}),
        ("XY", {"check granted"}),
        ("Q", {"officers own", "issuing_officer"}),
        ("O", {"check granted", "officers own", "issuing_officer"}),
        ("U", {"personal_data_officer"}),
        ("Z", {"cards own", "department_steward", *SUPERVISORS}),
    ],
)
def test_the_matrix_itself_shows_each_secret_to_those_only_whom_it_is_meant_for(letters: str, kinds: set[str]) -> None:
    """The table is the promise; this reads it, so that no careless cell becomes one."""
    meant = [row for row in rows() if letters != "A" or not row["route"].startswith(PUBLISHED)]
    seen = {kind for row in meant for kind in KINDS if set(letters) & set(row[kind].partition(" ")[2])}
    assert seen <= kinds
