"""Loads one slice: everything that a batch writes, inside the transaction that its caller owns and commits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow.compute as pc

from hub.contract import RULES as CONTRACT_RULES
from hub.findings import Finding
from sharedrepo.feeds import drift
from sharedrepo.models import OUTCOMES
from sharedrepo.staging import stage
from sharedrepo.staging.incoming import UNREADABLE, Incoming, Prior, Rows
from sharedrepo.worklist import corrections, waiting
from sharedrepo.writing import findings, merge, overview, records
from sharedrepo.writing.identity import Resolver
from sharedrepo.writing.known import look_up

AGAIN = frozenset({"release", "replay", "retranslate", "absence", "correction"})
"""Kinds of batch in which the hub itself takes records a second time."""


@dataclass(frozen=True, slots=True)
class Job:
    """What the batch is about; the same for every slice of one stream in one pull."""

    source_system_id: int
    stream_id: int
    kind: str
    mapping_version: str
    read_at: datetime
    zone: str
    five_stages: bool
    case_rules: Mapping[str, str]
    first_batch_id: int | None = None
    reason: str | None = None
    actor: str | None = None
    """Who said so, where a person did."""

    @property
    def again(self) -> bool:
        """Say whether the hub itself takes these records a second time."""
        return self.kind in AGAIN


@dataclass(slots=True)
class Loaded:
    """What a batch did: its number, its counts, and the cases it brought (children may wait for them)."""

    batch_id: int
    read: int
    counts: Counter[str] = field(default_factory=Counter)
    new_cases: list[str] = field(default_factory=list)
    lost_cases: list[int] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    """What became of each record of the slice that was judged, in its order."""
    record_ids: list[int] = field(default_factory=list)
    """The record of the register that each is a version of."""
    told: list[Finding] = field(default_factory=list)
    """What was found on these records."""
    newest_report: datetime | None = None
    """When the department wrote the newest of them."""


def load(cursor: stage.Cursor, job: Job, incoming: Incoming) -> Loaded:
    """Register, park or refuse each record of the slice, merge what is accepted, and judge the touched cases."""
    batch_id = next_batch(cursor)
    if not len(incoming) and not incoming.findings:
        return Loaded(batch_id, incoming.known_unchanged, Counter(unchanged=incoming.known_unchanged))
    prior = incoming.prior if incoming.prior is not None else look_up(cursor, job.stream_id, incoming.keys)
    fate = records.decide(incoming, prior, again=job.again)
    _assign_ids(cursor, incoming, fate)
    resolver = Resolver(cursor, job.source_system_id, incoming, fate)
    for index, finding in resolver.conflicts():
        fate.findings.append(finding)
        _turn_away(incoming, fate, prior, index, "quarantined")
    for index in resolver.orphans():
        _turn_away(incoming, fate, prior, index, "parked")
    states = {index: _state(incoming, fate, index) for index in fate.winner.values()}
    accepted = {index for index, state in states.items() if state == "kept"}
    replaced = [
        fate.record_id[i] for key, i in fate.winner.items()
        if key in prior.known and prior.known[key].state == "kept"
    ]  # fmt: skip
    loaded = Loaded(batch_id, len(incoming) + incoming.known_unchanged)
    overview.begin(cursor)
    if replaced:
        stage.fresh(cursor, "stage_changed", "record_id bigint, batch_id bigint")
        stage.copy(cursor, "stage_changed", {"record_id": replaced, "batch_id": [batch_id] * len(replaced)})
        overview.touch_changed(cursor)
    _write_rows(
        cursor, job, incoming, fate, resolver, accepted, batch_id, write=merge.put if replaced else merge.append
    )
    if replaced:
        loaded.lost_cases = _lost_cases(cursor)
        if loaded.lost_cases:
            return loaded  # the caller takes the children back first, then loads again
        merge.replace(cursor)
    _write_ledger(cursor, job, batch_id, incoming, fate, prior, states)
    _write_findings(cursor, job, batch_id, incoming, fate, prior)
    overview.refresh(cursor)
    overview.judge(
        cursor, job.case_rules, batch_id=batch_id, first_batch_id=job.first_batch_id or batch_id,
        zone=job.zone, five_stages=job.five_stages,
    )  # fmt: skip
    loaded.newest_report = pc.max(incoming.reported_at).as_py()
    loaded.outcomes, loaded.told = fate.outcome, [*incoming.findings, *fate.findings]
    loaded.record_ids = fate.record_id
    loaded.counts = fate.counts()
    loaded.counts["unchanged"] += incoming.known_unchanged
    loaded.new_cases = resolver.new_cases(accepted)
    return loaded


def next_batch(cursor: stage.Cursor) -> int:
    """Take a fresh batch number."""
    cursor.execute("SELECT nextval('ledger.batch_batch_id_seq')")
    return int(stage.scalar(cursor))


def _assign_ids(cursor: stage.Cursor, incoming: Incoming, fate: records.Fate) -> None:
    """Give fresh record ids to keys that the ledger does not know, in the order of arrival."""
    unknown = [i for i, known in enumerate(fate.record_id) if not known]
    keys = dict.fromkeys(incoming.keys[i] for i in unknown)
    fresh = dict(zip(keys, records.reserve(cursor, len(keys)), strict=True))
    for i in unknown:
        fate.record_id[i] = fresh[incoming.keys[i]]


def _turn_away(incoming: Incoming, fate: records.Fate, prior: Prior, index: int, outcome: str) -> None:
    """Let an accepted record wait after all.

    A child without its case is the latest word under its key: what stood before goes, as it would have been parked too.
    A record that claims another's identity says nothing that can be kept: what stood before under its key stays.
    """
    key = incoming.keys[index]
    for earlier in fate.overtaken.get(key, ()):
        fate.outcome[earlier] = outcome
    fate.outcome[index] = outcome
    if outcome == "parked":
        fate.parked.append(index)
    else:
        fate.refuse(key, index)
        if key in prior.known and prior.known[key].state == "kept":
            del fate.winner[key]


def _state(incoming: Incoming, fate: records.Fate, index: int) -> str:
    if fate.outcome[index] in ("quarantined", "parked"):
        return fate.outcome[index]
    if incoming.deleted[index]:
        return "deleted"
    return "excluded" if incoming.excluded[index] else "kept"


def _write_rows(
    cursor: stage.Cursor,
    job: Job,
    incoming: Incoming,
    fate: records.Fate,
    resolver: Resolver,
    accepted: set[int],
    batch_id: int,
    *,
    write: Callable[[stage.Cursor, str, dict[str, Any]], None],
) -> None:
    """COPY the rows of accepted records into staging or straight into `core`, and note the cases they speak about."""
    mask = np.zeros(len(incoming), dtype=bool)
    mask[list(accepted)] = True
    record_id = np.array(fate.record_id, dtype="int64")
    cases: set[int] = set()
    numbers: set[str] = set()
    for table in merge.in_order(incoming.tables):
        all_rows = incoming.tables[table]
        rows: Rows = all_rows.only(mask[all_rows.record])
        if len(rows.record) == 0:
            continue
        case_id = resolver.case_ids(rows) if resolver.of_case(table) else None
        columns = merge.columns_of(
            table, rows, batch_id=batch_id, source_system_id=job.source_system_id,
            record_id=record_id, case_id=case_id, reported_at=incoming.reported_at,
        )  # fmt: skip
        write(cursor, table, columns)
        if table == "approval_case":
            cases.update(record_id[rows.record].tolist())
        elif case_id is not None:
            cases.update(case_id.drop_null().unique().to_pylist())
        elif table in overview.BY_NUMBER:
            numbers.update(rows.case_number.drop_null().unique().to_pylist())
    overview.touch(cursor, job.source_system_id, cases=cases, numbers=numbers)


def _lost_cases(cursor: stage.Cursor) -> list[int]:
    """Find cases that would go although records of other messages still hang on them."""
    merge.staging_table(cursor, "approval_case")
    children = " UNION ALL ".join(
        f"SELECT FROM core.{table} AS t WHERE t.case_id = a.record_id AND t.record_id <> a.record_id"
        for table in overview.OF_CASE
    )
    cursor.execute(
        f"""SELECT a.record_id FROM core.approval_case AS a JOIN stage_changed AS c USING (record_id)
            WHERE NOT EXISTS (SELECT FROM stage_approval_case AS s WHERE s.record_id = a.record_id)
              AND EXISTS ({children})"""
    )
    return [row[0] for row in cursor.fetchall()]


def _write_ledger(
    cursor: stage.Cursor,
    job: Job,
    batch_id: int,
    incoming: Incoming,
    fate: records.Fate,
    prior: Prior,
    states: Mapping[int, str],
) -> None:
    state = [""] * len(incoming)
    for index, value in states.items():
        state[index] = value
    for key, index in fate.touched.items():
        state[index] = prior.known[key].state
    records.write(
        cursor,
        stream_id=job.stream_id,
        batch_id=batch_id,
        incoming=incoming,
        fate=fate,
        prior=prior,
        state=state,
        keep_batch=job.kind == "release",
    )
    settled = [fate.record_id[i] for i, value in states.items() if value != "quarantined"]
    settled += [fate.record_id[i] for i in fate.touched.values()]
    known = {
        found.record_id for found in prior.known.values() if found.waiting or found.state in ("quarantined", "parked")
    }
    rules = _rules_by_record(incoming, fate)
    waiting.add(
        cursor, stream_id=job.stream_id, batch_id=batch_id, read_at=job.read_at,
        waiters=[_waiter(incoming, fate, i, rules) for i in sorted({*fate.refused, *fate.parked})],
    )  # fmt: skip
    within = {fate.record_id[i] for i in fate.refused}
    waiting.supersede(cursor, batch_id=batch_id, record_ids=[one for one in settled if one in known or one in within])
    # A mend lapses when the source's own word stands again: it is replaced, deleted, or told in the same words.
    said = {*states.items(), *((index, "touched") for index in fate.touched.values())}
    lapsed = [
        fate.record_id[i] for i, value in said
        if value != "quarantined" and i not in incoming.mends and incoming.keys[i] in prior.known
    ]  # fmt: skip
    corrections.lapse(cursor, batch_id=batch_id, record_ids=lapsed)
    if job.kind in ("replay", "correction"):
        found = [
            f"{UNREADABLE}{mark.hex()}"
            for key, mark in zip(incoming.keys, incoming.received, strict=True)
            if not key.startswith(UNREADABLE)
        ]
        waiting.found_key(cursor, stream_id=job.stream_id, batch_id=batch_id, keys=found)


def _rules_by_record(incoming: Incoming, fate: records.Fate) -> dict[int, list[str]]:
    rules: dict[int, list[str]] = {}
    for finding in [*incoming.findings, *fate.findings]:
        if finding.refuses and finding.record >= 0 and finding.rule not in rules.setdefault(finding.record, []):
            rules[finding.record].append(finding.rule)
    return rules


def _waiter(incoming: Incoming, fate: records.Fate, index: int, rules: Mapping[int, Sequence[str]]) -> waiting.Waiter:
    parked = fate.outcome[index] == "parked"
    return waiting.Waiter(
        record_id=fate.record_id[index],
        kind="parked" if parked else "quarantined",
        case_number=incoming.cases[index],
        order=incoming.orders[index],
        received=incoming.received[index],
        rules=() if parked else tuple(rules.get(index, ())),
        unit=incoming.unit,
        row=incoming.rows[index],
        payload=incoming.payload(index),
        mend=incoming.mends[index]() if index in incoming.mends else None,
        organ=incoming.organs[index] if index < len(incoming.organs) else None,
    )


def _write_findings(
    cursor: stage.Cursor, job: Job, batch_id: int, incoming: Incoming, fate: records.Fate, prior: Prior
) -> None:
    """Keep the findings of records that stand or wait; what an overtaken record said speaks no more."""
    stands = {index for index in fate.winner.values() if index not in fate.refused} | set(fate.touched.values())
    speaking = {*stands, *fate.refused}
    # A change of shape is told once of the stream; a record that is refused for it says so where it waits.
    drift.note(cursor, stream_id=job.stream_id, batch_id=batch_id, found=incoming.changes, again=job.again)
    chosen: list[Finding] = [
        one for one in incoming.findings
        if one.rule not in CONTRACT_RULES and (one.record < 0 or one.record in speaking)
    ]  # fmt: skip
    placed = [_placed(incoming, fate, one) for one in [*chosen, *fate.findings]]
    # Only of these was anything said before: of keys that were known, and of those refused earlier in this slice.
    spoken = {*prior.known, *(incoming.keys[i] for i in fate.refused)}
    known = [fate.record_id[i] for i in stands if incoming.keys[i] in spoken]
    findings.write(
        cursor, stream_id=job.stream_id, batch_id=batch_id, placed=placed,
        judged=known,
        judged_waiting=[fate.record_id[i] for i in fate.refused if i not in fate.conflicts],
    )  # fmt: skip
    findings.close_settled(cursor, batch_id=batch_id, record_ids=known)


def _placed(incoming: Incoming, fate: records.Fate, finding: Finding) -> findings.Placed:
    index = finding.record
    sealed = incoming.seal_value(finding.value) if finding.value is not None else None
    if index < 0:
        return findings.Placed(finding, None, incoming.unit, None, sealed)
    waits = index in fate.refused
    return findings.Placed(finding, fate.record_id[index], incoming.unit, incoming.rows[index], sealed, waits=waits)


def register(
    cursor: stage.Cursor,
    job: Job,
    loaded: Loaded,
    *,
    seq: int,
    unit: str | None,
    archive_key: str | None,
    status: str = "committed",
) -> datetime:
    """Write the batch's own row, last, under the commit lock: its `recorded_at` is later than any before it."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('hub.commit'))")
    values: dict[str, Any] = {
        "batch_id": loaded.batch_id, "source_system_id": job.source_system_id, "seq": seq, "stream_id": job.stream_id,
        "kind": job.kind, "status": status, "unit": unit, "mapping_version": job.mapping_version,
        "archive_key": archive_key, "read_at": job.read_at, "reason": job.reason, "actor": job.actor,
        "newest_report": loaded.newest_report, "read": loaded.read,
        **{outcome: loaded.counts.get(outcome, 0) for outcome in OUTCOMES},
    }  # fmt: skip
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(f"%({name})s" for name in values)
    cursor.execute(
        f"""INSERT INTO ledger.batch ({names}, recorded_at)
            SELECT {marks}, greatest(clock_timestamp(), max(recorded_at) + INTERVAL '1 microsecond') FROM ledger.batch
            RETURNING recorded_at""",
        values,
    )
    recorded_at: datetime = stage.scalar(cursor)
    return recorded_at
