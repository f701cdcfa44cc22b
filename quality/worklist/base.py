"""One record of the work list as it lies in the hub: what the source sent, where it waits or stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connectors.loading import load_sources
from connectors.source import Source
from hub import jsontext
from hub.errors import RepositoryError
from hub.mends import Mend
from hub.records import Record
from hub.sentences import Code, sentence
from pipeline.preparing import archived
from pipeline.runtime import Runtime
from quality.worklist.entries import KINDS, Kind
from quality.worklist.errors import NotDone, NotFound


@dataclass(frozen=True, slots=True)
class Base:
    """A record, and all that names it; `record` is None where what came was no record but `text`.

    `received` is the keyed hash as the source sent it, `body_hash` that of the record as it lies here, which is another
    one where the hub mended it before.
    """

    kind: Kind
    number: int
    source: str
    stream: str
    stream_id: int
    record_id: int
    waiting_id: int | None
    organ: str
    key: str
    case: str | None
    version: int | None
    unit: str | None
    row: int
    state: str
    since: Any
    batch_id: int
    closed_by: int | None
    mapping_version: str
    rules: tuple[str, ...]
    received: bytes
    record: Record | None
    text: str
    body_hash: bytes
    mend: Mend | None

    @property
    def is_open(self) -> bool:
        """Say whether there is still work on it: it waits, or it is kept."""
        return self.state in ("open", "kept")


_PLACE = """
    JOIN ledger.stream AS s ON s.stream_id = r.stream_id
    JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
    JOIN quality.record_organ AS o ON o.record_id = r.record_id
    JOIN ledger.batch AS b ON b.batch_id = {batch}"""
_WAITING = f"""
    SELECT ss.code AS source, s.name AS stream, w.stream_id, w.record_id, w.waiting_id, o.organ, r.source_key AS key,
           w.case_number AS case, w.order_value AS version, w.unit, w.row, w.status AS state, w.since, w.batch_id,
           w.closed_by, b.mapping_version, w.rules, w.received_hash, w.payload, w.mend, w.kind
    FROM ledger.waiting AS w JOIN ledger.source_record AS r ON r.record_id = w.record_id
    {_PLACE.format(batch="w.batch_id")} WHERE w.waiting_id = :number"""
_KEPT = f"""
    SELECT ss.code AS source, s.name AS stream, r.stream_id, r.record_id, NULL AS waiting_id, o.organ,
           r.source_key AS key, c.case_number AS case, r.order_value AS version, b.unit, r.row, r.state,
           b.recorded_at AS since, r.batch_id, NULL AS closed_by, b.mapping_version, '{{}}'::text[] AS rules,
           r.received_hash, b.archive_key, 'flagged' AS kind
    FROM ledger.source_record AS r {_PLACE.format(batch="r.batch_id")}
    LEFT JOIN core.approval_case AS c ON c.record_id = r.record_id
    WHERE r.record_id = :number AND r.state = 'kept'"""


def base_of(runtime: Runtime, number: int, kind: Kind = "quarantined") -> Base:
    """Read a record of the work list from quarantine or from the archive.

    Raises:
        NotFound: there is none of this number.
        RepositoryError: it was erased.
    """
    if kind not in KINDS:
        raise NotDone(sentence("there is no kind {kind!r}; known: {known}.", kind=kind, known=", ".join(KINDS)))
    flagged = kind == "flagged"
    with runtime.engine.connect() as connection:
        row = connection.execute(sa.text(_KEPT if flagged else _WAITING), {"number": number}).mappings().one_or_none()
    if row is None:
        listed = " --flagged" if flagged else ""
        raise NotFound(
            sentence(
                "no {kind} record {number}; `hub quarantine list{listed}` shows those that there are.",
                kind=Code("kind", kind),
                number=number,
                listed=listed,
            )
        )
    said = dict(row)
    body, mend = _archived(runtime, said) if flagged else _waiting(runtime, said)
    try:
        record, text = jsontext.loads(body), ""
    except ValueError:
        record, text = None, body.decode("utf-8", "replace")
    return Base(
        number=number, rules=tuple(said.pop("rules")), received=bytes(said.pop("received_hash")), record=record,
        text=text, body_hash=runtime.protector.content_hash(body), mend=mend, **said,
    )  # fmt: skip


def _waiting(runtime: Runtime, said: dict[str, Any]) -> tuple[bytes, Mend | None]:
    payload, mend = said.pop("payload"), said.pop("mend")
    if payload is None:
        raise RepositoryError(
            sentence(
                "what waited as {number} was erased: the archive's data keys of its month were destroyed. "
                "`hub batch list {source}` names the erasure and its reason.",
                number=said["waiting_id"],
                source=said["source"],
            )
        )
    unlock = runtime.archive.data_keys.unlock
    body = unlock(said["source"], bytes(payload))
    return body, None if mend is None else Mend.loads(unlock(said["source"], bytes(mend)))


def _archived(runtime: Runtime, said: dict[str, Any]) -> tuple[bytes, Mend | None]:
    key = said.pop("archive_key")
    if key is None:
        raise RepositoryError(
            sentence("record {record} lies in no archive object; it cannot be opened.", record=said["record_id"])
        )
    _header, lines = runtime.archive.open(key)
    place = (said["row"], said["key"])
    found = next((one for one in archived.records(lines) if one.place == place), None)
    if found is None:
        raise RepositoryError(
            sentence("the archive object {key} does not hold the record; look with `hub ledger --check`.", key=key)
        )
    return found.body, found.mend


def source_of(runtime: Runtime, code: str) -> Source:
    """Return the declaration of a source.

    Raises:
        NotFound: no source of this code is declared.
    """
    found = load_sources(runtime.settings.sources, only={code})
    if not found:
        raise NotFound(
            sentence("no source {code!r} is declared in HUB_SOURCES; its records cannot be judged again.", code=code)
        )
    return found[0]
