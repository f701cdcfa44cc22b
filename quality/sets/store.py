"""Results of suites, kept: a row for each expectation, organ and stream; `latest` marks the present word on a set."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from hub.findings import RULES

if TYPE_CHECKING:
    from quality.sets.run import Result

KEPT_DAYS = 90
"""How long results stay that are no longer the latest; issues and scores keep what came of them for ever."""
_AT_A_TIME = 5_000

_INSERT = sa.text(
    """INSERT INTO quality.set_result
           (run_id, at, suite, expectation, rule, organ, stream_id, field, success, unexpected, elements, detail,
            latest)
       SELECT :run, :at, r.suite, r.expectation, r.rule, r.organ, r.stream_id, r.field, r.success, r.unexpected,
              r.elements, r.detail, :latest
       FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
           suite text, expectation text, rule text, organ text, stream_id integer, field text, success boolean,
           unexpected bigint, elements bigint, detail jsonb)"""
)


def write(
    engine: sa.Engine, results: Sequence[Result], *, at: datetime, streams: Sequence[int], suites: Sequence[str],
    batch: int | None,
) -> int:  # fmt: skip
    """Keep the results of one run, all or none, and return the run's number.

    A run over all rows takes the place of the last one of its suites on these streams; sets that are empty now have
    no word any more. A run over one batch changes nothing of that.
    """
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('quality.set_result'))"))
        run = connection.execute(sa.text("SELECT coalesce(max(run_id), 0) + 1 FROM quality.set_result")).scalar_one()
        over = {"streams": list(streams), "suites": list(suites)}
        mine = "stream_id = ANY(:streams) AND suite = ANY(:suites)"
        if batch is None:
            connection.execute(sa.text(f"UPDATE quality.set_result SET latest = FALSE WHERE latest AND {mine}"), over)
        connection.execute(
            sa.text(f"DELETE FROM quality.set_result WHERE NOT latest AND at < :before AND {mine}"),
            over | {"before": at - timedelta(days=KEPT_DAYS)},
        )
        for place in range(0, len(results), _AT_A_TIME):
            rows = orjson.dumps([_row(one, batch) for one in results[place : place + _AT_A_TIME]]).decode()
            connection.execute(_INSERT, {"run": run, "at": at, "rows": rows, "latest": batch is None})
    return int(run)


def _row(one: Result, batch: int | None) -> dict[str, Any]:
    return {
        "suite": one.suite,
        "expectation": one.expectation,
        "rule": one.rule,
        "organ": one.organ,
        "stream_id": one.stream_id,
        "field": one.field,
        "success": one.success,
        "unexpected": one.unexpected,
        "elements": one.elements,
        "detail": dict(one.detail) | ({} if batch is None else {"batch": batch}),
    }


_LISTED = """
SELECT ss.code AS source, s.name AS stream, r.organ, r.suite AS document, r.field, r.rule, r.expectation, r.success,
       r.unexpected, r.elements, r.detail, r.at
FROM quality.set_result AS r
JOIN ledger.stream AS s ON s.stream_id = r.stream_id
JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
WHERE CASE WHEN CAST(:run AS bigint) IS NULL THEN r.latest ELSE r.run_id = :run END
  AND (CAST(:source AS text) IS NULL OR ss.code = :source)
ORDER BY ss.code, r.organ, s.name, r.suite, r.rule, r.field, r.expectation
"""


def listed(engine: sa.Engine, source: str | None = None, *, run: int | None = None) -> list[dict[str, Any]]:
    """Return the present results (or those of one run), with the words of their rules."""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(_LISTED), {"source": source, "run": run}).mappings().all()
    return [{**row, "severity": RULES[row["rule"]].severity, "title": RULES[row["rule"]].title} for row in rows]
