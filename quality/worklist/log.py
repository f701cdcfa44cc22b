"""The log of the work list: who did what to which record, when and why."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa

from hub.remark import one_line
from hub.sentences import sentence
from pipeline.runtime import Runtime
from quality.worklist.errors import NotDone

LONGEST_REASON = 1_000
_LONGEST_ACTOR = 200

_WRITE = """INSERT INTO quality.work_log
                (actor, what, stream_id, waiting_id, record_id, correction_id, reason, detail)
            VALUES ({marks})"""
_NAMES = ("actor", "what", "stream_id", "waiting_id", "record_id", "correction_id", "reason", "detail")


def values(actor: str, what: str, **facts: Any) -> dict[str, Any]:
    """Return a log line's values by column; `detail` never holds a value of a record."""
    detail = orjson.dumps(facts.pop("detail", {})).decode()
    return {**dict.fromkeys(_NAMES), "actor": actor, "what": what, **facts, "detail": detail}


WITHIN = _WRITE.format(marks=", ".join(f"%({name})s" for name in _NAMES))
"""The statement for a driver's cursor, inside a batch's transaction."""


def write(runtime: Runtime, actor: str, what: str, **facts: Any) -> None:
    """Write one line in a transaction of its own."""
    statement = sa.text(_WRITE.format(marks=", ".join(f":{name}" for name in _NAMES)))
    with runtime.engine.begin() as connection:
        connection.execute(statement, values(actor, what, **facts))


def known(actor: str | None) -> str:
    """Return an actor's name as it is kept.

    Raises:
        NotDone: nobody is named, or the name is too long to be one.
    """
    name = (actor or "").strip()
    if not name or len(name) > _LONGEST_ACTOR:
        raise NotDone("nobody is named who does it; a deed on records is logged with the name of who did it.")
    return name


def reasoned(reason: str | None) -> str:
    """Return a reason as it is kept.

    Raises:
        NotDone: there is none, or it is longer than a reason is.
    """
    text = one_line(reason or "")
    if not text or len(text) > LONGEST_REASON:
        raise NotDone(
            sentence(
                "a reason is needed, of at most {longest_reason} characters and without values of persons.",
                longest_reason=LONGEST_REASON,
            )
        )
    return text
