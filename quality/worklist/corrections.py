"""Corrections by hand with four eyes: one proposes, another approves, and only then is anything changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from hub import jsontext
from hub.mends import Mend, Step, changed, taken
from hub.records import Record
from hub.sentences import Code, sentence
from normalization.apply import Occurrences, identify
from normalization.model import Field, StreamMapping
from pipeline.afterwards import deeds, mending
from pipeline.afterwards.deeds import Deed
from pipeline.preparing.desk import Desk
from pipeline.pulls import snapshots
from pipeline.pulls.exchange import desk_of, opened
from pipeline.pulls.mapped import mapping_of
from pipeline.runtime import Runtime
from quality.worklist import log
from quality.worklist.base import Base, base_of, source_of
from quality.worklist.entries import Kind
from quality.worklist.errors import CorrectionRefused, NotDone, NotFound
from quality.worklist.opened import names_of, worded
from sharedrepo.staging import stage
from sharedrepo.worklist import waiting
from sharedrepo.worklist.worklog import Proposal
from sharedrepo.writing.known import Register

WAIT = 20
"""Seconds that a deed waits for a running pull of the source."""
MOST_FIELDS = 200
LONGEST_VALUE = 100_000


_PROPOSE = """
INSERT INTO quality.correction
    (stream_id, record_id, waiting_id, received_hash, base_hash, fields, sealed, reason, proposed_by, proposed_at)
VALUES (%(stream)s, %(record)s, %(waiting)s, %(received)s, %(base)s, %(fields)s::text[], %(sealed)s, %(reason)s, %(by)s,
        %(at)s)
RETURNING correction_id"""
_REJECT = """
UPDATE quality.correction SET status = 'rejected', decided_by = %(by)s, decided_at = now(), decision = %(why)s
WHERE correction_id = %(number)s AND status = 'proposed'"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A correction as it was proposed; `changes` are the new values by JSON pointer."""

    number: int
    base: Base
    changes: Mapping[str, Any]
    reason: str
    proposed_by: str
    proposed_at: datetime
    status: str
    base_hash: bytes


def propose(
    runtime: Runtime, number: int, changes: Mapping[str, Any], *, actor: str, reason: str, kind: Kind = "quarantined"
) -> int:
    """Propose other values for raw fields of a record, by name or JSON pointer; return the proposal's number.

    A text for a field that the stream's schema declares as a number or truth value is read as one; None empties a
    field. The record as corrected is judged at once, and nothing is proposed that would not pass.

    Raises:
        NotFound: there is no such record.
        NotDone: the record is no longer open, a field is not declared, or nothing would change.
        CorrectionRefused: the record as corrected does not pass; all its findings are told.
    """
    who, why = log.known(actor), log.reasoned(reason)
    base = base_of(runtime, number, kind)
    return proposed(runtime, base, changes, actor=who, reason=why)


def proposed(runtime: Runtime, base: Base, changes: Mapping[str, Any], *, actor: str, reason: str) -> int:
    """Propose a correction of a record that was read already."""
    source = source_of(runtime, base.source)
    desk = desk_of(runtime, source, mapping_of(runtime, source), base.stream, datetime.now(UTC))
    new = fitted(desk.mapping, base, changes)
    now = datetime.now(UTC)
    wanted = made(base, new, reason=reason, by=(actor, now), approved=("", now))
    mind_identity(desk, base, wanted.record)
    with runtime.connection() as connection, connection.cursor() as cursor:
        refused = mending.judge(desk, Register(cursor, base.stream_id), [wanted])
    if refused:
        raise refusal(refused[0])
    sealed = desk.lock(jsontext.dumps(dict(new)))
    values = {
        "stream": base.stream_id, "record": base.record_id, "waiting": base.waiting_id, "received": base.received,
        "base": base.body_hash, "fields": list(new), "sealed": sealed, "reason": reason, "by": actor, "at": now,
    }  # fmt: skip
    with runtime.connection() as connection, connection.cursor() as cursor:
        cursor.execute(_PROPOSE, values)
        number = int(stage.scalar(cursor))
        deed = Deed(
            actor, "propose", **names_of(base), correction_id=number, reason=reason, detail={"fields": list(new)},
            proposal=Proposal(new, base.body_hash, now),
        )  # fmt: skip
        deeds.within(cursor, runtime, [deed])
        connection.commit()
    return number


