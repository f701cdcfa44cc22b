"""Months as a test writes them: rows with good values where nothing is said, frozen into files or a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from supervision.appraisal import formulas, inputs, rates
from supervision.appraisal.formulas import Published
from supervision.appraisal.inputs import FORMULA, MANIFEST, Inputs
from supervision.appraisal.terms import FILES

MONTH = "2026-10"
ORGAN, OTHER, THIRD = "11330000002482285J", "11330000002482293D", "11330000002482307B"

GOOD: dict[str, dict[str, str]] = {
    "organs.csv": {"organ": ORGAN, "name": "人力资源和社会保障厅", "level": "province", "city": "", "county": ""},
    "regions.csv": {"region": "330100", "name": "杭州市", "level": "city"},
    "cases.csv": {
        "case": "", "organ": ORGAN, "city": "", "county": "", "item": "X1", "in_force": "1", "kind": "promised",
        "received": "2026-10-09", "accepted": "2026-10-09", "due": "2026-10-23", "closed": "2026-10-15",
        "verdict": "early", "legal": "20", "promised": "10", "used": "4", "missing": "", "lag_hours": "0.50",
        "back_entered": "0",
    },
    "items.csv": {"organ": ORGAN, "item": "X1", "legal": "20", "promised": "10", "has_cases": "1"},
    "cards.csv": {
        "card": "", "case": "", "organ": ORGAN, "city": "", "county": "", "kind": "time", "level": "yellow",
        "rule": "overdue", "raised": "2026-10-20", "state": "sent", "unanswered": "0",
    },
    "ratings.csv": {
        "rating": "", "case": "", "organ": ORGAN, "city": "", "county": "", "channel": "2", "satisfaction": "5",
        "rated": "2026-10-16", "mended_in_time": "",
    },
    "entries.csv": {
        "entry": "", "level": "department", "unit": ORGAN, "head": "integrity", "unit_value": "-2", "quantity": "1",
        "reason": "审计通报", "entered_by": "cli:zhou", "entered": "2026-11-02",
    },
    "feeds.csv": {"organ": ORGAN, "source": "labour", "stream": "cases", "complete_through": "2026-11-01",
                  "basis": "declared", "pulled": "2026-11-01", "behind": "0"},
}  # fmt: skip
_KEYS = {"cases.csv": "case", "cards.csv": "card", "ratings.csv": "rating", "entries.csv": "entry"}


class Month:
    """A month that a test fills row by row; each organ that is named is there, with a feed that is complete."""

    def __init__(self, formula: Published | None = None) -> None:
        self.tables: dict[str, list[dict[str, str]]] = {name: [] for name in FILES}
        self.formula = formula or formulas.named("full/v1")

    def put(self, file: str, count: int = 1, **said: str) -> Month:
        """Write rows of a file (its name without .csv)."""
        name = f"{file}.csv"
        for _ in range(count):
            row = {**GOOD[name], **said}
            if name in _KEYS and not row[_KEYS[name]]:
                row[_KEYS[name]] = f"{len(self.tables[name]):020x}"
            self.tables[name].append(row)
        return self

    def organs(self, *codes: str) -> Month:
        """Write organs with a complete feed each."""
        for code in codes:
            self.put("organs", organ=code, name=f"部门 {code[-4:]}").put("feeds", organ=code)
        return self

    def files(self, change: Callable[[str, bytes], bytes] = lambda _name, data: data) -> dict[str, bytes]:
        """Freeze the month; `change` may meddle with files before the manifest is made over them."""
        made = {
            name: change(name, inputs.written(columns, [[row[one] for one in columns] for row in self.tables[name]]))
            for name, columns in FILES.items()
        } | {FORMULA: self.formula.data, rates.FILE: rates.own()}
        return {MANIFEST: inputs.manifest_of(MONTH, made, {}, formula=self.formula.formula.name), **made}

    def opened(self) -> Inputs:
        """Read the frozen month as a recomputation does."""
        files = self.files()
        return inputs.opened(lambda name, _largest: files[name], MONTH)

    def folder(self, place: Path, files: dict[str, bytes] | None = None) -> Path:
        """Write the frozen month into a folder."""
        place.mkdir(parents=True)
        for name, data in (files or self.files()).items():
            (place / name).write_bytes(data)
        return place


def unit(ranking: dict[str, Any], code: str = ORGAN, level: str = "department") -> dict[str, Any]:
    """Return one unit of a ranking."""
    return next(one for one in ranking["levels"][level] if one["unit"] == code)


def points(found: dict[str, Any], head: str) -> str:
    """Return the points of a unit's head or part."""
    both = {one["head"]: one["points"] for one in found["heads"]} | {
        one["part"]: one["points"] for one in found["parts"]
    }
    return str(both[head])
