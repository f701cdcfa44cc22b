"""The rules of meaning, each on values that keep it and values that break it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hub.documents import Documents
from hub.findings import RULES, Finding
from hub.identifiers import certificate_id, credit_code, organisation_code, resident_id
from validation.rules import RULES_OF_MEANING, judge_meaning
from validation.rules.times import CLOCK_SKEW

DOCUMENTS = Documents.load()
READ_AT = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)  # noon in Shanghai
GOOD_CREDIT = credit_code.make("MA2B0001")
GOOD_RESIDENT = resident_id.make("330106", date(1990, 3, 7), 122)
GOOD_ITEM = "11330105002500287C3330117021000"
GOOD_CERTIFICATE = certificate_id.make("11100000000013338W009", "11330105002500287C", "2025052201")


@dataclass(frozen=True)
class Clock:
    time_zone: str = "Asia/Shanghai"


def frame_of(table: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Make a frame as normalization does: texts as pandas str, instants as microseconds in UTC."""
    frame = pd.DataFrame(rows)
    for name in frame:
        column = DOCUMENTS[table].columns.get(str(name))
        if column is not None and column.kind == "instant":
            frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
        elif column is None or column.kind not in ("boolean", "integer"):
            frame[name] = frame[name].astype("str")
    return frame


def judged(table: str, *rows: dict[str, Any], zone: str = "Asia/Shanghai") -> list[Finding]:
    frame = frame_of(table, list(rows))
    return judge_meaning(
        table, frame, np.arange(len(frame)) + 100, documents=DOCUMENTS, read_at=READ_AT, context=Clock(zone)
    )


def brief(findings: list[Finding]) -> list[tuple[int, str, str | None]]:
    return [(one.record - 100, one.rule, one.field) for one in findings]


def party(**fields: Any) -> dict[str, Any]:
    good = {
        "case_number": "C1",
        "role": "applicant",
        "party_kind": "natural",
        "number_kind": "resident_id",
        "name": "王小明",
        "number": GOOD_RESIDENT,
        "phone": "13857112345",
        "address": "杭州市西湖区文三路90号",
    }
    return {**good, **fields}


def event(**fields: Any) -> dict[str, Any]:
    good = {
        "case_number": "C1",
        "stage": "review",
        "local_node": "审核",
        "handler": "李华",
        "opinion": "同意",
        "unit_name": "审批处",
        "started_at": "2026-03-09T01:00:00Z",
        "started_at_precision": "s",
        "finished_at": "2026-03-09T02:00:00Z",
        "finished_at_precision": "s",
    }
    return {**good, **fields}


def credential(**fields: Any) -> dict[str, Any]:
    good = {
        "credential_type": "许可证",
        "number": "浙201602000001J",
        "issuer": "11330105002500287C",
        "item_code": GOOD_ITEM,
        "identifier": GOOD_CERTIFICATE,
        "holder_name": "某某科技有限公司",
        "holder_number_kind": "credit_code",
        "holder_number": GOOD_CREDIT,
        "valid_from": "2026-01-01",
        "valid_to": "2027-01-01",
        "document_number": "杭审〔2026〕1号",
    }
    return {**good, **fields}


def test_every_rule_is_in_the_register_flags_and_tells_its_deed() -> None:
    for code, rule in RULES_OF_MEANING.items():
        assert RULES[code].effect == "flag"
        assert str(rule.__doc__).startswith("Flag ")
        assert rule.__name__ == code


def test_good_rows_give_no_finding() -> None:
    assert judged("case_party", party(), party(number_kind="credit_code", number=GOOD_CREDIT)) == []
    assert judged("stage_event", event()) == []
    assert judged("credential", credential()) == []


def test_empty_frames_and_empty_values_give_no_finding() -> None:
    assert judged("case_party", party(number=None, phone=None, name=None, address=None, number_kind=None)) == []
    assert judged("stage_event", event(started_at=None, finished_at=None, started_at_precision=None)) == []
    empty = frame_of("case_party", [party()]).iloc[:0]
    none = np.array([], dtype=np.int64)
    assert judge_meaning("case_party", empty, none, documents=DOCUMENTS, read_at=READ_AT, context=Clock()) == []


def test_every_document_can_be_judged() -> None:
    for name, document in DOCUMENTS.items():
        nothing = [dict.fromkeys(document.columns)]
        frame = frame_of(name, nothing)
        found = judge_meaning(name, frame, np.array([0]), documents=DOCUMENTS, read_at=READ_AT, context=Clock())
        assert found == []


