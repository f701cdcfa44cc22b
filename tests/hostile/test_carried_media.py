"""Hostile packages on carried media: nothing of them is written, wherever they want it."""

from __future__ import annotations

import io
import os
import stat
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.envelopes.package import Bounds, PackageRefused
from tests.envelopes import Office
from tests.pipeline.test_carry import as_folder, as_tar, as_zip, delivery, taken

GOOD = delivery(1, "C1")
ZEROS = b"\0" * (1 << 20)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "a" / "sources", tmp_path / "a" / "drop")


def everything(place: Path) -> set[str]:
    return {path.as_posix() for path in place.rglob("*")}


def refused(office: Office, package: Path, words: str, bounds: Bounds | None = None) -> None:
    """The package is refused quickly, for the reason, and not a file is left anywhere."""
    before, began = everything(package.parent), time.monotonic()
    with pytest.raises(PackageRefused, match=words) as caught:
        taken(office, package, bounds)
    assert time.monotonic() - began < 10
    assert everything(package.parent) == before
    assert str(caught.value).replace("\n", "").isprintable()


NAMES = {
    "up": "../labour/x.csv",
    "up_inside": "labour/../../x.csv",
    "absolute": "/etc/x.csv",
    "backslash": "labour\\..\\x.csv",
    "drive": "C:/x.csv",
    "empty_part": "labour//x.csv",
    "hidden": "labour/.x.csv",
    "home": "~/x.csv",
    "dot": "labour/./x.csv",
    "newline": "labour/a\nb.csv",
    "right_to_left": "labour/\u202evsc.x.csv",
    "blank_end": "labour/x.csv ",
    "long": f"labour/{'x' * 300}.csv",
    "very_long": "labour/" + "/".join(["x" * 90] * 20),
}


@pytest.mark.parametrize("make", [as_zip, as_tar])
@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_name_that_leads_elsewhere(office: Office, tmp_path: Path, name: str, make: Any) -> None:
    refused(office, make(tmp_path, {**GOOD, NAMES[name]: b"x"}), "name")


def test_a_nul_in_a_name(office: Office, tmp_path: Path) -> None:
    package = as_zip(tmp_path, {**GOOD, "labour/aXb.csv": b"x"})
    package.write_bytes(package.read_bytes().replace(b"labour/aXb.csv", b"labour/a\0b.csv"))
    refused(office, package, "signs that no name should have")


