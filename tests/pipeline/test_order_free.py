"""Where a stream has an order, the end does not depend on how its records came: late, repeated, in whatever batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import pipeline.pulls.exchange
from connectors.loading import load_sources
from connectors.source import Source, StreamSpec
from hub.records import Record, Slice
from hub.settings import Settings
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.telling import digest
from sharedrepo.telling.ledger import check
from tests.crash.campaign import execute
from tests.departments import GOOD, STREAMS, Department
from tests.emptying import emptied


@dataclass(frozen=True, slots=True)
class Message:
    """One version of one record, as a department says it."""

    stream: str
    key: str
    case: str
    version: int
    kind: str

    @property
    def record(self) -> Record:
        """The row that says it; two messages of one version are equal."""
        keyed = (
            {"PROJID": self.case}
            if self.stream in ("PRE_APASINFO", "PRE_ACCEPT")
            else {"UNID": self.key, "PROJID": self.case}
        )
        return {**GOOD[self.stream], **keyed, "DATAVERSION": self.version, **self._said()}

    def _said(self) -> dict[str, Any]:
        text = _TEXTS[self.stream]
        return {
            "good": {text: f"第{self.version}次"},
            "same": {text: "不变"},
            "flagged": {text: f"第{self.version}次", _TIMES[self.stream]: "某日"},
            "flagged alike": {text: "不变", _TIMES[self.stream]: f"大约{self.version}点"},
            "refused": {text: f"第{self.version}次", "PHASE_CODE": "SIGNED", _TIMES[self.stream]: "明天"},
            "deleted": {"SYNC_STATUS": "D"},
            "extension": {"ACTION": "T10", "NAME": ""},
            "shuffled": {"PHASE_CODE": "REVIEW", "START_TIME": f"2026-02-0{self.version} 08:00:00"},
        }[self.kind]


Slices = list[list[Message]]
Delivery = list[Slices]
"""Pulls, each of slices, each of messages of one stream."""

_TEXTS = {
    "PRE_APASINFO": "SERVICENAME", "PRE_ACCEPT": "HANDER_DEPTNAME", "PRE_NODE": "OPINION",
    "PRE_TRANSACT": "TRANSACT_DESCRIBE",
}  # fmt: skip
_TIMES = {
    "PRE_APASINFO": "RECEIVETIME", "PRE_ACCEPT": "PROMISE_ETIME", "PRE_NODE": "END_TIME",
    "PRE_TRANSACT": "RESULTS_TIME",
}  # fmt: skip
_CASES = ("A", "B")
_KINDS = ("good", "same", "flagged", "flagged alike", "deleted")
_NODE_KINDS = (*_KINDS, "refused", "extension", "shuffled")


@dataclass(frozen=True, slots=True)
class Replayer:
    """A connector that hands over the slices it was given."""

    slices: Slices

    def read(self, stream: StreamSpec, state: Record, *, slice_size: int, full: bool) -> Iterator[Slice]:
        """Yield the slices of this stream, and an empty last one."""
        for piece in self.slices:
            if piece[0].stream == stream.name:
                yield Slice(stream.name, [one.record for one in piece], range(1, len(piece) + 1), {})
        yield Slice(stream.name, [], [], {}, last=True)


@st.composite
def _records(draw: st.DrawFn) -> list[Message]:
    """All versions of all records of a small department: no two contents under one version."""
    out: list[Message] = []
    for case in _CASES:
        for stream in ("PRE_APASINFO", "PRE_ACCEPT", "PRE_TRANSACT"):
            kinds = draw(st.lists(st.sampled_from(_KINDS), max_size=2))
            out += [Message(stream, f"{case}-t", case, version, kind) for version, kind in enumerate(kinds, 1)]
    for number in range(2):
        said = draw(st.lists(st.tuples(st.sampled_from(_NODE_KINDS), st.sampled_from(_CASES)), max_size=4))
        out += [Message("PRE_NODE", f"n{number}", case, version, kind) for version, (kind, case) in enumerate(said, 1)]
    return out


@st.composite
def _deliveries(draw: st.DrawFn, messages: list[Message]) -> Delivery:
    """The same messages in any order, some more than once, in any batches of any pulls."""
    again = draw(st.lists(st.sampled_from(messages), max_size=6)) if messages else []
    shuffled = draw(st.permutations([*messages, *again]))
    pulls: Delivery = []
    for part in _cut(draw, shuffled, 3):
        slices: list[list[Message]] = []
        for stream in STREAMS:
            slices += _cut(draw, [one for one in part if one.stream == stream], 3)
        pulls.append(slices)
    return pulls


def _cut(draw: st.DrawFn, items: list[Message], pieces: int) -> list[list[Message]]:
    if not items:
        return []
    cuts = sorted(draw(st.sets(st.integers(1, len(items)), max_size=pieces - 1)) | {len(items)})
    return [items[start:end] for start, end in itertools.pairwise([0, *cuts])]


@st.composite
def _situations(draw: st.DrawFn) -> tuple[list[Message], Delivery]:
    messages = draw(_records())
    return messages, draw(_deliveries(messages))


def _ordered(messages: list[Message]) -> Delivery:
    """Give each stream in its turn and each record's versions in theirs, in one pull."""
    by_stream = [sorted((one for one in messages if one.stream == name), key=_turn) for name in STREAMS]
    return [[one for one in by_stream if one]]


