"""Building permits of two municipalities (BPIC 2015): every event kept, as many as each log's header declares."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.settings import Settings
from pipeline.afterwards.rebuild import rebuild
from pipeline.runtime import Runtime
from sharedrepo.telling.digest import digest
from sharedrepo.telling.ledger import check
from tests.real.counting import Log, read_log
from tests.real.puller import Counts, Puller, PullerOf, changes

FIGURES = {"bpic15-1": ("BPIC15_1", 1_199, 52_217), "bpic15-2": ("BPIC15_2", 832, 44_354)}
MARKS = {
    "accept": ["01_HOOFD_015"], "review": ["01_HOOFD_375", "01_HOOFD_465"], "approve": ["01_HOOFD_495", "01_HOOFD_515"],
    "complete": ["01_HOOFD_814", "01_HOOFD_815"],
}  # fmt: skip
"""The stage marks of the data's README."""

OF_SOURCE = """JOIN core.approval_case AS c ON c.record_id = t.case_id
    JOIN core.source_system AS s USING (source_system_id) WHERE s.code = :code"""


@pytest.fixture(scope="module")
def pulled(module_hub: Runtime, shared_data: Path) -> tuple[Puller, dict[str, Counts]]:
    """Pull both logs, and the first one a second time as another system's."""
    puller = Puller(module_hub, shared_data / "event_logs")
    return puller, {code: puller.pull(code) for code in ("bpic15-1", "bpic15-2", "bpic15-1-again")}


@pytest.fixture(scope="module")
def logs(shared_data: Path) -> dict[str, Log]:
    """Read both logs by hand."""
    return {code: read_log(shared_data / "event_logs" / f"{name}.xes.gz") for code, (name, _, _) in FIGURES.items()}


@pytest.mark.parametrize("code", FIGURES)
def test_all_events_are_kept_and_agree_with_the_header_code_by_code(
    code: str, pulled: tuple[Puller, dict[str, Counts]], logs: dict[str, Log]
) -> None:
    (puller, counts), log, (_, cases, events) = pulled, logs[code], FIGURES[code]
    assert (len(log.cases), len(log.events), log.total) == (cases, events, events), "counted by hand"
    assert changes(counts[code]) == {"cases": (cases, 0), "events": (events, 0)}
    kept = puller.counts(f"SELECT local_code, count(*) FROM core.stage_event AS t {OF_SOURCE} GROUP BY 1", code=code)
    assert kept == log.declared
    assert sum(kept.values()) == events


def test_declared_totals_are_met_and_nothing_is_refused(pulled: tuple[Puller, dict[str, Counts]]) -> None:
    puller, _ = pulled
    assert puller.counts("SELECT effect, count(*) FROM quality.finding GROUP BY 1").keys() == {"flag"}
    assert "total_mismatch" not in puller.findings()
    assert puller.one("SELECT count(*) FROM ledger.waiting") == 0


@pytest.mark.parametrize("code", FIGURES)
def test_exact_repeats_are_events_of_their_own(
    code: str, pulled: tuple[Puller, dict[str, Counts]], logs: dict[str, Log]
) -> None:
    alike = Counter((number, *sorted(event.items())) for number, event in logs[code].events)
    repeats = sum(count - 1 for count in alike.values())
    assert repeats == {"bpic15-1": 0, "bpic15-2": 16}[code], "events alike in every attribute"
    kept = Counter(_kept_alike(number, event) for number, event in logs[code].events)
    numbered = pulled[0].one(
        """SELECT count(*) FROM ledger.source_record AS r JOIN ledger.stream AS st USING (stream_id)
           JOIN core.source_system AS s USING (source_system_id)
           WHERE s.code = :code AND st.name = 'events' AND r.source_key NOT LIKE '%#1'""",
        code=code,
    )
    assert numbered == sum(count - 1 for count in kept.values()) >= repeats, "each has its number among equals"


def _kept_alike(number: str, event: dict[str, str]) -> tuple[str, ...]:
    """Take the parts of an event that the mapping makes its key of."""
    names = ("concept:name", "time:timestamp", "dateFinished", "org:resource", "activityNameEN")
    return (number, *(event.get(name, "") for name in names))