def approve(runtime: Runtime, proposal: int, *, actor: str) -> dict[str, int]:
    """Approve and apply a correction; return what became of its record, by outcome.

    Raises:
        NotFound: there is no such proposal.
        NotDone: it is decided on, its own proposer approves it, or the record has moved on.
        CorrectionRefused: the record as corrected does not pass; all its findings are told, and nothing is applied.
        SourceBusy: a pull of the source runs and did not end in time.
    """
    who = log.known(actor)
    asked = _open_proposal(runtime, proposal)
    if asked.proposed_by == who:
        raise NotDone(
            sentence(
                "proposal {proposal} is {who}'s own: a correction needs four eyes. Ask a second person to approve it.",
                proposal=proposal,
                who=who,
            )
        )
    source = source_of(runtime, asked.base.source)
    mapping = mapping_of(runtime, source)
    snapshots.keep(runtime, mapping, source.mapping)
    with opened(runtime, source, mapping, wait=WAIT) as work:
        asked = _open_proposal(runtime, proposal)  # again, now that nobody else writes to the source
        if not asked.base.is_open or asked.base.body_hash != asked.base_hash:
            _lapse(runtime, proposal)
            raise NotDone(
                sentence(
                    "the record has changed since proposal {proposal} was made; it lapses. Look at it anew.",
                    proposal=proposal,
                )
            )
        line = work.lines[asked.base.stream]
        wanted = made(
            asked.base, asked.changes, reason=asked.reason, by=(asked.proposed_by, asked.proposed_at),
            approved=(who, work.read_at), number=proposal, waiter=_waiter(work.connection, asked.base),
        )  # fmt: skip
        mind_identity(line.desk, asked.base, wanted.record)
        note = Deed(who, "approve", **names_of(asked.base), correction_id=proposal)
        loaded, refused = mending.apply(work, line, [wanted], lambda cursor, _: deeds.within(cursor, runtime, [note]))
    if loaded is None:
        raise refusal(refused[0])
    return {outcome: count for outcome, count in loaded.counts.items() if count}


def reject(runtime: Runtime, proposal: int, *, actor: str, reason: str) -> None:
    """Turn a proposal down with a reason; its own proposer may do so, too.

    Raises:
        NotFound: there is no such proposal.
        NotDone: it is decided on already.
    """
    who, why = log.known(actor), log.reasoned(reason)
    asked = _open_proposal(runtime, proposal)
    with runtime.connection() as connection, connection.cursor() as cursor:
        cursor.execute(_REJECT, {"by": who, "why": why, "number": proposal})
        if not cursor.rowcount:
            raise NotDone(sentence("proposal {proposal} was decided on just now; look at it anew.", proposal=proposal))
        deed = Deed(who, "reject", **names_of(asked.base), correction_id=proposal, reason=why)
        deeds.within(cursor, runtime, [deed])
        connection.commit()


def made(
    base: Base, changes: Mapping[str, Any], *, reason: str, by: tuple[str, datetime], approved: tuple[str, datetime],
    number: int | None = None, waiter: waiting.Released | None = None,
) -> mending.Correction:  # fmt: skip
    """Make the correction of a record: the record as changed, and what is kept of how it came to be so."""
    record: Record = dict(base.record or {})
    was: dict[str, Any] = {}
    for pointer, value in changes.items():
        path = Field.of(pointer).path
        was[pointer] = taken(record, path)
        try:
            record = changed(record, path, value)
        except ValueError as error:
            raise NotDone(sentence("{pointer} cannot be changed: {error}.", pointer=pointer, error=error)) from None
    (proposer, at), (approver, then) = by, approved
    step = Step(was, reason, proposer, at.isoformat(), approver, then.isoformat())
    mend = (base.mend or Mend(base.received)).with_step(step)
    return mending.Correction(record, mend, base.key, base.row, number, waiter)