def _turn(one: Message) -> tuple[int, str]:
    return one.version, one.key


# --- what the hub makes of it ---

_REGISTER = """
    SELECT s.name, r.source_key, r.order_value, encode(r.received_hash, 'hex'), encode(r.canonical_hash, 'hex'), r.state
    FROM ledger.source_record AS r JOIN ledger.stream AS s USING (stream_id) ORDER BY 1, 2"""
_WAITING = """
    SELECT s.name, r.source_key, w.kind, w.case_number, w.order_value, encode(w.received_hash, 'hex'), w.rules
    FROM ledger.waiting AS w JOIN ledger.source_record AS r USING (record_id)
    JOIN ledger.stream AS s ON s.stream_id = r.stream_id
    WHERE w.status = 'open' ORDER BY 1, 2, 3, 5"""
# That a version came late is a finding about the delivery, not about the record.
_FINDINGS = """
    SELECT s.name, r.source_key, f.case_id IS NOT NULL, f.waits, f.rule, f.field, f.pointer, f.shown
    FROM quality.finding AS f JOIN ledger.stream AS s USING (stream_id)
    LEFT JOIN ledger.source_record AS r USING (record_id)
    WHERE f.state = 'open' AND f.rule <> 'stale_version' ORDER BY 1, 2, 3, 4, 5, 6, 7, 8"""


class Laboratory:
    """Delivers to an empty repository each time and tells what it then holds."""

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        self.runtime = runtime
        self.source: Source = load_sources([Department(folder / "sources").folder.parent])[0]
        self.tables = emptied()

    def after(self, delivery: Delivery) -> dict[str, Any]:
        """Deliver, and return the end state by name."""
        with self.runtime.engine.begin() as connection:
            for table in self.tables:
                if table not in ("ledger.key_fingerprint", "core.source_system", "ledger.stream"):
                    connection.exec_driver_sql(f"DELETE FROM {table}")
        for pull in delivery:
            self._pull(pull)
        return self._state(self.runtime)

    def _pull(self, pull: Slices) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pipeline.pulls.exchange, "open_connector", lambda *_a, **_k: Replayer(pull))
            report = exchange(self.source, runtime=self.runtime, connections=lambda _id: "")
        assert report.balanced, report

    @staticmethod
    def _state(runtime: Runtime) -> dict[str, Any]:
        assert check(runtime.engine) == []
        out: dict[str, Any] = dict(digest.digest(runtime.engine, scopes=("core",)))
        with runtime.engine.connect() as connection:
            for name, query in (("register", _REGISTER), ("waiting", _WAITING), ("findings", _FINDINGS)):
                out[name] = [tuple(row) for row in connection.exec_driver_sql(query)]
        return out


@pytest.fixture(scope="module")
def laboratory(
    server: EmbeddedServer, template: str, key_ring: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laboratory]:
    folder = tmp_path_factory.mktemp("order")
    execute(server, f"CREATE DATABASE order_free TEMPLATE {template}")
    execute(server, "ALTER DATABASE order_free SET synchronous_commit TO off")  # nothing is killed here
    chosen = Settings(home=folder / "home", database_url=server.url("order_free"), keys=key_ring)
    runtime = Runtime.open(chosen)
    yield Laboratory(runtime, folder)
    runtime.engine.dispose()
    execute(server, "DROP DATABASE order_free WITH (FORCE)")


def _compare(laboratory: Laboratory, situation: tuple[list[Message], Delivery]) -> None:
    messages, delivery = situation
    expected, found = laboratory.after(_ordered(messages)), laboratory.after(delivery)
    for name in ("register", "waiting", "findings"):
        assert found[name] == expected[name], name
    assert found == expected


def test_a_pull_that_brings_marks_of_deletion_only_ends_no_change_of_shape(laboratory: Laboratory) -> None:
    case, told = Message("PRE_APASINFO", "B-t", "B", 1, "good"), Message("PRE_ACCEPT", "B-t", "B", 1, "good")
    gone = Message("PRE_ACCEPT", "B-t", "B", 2, "deleted")
    shape = [one for one in laboratory.after([[[case], [told]]])["findings"] if one[4] == "missing_field"]
    assert any(one[0] == "PRE_ACCEPT" for one in shape), "its rows lack fields that are declared"
    _compare(laboratory, ([case, told, gone], [[[case], [told]], [[gone]]]))


_QUIET = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=_QUIET,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
)
@given(situation=_situations())
def test_the_end_is_the_same_whatever_the_order_of_delivery(
    laboratory: Laboratory, situation: tuple[list[Message], Delivery]
) -> None:
    _compare(laboratory, situation)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=400, deadline=None, suppress_health_check=_QUIET, database=None)
@given(situation=_situations())
def test_the_end_is_the_same_in_many_more_situations(
    laboratory: Laboratory, situation: tuple[list[Message], Delivery]
) -> None:
    _compare(laboratory, situation)
