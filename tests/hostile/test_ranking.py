"""Hostile inputs of an appraisal: bombs in formulas, manifests that lead elsewhere, lines without end, forged seals."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import pytest

from hub.errors import ConfigError
from supervision.appraisal import formulas, inputs, ranking
from supervision.appraisal.errors import EntryRefused, InputsRefused
from supervision.appraisal.inputs import MANIFEST
from supervision.appraisal.proving import proven
from supervision.appraisal.ratings import _read
from tests.supervision.appraisal.making import MONTH, ORGAN, Month

_ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
SOON = 5.0
"""Seconds within which anything hostile is refused, on a busy machine."""


def folder(place: Path) -> Path:
    return Month().organs(ORGAN).put("cases", 20).folder(place / "inputs")


@pytest.mark.parametrize(
    "data",
    [
        _ALIASES.encode(),
        b"[" * 100_000,
        b"score: " + b"(" * 1_000_000,
        b"heads: " + b"a" * (1 << 21),
        b"score: !!python/name:os.system ''",
        b"\x00" * 100,
    ],
    ids=["aliases", "nesting", "brackets", "size", "python", "zeros"],
)  # fmt: skip
def test_a_bomb_that_calls_itself_a_formula_is_refused_soon(data: bytes) -> None:
    before = time.monotonic()
    with pytest.raises(ConfigError):
        formulas.read(data, "bomb.yml")
    assert time.monotonic() - before < SOON


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('touch hacked')", "closed.__class__", "[x for x in (1,)]", "(lambda: 1)()",
        "9999999999 * 9999999999 * 9999999999 * 9999999999 * 9999999999 * 9999999999", "ratio(1, 0, 4, ratio(1,0,4,",
        "floor(" * 100 + "1" + ")" * 100, "closed\n; DROP TABLE supervision.edition", "{{ 7 * 7 }}", "${HOME}",
    ],
)  # fmt: skip
def test_an_expression_that_is_code_of_another_language_is_refused_with_its_line(
    expression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (formulas.FOLDER / "three-heads" / "v1.yml").read_text(encoding="utf-8")
    hostile = text.replace("score: heads + entered_bonus", f"score: {json.dumps(expression)}")
    assert hostile != text
    if expression.startswith("9999999999 *"):
        made = formulas.read(hostile.encode(), "x.yml")
        with pytest.raises(Exception, match="digits"):
            _ranked(Month(made).organs(ORGAN).put("cases", 5))
    else:
        with pytest.raises(ConfigError, match=r"x\.yml:\d+: score"):
            formulas.read(hostile.encode(), "x.yml")
    assert list(tmp_path.iterdir()) == [], "nothing of it was run"


def _ranked(month: Month) -> object:

    return ranking.ranked(month.opened())


def test_a_manifest_that_names_other_places_has_nothing_read_from_them(tmp_path: Path) -> None:
    made = folder(tmp_path)
    said = json.loads((made / MANIFEST).read_bytes())
    said["files"]["../../secret.txt"] = {"sha256": "0" * 64, "lines": 1}
    said["files"]["/etc/passwd"] = {"sha256": "0" * 64, "lines": 1}
    (made / MANIFEST).write_text(json.dumps(said), encoding="utf-8")
    assert set(inputs.from_folder(made, MONTH).rows) == {name for name in said["files"] if name in inputs.FILES}


@pytest.mark.parametrize(
    "line",
    [b"x" * 10_000_000, b'"' * 5_000, b"," * 7_000, "\u202e".encode() * 2_000, b"\x00" * 100],
    ids=["long", "quotes", "commas", "direction", "zeros"],
)
def test_a_line_without_sense_is_told_by_its_number_even_under_a_right_digest(tmp_path: Path, line: bytes) -> None:
    made = folder(tmp_path)
    data = (made / "cases.csv").read_bytes().split(b"\n")
    data[7] = line + b"," + hashlib.sha256(line).hexdigest()[:16].encode()
    (made / "cases.csv").write_bytes(b"\n".join(data))
    before = time.monotonic()
    with pytest.raises(InputsRefused) as caught:
        inputs.from_folder(made, MONTH)
    assert caught.value.file == "cases.csv"
    assert time.monotonic() - before < SOON


def test_a_whole_forgery_under_right_digests_is_told_by_the_published_digest_and_by_the_seal(tmp_path: Path) -> None:
    honest = Month().organs(ORGAN).put("cases", 20).opened()
    forged = Month().organs(ORGAN).put("cases", 19).opened()
    with pytest.raises(InputsRefused, match="not the published one"):
        proven(forged, b"{}", digest=honest.digest)
    edition = tmp_path / "edition.json"
    edition.write_text(json.dumps({"claims": {"month": MONTH, "inputs_sha256": honest.digest}}), encoding="utf-8")
    with pytest.raises(InputsRefused, match="another inputs_sha256, ranking_sha256"):
        proven(forged, b"{}", edition=edition)
    for text in ("", "[]", '{"signature": 7}', '{"signature": "a.b.c"}', "[" * 10_000):
        edition.write_text(text, encoding="utf-8")
        keys = tmp_path / "keys.json"
        keys.write_text('{"keys": [{"kid": 1}, 7, null]}', encoding="utf-8")
        with pytest.raises(InputsRefused):
            proven(honest, b"{}", edition=edition, keys=keys)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff\xfe\x00", b"number,organ,satisfaction,rated_on\n" + b'"' + b"x" * 500_000,
        b"number," * 10_000 + b"organ\n", b"number,organ,satisfaction,rated_on\n" + b"a,b,5,2026-10-01,\n" * 50_000,
        "number,organ,satisfaction,rated_on\nR1,A,５,2026-10-01\n".encode(),
        "number,organ,satisfaction,rated_on\nR1,A,5,２０２６-10-01\n".encode(),
        b"number,organ,satisfaction,rated_on\nR\x001,A,5,2026-10-01\n",
    ],
    ids=["empty", "utf-16", "quote", "columns", "rows", "wide digit", "wide year", "zero"],
)  # fmt: skip
def test_a_file_of_ratings_that_is_none_is_refused_whole_and_soon(data: bytes) -> None:
    before = time.monotonic()
    with pytest.raises(EntryRefused):
        _read(data, "ratings.csv")
    assert time.monotonic() - before < SOON
