"""Hostile workbooks: what a template would never hold is refused by name, quickly, and before a row is read."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

import connectors
from connectors.kinds.workbook.sheets import STAMP
from connectors.source import Source
from hub.errors import HostileInput, RefuseUnit, TruncatedUnit, WrongTemplate
from tests.connectors.parts import keyed
from tests.filling import CASE, a_source, fill

SECONDS = 20.0
"""What a refusal may take at most on a busy machine; each takes a second."""

Spoil = Callable[[Path], None]


def with_part(name: str, content: bytes = b"x") -> Spoil:
    """Put a further part into the file."""

    def spoil(file: Path) -> None:
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr(name, content)

    return spoil


def with_xml(sheet: int, old: str, new: str) -> Spoil:
    """Change the XML of a sheet."""

    def spoil(file: Path) -> None:
        with zipfile.ZipFile(file) as good:
            parts = {name: good.read(name) for name in good.namelist()}
        name = f"xl/worksheets/sheet{sheet}.xml"
        changed = re.sub(old, new, parts[name].decode(), count=1)
        assert changed != parts[name].decode()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bad:
            for part, content in {**parts, name: changed.encode()}.items():
                bad.writestr(part, content)

    return spoil


def with_book(change: Callable[[openpyxl.Workbook], object]) -> Spoil:
    """Change the workbook in a spreadsheet program."""

    def spoil(file: Path) -> None:
        book = openpyxl.load_workbook(file)
        change(book)
        book.save(file)

    return spoil


def halve(file: Path) -> None:
    """Leave the first half of a file."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><worksheet'
FAR = '<sheetData><row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'

CASES: dict[str, tuple[Spoil, type[RefuseUnit], str]] = {
    "macros": (with_part("xl/vbaProject.bin"), HostileInput, "vbaProject.bin"),
    "a link to another file": (with_part("xl/externalLinks/externalLink1.xml", b"<a/>"), HostileInput, "externalLinks"),
    "an embedded file": (with_part("xl/embeddings/evil.bin"), HostileInput, "embeddings"),
    "a control": (with_part("xl/activeX/activeX1.bin"), HostileInput, "activeX"),
    "a formula in a row": (
        with_book(lambda book: book["cases"].cell(4, 2, '=HYPERLINK("http://x","y")')), HostileInput, "B4 holds",
    ),
    "a formula in the stamp": (
        with_book(lambda book: book[STAMP].cell(2, 2, "=A1")), HostileInput, "B2 holds a formula",
    ),
    "a stamp as large as a sheet can be": (with_xml(4, "<sheetData>", FAR), HostileInput, "column|spans"),
    "rows as far down as a sheet can go": (with_xml(2, "<sheetData>", FAR), HostileInput, "column|spans"),
    "entities in the stamp": (with_xml(4, "<worksheet", ENTITIES), HostileInput, "document type"),
    "a thousand further sheets": (
        with_book(lambda book: [book.create_sheet(f"s{number}") for number in range(1000)]), WrongTemplate, "further",
    ),
    "a stamp with thousands of rows": (
        with_book(lambda book: [book[STAMP].append(("source", "fire-brigade")) for _ in range(20_000)]),
        WrongTemplate, "fire-brigade",
    ),
    "cut in two": (halve, TruncatedUnit, "cut off"),
}  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return a_source(tmp_path / "sources")


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_workbook_is_refused_quickly(source: Source, tmp_path: Path, name: str) -> None:
    spoil, error, words = CASES[name]
    (tmp_path / "drop").mkdir()
    fill(source, tmp_path / "drop" / "a.xlsx", [CASE])
    spoil(tmp_path / "drop" / "a.xlsx")
    connector = connectors.open(source, lambda _: str(tmp_path / "drop"), keyed_hash=keyed)
    began = time.monotonic()
    with pytest.raises(error, match=words):
        list(connector.read(source.stream("cases"), {}, slice_size=100, full=False))
    assert time.monotonic() - began < SECONDS
