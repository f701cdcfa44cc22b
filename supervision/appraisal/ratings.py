"""好差评: takes ratings in from a file, each once by its number; what applicants wrote is not taken.

Columns are those of the rating platform or ours: `assessNumber` number, `organ`, `case_number`, `channel` (1 PC, 2
mobile, 3 QR code, 4 tablet in the hall, 5 other), `satisfaction` (5 非常满意 to 1 非常不满意), `rated_on`, `mended_on`
(整改), `valid` (1 or 0).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from supervision.appraisal.errors import EntryRefused

LARGEST: Final = 64 << 20
SHOWN: Final = 20
_LONGEST: Final = 100
_NAMES: Final = {
    "assessNumber": "number", "assess_number": "number", "评价编号": "number", "机构编码": "organ",
    "办件编号": "case_number", "评价渠道": "channel", "满意度": "satisfaction", "评价日期": "rated_on",
    "整改日期": "mended_on", "是否有效": "valid",
}  # fmt: skip
COLUMNS: Final = ("number", "organ", "case_number", "channel", "satisfaction", "rated_on", "mended_on", "valid")
_NEEDED: Final = ("number", "organ", "satisfaction", "rated_on")

_WRITE: Final = """
INSERT INTO supervision.rating AS r
    (number, organ, case_number, channel, satisfaction, rated_on, mended_on, valid, imported_by)
SELECT number, organ, nullif(case_number, ''), channel::smallint, satisfaction::smallint, rated_on::date,
    nullif(mended_on, '')::date, valid = '1', :actor
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t (number text, organ text, case_number text, channel text,
    satisfaction text, rated_on text, mended_on text, valid text)
ON CONFLICT (number) DO UPDATE
SET organ = excluded.organ, case_number = excluded.case_number, channel = excluded.channel,
    satisfaction = excluded.satisfaction, rated_on = excluded.rated_on, mended_on = excluded.mended_on,
    valid = excluded.valid, imported_by = excluded.imported_by, imported_at = now()
WHERE (r.organ, r.case_number, r.channel, r.satisfaction, r.rated_on, r.mended_on, r.valid)
    IS DISTINCT FROM (excluded.organ, excluded.case_number, excluded.channel, excluded.satisfaction,
        excluded.rated_on, excluded.mended_on, excluded.valid)
RETURNING (xmax = 0) AS made
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """How many ratings a file held, and what became of them."""

    read: int
    new: int
    changed: int

    @property
    def unchanged(self) -> int:
        """Return how many were there already, as they are."""
        return self.read - self.new - self.changed


def import_(engine: sa.Engine, file: Path, actor: str) -> Imported:
    """Take a CSV file of ratings in, whole or not at all.

    Raises:
        EntryRefused: it cannot be read, or lines are wrong: the first of them are listed.
    """
    import orjson  # noqa: PLC0415  # only when ratings are taken in

    if not file.is_file() or file.stat().st_size > LARGEST:
        raise EntryRefused(f"{file.name} is no file of at most {LARGEST >> 20} MiB. Nothing was taken in.")
    rows = _read(file.read_bytes(), file.name)
    with engine.begin() as connection:
        made = connection.execute(sa.text(_WRITE), {"rows": orjson.dumps(rows).decode(), "actor": actor}).scalars()
        flags = list(made)
    return Imported(len(rows), sum(flags), len(flags) - sum(flags))


def _read(data: bytes, name: str) -> list[dict[str, str]]:
    try:
        text = data.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        head = [_NAMES.get(one.strip(), one.strip()) for one in next(reader, [])]
        lines = [(reader.line_num, line) for line in reader if any(one.strip() for one in line)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise EntryRefused(f"{name} is no CSV in UTF-8 ({error}). Save it as such; nothing was taken in.") from None
    missing = [one for one in _NEEDED if one not in head]
    if missing or len(head) != len(set(head)):
        raise EntryRefused(f"{name}:1: the columns {', '.join(missing) or 'that stand once'} are needed (known are: "
                           f"{', '.join(COLUMNS)}). Nothing was taken in.")  # fmt: skip
    faults: list[str] = []
    rows: dict[str, dict[str, str]] = {}
    for line, values in lines:
        row = {"case_number": "", "channel": "5", "mended_on": "", "valid": "1"}
        row |= {key: value.strip() for key, value in zip(head, values, strict=False) if key in COLUMNS}
        wrong = list(_wrong(row)) if len(values) == len(head) else [f"{len(values)} values under {len(head)} columns"]
        if row.get("number") in rows:
            wrong.append("its number stands twice in the file")
        faults += [f"{name}:{line}: {one}" for one in wrong]
        rows[row.get("number", "")] = row
    if faults:
        more = f"\n… and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise EntryRefused("\n".join(faults[:SHOWN]) + more + "\nNothing was taken in.")
    return list(rows.values())


def _wrong(row: dict[str, str]) -> Iterator[str]:
    for name in ("number", "organ"):
        if not 0 < len(row[name]) <= _LONGEST or not row[name].isprintable():
            yield f"{name} is empty or too long"
    if len(row["case_number"]) > _LONGEST or not row["case_number"].isprintable():
        yield "case_number is too long"
    for name, known in (("channel", "12345"), ("satisfaction", "12345"), ("valid", "01")):
        if len(row[name]) != 1 or row[name] not in known:
            yield f"{name} {row[name][:20]!r} is none of {', '.join(known)}"
    yield from _wrong_days(row)


def _wrong_days(row: dict[str, str]) -> Iterator[str]:
    days: dict[str, date] = {}
    for name in ("rated_on", "mended_on"):
        if row[name] or name == "rated_on":
            try:
                days[name] = date.fromisoformat(row[name])
            except ValueError:
                yield f"{name} {row[name][:20]!r} is no day; write it as 2026-10-31"
    if len(days) > 1 and days["mended_on"] < days["rated_on"]:
        yield "it was mended before it was rated"


def counts(engine: sa.Engine, month: str) -> list[dict[str, Any]]:
    """Return how many ratings of each level of satisfaction a month has."""
    query = """SELECT satisfaction, count(*) AS ratings, count(*) FILTER (WHERE mended_on IS NOT NULL) AS mended
               FROM supervision.rating WHERE valid AND to_char(rated_on, 'YYYY-MM') = :month
               GROUP BY satisfaction ORDER BY satisfaction DESC"""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(query), {"month": month}).mappings()]
