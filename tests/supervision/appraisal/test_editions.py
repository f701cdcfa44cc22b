"""Publication as an act: draft, hearing, a numbered sealed edition; errata are editions, too."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from pipeline.runtime import Runtime
from sharedrepo.keyring import signing
from sharedrepo.keyring.signing import Ed25519Signer
from supervision.appraisal import editions, freezing, inputs, looking, objecting, yearly, years
from supervision.appraisal.editions import Edition
from supervision.appraisal.errors import AppraisalRefused
from tests.supervision.appraisal.filling import ORGAN, OTHER
from tests.supervision.appraisal.making import unit

MONTH = "2026-10"
NOW = datetime(2026, 11, 3, 1, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 11, 1, 0, tzinfo=UTC)
OVER = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
"""Midnight in the province: the year is over."""


@pytest.fixture
def signer(runtime: Runtime) -> Ed25519Signer:
    made = Ed25519Signer.of(runtime.protector.ring)
    with runtime.engine.begin() as connection:
        signing.publish(connection, made)
    return made


def heard(engine: sa.Engine, reason: str | None = None) -> Edition:
    """Freeze, draft and open the hearing."""
    freezing.freeze(engine, MONTH, actor="test:anna", now=NOW, reason=reason)
    editions.draft(engine, MONTH, "test:anna", reason)
    return editions.hear(engine, MONTH, date(2026, 11, 10), "test:anna", NOW)


def test_a_ranking_is_published_after_its_hearing_by_another_person_under_the_hubs_seal(
    engine: sa.Engine, signer: Ed25519Signer
) -> None:
    heard(engine)
    made = editions.publish(engine, MONTH, "test:bernd", signer, LATER)
    assert (made.number, made.state, made.published_by) == (1, "published", "test:bernd")
    claims = signing.opened(str(made.signature), signing.published(engine), editions.KIND)
    data = editions.ranking_of(engine, made)
    assert claims["ranking_sha256"] == inputs.sha256(data) == made.ranking_digest
    assert claims["inputs_sha256"] == freezing.found(engine, MONTH).digest == orjson.loads(data)["inputs_sha256"]
    assert [one["what"] for one in editions.deeds(engine, MONTH)] == ["drafted", "heard", "published"]
    assert looking.claims(engine, made) == claims


def test_before_its_time_without_hearing_or_by_who_drafted_it_nothing_is_published(
    engine: sa.Engine, signer: Ed25519Signer
) -> None:
    freezing.freeze(engine, MONTH, actor="test:anna", now=NOW)
    with pytest.raises(AppraisalRefused, match="no edition of it is in the state 'hearing'"):
        editions.publish(engine, MONTH, "test:bernd", signer, LATER)
    editions.draft(engine, MONTH, "test:anna")
    with pytest.raises(AppraisalRefused, match="under way"):
        editions.draft(engine, MONTH, "test:anna")
    with pytest.raises(AppraisalRefused, match="is past"):
        editions.hear(engine, MONTH, date(2026, 11, 2), "test:anna", NOW)
    editions.hear(engine, MONTH, date(2026, 11, 10), "test:anna", NOW)
    for moment in (NOW, datetime(2026, 11, 10, 15, 59, tzinfo=UTC)):
        with pytest.raises(AppraisalRefused, match="heard until"):
            editions.publish(engine, MONTH, "test:bernd", signer, moment)
    with pytest.raises(AppraisalRefused, match="who drafted"):
        editions.publish(engine, MONTH, "test:anna", signer, LATER)
    assert looking.months(engine, waiting=False) == []


def test_an_open_objection_stops_publication_and_a_rejected_one_does_not(
    engine: sa.Engine, signer: Ed25519Signer
) -> None:
    heard(engine)
    number = objecting.lodge(engine, MONTH, "department", ORGAN, "time_limit", "C-1008 按时办结", "account:labour", NOW)
    with pytest.raises(AppraisalRefused, match="not answered"):
        editions.publish(engine, MONTH, "test:bernd", signer, LATER)
    with pytest.raises(AppraisalRefused, match="none of this number waits for you"):
        objecting.answer(engine, number, "rejected", "own answer", "account:labour")
    objecting.answer(engine, number, "rejected", "办结时间为 10 月 28 日", "account:watch")
    with pytest.raises(AppraisalRefused, match="none of this number waits"):
        objecting.answer(engine, number, "upheld", "twice", "account:watch")
    made = editions.publish(engine, MONTH, "test:bernd", signer, LATER)
    assert objecting.counts(engine, made) == {"rejected": 1}
    told = objecting.listed(engine, MONTH)[0]
    assert (told["unit"], told["outcome"], told["answered_by"]) == (ORGAN, "rejected", "account:watch")


def test_an_upheld_objection_leads_to_a_new_freeze_and_a_new_draft(engine: sa.Engine, signer: Ed25519Signer) -> None:
    heard(engine)
    number = objecting.lodge(engine, MONTH, "department", ORGAN, "C-1008", "补报", "account:labour", NOW)
    objecting.answer(engine, number, "upheld", "数据已更正", "account:watch")
    with pytest.raises(AppraisalRefused, match="were upheld"):
        editions.publish(engine, MONTH, "test:bernd", signer, LATER)
    editions.withdraw(engine, MONTH, "objection upheld", "test:anna")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE supervision.clock SET verdict = 'early' WHERE case_id = 70001008"))
    heard(engine, "objection upheld")
    made = editions.publish(engine, MONTH, "test:bernd", signer, LATER)
    assert unit(orjson.loads(editions.ranking_of(engine, made)))["measures"]["closed_late"] == "3"


@pytest.mark.parametrize(
    ("level", "code", "said", "now", "refusal"),
    [
        ("department", "nobody", "x", NOW, "has no department"),
        ("village", ORGAN, "x", NOW, "has no village"),
        ("department", ORGAN, " ", NOW, "says to what"),
        ("department", ORGAN, "x" * 2_001, NOW, "says to what"),
        ("department", ORGAN, "x", LATER, "was over"),
    ],
)
def test_an_objection_is_lodged_in_time_by_a_unit_of_the_ranking_with_words(
    engine: sa.Engine, level: str, code: str, said: str, now: datetime, refusal: str
) -> None:
    heard(engine)
    with pytest.raises(AppraisalRefused, match=refusal):
        objecting.lodge(engine, MONTH, level, code, "score", said, "account:labour", now)


def test_an_erratum_is_a_new_edition_with_its_reason_chained_to_the_one_before(
    engine: sa.Engine, signer: Ed25519Signer
) -> None:
    heard(engine)
    first = editions.publish(engine, MONTH, "test:bernd", signer, LATER)
    with pytest.raises(AppraisalRefused, match="an erratum"):
        editions.draft(engine, MONTH, "test:anna")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE supervision.clock SET verdict = 'early' WHERE case_id = 70001008"))
    heard(engine, "C-1008 was closed in time")
    second = editions.publish(engine, MONTH, "test:bernd", signer, LATER)
    claims = looking.claims(engine, second)
    assert (second.number, claims["reason"]) == (2, "C-1008 was closed in time")
    assert claims["before_sha256"] == first.ranking_digest
    assert editions.ranking_of(engine, editions.of_id(engine, first.edition_id)), "the first one stays as it is"
    assert [one.number for one in editions.listed(engine, MONTH, published=True)] == [2, 1]


def test_a_published_edition_never_changes(engine: sa.Engine, signer: Ed25519Signer) -> None:
    heard(engine)
    editions.publish(engine, MONTH, "test:bernd", signer, LATER)
    with pytest.raises(AppraisalRefused, match="no edition is under way"):
        editions.withdraw(engine, MONTH, "regret", "test:anna")
    for statement in ("UPDATE supervision.edition SET ranking = '\\x00'", "DELETE FROM supervision.edition"):
        with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
            connection.execute(sa.text(statement))


def test_the_year_counts_the_newest_edition_of_each_month(engine: sa.Engine, signer: Ed25519Signer) -> None:
    heard(engine)
    made = editions.publish(engine, MONTH, "test:bernd", signer, LATER)
    score = unit(orjson.loads(editions.ranking_of(engine, made)), OTHER)["score"]
    year = years.ranked(engine, 2026)
    assert (year["months"], unit(year, OTHER)["score"]) == ([MONTH], score)
    assert unit(years.ranked(engine, 2026, 2), OTHER)["score"] == score
    with pytest.raises(AppraisalRefused, match="no month"):
        years.ranked(engine, 2026, 1)


def test_a_year_is_published_when_it_is_over_and_an_erratum_says_what_it_mends(
    engine: sa.Engine, signer: Ed25519Signer, tmp_path: Path
) -> None:
    heard(engine)

    def publish(now: datetime = OVER, **more: Any) -> yearly.YearEdition:
        return yearly.publish(engine, 2026, None, actor="test:bernd", signer=signer, now=now, **more)

    with pytest.raises(AppraisalRefused, match="2026-10 is under way"):
        publish()
    month = editions.publish(engine, MONTH, "test:bernd", signer, LATER)
    with pytest.raises(AppraisalRefused, match="it is not over"):
        publish(datetime(2026, 12, 31, 15, 59, tzinfo=UTC))
    made = publish()
    assert (made.year, made.number, made.reason) == ("2026", 1, None)
    claims = orjson.loads(yearly.files(engine, made)["edition.json"])["claims"]
    assert claims["months"] == {MONTH: {"edition": 1, "ranking_sha256": month.ranking_digest}}
    assert yearly.ranking_of(engine, made)["without"][:2] == ["2026-01", "2026-02"]
    freezing.export(engine, freezing.found(engine, MONTH), tmp_path / MONTH)
    assert inputs.sha256(inputs.canonical(years.recomputed(tmp_path, 2026))) == made.ranking_digest
    with pytest.raises(AppraisalRefused, match="edition 1 says the same"):
        publish(reason="again")

    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE supervision.clock SET verdict = 'early' WHERE verdict = 'late'"))
    heard(engine, reason="late ones were early")
    editions.publish(engine, MONTH, "test:bernd", signer, LATER)
    with pytest.raises(AppraisalRefused, match="an erratum"):
        publish()
    mended = publish(reason="2026-10 was mended")
    assert (mended.number, mended.reason) == (2, "2026-10 was mended")
    claims = orjson.loads(yearly.files(engine, mended)["edition.json"])["claims"]
    assert claims["before_sha256"] == made.ranking_digest
    for statement in ("UPDATE supervision.year_edition SET number = 9", "DELETE FROM supervision.year_edition"):
        with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
            connection.execute(sa.text(statement))