@pytest.mark.parametrize("code", FIGURES)
def test_stages_are_those_of_the_marks_and_all_else_is_other(
    code: str, pulled: tuple[Puller, dict[str, Counts]], logs: dict[str, Log]
) -> None:
    stages = {mark: stage for stage, marks in MARKS.items() for mark in marks}
    expected = Counter(stages.get(event["concept:name"], "other") for _, event in logs[code].events)
    kept = pulled[0].counts(f"SELECT stage, count(*) FROM core.stage_event AS t {OF_SOURCE} GROUP BY 1", code=code)
    assert kept == expected
    pauses = pulled[0].counts(
        f"""SELECT suspension_kind || CASE WHEN started_at IS NULL THEN ' end' ELSE '' END, count(*)
            FROM core.suspension AS t {OF_SOURCE} GROUP BY 1""",
        code=code,
    )
    codes = logs[code].declared
    assert pauses == {
        "supplement": codes["08_AWB45_025"], "supplement end": codes["08_AWB45_045"], "extension": codes["06_VD_035"],
    }  # fmt: skip


@pytest.mark.parametrize("code", FIGURES)
def test_a_time_without_zone_is_of_the_municipality(
    code: str, pulled: tuple[Puller, dict[str, Counts]], logs: dict[str, Log]
) -> None:
    def ends_before_it_starts(event: dict[str, str]) -> bool:
        finished = datetime.fromisoformat(event["dateFinished"]).replace(tzinfo=ZoneInfo("Europe/Amsterdam"))
        return finished < datetime.fromisoformat(event["time:timestamp"])

    puller, _ = pulled
    early = f"SELECT count(*) FROM core.stage_event AS t {OF_SOURCE} AND finished_at < started_at"
    assert puller.one(early, code=code) == sum(ends_before_it_starts(event) for _, event in logs[code].events)


def test_the_same_log_of_another_system_is_other_cases(pulled: tuple[Puller, dict[str, Counts]]) -> None:
    puller, counts = pulled
    assert changes(counts["bpic15-1-again"]) == {"cases": (1_199, 0), "events": (52_217, 0)}
    assert puller.one("SELECT count(*) FROM core.approval_case") == 1_199 + 832 + 1_199
    twins = "SELECT count(*) FROM (SELECT case_number FROM core.approval_case GROUP BY 1 HAVING count(*) = 2) AS two"
    assert puller.one(twins) == 1_199
    assert puller.one("SELECT count(*) FROM core.stage_event") == 52_217 + 44_354 + 52_217


def test_a_second_pull_changes_nothing(pulled: tuple[Puller, dict[str, Counts]]) -> None:
    puller, _ = pulled
    for code in FIGURES:
        again = puller.pull(code)
        assert {stream: one["read"] for stream, one in again.items()} == {"cases": 0, "events": 0}, "the file is known"
    _read_anew(puller, "bpic15-2")
    assert check(puller.runtime.engine) == []


@pytest.mark.long
def test_a_second_pull_of_the_larger_log_changes_nothing(pulled: tuple[Puller, dict[str, Counts]]) -> None:
    puller, _ = pulled
    before = _contents(puller)
    _read_anew(puller, "bpic15-1")
    assert _contents(puller) == before


def _read_anew(puller: Puller, code: str) -> None:
    """Read a known log again from its first event to its last."""
    _, cases, events = FIGURES[code]
    whole = puller.pull(code, full=True)
    assert {stream: one["unchanged"] for stream, one in whole.items()} == {"cases": cases, "events": events}
    assert changes(whole) == {"cases": (0, 0), "events": (0, 0)}
    assert "total_mismatch" not in puller.findings()


def _contents(puller: Puller) -> dict[str, str]:
    """Take the digest of all but the streams' own states, which note how a file was last read."""
    found = digest(puller.runtime.engine)
    return {name: mark for name, mark in found.items() if name not in {"ledger.stream", "repository"}}


@pytest.mark.long
def test_a_rebuild_gives_the_same_repository(pulled: tuple[Puller, dict[str, Counts]], rebuilt: Runtime) -> None:
    puller, _ = pulled
    rebuild(dataclasses.replace(puller.runtime, engine=rebuilt.engine))
    assert digest(rebuilt.engine) == digest(puller.runtime.engine)


@pytest.mark.long
def test_a_pull_that_broke_off_between_slices_goes_on_without_losing_repeats(
    puller: PullerOf, settings: Settings, runtime: Runtime
) -> None:
    hub = puller("event_logs")
    hub.runtime = dataclasses.replace(runtime, settings=settings.model_copy(update={"slice_size": 5_000}))
    seen = 0

    def break_off(_source: str, stream: str, _read: int) -> None:
        nonlocal seen
        seen += stream == "events"
        if seen == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hub.pull("bpic15-2", progress=break_off)
    assert 0 < hub.one("SELECT count(*) FROM core.stage_event") < 44_354
    hub.pull("bpic15-2")
    assert hub.one("SELECT count(*) FROM core.stage_event") == 44_354
    assert "total_mismatch" not in hub.findings()
