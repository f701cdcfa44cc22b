"""Complaint 9: long reads hold a lock, so that nothing else goes on and nothing is kept until the end."""

from __future__ import annotations

from contextlib import closing

import psycopg2

from connectors.loading import load_sources
from pipeline.runtime import Runtime
from tests.complaints.parts import InPostgres, sliced
from tests.connectors.parts import opened
from tests.journeys.conftest import Hub

PAGES = {"cursor": {"field": "CREATE_TIME", "lookback": "PT0S"}}


def test_each_slice_is_there_for_others_while_the_pull_goes_on(hub: Hub) -> None:
    for number in range(40):
        hub.department.put("PRE_APASINFO", PROJID=f"C-{number:02}")
    seen: list[tuple[int, int]] = []
    longest: list[float] = []

    def look(_source: str, stream: str, _read: int) -> None:
        if stream == "PRE_APASINFO":
            seen.append(hub.one("SELECT count(*), max(seq) FROM ledger.batch"))
            query = """SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float
                       FROM pg_stat_activity WHERE application_name = 'hub' AND state LIKE 'idle in transaction%'
                       AND datname = current_database()"""
            longest.append(hub.one(query))

    hub = Hub(sliced(hub.runtime, 4), hub.department)
    hub.pull(progress=look)
    assert seen == [(number, number) for number in range(1, len(seen) + 1)]
    assert len(seen) >= 10
    assert max(longest) < 5, "no transaction of the hub lasts longer than a few slices"


def test_a_short_lived_reader_leaves_the_department_free_between_pages(in_postgres: InPostgres) -> None:
    options = {"table": "pre_apasinfo", "page_rows": 5, "key": ["PROJID"]}
    in_postgres.declare(each={**PAGES, "options": options}, streams=("PRE_APASINFO",))
    for number in range(20):
        in_postgres.put("PRE_APASINFO", PROJID=f"C-{number:02}", CREATE_TIME=f"2026-03-02 09:00:{number:02}")
    [source] = load_sources([in_postgres.folder.parent])
    one = source.streams["PRE_APASINFO"]
    read = 0
    for piece in opened("database", in_postgres.url, one).read(one, {}, slice_size=5, full=False):
        read += piece.read
        with closing(psycopg2.connect(in_postgres.url)) as clerk, clerk.cursor() as cursor:
            cursor.execute(
                "LOCK TABLE pre_apasinfo IN ACCESS EXCLUSIVE MODE NOWAIT"
            )  # raises if the reader held a lock
            cursor.execute("UPDATE pre_apasinfo SET \"SYNC_STATUS\" = 'U'")
            clerk.commit()
    assert read == 20


def test_a_pull_that_is_cut_off_keeps_its_slices_and_goes_on_behind_them(
    runtime: Runtime, in_postgres: InPostgres
) -> None:
    in_postgres.declare(each=PAGES)
    for number in range(30):
        in_postgres.put("PRE_APASINFO", PROJID=f"C-{number:02}", CREATE_TIME=f"2026-03-02 09:00:{number:02}")
    hub = Hub(sliced(runtime, 5), in_postgres)

    class CutOff(Exception):
        pass

    def cut(_source: str, _stream: str, _read: int) -> None:
        if hub.one("SELECT count(*) FROM ledger.batch") == 3:
            raise CutOff

    try:
        hub.pull(progress=cut)
    except CutOff:
        kept = hub.one("SELECT count(*) FROM core.approval_case")
    assert kept == 15
    again = hub.pull()["PRE_APASINFO"]
    assert (again["new"], again["unchanged"]) == (15, 1), "it goes on behind the last slice; one row tells where"
