"""The frozen inputs of a month as files: sorted by code point, each line and each file under its digest.

Each line ends with a digest of itself (the first 16 hexadecimal digits of SHA-256 over the line before its last comma),
so that one changed digit is found in its line. A file's digest is SHA-256 over its lines in sorted order, which is that
of the file as it was exported: `sha256sum` says the same. The order in which the lines arrive means nothing.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from supervision.appraisal import formulas, rates
from supervision.appraisal.errors import InputsRefused
from supervision.appraisal.formulas import Published
from supervision.appraisal.rates import Rates
from supervision.appraisal.terms import FILES, MEASURES_VERSION

FORM: Final = 1
MANIFEST: Final = "manifest.json"
FORMULA: Final = "formula.yml"
LARGEST: Final = 1 << 30
LARGEST_MANIFEST: Final = 1 << 20
LONGEST_LINE: Final = 8_000
_DIGITS: Final = 16
_SEAL: Final = "line_digest"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+")
_MONTH: Final = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])")

_NUMBER: Final = r"(?:-?[0-9]{1,12}(?:\.[0-9]{1,6})?)?"
_DAY: Final = r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?"
_FORMS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("legal", "promised", "used", "lag_hours", "unit_value", "quantity"), _NUMBER),
    **dict.fromkeys(("received", "accepted", "due", "closed", "raised", "rated", "entered"), _DAY),
    **dict.fromkeys(("complete_through", "pulled"), _DAY),
    **dict.fromkeys(("in_force", "back_entered", "has_cases", "behind", "unanswered"), "[01]"),
    "mended_in_time": "[01]?",
    "satisfaction": "[1-5]",
    "case": "(?:[0-9a-f]{20})?",
}  # fmt: skip
"""How values of some columns look; one that looks otherwise is told by its line before anything is counted."""

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """The frozen inputs of a month: its manifest, the rows of each file, the formula and the definitions of rates."""

    month: str
    manifest: Mapping[str, Any]
    digest: str
    rows: Mapping[str, Sequence[Row]]
    formula: Published
    rates: Rates


def canonical(value: Any) -> bytes:
    """Write JSON in one form: keys sorted by code point, no spaces, UTF-8, a line end."""
    said = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return said.encode() + b"\n"


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def is_month(said: str) -> bool:
    """Say whether a text is a month, written as 2026-10."""
    return _MONTH.fullmatch(said) is not None


def written(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Write rows as a frozen file: sorted by code point, each line with its digest.

    Control characters become spaces: a line of the file is a row.
    """
    lines = sorted(_line([_CONTROL.sub(" ", value) for value in row]) for row in rows)
    head = _line([*columns, _SEAL])
    return "".join([f"{head}\n", *(f"{one},{_digest_of(one)}\n" for one in lines)]).encode()


def manifest_of(month: str, files: Mapping[str, bytes], private: Mapping[str, bytes], **more: Any) -> bytes:
    """Write the manifest over frozen files; private ones stand in it by digest, too."""
    return canonical({
        "appraisal": FORM, "month": month, "measures": MEASURES_VERSION, **more,
        "files": {name: {"sha256": sha256(data), "lines": data.count(b"\n")} for name, data in files.items()},
        "private": {name: {"sha256": sha256(data), "lines": data.count(b"\n")} for name, data in private.items()},
    })  # fmt: skip


def from_folder(folder: Path, month: str) -> Inputs:
    """Read exported inputs out of a folder; nothing else is asked of anybody.

    Raises:
        InputsRefused: they are not those that the manifest says, or of another month.
    """

    def fetch(name: str, largest: int) -> bytes:
        file = folder / name
        if not file.is_file():
            raise InputsRefused(name, f"there is no such file in {folder.name or 'the folder'}")
        if file.stat().st_size > largest:
            raise InputsRefused(name, f"it has more than {largest:,} bytes")
        return file.read_bytes()

    return opened(fetch, month)


