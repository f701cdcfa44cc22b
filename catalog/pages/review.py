"""What is under review, for the public: what each proposal changes, and what was said and answered.

Only proposals whose content is public, of items that are public, are open: an internal one is nobody's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from catalog import service
from catalog.disclosure import shown
from catalog.pages.public import SIZE, reading_shortly
from hub.refusals import NotFound, TooMany

MOST_AT_ONCE, WITHIN_MINUTES = 30, 10
"""So many comments are taken on one proposal within so many minutes: nobody floods those who answer."""
MOST = 2_000
"""Comments on one proposal; what more is said is said to the department directly."""

_OPEN = """
SELECT i.item_id, i.code, i.organ, v.version_id, v.version, v.state, v.change, v.reason, v.content, v.successors,
    (SELECT o.name FROM core.organ AS o WHERE o.code = i.organ ORDER BY o.valid_from DESC NULLS LAST LIMIT 1)
        AS organ_name,
    stands.content AS before,
    (SELECT max(d.at) FROM catalog.item_deed AS d WHERE d.version_id = v.version_id AND d.what = 'submit') AS since
FROM catalog.item_version AS v
JOIN catalog.item AS i ON i.item_id = v.item_id
LEFT JOIN LATERAL (SELECT content FROM catalog.item_version
                   WHERE item_id = v.item_id AND state = 'published' ORDER BY effective_on DESC, version DESC LIMIT 1
                  ) AS stands ON TRUE
WHERE v.state IN ('in_review', 'to_publish') AND v.content ->> 'disclosure' = 'public'
    AND (stands.content IS NULL OR stands.content ->> 'disclosure' = 'public')
"""
_LISTED = f"{_OPEN} ORDER BY since DESC, i.code LIMIT :size OFFSET :first"
_ONE = f"{_OPEN} AND i.code = :code"
_ANSWERED = """SELECT at, said, answer, answered_at FROM catalog.item_comment
    WHERE version_id = :version AND answer IS NOT NULL ORDER BY comment_id DESC LIMIT 200"""
_COUNTED = """SELECT count(*) AS total,
    count(*) FILTER (WHERE at > now() - make_interval(mins => :minutes)) AS lately,
    count(*) FILTER (WHERE answer IS NULL) AS waiting
    FROM catalog.item_comment WHERE version_id = :version"""


def listed(engine: sa.Engine, first: int) -> list[dict[str, Any]]:
    """Return the proposals that the public may comment on, the newest first."""
    with reading_shortly(engine) as connection:
        rows = connection.execute(sa.text(_LISTED), {"size": SIZE + 1, "first": first}).mappings()
        return [{**row, "content": shown(row["content"])} for row in rows]


def one(engine: sa.Engine, code: str) -> dict[str, Any]:
    """Return one proposal: the fields that it changes, the comments that were answered, and how many wait.

    Raises:
        NotFound: no proposal of this item is open.
    """
    with reading_shortly(engine) as connection:
        found = _found(connection, code)
        answered = connection.execute(sa.text(_ANSWERED), {"version": found["version_id"]}).mappings().all()
        counted = _counted(connection, found["version_id"])
    before, after = found["before"] or {}, found["content"]
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    fields = [(name, before.get(name), after.get(name)) for name in names]
    return {
        **found, "content": shown(after), "fields": fields, "answered": [dict(row) for row in answered],
        "waiting": counted["waiting"],
    }  # fmt: skip


def comment(engine: sa.Engine, code: str, said: str, allowed: Callable[[], None]) -> int:
    """Take in what somebody says to a proposal, as far as the sender is `allowed` to; return the comment's number.

    Raises:
        NotFound: no proposal of this item is open.
        TooMany: very much was said to it of late, or in all; or by this sender, as `allowed` finds.
        DeedRefused: nothing was said, or too much at once.
    """
    with reading_shortly(engine) as connection:
        found = _found(connection, code)
        counted = _counted(connection, found["version_id"])
    if counted["lately"] >= MOST_AT_ONCE or counted["total"] >= MOST:
        hint = "Wait, or write to the department."
        raise TooMany("very much is being said to this proposal", hint=hint, after_seconds=60 * WITHIN_MINUTES)
    allowed()
    return service.comment(engine, code, said)


def _found(connection: sa.Connection, code: str) -> dict[str, Any]:
    row = connection.execute(sa.text(_ONE), {"code": code}).mappings().first()
    if row is None:
        raise NotFound("no proposal of this item is open to comments", hint="See what is: /items/review")
    return dict(row)


def _counted(connection: sa.Connection, version: int) -> dict[str, int]:
    values = {"version": version, "minutes": WITHIN_MINUTES}
    return dict(connection.execute(sa.text(_COUNTED), values).mappings().one())