def test_findings_name_record_column_and_reason_and_mark_what_is_personal() -> None:
    bad = GOOD_RESIDENT[:17] + ("1" if GOOD_RESIDENT[17] != "1" else "2")
    found = judged("case_party", party(), party(number=bad))
    assert found == [
        Finding(
            101, "resident_id_invalid", table="case_party", field="number", value=bad, personal=True,
            detail={"reason": "the check character does not fit"},
        )
    ]  # fmt: skip
    assert not judged("credential", credential(identifier="1.2"))[0].personal


def test_all_findings_of_a_record_come_in_the_order_of_its_columns() -> None:
    found = judged("case_party", party(phone="1385711", number="1", name="测试"), party(phone="0"))
    assert brief(found) == [
        (0, "placeholder_value", "name"),
        (0, "resident_id_invalid", "number"),
        (0, "phone_invalid", "phone"),
        (1, "phone_invalid", "phone"),
    ]


def test_the_record_of_a_row_is_the_one_given() -> None:
    frame = frame_of("case_party", [party(), party(phone="0"), party(phone="1")])
    frame.index = pd.Index([7, 7, 9])
    found = judge_meaning(
        "case_party", frame, np.array([4, 4, 2]), documents=DOCUMENTS, read_at=READ_AT, context=Clock()
    )
    assert [one.record for one in found] == [2, 4]


@pytest.mark.parametrize(
    ("kind", "number", "rule"),
    [
        ("resident_id", "11010519491231002X", None),
        ("resident_id", "110105491231002", None),
        ("resident_id", resident_id.make("810000", date(1990, 1, 1), 1), None),
        ("resident_id", resident_id.make("330106", date(2026, 3, 11), 1), "resident_id_invalid"),
        ("resident_id", resident_id.make("330106", date(2026, 3, 10), 1), None),
        ("resident_id", "33010619900307122", "resident_id_invalid"),
        ("resident_id", GOOD_CREDIT, "resident_id_invalid"),
        ("credit_code", GOOD_RESIDENT, "credit_code_invalid"),
        ("credit_code", "A1330000MA2B00019U", None),
        ("credit_code", "91330106ma2b00019q", "credit_code_invalid"),
        ("credit_code", "9.13E+17", "credit_code_invalid"),
        ("organisation_code", organisation_code.make("MA2B0001"), None),
        ("organisation_code", "08337220-4", None),
        ("organisation_code", "08337220-5", "organisation_code_invalid"),
        ("passport", "E12345678", None),
        ("other", "anything", None),
        (None, "33010619900307122", None),
    ],
)
def test_a_number_is_judged_by_the_kind_that_it_is_said_to_be(kind: str | None, number: str, rule: str | None) -> None:
    for table, row in (
        ("case_party", party(number_kind=kind, number=number)),
        ("credential", credential(holder_number_kind=kind, holder_number=number)),
    ):
        assert [one.rule for one in judged(table, row)] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("code", "bad"),
    [
        ("11330105002500287C", False),
        ("11330105002500287D", True),
        ("330100", False),
        ("083372204", False),
        ("局长室", False),
    ],
)
def test_organs_of_18_characters_are_credit_codes(code: str, bad: bool) -> None:
    assert bool(judged("decision", {"decision_kind": "decision", "outcome": "granted", "organ": code})) == bad


def test_columns_of_credit_codes_are_judged() -> None:
    organ = {"code": "330100", "name": "杭州市局", "valid_from": "2020-01-01", "credit_code": GOOD_CREDIT[:-1]}
    assert brief(judged("organ", organ)) == [(0, "credit_code_invalid", "credit_code")]


@pytest.mark.parametrize(
    ("code", "bad"),
    [
        (GOOD_ITEM, False),
        (GOOD_ITEM + "01", False),
        ("330117021000", False),
        ("其他-02491-006", False),
        ("350128103XK01003", False),
        (GOOD_ITEM[:-1], True),
        (GOOD_ITEM[:18] + "9" + GOOD_ITEM[19:], True),
        ("997117021000", True),
    ],
)
def test_item_codes_are_judged_where_they_claim_the_standard(code: str, bad: bool) -> None:
    found = judged("approval_case", {"case_number": "C1", "item_code": code})
    assert [one.rule for one in found] == (["item_code_invalid"] if bad else [])


def test_certificate_identifiers_are_judged() -> None:
    found = judged(
        "credential", credential(), credential(identifier=GOOD_CERTIFICATE[:-1] + "?"), credential(identifier="x")
    )
    assert brief(found) == [(1, "certificate_id_invalid", "identifier"), (2, "certificate_id_invalid", "identifier")]


