"""Open data of Zhejiang: credit codes that are none, a header that stands twice, one licence under several numbers."""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from pipeline.runtime import Runtime
from quality.sets.service import check as judge
from sharedrepo.telling.ledger import check
from tests.real.puller import Counts, Puller, changes

AGENCIES, LICENCES = 2_084, 4_258

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"

OF_STREAM = """JOIN ledger.source_record AS r USING (record_id) JOIN ledger.stream AS st USING (stream_id)
    WHERE st.name = :stream"""


@pytest.fixture(scope="module")
def pulled(module_hub: Runtime, shared_data: Path) -> tuple[Puller, Counts]:
    """What one pull of both files gives."""
    puller = Puller(module_hub, shared_data / "results" / "zhejiang")
    return puller, puller.pull("zhejiang")


def _by_hand(folder: Path, name: str) -> list[list[str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.reader(handle))[1:]


def _fits(code: str) -> bool:
    """Check a credit code's form and check character (GB 32100-2015)."""
    if len(code) != 18 or any(character not in ALPHABET for character in code):
        return False
    total = sum(ALPHABET.index(character) * 3**place for place, character in enumerate(code[:17]))
    return ALPHABET[-total % 31] == code[17]


def test_504_of_2078_credit_codes_are_kept_and_flagged(pulled: tuple[Puller, Counts]) -> None:
    puller, counts = pulled
    assert changes(counts) == {"agencies": (AGENCIES, 0), "licences": (LICENCES, 0)}
    codes = [row[8] for row in _by_hand(puller.folder, "travel_agencies") if row[8].strip()]
    bad = [code for code in codes if not _fits(code)]
    assert (len(codes), len(bad)) == (2_078, 504), "counted by hand"
    assert (sum("E+" in code for code in bad), sum(_fits(code.upper()) for code in bad)) == (420, 78)
    kept = f"SELECT count(*) FROM core.credential {OF_STREAM} AND holder_number_hash IS NOT NULL"
    assert puller.one(kept, stream="agencies") == 2_078
    assert puller.findings() == {"credit_code_invalid": 504}
    flagged = "SELECT count(DISTINCT record_id), min(effect), max(field) FROM quality.finding"
    assert puller.rows(flagged) == [(504, "flag", "credential.holder_number")]
    assert puller.one("SELECT count(*) FROM ledger.waiting") == 0


def test_each_agency_licence_is_one_credential_with_its_other_number(pulled: tuple[Puller, Counts]) -> None:
    puller, _ = pulled
    rows = _by_hand(puller.folder, "travel_agencies")
    kept = puller.rows(f"SELECT number, status FROM core.credential {OF_STREAM}", stream="agencies")
    assert Counter(number for number, _ in kept) == Counter(row[10] for row in rows), "the second licenseNumber"
    assert {status for _, status in kept} == {"valid"}
    aliases = puller.rows(
        "SELECT c.number, n.number FROM core.credential_number AS n JOIN core.credential AS c USING (record_id)"
    )
    assert sorted(aliases) == sorted((row[10], _half_width(row[9])) for row in rows if row[9]), "the first one"
    assert len(aliases) == AGENCIES - 4, "four agencies have no number of the other kind"
    assert ("L-ZJ00385", "浙旅许可(2009)385号") in aliases


def _half_width(number: str) -> str:
    return unicodedata.normalize("NFKC", number)


def test_full_and_half_width_brackets_are_one_number(pulled: tuple[Puller, Counts]) -> None:
    puller, _ = pulled
    said = {row[9] for row in _by_hand(puller.folder, "travel_agencies") if row[9]}
    assert any("（" in number for number in said)
    assert any("(" in number for number in said)
    kept = {number for (number,) in puller.rows("SELECT number FROM core.credential_number")}
    assert len(kept) == len({_half_width(number) for number in said}) < len(said)
    assert not any("（" in number for number in kept)


def test_each_licence_of_the_other_file_is_one_credential(pulled: tuple[Puller, Counts]) -> None:
    puller, _ = pulled
    rows = _by_hand(puller.folder, "licences")
    query = f"SELECT number, valid_from::text, valid_to::text FROM core.credential {OF_STREAM}"
    kept = puller.rows(query, stream="licences")
    expected = sorted((_half_width(row[0]), _day(row[3]) or "", _day(row[2]) or "") for row in rows)
    assert sorted((number, start or "", end or "") for number, start, end in kept) == expected
    assert sum(bool(row[2]) for row in rows) == 88, "few licences say how long they hold"


def _day(said: str) -> str | None:
    if not said:
        return None
    year, month, day = said.split("/")
    return f"{year}-{int(month):02d}-{int(day):02d}"


def test_a_person_in_the_column_of_credit_codes_stays_protected(pulled: tuple[Puller, Counts]) -> None:
    puller, _ = pulled
    codes = [row[8] for row in _by_hand(puller.folder, "travel_agencies")]
    (name,) = [code for code in codes if code and not any(character.isascii() for character in code)]
    for table in ("core.credential", "quality.finding", "ledger.waiting"):
        shown = f"SELECT count(*) FROM {table} AS t WHERE strpos(t::text, :name) > 0"
        rows = puller.one(shown, name=name)
        assert rows == 0, f"{table} shows it"


def test_a_second_pull_changes_nothing(pulled: tuple[Puller, Counts]) -> None:
    puller, _ = pulled
    assert changes(puller.pull("zhejiang")) == {"agencies": (0, 0), "licences": (0, 0)}
    whole = puller.pull("zhejiang", full=True)
    assert {stream: one["unchanged"] for stream, one in whole.items()} == {"agencies": AGENCIES, "licences": LICENCES}
    assert puller.findings() == {"credit_code_invalid": 504}
    assert check(puller.runtime.engine) == []


def test_what_suites_say_of_the_validity_is_what_the_file_says(pulled: tuple[Puller, Counts]) -> None:
    puller, _ = pulled
    lines = _by_hand(puller.folder, "licences")
    dated = sum(bool(line[3].strip()) for line in lines)
    report = judge(puller.runtime.engine, [puller.source("zhejiang")], puller.runtime.documents, only=("credential",))
    told = {(one.rule, one.field): (one.unexpected, one.elements) for one in report.failed}
    unexpected, elements = told["set_incomplete", "valid_from"]
    assert (len(lines), dated, unexpected, elements) == (LICENCES, 88, 2_085, 2_173)
    assert elements - unexpected == dated
