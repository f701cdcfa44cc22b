"""Which organ answers for which records, as a set: what the view `quality.record_organ` says of one, for all at once.

The view looks up a dozen tables a record, which suits a page; a refresh and a score ask it of millions.
"""

from __future__ import annotations

import sqlalchemy as sa

from sharedrepo.models import TABLES

_OWN = (("approval_case", "handling_organ"), ("decision", "organ"), ("credential", "issuer"), ("item_version", "organ"))
"""Tables whose rows name the organ themselves, in the order in which they are believed."""
_OF_CASE = tuple(name for name, table in TABLES.items() if "case_id" in table.columns)

_ALIVE = "('kept', 'quarantined', 'parked')"
"""States of records that the hub answers for; deleted and excluded ones are no longer there to be right or wrong."""


def gather(connection: sa.Connection) -> None:
    """Make the transaction's table `record_place` (record_id, stream_id, organ): every record alive and its organ.

    The organ is the one that the record's own row or its case names, of a record that waits the one that it names
    itself, else that of its source, else empty: nobody is guessed.
    """
    said = [
        f"SELECT record_id, '{rank}' || {column} AS organ FROM core.{name} WHERE {column} IS NOT NULL"
        for rank, (name, column) in enumerate(_OWN)
    ]
    said += [
        f"""SELECT t.record_id, '{len(_OWN)}' || c.handling_organ FROM core.{name} AS t
            JOIN core.approval_case AS c ON c.record_id = t.case_id WHERE c.handling_organ IS NOT NULL"""
        for name in _OF_CASE
    ]
    connection.exec_driver_sql(
        f"""
        CREATE TEMP TABLE record_place ON COMMIT DROP AS
        WITH said AS (
            SELECT record_id, substr(min(organ COLLATE "C"), 2) AS organ FROM ({" UNION ALL ".join(said)}) AS one
            GROUP BY record_id),
        waits AS (
            SELECT DISTINCT ON (w.record_id) w.record_id, coalesce(c.handling_organ, w.organ) AS organ
            FROM ledger.waiting AS w JOIN ledger.stream AS s ON s.stream_id = w.stream_id
            LEFT JOIN core.approval_case AS c
                ON c.source_system_id = s.source_system_id AND c.case_number = w.case_number
            WHERE coalesce(c.handling_organ, w.organ) IS NOT NULL
            ORDER BY w.record_id, w.waiting_id DESC)
        SELECT r.record_id, r.stream_id, coalesce(said.organ, waits.organ, ss.organ, '') AS organ
        FROM ledger.source_record AS r
        JOIN ledger.stream AS s ON s.stream_id = r.stream_id
        JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
        LEFT JOIN said ON said.record_id = r.record_id
        LEFT JOIN waits ON waits.record_id = r.record_id
        WHERE r.state IN {_ALIVE}"""
    )
    connection.exec_driver_sql("ANALYZE record_place")