def opened(fetch: Callable[[str, int], bytes], month: str) -> Inputs:
    """Read inputs, each file by `fetch(name, largest)`, and prove them by the manifest.

    Raises:
        InputsRefused: a file, a line or the month is not what the manifest says.
    """
    data = fetch(MANIFEST, LARGEST_MANIFEST)
    manifest = manifest_read(data, month)
    files = manifest["files"]
    rows = {}
    for name, columns in FILES.items():
        if name not in files:
            raise InputsRefused(MANIFEST, f"it does not name {name}")
        rows[name] = list(rows_of(name, columns, fetch(name, LARGEST), files[name]["sha256"]))
    texts = {}
    for name in (FORMULA, rates.FILE):
        texts[name] = fetch(name, LARGEST_MANIFEST)
        if name not in files or sha256(texts[name]) != files[name]["sha256"]:
            raise InputsRefused(name, "its digest is not the one in the manifest: the file was changed")
    formula = formulas.read(texts[FORMULA], FORMULA)
    return Inputs(month, manifest, sha256(data), rows, formula, rates.read(texts[rates.FILE]))


def rows_of(name: str, columns: Sequence[str], data: bytes, digest: str) -> Iterator[Row]:
    """Yield the rows of a frozen file, sorted by code point, after its lines and the whole were proven.

    Raises:
        InputsRefused: with the line that was changed, or that lines were added or removed.
    """
    lines = _lines(name, columns, data)
    changed = [number for number, said in lines if said[-_DIGITS:] != _digest_of(said[: -_DIGITS - 1])]
    if changed:
        more = f" (and {len(changed) - 1:,} further lines)" if len(changed) > 1 else ""
        raise InputsRefused(name, f"this line was changed after it was frozen{more}", line=changed[0])
    ordered = sorted(lines, key=lambda one: one[1][: -_DIGITS - 1])
    head = _line([*columns, _SEAL])
    if sha256("".join([f"{head}\n", *(f"{said}\n" for _, said in ordered)]).encode()) != digest:
        raise InputsRefused(name, "lines were added, removed or written anew: its digest is not the manifest's")
    forms = [re.compile(_FORMS[column]) if column in _FORMS else None for column in columns]
    for number, said in ordered:
        values = next(csv.reader([said]))[:-1]
        if len(values) != len(columns):
            raise InputsRefused(name, f"it has {len(values)} values, {len(columns)} are needed", line=number)
        for column, form, value in zip(columns, forms, values, strict=True):
            if form is not None and not form.fullmatch(value):
                raise InputsRefused(name, f"{value[:30]!r} is no {column}", line=number)
        # Days, organs and verdicts are the same few texts in every row: a month stays small in memory.
        yield dict(zip(columns, map(sys.intern, values), strict=True))


def _lines(name: str, columns: Sequence[str], data: bytes) -> list[tuple[int, str]]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputsRefused(name, "it is not UTF-8 text", line=line) from None
    head, *lines = text.split("\n")
    if head != _line([*columns, _SEAL]):
        raise InputsRefused(name, f"its columns are not {', '.join(columns)}", line=1)
    if not lines or lines.pop():
        raise InputsRefused(name, "its last line is cut off", line=len(lines) + 1)
    numbered = list(enumerate(lines, 2))
    for number, said in numbered:
        if not _DIGITS < len(said) <= LONGEST_LINE:
            raise InputsRefused(name, "this line is too short or too long to be one", line=number)
    return numbered


def manifest_read(data: bytes, month: str) -> Mapping[str, Any]:
    """Read a manifest and check that it is of this form, month and way of counting.

    Raises:
        InputsRefused: it is not.
    """
    try:
        said = json.loads(data)
        fits = said["appraisal"] == FORM and said["month"] == month and said["measures"] == MEASURES_VERSION
        digests = [said["files"][name]["sha256"] for name in said["files"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputsRefused(MANIFEST, "it is no manifest of frozen inputs") from None
    if not fits:
        got = f"form {said['appraisal']}, month {said['month']}, measures {said['measures']}"
        known = f"form {FORM}, month {month}, measures {MEASURES_VERSION}"
        next_step = "Name the month that was exported, and count by the release that froze it."
        raise InputsRefused(MANIFEST, f"it is of {got[:100]}; {known} is wanted", next_step=next_step)
    if not all(isinstance(one, str) for one in digests):
        raise InputsRefused(MANIFEST, "its digests are no texts")
    return dict(said)


def _line(values: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue()


def _digest_of(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()[:_DIGITS]
