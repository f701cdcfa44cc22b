"""Faults that a part above the findings hands to them: all of a rule at once, so that what is gone closes by itself.

Findings stand below supervision and never ask it. It says here what it found; issues are made of that as of all else
that is wrong (`quality.issues`): with an owner, a due date and a page, and they close when it looked again and found
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from hub.findings import rule

PLACES: Final = 20
"""So many places of a fault are handed over at most; of the others the count."""

_LOOKED: Final = """
INSERT INTO quality.handed_look (rule, at) VALUES (:rule, clock_timestamp())
ON CONFLICT (rule) DO UPDATE SET at = excluded.at
"""
_GONE: Final = """
DELETE FROM quality.handed_fault
WHERE rule = :rule AND NOT (organ = ANY(:organs)) AND (CAST(:only AS text[]) IS NULL OR organ = ANY (:only))
"""
_FOUND: Final = """
INSERT INTO quality.handed_fault (rule, organ, records, of_records, since, places)
SELECT :rule, f.organ, f.records, f.of_records, f.since, f.places
FROM jsonb_to_recordset(CAST(:faults AS jsonb))
    AS f (organ text, records bigint, of_records bigint, since timestamptz, places jsonb)
ORDER BY f.organ
ON CONFLICT (rule, organ) DO UPDATE SET records = excluded.records, of_records = excluded.of_records,
    since = excluded.since, places = excluded.places
"""


@dataclass(frozen=True, slots=True)
class Handed:
    """One fault of one organ (empty: of the hub): `records` of `of_records` show it, some of them at `places`.

    A place says `case`, `what`, `since`, or other words that people may see; never a value of a person.
    """

    organ: str
    records: int
    of_records: int
    since: datetime
    places: Sequence[Mapping[str, Any]] = ()


def hand_over(
    connection: sa.Connection, code: str, faults: Sequence[Handed], *, organs: Sequence[str] | None = None
) -> None:
    """Say everything that is wrong by a rule now; what was said before and is not said again is gone.

    With `organs` only these were looked at: what was said of others stands.

    Raises:
        KeyError: there is no such rule, or it is none that is handed over.
    """
    if rule(code).scope != "watch":
        raise KeyError(f"rule {code!r} is not handed over: its scope is {rule(code).scope}")
    said = [
        {
            "organ": one.organ, "records": one.records, "of_records": one.of_records, "since": one.since,
            "places": list(one.places[:PLACES]),
        }
        for one in faults
    ]  # fmt: skip
    connection.execute(sa.text(_LOOKED), {"rule": code})
    only = None if organs is None else list(organs)
    connection.execute(sa.text(_GONE), {"rule": code, "organs": [one.organ for one in faults], "only": only})
    if said:
        connection.execute(sa.text(_FOUND), {"rule": code, "faults": orjson.dumps(said).decode()})
