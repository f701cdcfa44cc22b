"""What is told beside checks: a project's progress, and what a client may know of itself. Each reading is logged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import uuid4

import psycopg2.extensions

from hub.refusals import Malformed
from hub.workdays import local_day
from verification.audit import log
from verification.audit.log import Entry
from verification.checks.service import Checker
from verification.questions import Progress
from verification.reading import own, progress
from verification.rights.callers import Caller

T = TypeVar("T")
Cursor = psycopg2.extensions.cursor


def of_project(checker: Checker, caller: Caller, asked: Progress) -> Sequence[dict[str, Any]]:
    """Return how the cases of a project stand, as far as the caller's organ may see them for its purpose.

    Raises:
        Malformed: more cases name the project than are told at once.
        NotAuthenticated: the client was revoked.
        Unavailable: the log has not been sealed for too long.
    """
    checker.watch.mind()
    now = checker.clock()
    today = local_day(now)
    rows = _read(checker, caller, lambda cursor: progress.of_project(
        cursor, asked.project, organ=caller.organ, purpose=asked.purpose, today=today
    ))  # fmt: skip
    # As a check does: who asked for which case of its own, and why; the project itself lies beside it, locked.
    personal = checker.protector.seal(asked.model_dump_json().encode(), context=log.CONTEXT)
    entry = Entry(
        now, "progress", "told" if rows else "none", str(uuid4()), caller.client_id, caller.organ,
        purpose=asked.purpose, personal=personal,
    )  # fmt: skip
    with checker.sessions.connection().cursor() as cursor:
        log.write(cursor, [entry])
    if len(rows) > progress.MOST:
        raise Malformed(f"more than {progress.MOST} cases name this project", hint="Ask for single cases.")
    return rows


def access(checker: Checker, caller: Caller) -> dict[str, Any]:
    """Return the client's rights, and what it may check for which purpose.

    Raises:
        NotAuthenticated: the client was revoked.
    """
    today = local_day(checker.clock())
    found = _read(checker, caller, lambda cursor: own.access(cursor, caller.client_id, today))
    checker.noted(caller, "access")
    return found


def data(checker: Checker, caller: Caller) -> list[dict[str, Any]]:
    """Return what the hub holds of the feeds of the client's organ.

    Raises:
        NotAuthenticated: the client was revoked.
    """
    found = _read(checker, caller, lambda cursor: own.held(cursor, caller.organ))
    checker.noted(caller, "data")
    return found


def _read(checker: Checker, caller: Caller, work: Callable[[Cursor], T]) -> T:
    checker.mind(caller)
    return checker.sessions.reading(work)
