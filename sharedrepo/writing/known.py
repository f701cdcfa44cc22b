"""Reads the register of source records: what the ledger knows of each key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sharedrepo.staging import stage
from sharedrepo.staging.incoming import Known, Prior

_MARK, _BETWEEN = "\x1f", "\x1e"


@dataclass(frozen=True, slots=True)
class Register:
    """The register of one stream, read through a cursor."""

    cursor: stage.Cursor
    stream_id: int

    def seen(self, keys: Sequence[str], received: Sequence[bytes]) -> npt.NDArray[np.bool_] | None:
        """Say for each record whether it stands under its key exactly as it came: most do when all is read again.

        None is said where none of the keys is known, as when a department is read for the first time.
        """
        # One text with all of them comes over much faster than a row for each. A key with the separator in it would
        # fall apart, match nothing, and be looked up by itself.
        self.cursor.execute(
            """
            SELECT string_agg(source_key || %s || E'\\\\x' || encode(received_hash, 'hex'), %s)
            FROM ledger.source_record WHERE stream_id = %s AND source_key = ANY(%s)
            """,
            (_MARK, _BETWEEN, self.stream_id, stage.TextArray(sorted(set(keys)))),
        )
        together: str | None = stage.scalar(self.cursor)
        if together is None:
            return None
        known = pa.array(together.split(_BETWEEN), pa.large_string())
        said = pc.binary_join_element_wise(
            pa.array(keys, pa.large_string()), stage.hexed(stage.bytea(received)), pa.scalar(_MARK, pa.large_string())
        )
        found: npt.NDArray[np.bool_] = pc.is_in(said, value_set=known).to_numpy(zero_copy_only=False)
        return found

    def look_up(self, keys: Iterable[str]) -> Prior:
        """Read what the ledger knows of these keys."""
        return look_up(self.cursor, self.stream_id, keys)


def look_up(cursor: stage.Cursor, stream_id: int, keys: Iterable[str]) -> Prior:
    """Read what the ledger knows of these keys of one stream."""
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        return Prior()
    # Sorted, the keys walk the index in its order; as one array they need no table and no statistics.
    cursor.execute(
        """
        SELECT source_key, record_id, order_value, received_hash, canonical_hash, state
        FROM ledger.source_record WHERE stream_id = %s AND source_key = ANY(%s)
        """,
        (stream_id, stage.TextArray(sorted(wanted))),
    )
    known = {
        key: Known(record_id, order, bytes(received), None if canonical is None else bytes(canonical), state)
        for key, record_id, order, received, canonical, state in cursor.fetchall()
    }
    _add_waiting(cursor, known)
    return Prior(known)


def _add_waiting(cursor: stage.Cursor, known: dict[str, Known]) -> None:
    if not known:
        return
    by_id = {found.record_id: found for found in known.values()}
    cursor.execute(
        """SELECT record_id, received_hash,
                  CASE WHEN status = 'open' AND kind = 'quarantined' AND NOT ('version_conflict' = ANY(rules))
                       THEN order_value END
           FROM ledger.waiting WHERE status IN ('open', 'waived') AND record_id = ANY(%s)""",
        (list(by_id),),
    )  # what was waived waits no longer, and is known all the same when it comes again
    for record_id, received, refused_order in cursor.fetchall():
        found = by_id[record_id]
        found.waiting |= {bytes(received)}
        found.refused_order = later(found.refused_order, refused_order)
    # What was mended gives way to what the source itself says.
    cursor.execute(
        "SELECT record_id FROM quality.correction WHERE status = 'applied' AND record_id = ANY(%s)", (list(by_id),)
    )
    for (record_id,) in cursor.fetchall():
        by_id[record_id].mended = True


def later(one: int | None, other: int | None) -> int | None:
    """Return the later of two versions; one that is not there is no version."""
    return other if one is None else one if other is None else max(one, other)
