"""A department checks a credential of another: every answer there is, over the real API."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.verification.conftest import Asker
from tests.verification.registry import ASKER, FIRM, FIRM_NAME, ISSUER, NOW, OTHER, PERSON, Registry, body, today

BEHIND = NOW - timedelta(days=9)


@pytest.fixture(autouse=True)
def shared(registry: Registry) -> None:
    """What most tests begin with: the type is shared under conditions, the asker has its grant and its case."""
    registry.share()
    registry.grant()
    registry.case()


def test_a_credential_that_is_valid_matches(registry: Registry, asker: Asker) -> None:
    registry.credential()
    said = asker.check(body())
    answer = said["answer"]
    assert (answer["outcome"], answer["status"], answer["may_rely"], answer["stale"]) == ("match", "valid", True, False)
    assert (answer["case"], answer["complete_basis"], said["state"]) == ("confirmed", "declared", "answered")
    assert answer["complete_through"] == NOW.isoformat().replace("+00:00", "Z")
    again = asker.get(f"/v1/checks/{said['id']}").json()
    assert again == said


def test_a_wrong_field_is_named_and_its_right_value_never_told(registry: Registry, asker: Asker) -> None:
    registry.credential(periods=(("revoked", date(2026, 3, 1)),), status="revoked")
    wrong = {"holder_number": PERSON, "holder_name": "某某公司", "valid_from": "2024-01-01", "valid_to": "2030-01-01"}
    answer = asker.answer(body(credential=wrong))
    assert answer["outcome"] == "mismatch"
    assert answer["fields"] == ["holder_number", "holder_name", "valid_from", "valid_to"]
    told = {name: said for name, said in answer.items() if said not in (None, [], False)}
    assert set(told) == {"outcome", "on", "fields", "complete_through", "complete_basis", "case"}


def test_each_field_is_compared_by_itself(registry: Registry, asker: Asker) -> None:
    registry.credential()
    for name, wrong in (
        ("holder_number", PERSON), ("holder_name", "别家公司"), ("valid_from", "2025-01-02"),
        ("valid_to", "2035-12-30"), ("version", "002"),
    ):  # fmt: skip
        answer = asker.answer(body(credential={name: wrong}))
        assert (answer["outcome"], answer["fields"]) == ("mismatch", [name])
    right = {"valid_from": "2025-01-01", "valid_to": "2035-12-31", "version": "001", "issuer": ISSUER}
    assert asker.answer(body(credential=right))["outcome"] == "match"


@pytest.mark.parametrize(
    ("status", "since", "on", "outcome", "told"),
    [
        ("revoked", date(2026, 3, 1), "2026-03-01", "not_valid", ("revoked", "2026-03-01")),
        ("revoked", date(2026, 3, 1), "2026-02-28", "match", ("valid", "2025-01-01")),
        ("suspended", date(2026, 3, 1), "2026-04-01", "not_valid", ("suspended", "2026-03-01")),
        ("cancelled", date(2026, 3, 1), "2026-04-01", "not_valid", ("cancelled", "2026-03-01")),
        ("valid", date(2025, 1, 1), "2024-12-31", "not_valid", ("not_yet_valid", "2025-01-01")),
    ],
)
def test_it_is_told_how_it_stood_on_the_day_and_since_when(
    registry: Registry, asker: Asker, status: str, since: date, on: str, outcome: str, told: tuple[str, str]
) -> None:
    registry.credential(periods=((status, since),), status=status)
    answer = asker.answer(body(on=on))
    assert (answer["outcome"], (answer["status"], answer["since"])) == (outcome, told)


def was_suspended(registry: Registry, record: int, since: date) -> None:
    """Leave in the history that a credential was suspended, before its present status replaced that."""
    registry.run(
        """INSERT INTO core_history.credential_status (record_id, part, status, since, since_precision, batch_id,
               content_hash, closed_by, closed_at)
           SELECT record_id, 1, 'suspended', :since, 'd', batch_id, content_hash, batch_id, now()
           FROM core.credential WHERE record_id = :record""",
        record=record, since=since,
    )  # fmt: skip


def test_a_status_that_was_replaced_counts_for_the_days_before(registry: Registry, asker: Asker) -> None:
    was_suspended(registry, registry.credential(periods=(("valid", date(2026, 4, 1)),)), date(2026, 3, 1))
    assert asker.answer(body(on="2026-03-15"))["status"] == "suspended"
    assert asker.answer(body(on="2026-02-15"))["outcome"] == "match"
    assert asker.answer(body(on="2026-04-02"))["outcome"] == "match"


def test_many_questions_about_many_days_are_each_answered_as_if_it_was_asked_alone(
    registry: Registry, asker: Asker
) -> None:
    for place in (1, 2, 3):
        record = registry.credential(f"JY-00{place}", periods=(("valid", date(2026, 4, place)),))
        was_suspended(registry, record, date(2026, 3, 10 * place))
    days = ("2026-03-05", "2026-03-15", "2026-03-25", "2026-04-01", "2026-04-02", "2026-04-20")
    asked = [body(on=day, credential={"number": f"JY-00{place}"}) for day in days for place in (3, 1, 2)]
    told = [one["answer"] for one in asker.post("/v1/bulk-checks", {"checks": asked}).json()["checks"]]
    assert told == [asker.answer(one) for one in asked]
    statuses = [one["status"] for one in told]
    assert statuses.count("suspended") == 6
    assert statuses[:3] == ["valid"] * 3


def test_expired_is_told_with_the_first_day_on_which_it_no_longer_held(registry: Registry, asker: Asker) -> None:
    registry.credential(valid_to=date(2026, 5, 31))
    assert asker.answer(body(on="2026-05-31"))["outcome"] == "match"
    answer = asker.answer(body(on="2026-06-01"))
    assert (answer["outcome"], answer["status"], answer["since"]) == ("not_valid", "expired", "2026-06-01")


def test_not_found_is_said_only_where_every_feed_is_far_enough(registry: Registry, asker: Asker) -> None:
    registry.credential("another", source="market")
    registry.credential("one more", source="county")
    assert asker.answer(body())["outcome"] == "not_found"
    registry.through("county", BEHIND)
    answer = asker.answer(body())
    assert (answer["outcome"], answer["reason"], answer["stale"]) == ("undetermined", "feed_behind", True)
    assert datetime.fromisoformat(answer["complete_through"]) == BEHIND
    registry.through("county", None)
    answer = asker.answer(body())
    assert (answer["outcome"], answer["complete_through"]) == ("undetermined", None)


def test_where_no_feed_is_known_nothing_is_said(registry: Registry, asker: Asker) -> None:
    answer = asker.answer(body())
    assert (answer["outcome"], answer["reason"]) == ("undetermined", "no_feed")
    registry.credential("of another issuer")
    answer = asker.answer(body(credential={"issuer": OTHER}))
    assert (answer["outcome"], answer["reason"]) == ("undetermined", "no_feed")


def test_an_old_day_needs_no_fresh_feed(registry: Registry, asker: Asker) -> None:
    registry.credential("another")
    registry.through("market", BEHIND)
    long_ago = (BEHIND - timedelta(days=3)).date().isoformat()
    assert asker.answer(body(on=long_ago))["outcome"] == "not_found"
    assert asker.answer(body(on=today().isoformat()))["outcome"] == "undetermined"


@pytest.mark.parametrize("allowed", [True, False])
def test_found_and_stale_is_valid_as_of_then_and_relied_on_only_where_the_grant_allows(
    registry: Registry, asker: Asker, allowed: bool
) -> None:
    registry.credential()
    registry.through("market", BEHIND)
    if allowed:
        registry.grant(stale_allowed=True)
    answer = asker.answer(body())
    assert (answer["outcome"], answer["stale"], answer["later_status_unknown"]) == ("match", True, True)
    assert answer["may_rely"] is allowed
    assert datetime.fromisoformat(answer["complete_through"]) == BEHIND


def test_one_number_of_two_issuers_is_ambiguous_and_nothing_is_told(registry: Registry, asker: Asker) -> None:
    registry.credential()
    registry.credential(source="other market", issuer=OTHER)
    answer = asker.answer(body())
    assert (answer["outcome"], answer["reason"]) == ("ambiguous", "several_issuers")
    assert (answer["status"], answer["since"], answer["fields"], answer["valid_to"]) == (None, None, [], None)
    assert asker.answer(body(credential={"issuer": OTHER}))["outcome"] == "match"


def test_two_sources_of_one_credential_must_agree(registry: Registry, asker: Asker) -> None:
    registry.credential()
    registry.credential(source="province platform")
    assert asker.answer(body())["outcome"] == "match"
    registry.run(
        """UPDATE core.credential SET valid_to = '2026-01-01' WHERE record_id = (
               SELECT max(record_id) FROM core.credential)"""
    )
    answer = asker.answer(body())
    assert (answer["outcome"], answer["reason"]) == ("ambiguous", "sources_disagree")


def test_the_newest_version_counts(registry: Registry, asker: Asker) -> None:
    registry.credential(version="9", valid_to=date(2026, 1, 1))
    registry.credential(source="market", version="10")
    assert asker.answer(body())["outcome"] == "match"
    old = asker.answer(body(credential={"version": "9"}))
    assert (old["outcome"], old["status"]) == ("not_valid", "expired")


def test_the_issuer_is_told_to_be_wrong_only_to_who_knows_the_holder(registry: Registry, asker: Asker) -> None:
    registry.credential()
    registry.credential("elsewhere", source="other", issuer=OTHER)
    knows = asker.answer(body(credential={"issuer": OTHER}))
    assert (knows["outcome"], knows["fields"]) == ("mismatch", ["issuer"])
    guesses = asker.answer(body(credential={"issuer": OTHER, "holder_number": PERSON, "holder_name": None}))
    assert guesses["outcome"] == "not_found"


def test_under_objection_since_is_told(registry: Registry, asker: Asker) -> None:
    registry.credential(case_number="M-1")
    at = datetime(2026, 4, 2, 3, tzinfo=UTC)
    registry.decision("M-1", source="market", on=at.date(), decision_kind="appeal", outcome="other")
    assert asker.answer(body())["objection_since"] == "2026-04-02"


def test_a_value_mended_in_the_hub_is_marked(registry: Registry, asker: Asker) -> None:
    record = registry.credential()
    registry.run(
        """INSERT INTO quality.finding (stream_id, record_id, rule, effect, field, pointer, state, batch_id)
           SELECT stream_id, record_id, 'value_mended', 'flag', 'valid_to', '/valid_to', 'open', batch_id
           FROM ledger.source_record WHERE record_id = :record""",
        record=record,
    )
    assert asker.answer(body())["mended"] == ["/valid_to"]


# --- comparison rules ---


def test_widths_blanks_and_brackets_make_no_difference(registry: Registry, asker: Asker) -> None:
    registry.credential(holder=(FIRM, "浙江（杭州）某厂"))
    for said in (
        "浙江（杭州）某厂", "浙江(杭州)某厂", "浙江〔杭州〕某厂", "浙江【杭州】某厂", "浙江［杭州］某厂",
        "浙江　(杭州) 某厂", " 浙江(杭州)某厂 ", "浙江(杭州)某厂\ufe00",
    ):  # fmt: skip
        assert asker.answer(body(credential={"holder_name": said}))["outcome"] == "match"


def test_a_rare_character_is_the_same_in_an_older_font(registry: Registry, asker: Asker) -> None:
    registry.credential(holder=(PERSON, "王䶮"))
    shown = {"holder_number": PERSON, "holder_name": "王" + chr(0xE863)}
    assert asker.answer(body(credential=shown))["outcome"] == "match"


def test_a_name_with_a_lost_character_is_compared_with_nothing(registry: Registry, asker: Asker) -> None:
    registry.credential(holder=(PERSON, "王□"))
    both = asker.answer(body(credential={"holder_number": PERSON, "holder_name": "王䶮"}))
    assert (both["outcome"], both["not_compared"]) == ("match", ["holder_name"])
    alone = asker.answer(body(credential={"holder_number": None, "holder_name": "王䶮"}))
    assert (alone["outcome"], alone["reason"]) == ("undetermined", "holder_not_compared")
    other = asker.answer(body(credential={"holder_number": None, "holder_name": "王□"}))
    assert other["outcome"] == "undetermined", "that a character is lost in both proves nothing"


def test_a_renamed_firm_is_known_by_its_number_and_its_former_name(registry: Registry, asker: Asker) -> None:
    record = registry.credential()
    renamed = registry.holder(FIRM, "杭州绿水建设有限公司")
    registry.replace(record, at=NOW - timedelta(days=1), **renamed)
    answer = asker.answer(body())
    assert (answer["outcome"], answer["former_name"]) == ("match", True)
    assert asker.answer(body(credential={"holder_name": "杭州绿水建设有限公司"}))["former_name"] is False
    without = asker.answer(body(credential={"holder_number": None}))
    assert (without["outcome"], without["fields"]) == ("mismatch", ["holder_name"])


def test_an_organisation_code_is_that_of_the_credit_code_which_holds_it(registry: Registry, asker: Asker) -> None:
    registry.credential(holder=(FIRM[8:17], FIRM_NAME))
    registry.credential("JY-002", holder=(FIRM, FIRM_NAME), source="market")
    assert asker.answer(body())["outcome"] == "match"
    short = {"number": "JY-002", "holder_number": FIRM[8:17]}
    assert asker.answer(body(credential=short))["outcome"] == "match"


def test_the_number_is_found_whatever_its_brackets(registry: Registry, asker: Asker) -> None:
    registry.credential("浙食药〔2026〕12号")
    for said in ("浙食药〔2026〕12号", "浙食药[2026]12号", "浙食药（2026）12号", "浙食药【2026】１２号"):
        assert asker.answer(body(credential={"number": said}))["outcome"] == "match"


def test_another_number_of_the_credential_finds_it(registry: Registry, asker: Asker) -> None:
    record = registry.credential()
    registry.put("credential_number", record_id=record, part=9, number="OLD-7", batch_id=1, content_hash=b"\x00")
    assert asker.answer(body(credential={"number": "OLD-7"}))["outcome"] == "match"


# --- as it was known ---


def test_an_earlier_instant_is_answered_by_what_the_hub_knew_then(registry: Registry, asker: Asker) -> None:
    record = registry.credential(recorded=NOW - timedelta(days=30))
    revoked = NOW - timedelta(days=10)
    registry.replace(record, at=revoked, status="revoked")
    assert asker.answer(body())["outcome"] == "not_valid"
    before = (revoked - timedelta(hours=1)).isoformat()
    then: dict[str, Any] = asker.answer(body(known_at=before))
    assert (then["outcome"], then["known_at"][:10]) == ("match", before[:10])
    assert then["complete_basis"] == "inferred"
    unheard = asker.answer(body(known_at=(NOW - timedelta(days=31)).isoformat()))
    assert unheard["outcome"] == "undetermined", "what a feed had brought by then was nothing"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("2026-06-05T08:00:00-21:22", 200),
        ("2026-06-05t08:00:00.25z", 200),
        ("0371-03-26T08:52:24-21:22", 400),
        ("2026-06-05T08:00Z", 400),
        ("2026-06-05T08:00:00", 400),
    ],
)
def test_an_instant_is_read_as_rfc_3339_has_it_with_whatever_offset(
    registry: Registry, asker: Asker, said: str, status: int
) -> None:
    registry.credential()
    assert asker.post("/v1/checks", body(known_at=said)).status_code == status


def test_the_asker_is_told_whether_its_own_case_was_found(registry: Registry, asker: Asker) -> None:
    registry.credential()
    assert asker.answer(body())["case"] == "confirmed"
    assert asker.answer(body(case="A-404"))["case"] == "not_yet"
    registry.case("B-1", source="other asker", organ=OTHER)
    assert asker.answer(body(case="B-1"))["case"] == "not_yet", "another organ's case is no reason of this one"
    registry.case("A-2", party=(PERSON, "王晓岚"))
    assert asker.answer(body(case="A-2"))["case"] == "not_yet", "the holder is no party to it"
    assert ASKER != OTHER
