"""Double-publicity sheets (行政许可双公示): decision and certificate of each permission, without its case.

Three departments have no other system that can be read (source folder `double-publicity-sheets`). A sheet holds the
permissions of a month; a row has no version, so that the newest sheet speaks. The hub's profile is `double-publicity`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any

from demo.model import Case, Certificate, Decision, Defect, Department, Placed, Precision, UnitMark
from demo.shapes import trim
from demo.shapes.contracts import PROFILES, by_name, contract
from demo.shapes.folders import Files, FolderSystem, Found
from demo.shapes.record import Entry, Values, joined, key_of, party_faults
from demo.shapes.system import Delivery

_HERE = PROFILES / "double-publicity"
STREAM = "XK_2020"
STREAMS = by_name(
    contract(
        _HERE, STREAM, key=("XK_XKJGDM", "XK_WSH"), hangs=False,
        decides="XK_ZT", other="XK_XDR_LB", text="XK_NR", moment="XK_YXQZ",
    )
)  # fmt: skip
_CLASS = {"natural": "自然人", "individual_business": "个体工商户"}
_NUMBER = ("XK_XDR_SHXYM", "XK_XDR_ZJHM")


class DoublePublicityShape(FolderSystem):
    """Sheets in UTF-8 CSV, as Excel saves them."""

    name = "double_publicity"
    parks = False
    precision: Precision = "d"
    # On day 2 a small department may grant nothing and send no sheet: a change of its columns would not be seen.
    carries = frozenset({
        "credit_code_check", "resident_id_check", "placeholder", "validity_reversed",
        "unknown_code_deciding", "unknown_code_other", "too_long", "missing_key", "unreadable_date",
        "wrong_encoding", "broken_row", "volume_below",
    })  # fmt: skip
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case where it ended in a permission, with its decision and certificate alone."""
        granted = tuple(one for one in case.decisions if one.outcome == "granted" and one.document_number)[:1]
        if not granted:
            return None
        known = trim.without(
            case, "acceptance", "events", "suspensions", "supplements", "materials", "fees", "deliveries", "links",
            "identifiers", "agent", "contact", "legal_person",
        )  # fmt: skip
        return trim.coarse(replace(known, decisions=granted, certificates=case.certificates[:1]), "d")

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the row of a permission."""
        for decision in case.decisions:
            yield _permission(department, case, decision, next(iter(case.certificates), None))

    def stamped(self, delivery: Delivery) -> Values:
        """Return the row as it is: it has neither version nor time."""
        return delivery.entry.values

    def files(
        self, folder: Path, name: str, department: Department, day: date, plans: Mapping[str, Defect]
    ) -> AbstractContextManager[Files]:
        """Open the sheet of one part."""
        del department, day
        return _Sheet(folder / f"双公示_{name}.csv", plans if name.endswith("_01") else {})

    def cut_short(self, folder: Path, name: str) -> None:
        """Not asked of this shape: a sheet has no closing line that could be missing."""
        raise NotImplementedError(f"{folder.name}/{name}")

    def spoiled_file(
        self, kind: str, folder: Path, name: str, department: Department, copies: list[Delivery], *, dry: bool
    ) -> Found:
        """Deliver a sheet saved in another encoding, or one that holds nothing but its header."""
        file = folder / f"双公示_{name}.csv"
        if not dry:
            with _Sheet(file, {}, "gb18030" if kind == "wrong_encoding" else "utf-8-sig") as sheet:
                sheet.begin()
                for copy in copies if kind == "wrong_encoding" else []:
                    sheet.put(copy.entry, copy.entry.values)
        yield UnitMark(department.code, STREAM, file.name, 1, kind, kind)

    def spoiled_units(
        self, department: Department, work: Any, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Found:
        """Name the findings of what was spoiled in the honest sheets."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        if "broken_row" in plans:
            yield Placed(
                department.code, STREAM, None, day, "quarantined", None, None, ("unreadable_record",), "broken_row"
            )


class _Sheet:
    """One sheet, opened with its first row."""

    def __init__(self, file: Path, plans: Mapping[str, Defect], encoding: str = "utf-8-sig") -> None:
        self._file, self._plans, self._encoding = file, plans, encoding
        self._fields = list(STREAMS[STREAM].fields)
        self._handle: Any = None
        self._lines: Any = None

    def __enter__(self) -> _Sheet:
        return self

    def begin(self) -> None:
        """Write the header."""
        self._handle = self._file.open("w", encoding=self._encoding, newline="")
        self._lines = csv.writer(self._handle)
        self._lines.writerow(self._fields)

    def put(self, entry: Entry, values: Values) -> None:
        """Write one row."""
        del entry
        if self._handle is None:
            self.begin()
            if "broken_row" in self._plans:
                self._lines.writerow([*("误" for _ in self._fields), "多", "列"])
        self._lines.writerow([values.get(field) for field in self._fields])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.close()


def _permission(department: Department, case: Case, decision: Decision, made: Certificate | None) -> Entry:
    holder = made.holder if made else case.applicant
    natural = holder.kind == "natural"
    day = decision.decided.date().isoformat()
    status = made.statuses[-1].status if made else "valid"
    values = {
        "XK_XDR_MC": holder.name, "XK_XDR_LB": _CLASS.get(holder.kind, "法人及非法人组织"),
        _NUMBER[natural]: holder.number, "XK_XDR_ZJLX": "身份证" if natural else None,
        "XK_XKWS": decision.document_name, "XK_WSH": decision.document_number, "XK_XKLB": "普通",
        "XK_XKZS": made.type if made else None, "XK_XKBH": made.number if made else None, "XK_NR": decision.content,
        "XK_JDRQ": day, "XK_YXQZ": made.valid_from.isoformat() if made else day,
        "XK_YXQZI": made.valid_to.isoformat() if made and made.valid_to else "2099-12-31",
        "XK_XKJG": department.name, "XK_XKJGDM": case.organ.code,
        "XK_ZT": "1" if status in ("valid", "suspended") else "2",
        "XK_LYDW": department.name, "XK_LYDWDM": department.organ,
    }  # fmt: skip
    kept = (fault for fault in made.faults if fault != "certificate_id_invalid") if made else ()
    faults = joined(decision.faults, kept, party_faults(holder, phone=False))
    key = key_of(STREAMS[STREAM], values)
    return Entry(STREAM, "case", key, case.number, values, 1, decision.reported_at, faults)
