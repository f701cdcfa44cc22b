"""Hostile envelopes: each is refused by name, quickly, and nothing of the delivery is published."""

from __future__ import annotations

import json
import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.envelopes import MOST_BYTES, EnvelopeFault, read_envelope
from pipeline.runtime import Runtime
from tests.envelopes import STREAM, Office, rows_of, seal
from tests.journeys.conftest import Hub

PAYLOAD = rows_of(["C1"])
SECONDS, BYTES = 2.0, 64 << 20


def text(**said: Any) -> str:
    return json.dumps(seal(PAYLOAD, **said), ensure_ascii=False)


def with_number(number: str) -> bytes:
    return text().replace('"number": 1,', f'"number": {number},').encode()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "not_json": lambda: b"<envelope/>",
    "not_utf8": lambda: text().encode("utf-16"),
    "an_array": lambda: b"[]",
    "null": lambda: b"null",
    "cut_off": lambda: text().encode()[:-20],
    "a_million_organs": lambda: text(organs=[{"organ": f"o{n}", "records": 1} for n in range(1_000_000)]).encode(),
    "as_many_organs_as_fit_that_do_not_add_up": lambda: text(
        organs=[{"organ": f"o{n}", "records": 1} for n in range(6_000)]
    ).encode(),
    "thousands_of_faults": lambda: text(organs=[{"organ": "", "records": -1} for _ in range(5_000)]).encode(),
    "nested_100000_deep": lambda: text().encode()[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nested_five_deep": lambda: text(organs=[{"organ": {"a": {"b": [1]}}, "records": 1}]).encode(),
    "number_of_10000_digits": lambda: with_number("9" * 10_000),
    "number_beyond_the_exact": lambda: with_number(str(2**53)),
    "number_of_65_bits": lambda: with_number(str(2**64 + 1)),
    "number_negative": lambda: with_number("-1"),
    "number_with_exponent": lambda: with_number("1e3"),
    "number_with_fraction": lambda: with_number("1.0"),
    "number_true": lambda: with_number("true"),
    "number_infinite": lambda: with_number("Infinity"),
    "records_beyond_reason": lambda: text(records=10**15).encode(),
    "a_name_twice": lambda: text().replace('"number": 1,', '"number": 1, "number": 2,').encode(),
    "a_name_twice_inside": lambda: (
        text(organs=[{"organ": "A", "records": 1}]).replace('"organ": "A"', '"organ": "B", "organ": "A"').encode()
    ),
    "a_name_twice_by_escape": lambda: text().replace('"number": 1,', '"number": 1, "n\\u0075mber": 2,').encode(),
    "cyrillic_source": lambda: text(source="lаbour").encode(),
    "full_width_digits_in_digest": lambda: text(digest="sha-256:" + "０" * 64).encode(),
    "nul_in_stream": lambda: text(stream="a\0b").encode(),
    "lone_surrogate": lambda: text().replace(STREAM, "\\ud800").encode(),
    "digest_with_newline": lambda: text(digest="sha-256:" + "0" * 64 + "\n").encode(),
    "time_with_newline": lambda: text(written="2026-03-20T00:00:00Z\n").encode(),
    "hour_25": lambda: text(written="2026-03-20T25:00:00Z").encode(),
    "zone_of_99_hours": lambda: text(written="2026-03-20T20:00:00+99:00").encode(),
    "year_zero": lambda: text(written="0000-03-20T20:00:00Z").encode(),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_it_is_refused_by_name_in_bounded_time_and_memory(name: str) -> None:
    data = HOSTILE[name]()
    tracemalloc.start()
    began = time.process_time()  # of the processor, so that a busy machine does not fail a test
    try:
        with pytest.raises(EnvelopeFault) as caught:
            read_envelope(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < SECONDS
    assert peak < BYTES
    assert {one.rule for one in caught.value.findings} == {"envelope_unreadable"}
    assert len(caught.value.findings) <= 21
    assert all(len(one.detail["got"]) < 2_500 for one in caught.value.findings)
    assert str(caught.value).isprintable()


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "sources", tmp_path / "drop")


@pytest.fixture
def hub(runtime: Runtime, office: Office) -> Hub:
    return Hub(runtime, office)  # type: ignore[arg-type]  # it has what the hub asks of a department


def refused(hub: Hub, rule: str) -> None:
    assert hub.pull()[STREAM]["refused_units"] == ["a.csv"]
    assert hub.findings() == {(rule, "a.csv")}
    assert hub.one("SELECT count(*) FROM core.approval_case") == 0


def test_an_envelope_of_two_gigabytes_is_not_read(hub: Hub, office: Office) -> None:
    office.put("a.csv", PAYLOAD, None)
    with (office.drop / "a.csv.envelope.json").open("wb") as file:
        file.truncate(2 << 30)
    refused(hub, "envelope_unreadable")


def test_an_envelope_as_long_as_may_be_is_read(hub: Hub, office: Office) -> None:
    office.put("a.csv", PAYLOAD, text().encode().ljust(MOST_BYTES))
    assert hub.pull()[STREAM]["read"] == 1


def test_an_envelope_that_is_a_link_out_of_the_folder_is_refused(hub: Hub, office: Office, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text(text())
    office.put("a.csv", PAYLOAD, None)
    (office.drop / "a.csv.envelope.json").symlink_to(tmp_path / "secret.json")
    refused(hub, "envelope_unreadable")


def test_an_envelope_that_is_a_pipe_does_not_hang(hub: Hub, office: Office) -> None:
    office.put("a.csv", PAYLOAD, None)
    os.mkfifo(office.drop / "a.csv.envelope.json")
    refused(hub, "envelope_unreadable")


def test_a_folder_of_receipts_that_leads_out_is_not_written_to(hub: Hub, office: Office, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (office.drop / "receipts").symlink_to(tmp_path / "elsewhere")
    office.put("a.csv", PAYLOAD, seal(PAYLOAD))
    with pytest.raises(Exception, match="leads out of the connection's folder"):
        hub.pull()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_lookalike_streams_are_told_apart(hub: Hub, office: Office) -> None:
    office.put("a.csv", PAYLOAD, seal(PAYLOAD, stream=STREAM.replace("A", "А")))
    refused(hub, "envelope_foreign")
    assert r"\u0410" in hub.one("SELECT detail ->> 'got' FROM quality.finding")


def test_a_huge_number_makes_one_gap_and_no_million_rows(hub: Hub, office: Office) -> None:
    office.put("a.csv", PAYLOAD, seal(PAYLOAD, number=2**53 - 1))
    hub.pull()
    assert hub.one("SELECT detail ->> 'missing' FROM quality.finding WHERE rule = 'envelope_gap'") == f"1-{2**53 - 2}"


def test_thousands_of_gaps_are_told_in_few_words(hub: Hub, office: Office) -> None:
    office.put("a.csv", PAYLOAD, seal(PAYLOAD, number=200_001))
    hub.pull()
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO ledger.envelope (stream_id, number, status, mark, records, batch_id)"
            " SELECT 1, 2 * n, 'received', 'x', 1, 1 FROM generate_series(1, 100000) AS n"
        )
    other = rows_of(["C2"])
    office.put("b.csv", other, seal(other, number=200_002))
    began = time.monotonic()
    hub.pull()
    assert time.monotonic() - began < 20
    detail = hub.one("SELECT detail FROM quality.finding WHERE rule = 'envelope_gap' AND state = 'open'")
    assert detail["count"] == "100000"
    assert len(detail["missing"]) < 600
    assert len(office.receipt("b.csv")["missing"]) == 50
