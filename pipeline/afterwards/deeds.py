"""What people did with records, kept twice: a line in the log, and the same in the archive for a rebuild.

The log (`quality.work_log`) is only added to. A deed lies in the archive under the data key of its source and month,
written before its transaction commits, like a batch; it names its record by key and hash as received, for the
repository's own numbers are others after a rebuild.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from hub import jsontext
from pipeline.runtime import Runtime
from sharedrepo.archive.names import object_key
from sharedrepo.staging import stage
from sharedrepo.worklist import worklog
from sharedrepo.worklist.worklog import Proposal

SHELF = "_deeds"


@dataclass(frozen=True, slots=True)
class Deed:
    """One deed of a person; `source` is only for deeds on no single record, `detail` never holds a value of one."""

    actor: str
    what: str
    stream_id: int | None = None
    waiting_id: int | None = None
    record_id: int | None = None
    correction_id: int | None = None
    reason: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    source: str | None = None
    proposal: Proposal | None = None
    """What `propose` proposed: its values are locked in the repository, and encrypted in the archive."""


def write(runtime: Runtime, *deeds: Deed) -> None:
    """Write down deeds in a transaction of their own."""
    with runtime.connection() as connection, connection.cursor() as cursor:
        within(cursor, runtime, deeds)
        connection.commit()


def within(cursor: stage.Cursor, runtime: Runtime, deeds: Sequence[Deed]) -> None:
    """Write down deeds of one source inside the present transaction."""
    if not deeds:
        return
    cursor.execute("SELECT now()")  # as the batch of the same transaction says
    now: datetime = stage.scalar(cursor).astimezone(UTC)
    lines = [_line(cursor, one, now) for one in deeds]
    for one in deeds:
        worklog.add(cursor, (now, *_row(one)))
    source = str(lines[0]["source"])
    month = now.strftime("%Y-%m")
    header = {"source": source, "month": month, "kind": "deeds"}
    # Named by its instant, so that deeds are read back in their order; nothing that lies there is ever replaced.
    key = f"{SHELF}/{object_key(source, month, int(now.timestamp() * 1_000_000), secrets.token_hex(4))}"
    runtime.archive.put(key, header, [jsontext.dumps(one) for one in lines])


def restore(runtime: Runtime) -> int:
    """Write the deeds of the archive into a repository that was rebuilt from it; return how many there were.

    Proposals that nobody decided on are open again where their record still is as it was, and have lapsed elsewhere.
    """
    count = 0
    proposals: dict[int, int] = {}
    with runtime.connection() as connection, connection.cursor() as cursor:
        for key in sorted(runtime.archive.list(f"{SHELF}/"), key=lambda key: key.rpartition("/")[2]):
            header, lines = runtime.archive.open(key)
            for text in lines:
                _again(cursor, runtime, str(header["source"]), jsontext.loads(text), proposals)
                count += 1
        worklog.settle(cursor)
        connection.commit()
    return count


def _row(deed: Deed) -> tuple[Any, ...]:
    return (
        deed.actor, deed.what, deed.stream_id, deed.waiting_id, deed.record_id, deed.correction_id, deed.reason,
        orjson.dumps(dict(deed.detail)).decode(),
    )  # fmt: skip


def _line(cursor: stage.Cursor, deed: Deed, at: datetime) -> dict[str, Any]:
    named = worklog.named(cursor, stream_id=deed.stream_id, record_id=deed.record_id, waiting_id=deed.waiting_id)
    line: dict[str, Any] = {
        "at": at.isoformat(), "actor": deed.actor, "what": deed.what, "reason": deed.reason,
        "detail": dict(deed.detail), "correction": deed.correction_id,
        "source": named.source or deed.source or "", "stream": named.stream, "key": named.key,
        "received": None if named.received is None else base64.b64encode(named.received).decode(),
        "waits": deed.waiting_id is not None,
    }  # fmt: skip
    if deed.proposal is not None:
        said = deed.proposal
        line["proposal"] = {
            "changes": dict(said.changes), "at": said.proposed_at.isoformat(),
            "base": base64.b64encode(said.base_hash).decode(),
        }  # fmt: skip
    return line


def _again(
    cursor: stage.Cursor, runtime: Runtime, source: str, line: Mapping[str, Any], proposals: dict[int, int]
) -> None:
    received = None if line["received"] is None else base64.b64decode(line["received"])
    found = worklog.find(
        cursor, source=source, stream=line["stream"], key=line["key"], received=received, waits=line["waits"]
    )
    at = datetime.fromisoformat(line["at"])
    number = line["correction"]
    if line.get("proposal") is not None and found.record_id is not None and received is not None:
        said = line["proposal"]
        made = datetime.fromisoformat(said["at"])
        sealed = runtime.archive.data_keys.locker(source, made.strftime("%Y-%m"))(jsontext.dumps(said["changes"]))
        proposals[number] = worklog.propose_again(
            cursor, found, received=received, base_hash=base64.b64decode(said["base"]), fields=list(said["changes"]),
            sealed=sealed, reason=line["reason"], actor=line["actor"], at=made,
        )  # fmt: skip
    if line["what"] == "reject" and number in proposals:
        worklog.reject_again(cursor, proposals[number], actor=line["actor"], at=at, reason=line["reason"])
    worklog.add(
        cursor,
        (at, line["actor"], line["what"], found.stream_id, found.waiting_id, found.record_id, proposals.get(number),
         line["reason"], orjson.dumps(line["detail"]).decode()),
    )  # fmt: skip
