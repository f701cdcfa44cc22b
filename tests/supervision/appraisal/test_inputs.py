"""Frozen inputs: what was changed afterwards is refused, with the file and the line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from supervision.appraisal import inputs
from supervision.appraisal.errors import InputsRefused
from supervision.appraisal.inputs import MANIFEST
from tests.supervision.appraisal.making import MONTH, ORGAN, Month


def month() -> Month:
    return Month().organs(ORGAN).put("cases", 20).put("cards", 2).put("ratings", 3).put("entries").put("items")


def changed(place: Path, file: str, change: Callable[[bytes], bytes]) -> Path:
    """Freeze a month into a folder, and change one of its files there."""
    folder = month().folder(place / "inputs")
    before = (folder / file).read_bytes()
    (folder / file).write_bytes(change(before))
    assert (folder / file).read_bytes() != before
    return folder


def test_files_are_sorted_by_code_point_and_sha256sum_says_the_digest_of_the_manifest(tmp_path: Path) -> None:
    folder = month().folder(tmp_path / "inputs")
    found = inputs.from_folder(folder, MONTH)
    for name, said in found.manifest["files"].items():
        data = (folder / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == said["sha256"]
        assert data.count(b"\n") == said["lines"]
    lines = (folder / "cases.csv").read_bytes().splitlines()[1:]
    assert lines == sorted(lines)


@pytest.mark.parametrize("file", ["cases.csv", "cards.csv", "feeds.csv", "entries.csv", "organs.csv", "items.csv"])
def test_one_changed_digit_is_refused_with_file_and_line(tmp_path: Path, file: str) -> None:
    def one_digit(data: bytes) -> bytes:
        lines = data.split(b"\n")
        body, digest = lines[1].rsplit(b",", 1)
        place = max(at for at, sign in enumerate(body) if chr(sign).isdigit())
        other = b"7" if body[place : place + 1] != b"7" else b"3"
        lines[1] = body[:place] + other + body[place + 1 :] + b"," + digest
        return b"\n".join(lines)

    with pytest.raises(InputsRefused, match=rf"^{file}:2: this line was changed") as caught:
        inputs.from_folder(changed(tmp_path, file, one_digit), MONTH)
    assert (caught.value.file, caught.value.line) == (file, 2)


def _resealed(data: bytes) -> bytes:
    """Change a digit and give its line a new digest, as somebody would who knows the form."""
    lines = data.decode().split("\n")
    body = lines[5].rsplit(",", 1)[0].replace("early", "late")
    lines[5] = f"{body},{hashlib.sha256(body.encode()).hexdigest()[:16]}"
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_resealed, "written anew"),
        (lambda data: b"\n".join(data.split(b"\n")[:-2]) + b"\n", "added, removed"),
        (lambda data: data + data.split(b"\n")[1] + b"\n", "added, removed"),
        (lambda data: data[:-10], "cut off"),
        (lambda data: data.replace(b"\n", b"\r\n"), "columns are not"),
        (lambda data: b"\xef\xbb\xbf" + data, "columns are not"),
        (lambda data: data.replace(b"X1", b"\xff\xfe", 1), "not UTF-8"),
        (lambda data: data.replace(b",due,", b",Due,", 1), "columns are not"),
        (lambda _data: b"", "columns are not"),
        (lambda data: data.split(b"\n")[0] + b"\nx\n", "too short"),
        (lambda data: data + b"a" * 9_000 + b"\n", "too long"),
    ],
)
def test_whatever_else_is_done_to_a_file_is_refused(
    tmp_path: Path, change: Callable[[bytes], bytes], said: str
) -> None:
    with pytest.raises(InputsRefused, match=said) as caught:
        inputs.from_folder(changed(tmp_path, "cases.csv", change), MONTH)
    assert caught.value.file == "cases.csv"


@pytest.mark.parametrize("file", ["formula.yml", "rates.yml"])
def test_a_changed_formula_is_refused(tmp_path: Path, file: str) -> None:
    with pytest.raises(InputsRefused, match=f"{file}: its digest"):
        inputs.from_folder(changed(tmp_path, file, lambda data: data + b"# \n"), MONTH)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000, b'{"appraisal":1,"month":"2026-10","measures":1,"files":7}'],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputsRefused, match="no manifest"):
        inputs.from_folder(changed(tmp_path, MANIFEST, lambda _before: data), MONTH)


def test_another_month_another_way_of_counting_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    folder = month().folder(tmp_path / "inputs")
    with pytest.raises(InputsRefused, match="month 2026-09"):
        inputs.from_folder(folder, "2026-09")
    text = (folder / MANIFEST).read_text(encoding="utf-8")
    (folder / MANIFEST).write_text(text.replace('"measures":1', '"measures":2'), encoding="utf-8")
    with pytest.raises(InputsRefused, match="measures 2"):
        inputs.from_folder(folder, MONTH)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    (folder / "cards.csv").unlink()
    with pytest.raises(InputsRefused, match=r"cards\.csv: there is no such file"):
        inputs.from_folder(folder, MONTH)


@pytest.mark.parametrize(
    ("column", "value"),
    [("used", "1e5"), ("used", "NaN"), ("used", "0x1"), ("used", "１"), ("closed", "31.10.2026"),
     ("closed", "2026-10-1"), ("in_force", "yes"), ("legal", "9" * 40), ("case", "C1")],
)  # fmt: skip
def test_a_value_of_another_form_is_told_by_its_line_even_under_right_digests(column: str, value: str) -> None:
    made = Month().organs(ORGAN).put("cases", 3)
    made.tables["cases.csv"][1][column] = value
    with pytest.raises(InputsRefused, match=rf"cases\.csv:[234]: .* is no {column}"):
        made.opened()


def test_a_name_with_line_ends_commas_quotes_and_formulas_stays_one_row() -> None:
    name = '=cmd|"/c calc"!A1,\r\n第二行\x00\u2028"'
    made = Month().put("organs", name=name).put("feeds")
    row = made.opened().rows["organs.csv"][0]
    assert row["name"] == re.sub(r"[\r\n\x00\u2028]+", " ", name)
