"""Content hashes of canonical rows: over names and values that are there, the same however the columns are held."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.documents import Documents
from hub.protect import Protector
from hub.protect.keys import new_ring
from pipeline.preparing.protecting import content_hashes

PROTECTOR = Protector(new_ring())
EVENT = Documents.load()["stage_event"]
CELL = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(["", "=", "\x1f"])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"stage": CELL, "outcome": CELL, "opinion": CELL, "case": CELL}), max_size=5),
    st.booleans(),
)
def test_a_row_is_hashed_over_what_it_says(rows: list[dict[str, str | None]], whole: bool) -> None:
    names = ("stage", "outcome", "opinion") if whole else ("stage",)
    frame = pd.DataFrame({name: pd.array([row[name] for row in rows], dtype="str") for name in names})
    numbers = pa.array([row["case"] for row in rows], pa.large_string())
    wanted = []
    for row in rows:
        said = {"case_number": row["case"], **{name: row[name] for name in sorted(names)}}
        parts = ["stage_event", *(f"{name}={value}" for name, value in said.items() if value is not None)]
        wanted.append(PROTECTOR.content_hash("\x1f".join(parts).encode()))
    assert content_hashes(EVENT, frame, numbers, PROTECTOR) == wanted
