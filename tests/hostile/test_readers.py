"""Hostile deliveries: each is refused by name, quickly, and in bounded memory (measured in a process of its own)."""

from __future__ import annotations

import os
import socket
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connectors.source import StreamSpec
from hub.errors import HostileInput
from tests.connectors.parts import opened, pull, records, stream
from tests.hostile.probe import read_apart

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = ROOT.parent / "shared" / "data" / "messages" / "ech0211"
SECONDS, MIB = 15.0, 400.0
"""What a refusal may take at most; most take a tenth of it."""


@dataclass(frozen=True)
class Case:
    """One hostile input: how it is made, how it would be read, and how it must end."""

    make: Callable[[Path], None]
    options: dict[str, Any]
    error: str = "HostileInput"
    words: str = ""
    kind: str = "files"
    more: dict[str, Any] = field(default_factory=dict)


def text(name: str, content: str | bytes) -> Callable[[Path], None]:
    return lambda folder: void((folder / name).write_bytes(content if isinstance(content, bytes) else content.encode()))


def void(_: object) -> None:
    """Give nothing back."""


def one_line(name: str, size: int) -> Callable[[Path], None]:
    """Make a file that is one line of `size` bytes, without holding it: the file is sparse."""

    def make(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.write(b"a,b\n")
            file.truncate(size)

    return make


def filled(name: str, head: bytes, block: bytes, times: int, tail: bytes = b"") -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.write(head)
            for _ in range(times):
                file.write(block)
            file.write(tail)

    return make


def with_xsd(make: Callable[[Path], None]) -> Callable[[Path], None]:
    def both(folder: Path) -> None:
        make(folder)
        empty = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="send"/></xs:schema>'
        (folder / "x.xsd").write_text(empty)

    return both


def sheet(rows: list[list[Any]]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        book = openpyxl.Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        book.save(folder / "a.xlsx")

    return make


def sheet_with(change: Callable[[str, bytes], bytes]) -> Callable[[Path], None]:
    """Make a workbook whose parts went through `change`."""

    def make(folder: Path) -> None:
        sheet([["a", "b"], ["1", "2"]])(folder)
        with zipfile.ZipFile(folder / "a.xlsx") as good:
            parts = {name: good.read(name) for name in good.namelist()}
        with zipfile.ZipFile(folder / "a.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bad:
            for name, data in parts.items():
                bad.writestr(name, change(name, data))

    return make


def far_cell(name: str, data: bytes) -> bytes:
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return data.replace(b"</sheetData>", far) if name.endswith("sheet1.xml") else data


def tall_cell(name: str, data: bytes) -> bytes:
    far = b'<row r="1048576"><c r="AZ1048576"><v>1</v></c></row></sheetData>'
    return data.replace(b"</sheetData>", far) if name.endswith("sheet1.xml") else data


def in_sheet(old: bytes, new: bytes) -> Callable[[Path], None]:
    """Make a workbook in whose sheet one piece of XML stands in place of another."""

    def change(name: str, data: bytes) -> bytes:
        if not name.endswith("sheet1.xml"):
            return data
        assert old in data
        return data.replace(old, new, 1)

    return sheet_with(change)


FORMULA = b'<c r="A2"><f>1+1</f><v>2</v></c>'
"""A cell with a formula; a reader of cells takes it for one wherever in the sheet it stands."""


def blank_bomb(name: str, data: bytes) -> bytes:
    return data + b" " * 300_000_000 if name.endswith("sheet1.xml") else data


def entity_in_sheet(name: str, data: bytes) -> bytes:
    return data.replace(b"<worksheet", BOMB_HEAD.encode() + b"<worksheet", 1) if name.endswith("sheet1.xml") else data


def lying_size(folder: Path) -> None:
    """Make a workbook whose directory says that a sheet of 200 MB is a small one."""
    sheet_with(lambda name, data: data + b" " * 200_000_000 if name.endswith("sheet1.xml") else data)(folder)
    raw = bytearray((folder / "a.xlsx").read_bytes())
    with zipfile.ZipFile(folder / "a.xlsx") as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    raw = bytearray(bytes(raw).replace(struct.pack("<L", size), struct.pack("<L", 1000)))
    (folder / "a.xlsx").write_bytes(raw)


def many_members(folder: Path) -> None:
    sheet([["a"]])(folder)
    with zipfile.ZipFile(folder / "a.xlsx", "a") as archive:
        for number in range(3000):
            archive.writestr(f"xl/media/{number}.png", b"")


def gzip_bomb(name: str, head: bytes, block: bytes, times: int) -> Callable[[Path], None]:
    """Make a file that unpacks to the head and so many blocks; a block is packed once, and its sum is nobody's."""

    def make(folder: Path) -> None:
        packer = zlib.compressobj(9, wbits=31)
        packed = [packer.compress(part) + packer.flush(zlib.Z_FULL_FLUSH) for part in (head, block)]
        (folder / name).write_bytes(packed[0] + packed[1] * times + packer.flush())

    return make


BOMB_HEAD = (
    '<!DOCTYPE l [<!ENTITY a0 "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)
BOMB = f'<?xml version="1.0"?>{BOMB_HEAD}<send><case><no>&a9;</no></case></send>'
ATTRIBUTE_BOMB = f'<?xml version="1.0"?>{BOMB_HEAD}<send x="&a9;"/>'
QUADRATIC = f'<!DOCTYPE s [<!ENTITY a "{"a" * 50_000}">]><send><case>{"&a;" * 50_000}</case></send>'
EXTERNAL = '<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><send><case><no>&x;</no></case></send>'
PARAMETER = '<!DOCTYPE s [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x.dtd"> %x;]><send/>'
HIDDEN = f'<?xml version="1.0" encoding="UTF-16"?>{BOMB_HEAD}<send><case><no>&a9;</no></case></send>'.encode("utf-16")
CSV = {"format": "csv", "path": "*"}
XML = {"format": "xml", "path": "*", "record": "/send/case"}
XLSX = {"format": "xlsx", "path": "*.xlsx"}
GIB = 1 << 30
WIDE_OPEN = {"limits": {"file_bytes": 16 * GIB, "unpacked_bytes": 16 * GIB}}

CASES = {
    "line_of_2_gb": Case(one_line("a.csv", 2 * GIB), CSV, words="line 2 is longer than"),
    "line_of_3_gb_with_wide_limits": Case(one_line("a.csv", 3 * GIB), {**CSV, **WIDE_OPEN}, words="line 2 is longer"),
    "file_of_20_gb": Case(one_line("a.csv", 20 * GIB), CSV, words="the file has 21,474,836,480 bytes"),
    "json_line_of_2_gb": Case(one_line("a.jsonl", 2 * GIB), {"format": "jsonl", "path": "*"}, words="line 2 is longer"),
    "line_of_2_gb_without_any_end": Case(
        lambda folder: os.truncate(void_file(folder / "a.csv"), 2 * GIB), CSV, words="line 1 is longer"
    ),
    "header_of_a_million_columns": Case(text("a.csv", "c," * 1_000_000), CSV, words="more than 40,000 cells"),
    "row_of_a_million_cells": Case(text("a.csv", "a,b\n" + "1," * 1_000_000), CSV, words="line 2 has more than"),
    "header_of_ten_thousand_columns": Case(text("a.csv", "c," * 10_000 + "\n"), CSV, words="10,001 cells"),
    "quote_that_never_closes": Case(
        filled("a.csv", b'a,b\n1,"', b"x,y\n" * 250_000, 100), CSV, words="perhaps a quote is not closed"
    ),
    "cell_of_8_mb": Case(text("a.csv", "a,b\n1," + "x" * 8_000_000), CSV, words="longer than 1,048,576 characters"),
    "entity_bomb": Case(text("a.xml", BOMB), XML, words="document type declaration"),
    "entity_bomb_in_an_attribute": Case(text("a.xml", ATTRIBUTE_BOMB), XML, words="document type declaration"),
    "entity_bomb_hidden_in_utf_16": Case(text("a.xml", HIDDEN), XML),
    "entity_bomb_before_xsd": Case(
        with_xsd(text("a.xml", BOMB)), {**XML, "path": "*.xml", "xsd": "x.xsd"}, words="document type declaration"
    ),
    "quadratic_blow_up": Case(text("a.xml", QUADRATIC), XML, words="document type declaration"),
    "external_entity": Case(text("a.xml", EXTERNAL), XML, words="document type declaration"),
    "external_parameter_entity": Case(text("a.xml", PARAMETER), XML, words="document type declaration"),
    "a_hundred_thousand_levels": Case(text("a.xml", "<send>" + "<d>" * 100_000), XML, words="depth"),
    "text_of_200_mb": Case(filled("a.xml", b"<send><case><no>", b"x" * 1_000_000, 200), XML, words="without a record"),
    "elements_without_a_record": Case(
        filled("a.xml", b"<send>", b"<j/>" * 250_000, 200), XML, words="without a record"
    ),
    "record_of_a_million_fields": Case(
        filled("a.xml", b"<send><case>", b"".join(b"<f%d/>" % n for n in range(10_000)), 10, b"</case></send>"),
        XML,
        words="beyond the limits",
    ),
    "sheet_with_formula": Case(sheet([["a"], ['=cmd|"/c calc"!A1']]), XLSX, words="cell A2 holds a formula"),
    "sheet_with_a_far_cell": Case(sheet_with(far_cell), XLSX, words="cell in column 16,384"),
    "sheet_with_a_low_cell": Case(sheet_with(tall_cell), XLSX, words="spans 1,048,576 × 52 cells"),
    "cell_before_the_rows": Case(in_sheet(b"<sheetData>", b"<sheetData>" + FORMULA), XLSX, words="outside of rows"),
    "cell_after_the_rows": Case(in_sheet(b"</sheetData>", FORMULA + b"</sheetData>"), XLSX, words="outside of rows"),
    "cell_beside_the_rows": Case(
        in_sheet(b"</sheetData>", b"<x>" + FORMULA + b"</x></sheetData>"), XLSX, words="outside of rows"
    ),
    "cell_within_a_cell": Case(in_sheet(b"</is></c>", b"</is>" + FORMULA + b"</c>"), XLSX, words="outside of rows"),
    "cell_within_what_is_no_cell": Case(
        in_sheet(b"</row>", b"<x>" + FORMULA + b"</x></row>"), XLSX, words="outside of rows"
    ),
    "row_within_a_row": Case(
        in_sheet(b"</row>", b"<row>" + FORMULA + b"</row></row>"), XLSX, words="cell A2 holds a formula"
    ),
    "row_whose_number_is_a_word": Case(in_sheet(b'<row r="2"', b'<row r="two"'), XLSX, words="number is none"),
    "row_whose_number_is_endless": Case(
        in_sheet(b'<row r="2"', b'<row r="' + b"9" * 5000 + b'"'), XLSX, words="number is none"
    ),
    "merge_behind_a_formula": Case(
        in_sheet(b"</row>", FORMULA.replace(b"<v>", b'<mergeCell ref="A1:B1"/><v>') + b"</row>"),
        XLSX,
        words="outside of rows",
    ),
    "merge_behind_a_cell": Case(
        in_sheet(b"</row>", FORMULA + b'<mergeCell ref="A1:B1"/></row>'), XLSX, words="outside of rows"
    ),
    "row_of_four_million_cells": Case(
        in_sheet(b"</row>", b"<c/>" * 4_000_000 + b"</row>"), XLSX, words="without a record"
    ),
    "sheet_zip_bomb": Case(sheet_with(blank_bomb), XLSX, words="times its size"),
    "sheet_that_lies_about_its_size": Case(lying_size, XLSX, error="TruncatedUnit", words="is damaged"),
    "sheet_with_entities": Case(sheet_with(entity_in_sheet), XLSX, words="document type declaration"),
    "workbook_of_many_parts": Case(many_members, XLSX, words="parts"),
    "gzip_bomb": Case(
        gzip_bomb("a.xes.gz", b"<log><trace>", b'<event><string key="k" value="v"/></event>' * 25_000, 100),
        {"path": "*"},
        kind="xes",
        words="times its size",
    ),
    "log_bomb": Case(text("a.xes", BOMB), {"path": "*"}, kind="xes", words="document type declaration"),
    "event_without_end": Case(
        filled("a.xes", b"<log><trace><event>", b'<string key="k" value="v"/>' * 40_000, 30),
        {"path": "*"},
        kind="xes",
        words="without a record",
    ),
    "json_line_of_depth_100000": Case(
        text("a.jsonl", '{"a": ' * 100_000 + "1" + "}" * 100_000),
        {"format": "jsonl", "path": "*"},
        words="deeper than 64",
    ),
    "json_document_of_depth_100000": Case(
        text("a.json", "[" * 100_000 + "]" * 100_000), {"format": "json", "path": "*"}, words="deeper than 64"
    ),
    "json_document_of_200_mb": Case(
        filled("a.json", b"[", b'{"a": "' + b"x" * 1_000_000 + b'"},', 200),
        {"format": "json", "path": "*"},
        words="too large",
    ),
    "json_record_of_a_million_fields": Case(
        text("a.jsonl", "{" + ",".join(f'"f{n}":1' for n in range(1_000_000)) + "}"),
        {"format": "jsonl", "path": "*"},
        words="1,000,000 fields",
    ),
}


def void_file(path: Path) -> Path:
    path.write_bytes(b"")
    return path


@pytest.mark.parametrize("name", CASES)
def test_hostile_input_is_refused_quickly_in_bounded_memory(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    case.make(tmp_path)
    found = read_apart(case.kind, str(tmp_path), StreamSpec("s", case.options))
    assert (found["error"], found["read"], found["broken"]) == (case.error, 0, 0), found
    assert case.words in found["words"]
    assert "source probe, stream s, a." in found["words"]
    assert found["peak_mib"] < MIB, found
    assert found["seconds"] < SECONDS, found


def test_an_external_entity_reaches_no_network_and_no_file(tmp_path: Path) -> None:
    reached = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def listen() -> None:
            try:
                server.accept()[0].close()
                reached.set()
            except OSError:
                return

        threading.Thread(target=listen, daemon=True).start()
        for doctype in (
            f'<!DOCTYPE s SYSTEM "http://127.0.0.1:{port}/x.dtd">',
            f'<!DOCTYPE s [<!ENTITY % x SYSTEM "http://127.0.0.1:{port}/x"> %x;]>',
            f'<!DOCTYPE s [<!ENTITY x SYSTEM "http://127.0.0.1:{port}/x">]>',
        ):
            (tmp_path / "a.xml").write_text(f"{doctype}<send><case><no>&x;</no></case></send>")
            with pytest.raises(HostileInput):
                pull("files", str(tmp_path), StreamSpec("s", XML))
        include = f'<send xmlns:xi="http://www.w3.org/2001/XInclude"><case><xi:include href="http://127.0.0.1:{port}/"/></case></send>'
        (tmp_path / "a.xml").write_text(include)
        pull("files", str(tmp_path), StreamSpec("s", XML))
        assert not reached.wait(0.3)


@pytest.mark.skipif(not MESSAGES.is_dir(), reason="the real XML messages are not here (../shared/data)")
@pytest.mark.parametrize("name", ["test_malicious_xxe.xml", "test_malicious_xxe_external.xml"])
def test_real_attacks_are_refused(name: str) -> None:
    one = stream("s", path=name, format="xml", record="//delivery")
    with pytest.raises(HostileInput, match="document type declaration"):
        pull("files", str(MESSAGES), one)


@pytest.mark.skipif(not MESSAGES.is_dir(), reason="the real XML messages are not here (../shared/data)")
def test_real_messages_of_the_same_folder_are_read() -> None:
    names = [path.name for path in MESSAGES.glob("*.xml") if "malicious" not in path.name]
    for name in names:
        assert len(records(pull("files", str(MESSAGES), stream("s", path=name, format="xml", record="delivery")))) == 1
    assert len(names) == 11


def outside(folder: Path) -> Path:
    other = folder.parent / "outside"
    other.mkdir(exist_ok=True)
    (other / "secret.csv").write_text("n\nsecret\n")
    return other


@pytest.mark.parametrize("way", ["link_to_a_file", "link_to_a_folder", "link_to_a_link", "absolute_link_into_proc"])
def test_links_that_lead_out_of_the_folder_are_refused(tmp_path: Path, way: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    target = outside(folder)
    if way == "link_to_a_file":
        (folder / "a.csv").symlink_to(target / "secret.csv")
    elif way == "link_to_a_folder":
        (folder / "sub").symlink_to(target)
    elif way == "link_to_a_link":
        (target / "hop.csv").symlink_to(target / "secret.csv")
        (folder / "a.csv").symlink_to("../outside/hop.csv")
    else:
        (folder / "a.csv").symlink_to("/proc/self/environ")
    (folder / "b.csv").write_text("n\n1\n")
    one = stream("s", path="*/*.csv" if way == "link_to_a_folder" else "*.csv", format="csv")
    connector = opened("files", str(folder), one)
    with pytest.raises(HostileInput, match="leads out of the folder") as caught:
        list(connector.read(one, {}, slice_size=10, full=False))
    unit = caught.value.unit or ""
    assert b"".join(connector.raw(one, unit)) == b"", "not a byte of it is archived"  # type: ignore[attr-defined]  # KeepsUnits
    state = connector.skip(one, {}, unit)  # type: ignore[attr-defined]  # KeepsUnits
    rest = pull("files", str(folder), one, state)
    assert [record["n"] for record in records(rest)] == ([] if way == "link_to_a_folder" else ["1"])


def test_links_inside_the_folder_are_files(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "x.csv").write_text("n\n1\n")
    (tmp_path / "a.csv").symlink_to("old/x.csv")
    assert [
        record["n"] for record in records(pull("files", str(tmp_path), stream("s", path="*.csv", format="csv")))
    ] == ["1"]


@pytest.mark.parametrize("sort", ["pipe", "socket"])
def test_what_is_no_plain_file_is_refused_without_waiting(tmp_path: Path, sort: str) -> None:
    if sort == "pipe":
        os.mkfifo(tmp_path / "a.csv")
    else:
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(tmp_path / "a.csv"))
        server.close()
    with pytest.raises(HostileInput, match="no plain file"):
        pull("files", str(tmp_path), stream("s", path="*.csv", format="csv"))


def test_more_files_than_any_honest_folder_holds(tmp_path: Path) -> None:
    for number in range(11):
        (tmp_path / f"{number}.csv").write_text("n\n")
    with pytest.raises(HostileInput, match="more than 10 files"):
        pull("files", str(tmp_path), stream("s", path="*.csv", format="csv", limits={"files": 10}))
