"""Files of questions read: JSON lines or CSV, strictly, every fault told at its line before anything is kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from pydantic import ValidationError

from hub.refusals import Fault, Malformed, TooLarge
from hub.workdays import local_day
from verification.questions import CredentialCheck, faults_of, mind

LINES: Final = "application/x-ndjson"
SHEET: Final = "text/csv"
LONGEST_LINE: Final = 64 * 1024
MOST_FAULTS: Final = 50
OWN: Final = ("case", "purpose", "on", "known_at")
HELD: Final = (
    "type", "number", "issuer", "version", "holder_number", "holder_name", "valid_from", "valid_to",
)  # fmt: skip
"""Columns of a CSV file: of the check, and of the credential; an empty cell says nothing."""


def read(body: bytes, form: str, *, most: int, now: datetime) -> list[CredentialCheck]:
    """Read a file of questions.

    Raises:
        Malformed: with the first faults, each at its line; nothing is taken of a file that has one.
        TooLarge: it holds more questions than one file may.
    """
    found: list[CredentialCheck] = []
    faults: list[Fault] = []
    today = local_day(now)
    for line, make in _made(body, form):
        if len(found) >= most:
            raise TooLarge(f"the file holds more than {most:,} questions", hint="Send several.")
        try:
            one = make()
            _mind(one, now, today)
            found.append(one)
        except ValidationError as error:
            faults += [Fault(f"line {line}.{one.field}", one.code, one.said) for one in faults_of(error)]
        except Malformed as refusal:
            faults += [Fault(f"line {line}.{one.field}", one.code, one.said) for one in refusal.faults]
        if len(faults) >= MOST_FAULTS:
            break
    if not faults and not found:
        faults = [Fault("line 1", "empty_file", "the file holds no question")]
    if faults:
        raise Malformed("the file cannot be read", hint="Mend the lines.", faults=faults[:MOST_FAULTS])
    return found


def _mind(one: CredentialCheck, now: datetime, today: date) -> None:
    mind(one, now=now, today=today)
    if one.wait_until is not None:
        raise Malformed("", faults=[Fault("wait_until", "not_in_a_file", "a file waits for no feed")])


def _made(body: bytes, form: str) -> Iterator[tuple[int, Callable[[], CredentialCheck]]]:
    return _of_lines(body) if form == LINES else _of_sheet(body)


def _of_lines(body: bytes) -> Iterator[tuple[int, Callable[[], CredentialCheck]]]:
    for number, line in enumerate(io.BytesIO(body), 1):
        if line.strip():
            if len(line) > LONGEST_LINE:
                raise _unreadable(number, f"the line is longer than {LONGEST_LINE // 1024} KiB")
            yield number, lambda line=line: CredentialCheck.model_validate_json(line)  # type: ignore[misc]  # bound for this round


def _of_sheet(body: bytes) -> Iterator[tuple[int, Callable[[], CredentialCheck]]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unreadable(1, "the file is not in UTF-8") from None
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        names = rows.fieldnames or []
        strange = sorted({*names} - {*OWN, *HELD})
        if strange or len(set(names)) != len(names):
            raise _unreadable(1, f"columns are {', '.join((*OWN, *HELD))}, each once")
        for row in rows:
            yield rows.line_num, lambda row=row: _of_row(row)  # type: ignore[misc]  # bound for this round
    except csv.Error:
        raise _unreadable(rows.line_num + 1, "the line is no CSV (RFC 4180)") from None


def _of_row(row: Mapping[Any, Any]) -> CredentialCheck:
    if None in row or any(value is None for value in row.values()):
        raise Malformed("", faults=[Fault("row", "wrong_width", "more or fewer cells than columns")])
    own = {name: row[name] for name in OWN if row.get(name)}
    held = {name: row[name] for name in HELD if row.get(name)}
    return CredentialCheck.model_validate({"kind": "credential", **own, "credential": held})


def _unreadable(line: int, words: str) -> Malformed:
    return Malformed(
        "the file cannot be read",
        hint="See docs/verify/checks.md.",
        faults=[Fault(f"line {line}", "unreadable", words)],
    )
