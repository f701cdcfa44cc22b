"""The worked example of docs/integrate/kinds/soap.md, pulled from end to end out of a real SOAP service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.loading import load_sources
from hub.errors import RetrySource, TruncatedUnit
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime
from tests.connectors.soap_service import SoapService, enveloped, fault, serving
from tests.connectors.test_soap import make_example


class Office:
    """The land office and the hub that pulls it."""

    def __init__(self, runtime: Runtime, service: SoapService, sources: Path) -> None:
        self.runtime, self.service = runtime, service
        make_example(sources, **{"security: username_token": "security: username_token\n      backoff: 0.01"})
        (self.source,) = load_sources([sources])

    def put(self, number: int, version: int = 1, **fields: Any) -> None:
        """Write a case as the office's system would: a correction takes the place of what was there."""
        name = f"ZR-2026-{number:04}"
        changed = f"2026-03-{number:02}T09:00:00+08:00"
        one = {
            "@version": version, "caseNo": name, "itemName": "建设用地规划许可", "applicant": f"某某置业公司{number}",
            "kind": "承诺", "appliedAt": f"2026-03-{number:02}T08:40:10+08:00", "changedAt": changed, **fields,
        }  # fmt: skip
        self.service.cases = [case for case in self.service.cases if case["caseNo"] != name] + [one]

    def pull(self) -> dict[str, Any]:
        url = self.service.url("reader:pass")
        report = exchange(self.source, runtime=self.runtime, connections=lambda _id: url)
        assert report.balanced
        (counts,) = report.as_dict()["streams"]
        return counts

    def rows(self, query: str) -> list[Any]:
        with self.runtime.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query)).all()]

    def cursor(self) -> Any:
        ((state,),) = self.rows("SELECT state FROM ledger.stream")
        return state.get("cursor")


@pytest.fixture
def office(runtime: Runtime, tmp_path: Path) -> Iterator[Office]:
    with serving() as service:
        service.user = ("reader", "pass")
        yield Office(runtime, service, tmp_path / "sources")


def told(counts: dict[str, Any], *names: str) -> list[int]:
    return [counts[name] for name in names]


def test_a_service_is_pulled_from_its_first_case_to_its_last_correction(office: Office) -> None:
    for number in range(1, 6):
        office.put(number)
    assert told(office.pull(), "read", "new", "quarantined") == [5, 5, 0]
    assert "changedSince" not in office.service.asked[0].values
    assert office.cursor() == "2026-03-05T09:00:00+08:00"
    assert office.rows("SELECT case_number, case_kind FROM core.approval_case ORDER BY 1")[0] == (
        "ZR-2026-0001",
        "promised",
    )

    office.put(6)
    office.put(2, version=2, kind="即办", changedAt="2026-03-07T10:00:00+08:00")
    assert told(office.pull(), "read", "new", "updated", "unchanged") == [3, 1, 1, 1], "the lookback reads one again"
    assert office.service.asked[-1].one("changedSince") == "2026-03-05T08:50:00+08:00"
    assert office.cursor() == "2026-03-07T10:00:00+08:00"
    kinds = "SELECT case_kind FROM core.approval_case WHERE case_number = 'ZR-2026-0002'"
    assert office.rows(kinds) == [("immediate",)]

    assert told(office.pull(), "read", "new", "updated", "unchanged") == [1, 0, 0, 1], (
        "an unchanged service brings nothing"
    )


def test_a_broken_page_in_the_middle_leaves_the_cursor_and_is_made_good(office: Office) -> None:
    office.put(1)
    office.pull()
    for number in range(2, 8):
        office.put(number)
    honest = office.service.honest

    def broken(asked: Any) -> Any:
        said = honest(asked)
        return (200, {"Content-Type": "text/xml"}, enveloped(said)[:-90]) if asked.one("page") == "2" else said

    office.service.answer = broken
    with pytest.raises(TruncatedUnit, match="ends before its last element"):
        office.pull()
    assert office.cursor() == "2026-03-01T09:00:00+08:00"
    office.service.answer = lambda asked: (
        fault("1.1", "s:Server", "busy") if asked.one("page") == "3" else honest(asked)
    )
    with pytest.raises(RetrySource, match="busy"):
        office.pull()
    assert office.cursor() == "2026-03-01T09:00:00+08:00"
    office.service.answer = honest
    counts = office.pull()
    assert counts["read"] == 7
    assert office.rows("SELECT count(*) FROM core.approval_case") == [(7,)]
    assert office.cursor() == "2026-03-07T09:00:00+08:00"


def test_a_bad_record_is_told_and_the_rest_goes_on(office: Office) -> None:
    office.put(1)
    office.put(2, kind="网办")
    office.put(3, caseNo="")
    counts = office.pull()
    assert counts["read"] == 3
    rules = office.rows("SELECT rule FROM quality.finding ORDER BY 1")
    assert ("unknown_code",) in rules
    assert counts["new"] >= 1
    assert counts["quarantined"] >= 1
