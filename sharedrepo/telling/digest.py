"""The digest of a repository: equal for equal contents, whatever numbers the database gave and when.

Ordered by natural key, it runs over every row of core, history, ledger and quality. Left out are surrogate ids,
recorded times, look-up hashes and ciphertexts (the keyed content hash stands for them), and what says only how often
and in which run a record was read: a pull that was cut off reads some of them twice, and that changes nothing. So
unchanged and stale records are not counted (a stale one is stale each time that it is read), and the row at which a
record stood is left out (the rows of a table are numbered from where the pull began).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import sqlalchemy as sa

from sharedrepo.models import HISTORY, OUTCOMES, TABLES, case_overview

_NOT_CONTENT = frozenset({"record_id", "case_id", "source_system_id", "batch_id", "closed_by", "closed_at"})
_KEY = "ss.code AS source, st.name AS stream, r.source_key"
_JOINS = """
    JOIN ledger.source_record AS r ON r.record_id = t.record_id
    JOIN ledger.stream AS st ON st.stream_id = r.stream_id
    JOIN core.source_system AS ss ON ss.source_system_id = st.source_system_id"""


def digest(engine: sa.Engine, *, scopes: tuple[str, ...] = ("core", "history", "ledger", "quality")) -> dict[str, str]:
    """Return a hash (BLAKE2b, 16 bytes, hex) of each table, and of all under the name `repository`."""
    out: dict[str, str] = {}
    with engine.connect().execution_options(stream_results=True, yield_per=10_000) as connection:
        for name, query in _queries(scopes):
            mark = hashlib.blake2b(digest_size=16)
            for row in connection.exec_driver_sql(query):
                mark.update(row[0].encode())
                mark.update(b"\n")
            out[name] = mark.hexdigest()
    whole = hashlib.blake2b(
        "\n".join(f"{name} {value}" for name, value in sorted(out.items())).encode(), digest_size=16
    )
    return {**out, "repository": whole.hexdigest()}


def _queries(scopes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if "core" in scopes:
        for name, table in TABLES.items():
            yield f"core.{name}", _canonical(f"core.{name}", table)
        yield "core.case_overview", _overview()
    if "history" in scopes:
        for name, table in HISTORY.items():
            yield f"core_history.{name}", _canonical(f"core_history.{name}", table)
    if "ledger" in scopes:
        yield from _ledger()
    if "quality" in scopes:
        yield "quality.finding", _finding()
        yield "quality.correction", _correction()


def _ordered(select: str) -> str:
    return f'SELECT row_to_json(q)::text FROM ({select}) AS q ORDER BY row_to_json(q)::text COLLATE "C"'


def _columns(table: sa.Table) -> list[str]:
    return [
        column.name for column in table.columns
        if column.name not in _NOT_CONTENT and "sealed" not in column.info and "hash" not in column.info
    ]  # fmt: skip


def _canonical(name: str, table: sa.Table) -> str:
    listed = ", ".join(f't."{column}"' for column in _columns(table))
    return _ordered(f"SELECT {_KEY}, {listed} FROM {name} AS t {_JOINS}")


def _overview() -> str:
    listed = ", ".join(f't."{column}"' for column in _columns(case_overview))
    joins = _JOINS.replace("t.record_id", "t.case_id")
    return _ordered(f"SELECT {_KEY}, {listed} FROM core.case_overview AS t {joins}")


def _ledger() -> Iterator[tuple[str, str]]:
    yield (
        "ledger.source_record",
        _ordered(
            f"""SELECT {_KEY}, t.order_value, t.received_hash, t.canonical_hash, t.state
            FROM ledger.source_record AS t {_JOINS}"""
        ),
    )
    yield (
        "ledger.waiting",
        _ordered(
            f"""SELECT {_KEY}, t.kind, t.case_number, t.order_value, t.received_hash, t.rules, t.unit
            FROM ledger.waiting AS t {_JOINS} WHERE t.status = 'open'"""
        ),
    )
    yield (
        "ledger.stream",
        _ordered(
            """SELECT ss.code, st.name, st.state, st.complete_through, st.complete_basis FROM ledger.stream AS st
           JOIN core.source_system AS ss ON ss.source_system_id = st.source_system_id"""
        ),
    )
    yield (
        "ledger.envelope",
        _ordered(
            """SELECT ss.code, st.name, t.number, t.status, t.mark, t.records, t.organs, t.complete_through
           FROM ledger.envelope AS t JOIN ledger.stream AS st ON st.stream_id = t.stream_id
           JOIN core.source_system AS ss ON ss.source_system_id = st.source_system_id"""
        ),
    )
    counted = [outcome for outcome in OUTCOMES if outcome not in ("unchanged", "stale")]
    sums = ", ".join(f"sum(b.{outcome}) AS {outcome}" for outcome in counted)
    yield (
        "ledger.batch",
        _ordered(
            f"""SELECT ss.code, st.name, b.kind, b.status, {sums} FROM ledger.batch AS b
            JOIN ledger.stream AS st ON st.stream_id = b.stream_id
            JOIN core.source_system AS ss ON ss.source_system_id = st.source_system_id
            GROUP BY ss.code, st.name, b.kind, b.status
            HAVING {" + ".join(f"sum(b.{outcome})" for outcome in counted)} > 0"""
        ),
    )


def _correction() -> str:
    """Read the corrections that were ever in force: proposals are work that is not done, and lie in no archive."""
    return _ordered(
        f"""SELECT {_KEY}, t.received_hash, t.fields, t.reason, t.proposed_by, t.decided_by, t.status
            FROM quality.correction AS t {_JOINS} WHERE t.batch_id IS NOT NULL"""
    )


def _finding() -> str:
    return _ordered(
        """SELECT ss.code, st.name, r.source_key, t.case_id IS NOT NULL AS of_case, t.unit, t.rule, t.effect,
                  t.field, t.pointer, t.shown, t.detail, t.waits
           FROM quality.finding AS t
           JOIN ledger.stream AS st ON st.stream_id = t.stream_id
           JOIN core.source_system AS ss ON ss.source_system_id = st.source_system_id
           LEFT JOIN ledger.source_record AS r ON r.record_id = t.record_id
           WHERE t.state = 'open'"""
    )