@pytest.mark.parametrize("word", ["无", "暂无", "－", "-", "——", "N/A", "null", "不详", "/", "。"])
def test_a_word_for_nothing_is_a_breach_only_where_a_value_must_stand(word: str) -> None:
    assert brief(judged("case_party", party(name=word))) == [(0, "placeholder_value", "name")]
    assert judged("case_party", party(name=word, role="agent")) == []
    assert judged("case_party", party(address=word)) == []
    assert judged("stage_event", event(opinion=word, handler=word)) == []
    assert [one.rule for one in judged("case_party", party(number=word, phone=word))] == ["placeholder_value"] * 2
    assert brief(judged("credential", credential(document_number=word))) == [
        (0, "placeholder_value", "document_number")
    ]


@pytest.mark.parametrize(
    "word",
    ["测试", "测试用户1", "测试数据", "test", "TEST 01", "111111", "xxx", "某某", "123456", "aaaa", "asdfgh", "啊啊啊"],
)
def test_what_is_typed_to_fill_a_field_is_a_breach_in_names_addresses_and_opinions(word: str) -> None:
    assert brief(judged("case_party", party(name=word, role="contact"))) == [(0, "placeholder_value", "name")]
    assert brief(judged("case_party", party(address=word))) == [(0, "placeholder_value", "address")]
    assert brief(judged("stage_event", event(opinion=word))) == [(0, "placeholder_value", "opinion")]


@pytest.mark.parametrize(
    "word",
    [
        "杭州测试仪器有限公司",
        "测绘院",
        "同意",
        "王某某",
        "无锡市",
        "张*",
        "11号楼",
        "Teston Ltd",
        "李李",
        "吴亦凡",
        "xx路1号",
        "不",
        "1",
    ],
)
def test_honest_words_are_not_taken_for_invented(word: str) -> None:
    assert judged("case_party", party(name=word, role="contact", address=word)) == []
    assert judged("stage_event", event(opinion=word)) == []


@pytest.mark.parametrize("number", ["111", "111111", "20260001", "123456", "0123456"])
def test_short_plain_document_numbers_are_believed(number: str) -> None:
    assert judged("credential", credential(document_number=number, number=number)) == []


@pytest.mark.parametrize("number", ["11111111", "123456789", "测试", "无"])
def test_document_numbers_that_are_not_believed(number: str) -> None:
    assert brief(judged("credential", credential(number=number))) == [(0, "placeholder_value", "number")]


@pytest.mark.parametrize("number", ["111111111111111111", "123456789012345678", "000000", "无", "test"])
def test_an_invented_number_is_one_finding_and_not_judged_again(number: str) -> None:
    assert brief(judged("case_party", party(number=number))) == [(0, "placeholder_value", "number")]


@pytest.mark.parametrize(
    "phone", ["13800138000", "13800000000", "11111111111", "13812345678", "0571-12345678", "123456"]
)
def test_well_known_false_phone_numbers_are_invented(phone: str) -> None:
    assert brief(judged("case_party", party(phone=phone))) == [(0, "placeholder_value", "phone")]


AFTER = READ_AT + CLOCK_SKEW


@pytest.mark.parametrize(
    ("time", "precision", "future"),
    [
        (READ_AT, "s", False),
        (AFTER, "s", False),
        (AFTER + timedelta(seconds=1), "s", True),
        (AFTER + timedelta(seconds=1), "m", False),
        (AFTER + timedelta(minutes=1), "m", True),
        (datetime(2026, 3, 9, 16, tzinfo=UTC), "d", False),  # 10 March in Shanghai: today
        (datetime(2026, 3, 10, 16, tzinfo=UTC), "d", True),  # 11 March in Shanghai: tomorrow
        (datetime(2099, 1, 1, tzinfo=UTC), None, True),
        (None, None, False),
    ],
)
def test_events_after_the_reading_are_in_the_future(time: datetime | None, precision: str | None, future: bool) -> None:
    said = None if time is None else time.isoformat()
    found = judged("stage_event", event(started_at=said, started_at_precision=precision, finished_at=None))
    assert brief(found) == ([(0, "future_time", "started_at")] if future else [])


def test_a_day_is_the_day_of_the_sources_zone() -> None:
    tomorrow = event(started_at="2026-03-10T16:00:00Z", started_at_precision="d", finished_at=None)
    assert judged("stage_event", tomorrow, zone="Asia/Shanghai")
    assert judged("stage_event", tomorrow, zone="Europe/Amsterdam") == []


