"""Which streams speak of what, learnt from what they brought: *not found* is said only where these are far enough."""

from __future__ import annotations

import sqlalchemy as sa

_LEARN = """
INSERT INTO access.feed (kind, code, issuer, stream_id)
SELECT DISTINCT 'credential_type', c.credential_type, coalesce(c.issuer, ''), r.stream_id
FROM core.credential AS c JOIN ledger.source_record AS r ON r.record_id = c.record_id
UNION
SELECT DISTINCT 'item', a.item_code, coalesce(d.organ, a.handling_organ, ''), r.stream_id
FROM core.approval_case AS a
JOIN core.decision AS d ON d.source_system_id = a.source_system_id AND d.case_number = a.case_number
JOIN ledger.source_record AS r ON r.record_id = d.record_id
WHERE a.item_code IS NOT NULL
ON CONFLICT DO NOTHING
"""


def learn(engine: sa.Engine, *, wait: bool = False) -> int:
    """Note the streams that bring each credential type and the decisions on each item; return how many are new.

    Where another process is at it, that one's work will do; who needs what was committed a moment ago known when this
    returns has it `wait` for that process and look anew.
    """
    with engine.begin() as connection:
        if wait:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('hub.feeds'))"))
        elif not connection.scalar(sa.text("SELECT pg_try_advisory_xact_lock(hashtext('hub.feeds'))")):
            return 0
        return int(connection.execute(sa.text(_LEARN)).rowcount)
