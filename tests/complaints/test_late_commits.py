"""Complaint 1: rows that are committed late, with an older time than the cursor, are missed."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest

from pipeline.runtime import Runtime
from tests.complaints.parts import InPostgres, sliced
from tests.journeys.conftest import Hub

KEPT = "SELECT case_number FROM core.approval_case ORDER BY 1"


@pytest.mark.parametrize(("lookback", "caught"), [("PT2H", True), ("PT0S", False)])
def test_a_row_that_is_committed_after_newer_ones_is_caught_by_the_lookback(
    runtime: Runtime, in_postgres: InPostgres, lookback: str, caught: bool
) -> None:
    in_postgres.declare(each={"cursor": {"field": "CREATE_TIME", "lookback": lookback}})
    hub = Hub(runtime, in_postgres)
    with closing(psycopg2.connect(in_postgres.url)) as slow_clerk:
        in_postgres.put_by(slow_clerk, "PRE_APASINFO", PROJID="LATE", CREATE_TIME="2026-03-02 09:00:00")
        in_postgres.put("PRE_APASINFO", PROJID="SOON", CREATE_TIME="2026-03-02 10:00:00")
        assert hub.pull()["PRE_APASINFO"]["new"] == 1
        assert hub.rows(KEPT) == [("SOON",)]
        slow_clerk.commit()
    second = hub.pull()["PRE_APASINFO"]
    assert second["new"] == int(caught)
    assert hub.rows(KEPT) == ([("LATE",), ("SOON",)] if caught else [("SOON",)])
    assert second["read"] == second["new"] + second["unchanged"], "what is read again is known, and counted as such"
    hub.pull(full=True)
    assert hub.rows(KEPT) == [("LATE",), ("SOON",)], "without a lookback, a full pull finds it"
    assert hub.one("SELECT state->>'cursor' FROM ledger.stream WHERE name = 'PRE_APASINFO'") > "2026-03-02 09:59"


def test_a_row_that_comes_while_a_pull_reads_is_left_to_the_next(runtime: Runtime, in_postgres: InPostgres) -> None:
    """The bound is fixed when a pull begins: rows of later times never push the cursor past what is not read yet."""
    in_postgres.declare(each={"cursor": {"field": "CREATE_TIME", "lookback": "PT0S"}})
    hub = Hub(sliced(runtime, 2), in_postgres)
    for number in range(6):
        in_postgres.put("PRE_APASINFO", PROJID=f"C-{number}", CREATE_TIME=f"2026-03-02 09:00:0{number}")
    come: list[str] = []

    def meanwhile(_source: str, stream: str, _read: int) -> None:
        if stream == "PRE_APASINFO" and not come:
            come.append("C-9")
            in_postgres.put("PRE_APASINFO", PROJID="C-9", CREATE_TIME="2026-03-02 09:30:00")

    assert hub.pull(progress=meanwhile)["PRE_APASINFO"]["read"] == 6
    assert come
    assert hub.pull()["PRE_APASINFO"]["new"] == 1