def test_what_is_owed_may_lie_in_the_future() -> None:
    later = "2027-01-01T00:00:00Z"
    assert judged("acceptance", {"case_number": "C1", "outcome": "accepted", "due_at": later}) == []
    assert brief(judged("acceptance", {"case_number": "C1", "outcome": "accepted", "accepted_at": later})) == [
        (0, "future_time", "accepted_at")
    ]
    assert judged("credential", credential(valid_from="2027-01-01", valid_to="2028-01-01")) == []


@pytest.mark.parametrize(
    ("start", "start_precision", "end", "end_precision", "bad"),
    [
        ("2026-03-01T02:00:00Z", "s", "2026-03-01T02:00:00Z", "s", False),
        ("2026-03-01T02:00:01Z", "s", "2026-03-01T02:00:00Z", "s", True),
        ("2026-03-01T02:00:45Z", "s", "2026-03-01T02:00:00Z", "m", False),
        ("2026-03-01T02:01:00Z", "s", "2026-03-01T02:00:00Z", "m", True),
        ("2026-03-01T02:00:00Z", "s", "2026-02-28T16:00:00Z", "d", False),  # ended on the same local day
        ("2026-03-01T02:00:00Z", "s", "2026-02-27T16:00:00Z", "d", True),
        ("2026-03-01T15:30:00Z", "d", "2026-03-01T02:00:00Z", "d", False),
        ("2026-03-01T16:00:00Z", "d", "2026-02-28T16:00:00Z", "d", True),
        (None, None, "2026-02-28T16:00:00Z", "s", False),
        ("2026-03-01T02:00:01Z", None, "2026-03-01T02:00:00Z", None, True),
    ],
)
def test_ends_before_beginnings_in_the_coarser_precision(
    start: str | None, start_precision: str | None, end: str, end_precision: str | None, bad: bool
) -> None:
    row = event(
        started_at=start, started_at_precision=start_precision, finished_at=end, finished_at_precision=end_precision
    )
    found = judged("stage_event", row)
    assert brief(found) == ([(0, "ended_before_started", "finished_at")] if bad else [])
    pause = {
        "case_number": "C1", "started_at": start, "started_at_precision": start_precision, "ended_at": end,
        "ended_at_precision": end_precision,
    }  # fmt: skip
    assert brief(judged("suspension", pause)) == ([(0, "ended_before_started", "ended_at")] if bad else [])


def test_a_supplement_received_before_it_was_asked_for_is_found() -> None:
    row = {"case_number": "C1", "told_at": "2026-03-02T00:00:00Z", "received_at": "2026-03-01T00:00:00Z"}
    assert brief(judged("supplement", row)) == [(0, "ended_before_started", "received_at")]


@pytest.mark.parametrize(
    ("start", "end", "bad"),
    [
        ("2026-01-01", "2026-01-01", False),
        ("2026-01-02", "2026-01-01", True),
        ("2026-01-02", None, False),
        (None, "2026-01-01", False),
    ],
)
def test_validities_that_end_before_they_begin(start: str | None, end: str | None, bad: bool) -> None:
    found = judged("credential", credential(valid_from=start, valid_to=end))
    assert brief(found) == ([(0, "valid_to_before_from", "valid_to")] if bad else [])
    assert [dict(one.detail) for one in found] == ([{"valid_from": start}] if bad else [])
    version = {"implementation_code": GOOD_ITEM, "version": 1, "effective_from": start, "cancelled_on": end}
    assert brief(judged("item_version", version)) == ([(0, "valid_to_before_from", "cancelled_on")] if bad else [])


def test_dates_may_come_as_timestamps() -> None:
    frame = frame_of("credential", [credential()])
    frame["valid_from"] = pd.to_datetime(pd.Series(["2026-05-01"]))
    frame["valid_to"] = pd.to_datetime(pd.Series(["2026-04-01"])).dt.date
    found = judge_meaning("credential", frame, np.array([0]), documents=DOCUMENTS, read_at=READ_AT, context=Clock())
    assert [one.rule for one in found] == ["valid_to_before_from"]


def test_columns_may_come_as_objects() -> None:
    frame = frame_of("case_party", [party(number="1")]).astype(object)
    found = judge_meaning("case_party", frame, np.array([0]), documents=DOCUMENTS, read_at=READ_AT, context=Clock())
    assert [one.rule for one in found] == ["resident_id_invalid"]