def test_two_files_of_one_name(office: Office, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as out:
        out.writestr("labour/x.csv", "x")
        with pytest.warns(UserWarning, match="Duplicate name"):
            out.writestr("labour/x.csv", "x")
    refused(office, tmp_path / "p.zip", "stands twice")
    refused(office, as_tar(tmp_path, {**GOOD, "labour/BATCH_0001.csv": b"x"}), "stands twice")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_links_and_devices_in_a_tar_archive(office: Office, tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "p.tar", "w") as out:
        info = tarfile.TarInfo("labour/x.csv")
        info.type, info.linkname = kind, "/etc/passwd"
        out.addfile(info)
    refused(office, tmp_path / "p.tar", "is a link or no plain file")


def test_a_link_in_a_zip_archive(office: Office, tmp_path: Path) -> None:
    info = zipfile.ZipInfo("labour/x.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as out:
        out.writestr(info, "/etc/passwd")
    refused(office, tmp_path / "p.zip", "is a link or no plain file")


def test_links_and_pipes_in_a_folder(office: Office, tmp_path: Path) -> None:
    medium = as_folder(tmp_path, GOOD)
    (medium / "labour/x.csv").symlink_to("/etc/passwd")
    refused(office, medium, "x.csv' is a link or no plain file")
    (medium / "labour/x.csv").unlink()
    (medium / "labour/more").symlink_to("/etc")
    refused(office, medium, "more' is a link or no plain file")
    (medium / "labour/more").unlink()
    os.mkfifo(medium / "labour/pipe.csv")
    refused(office, medium, "pipe.csv' is a link or no plain file")


def test_an_archive_that_is_locked_by_a_password(office: Office, tmp_path: Path) -> None:
    package = as_zip(tmp_path, GOOD)
    data = bytearray(package.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + at] |= 1
            place = data.find(mark, place + 4)
    package.write_bytes(data)
    refused(office, package, "locked by a password")


def test_a_zip_bomb(office: Office, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED) as out, out.open("labour/x.csv", "w") as one:
        for _ in range(100):
            one.write(ZEROS)
    refused(office, tmp_path / "p.zip", "unpacks to more than 200 times its size")


def test_a_zip_bomb_that_lies_about_its_size(office: Office, tmp_path: Path) -> None:
    files = {**GOOD, "labour/batch_0001.csv": GOOD["labour/batch_0001.csv"] + b"x" * 5_000}
    package = as_zip(tmp_path, files)
    data = package.read_bytes()
    true, less = (struct.pack("<I", size) for size in (len(files["labour/batch_0001.csv"]), 100))
    package.write_bytes(data.replace(true, less))
    refused(office, package, "damaged|holds")


def test_more_files_or_bytes_than_the_bounds(office: Office, tmp_path: Path) -> None:
    files = {f"labour/{number}.csv": b"x" for number in range(30)}
    for make in (as_zip, as_tar, as_folder):
        refused(office, make(tmp_path, files), "more than 10 files", Bounds(files=10))
        refused(office, make(tmp_path, files), "or 20 bytes", Bounds(bytes=20))
        refused(office, make(tmp_path, GOOD), "at most 5", Bounds(file_bytes=5))


def test_a_table_of_contents_of_gigabytes_is_not_read(office: Office, tmp_path: Path) -> None:
    package = as_zip(tmp_path, GOOD)
    data = bytearray(package.read_bytes())
    struct.pack_into("<I", data, data.rfind(b"PK\x05\x06") + 12, 1 << 31)
    package.write_bytes(data)
    refused(office, package, "table of contents|no zip")


def test_a_tar_header_that_claims_to_be_gigabytes_is_not_read(office: Office, tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 3 << 30
    (tmp_path / "p.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"x" * 2048)
    refused(office, tmp_path / "p.tar", "no plain tar|holds no file")


HOLLOW: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"", "noise": lambda: os.urandom(5_000), "text": lambda: b"hello " * 500,
    "gzip": lambda: b"\x1f\x8b\x08\0" + b"\0" * 2_000, "cut_zip": lambda: b"PK\x03\x04" + b"\0" * 500,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOLLOW))
def test_what_is_no_package(office: Office, tmp_path: Path, name: str) -> None:
    (tmp_path / "p.zip").write_bytes(HOLLOW[name]())
    refused(office, tmp_path / "p.zip", "no zip and no plain tar archive|cannot be read|holds no file")


def test_a_damaged_file_in_a_good_archive(office: Office, tmp_path: Path) -> None:
    package = as_zip(tmp_path, {**GOOD, "labour/batch_0001.csv": os.urandom(20_000)})
    data = bytearray(package.read_bytes())
    data[5_000] ^= 0xFF
    package.write_bytes(data)
    refused(office, package, "damaged")


def test_an_empty_package(office: Office, tmp_path: Path) -> None:
    refused(office, as_zip(tmp_path, {}), "holds no file|no zip")
    (tmp_path / "medium").mkdir()
    refused(office, tmp_path / "medium", "holds no file")


def test_a_source_folder_that_holds_a_link_is_not_written_through(office: Office, tmp_path: Path) -> None:
    office.declare(stream={"options": {"path": "**/*.csv", "format": "csv"}})
    (tmp_path / "elsewhere").mkdir()
    (office.drop / "2026").symlink_to(tmp_path / "elsewhere")
    files = {name.replace("labour/", "labour/2026/"): content for name, content in GOOD.items()}
    refused(office, as_zip(tmp_path, files), "would lie outside of the source's folder")


def test_two_thousand_deliveries_are_taken_in_in_bearable_time(office: Office, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for number in range(2_000):
            for name, content in delivery(number + 1, f"C{number}").items():
                out.writestr(name, content)
    (tmp_path / "p.zip").write_bytes(buffer.getvalue())
    began = time.monotonic()
    assert len(taken(office, tmp_path / "p.zip")[0].files) == 2_000
    assert time.monotonic() - began < 60
