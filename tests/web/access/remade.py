"""Writes the cells of `matrix.csv` anew: `pytest tests/web/access/remade.py`. **Read** the difference afterwards.

For a new route: append a row with its method, route and an address to ask, then run this.
"""

from __future__ import annotations

import csv

from tests.web.access.test_access_matrix import MATRIX, ROW, hub, rows
from tests.web.access.world import KINDS, World

__all__ = ["hub"]


def test_write(hub: World) -> None:  # the fixture of this name
    listed = [[row[name] for name in ROW] for row in rows()]
    listed.sort(key=lambda row: row[1] == "/sign-out")  # who signed out asks for nothing more
    asked = [(row, [hub.ask(kind, *row) for kind in KINDS]) for row in listed]
    with MATRIX.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows([[*ROW, *KINDS], *([*row, *cells] for row, cells in asked)])