def fitted(stream: StreamMapping, base: Base, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes by JSON pointer, texts read as the schema declares them, without what changes nothing.

    Raises:
        NotDone: the record cannot be corrected field by field, or a change cannot be made.
    """
    if not base.is_open:
        raise NotDone(
            sentence(
                "record {number} is {state}: there is nothing to correct any more.",
                number=base.number,
                state=Code("record_state", base.state),
            )
        )
    if base.record is None:
        raise NotDone("what came is no record, so there is no field to correct; have it sent again, or waive it.")
    if len(changes) > MOST_FIELDS:
        raise NotDone(
            sentence(
                "{count} fields are to be changed at once; {most_fields} are the most.",
                count=len(changes),
                most_fields=MOST_FIELDS,
            )
        )
    properties = stream.schema.get("properties", {})
    unknown = sorted(name for name in changes if Field.of(name).path[0] not in {*properties, *base.record})
    if unknown:
        raise NotDone(
            sentence(
                "stream {stream} has no field {unknown}; it has: {known}.",
                stream=base.stream,
                unknown=", ".join(map(repr, unknown)),
                known=", ".join(properties),
            )
        )
    out: dict[str, Any] = {}
    for name, value in changes.items():
        field = Field.of(name)
        new = _typed(_declared(stream.schema, field.path), value)
        if isinstance(new, str) and len(new) > LONGEST_VALUE:
            raise NotDone(
                sentence(
                    "the value of {name} is longer than {longest_value} characters.",
                    name=name,
                    longest_value=LONGEST_VALUE,
                )
            )
        if new != taken(base.record, field.path) or type(new) is not type(taken(base.record, field.path)):
            out[field.pointer] = new
    if not out:
        raise NotDone("nothing would change: every value is what the record says already.")
    return out


def _declared(schema: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any]:
    for part in path:
        items = schema.get("items") if part.isdigit() else None
        schema = items if isinstance(items, dict) else schema.get("properties", {}).get(part, {})
    return schema


def _typed(schema: Mapping[str, Any], value: Any) -> Any:
    """Read a text as the type that the schema declares, where it declares no text; what cannot be read stays."""
    types = schema.get("type", "string")
    types = [types] if isinstance(types, str) else types
    if not isinstance(value, str) or "string" in types:
        return value
    said = value.strip()
    if "boolean" in types and said in ("true", "false"):
        return said == "true"
    try:
        if "integer" in types:
            return int(said)
        if "number" in types:
            return float(said)
    except ValueError:
        pass  # the judge says what is wrong with it
    return value


def mind_identity(desk: Desk, base: Base, record: Record) -> None:
    """Refuse a correction that would make another record, or another version, of this one.

    Raises:
        NotDone: a key or version that can be read would change.
    """
    told = identify(desk.mapping, [base.record or {}, record], desk.context, Occurrences())
    fingerprint = desk.mapping.key.fingerprint
    if not fingerprint and told.keys[0] is not None and told.keys[0] != told.keys[1]:
        raise NotDone("the key of a record is not corrected by hand: it would be another record. Have it sent again.")
    if told.orders[0] is not None and told.orders[0] != told.orders[1]:
        raise NotDone("the version of a record is the source's own and is not corrected by hand.")
    if bool(told.deleted[0]) != bool(told.deleted[1]):
        raise NotDone("whether a record deletes is not corrected by hand; have the source send it again.")


def refusal(found: mending.Refusal) -> CorrectionRefused:
    """Say why a correction does not pass, with all findings in words."""
    return CorrectionRefused(found.why, [worded(mending.as_row(one)) for one in found.findings])


def _open_proposal(runtime: Runtime, number: int) -> Asked:
    query = sa.text("SELECT * FROM quality.correction WHERE correction_id = :number")
    with runtime.engine.connect() as connection:
        row = connection.execute(query, {"number": number}).mappings().one_or_none()
    if row is None:
        raise NotFound(
            sentence("there is no proposal {number}; `hub quarantine show` lists those of a record.", number=number)
        )
    if row["status"] != "proposed":
        raise NotDone(
            sentence(
                "proposal {number} is {status} already.", number=number, status=Code("proposal_status", row["status"])
            )
        )
    base = base_of(runtime, row["waiting_id"] or row["record_id"], "quarantined" if row["waiting_id"] else "flagged")
    changes = jsontext.loads(runtime.archive.data_keys.unlock(base.source, bytes(row["sealed"])))
    return Asked(
        number, base, changes, row["reason"], row["proposed_by"], row["proposed_at"], row["status"],
        bytes(row["base_hash"]),
    )  # fmt: skip


def _waiter(connection: Any, base: Base) -> waiting.Released | None:
    if base.waiting_id is None:
        return None
    with connection.cursor() as cursor:
        found = waiting.open_entries(cursor, [base.waiting_id])
        connection.commit()
    if not found:
        raise NotDone(sentence("record {number} waits no longer; look at it anew.", number=base.number))
    return found[0]


def _lapse(runtime: Runtime, number: int) -> None:
    query = sa.text(
        "UPDATE quality.correction SET status = 'lapsed' WHERE correction_id = :number AND status = 'proposed'"
    )
    with runtime.engine.begin() as connection:
        connection.execute(query, {"number": number})
