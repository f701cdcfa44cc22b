"""Very many checks by a file: taken at once, answered part by part beside the other work, kept through every restart.

A part is up to a thousand questions, answered like a bulk under an idempotency key of its own: a worker that is killed
leaves either nothing of its part or the whole of it in the log, and the next one goes on there. Questions and answers
lie locked; questions go when they are answered, answers after as many days as answers under keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import orjson
import psycopg2.extensions
from psycopg2.extras import execute_values

from hub.protect import Protector
from hub.refusals import NotAuthenticated, NotFound, NotYet, RequestRefused, TooMany, Unavailable
from verification.checks.service import Checker
from verification.questions import MOST_IN_BULK, Bulk, CredentialCheck
from verification.rights.callers import Caller

Cursor = psycopg2.extensions.cursor
CONTEXT: Final = "audit.check_job"
MOST: Final = 100_000
"""Questions of one file."""
MOST_WAITING: Final = 5
"""Jobs of one client that may wait."""
LEASE: Final = timedelta(minutes=5)
"""So long a part belongs to the process that took it; if that one dies, another takes it after this."""
AGAIN_SECONDS: Final = 5.0
"""After this an asker may look again whether its file is answered."""
_KEY: Final = "\x1fjob"
"""What begins the idempotency keys of parts: no key of a request can, for those are printable."""

_ADD = "INSERT INTO audit.check_job (job_id, client_id, questions) VALUES (%s, %s, %s)"
_PARTS = "INSERT INTO audit.check_job_part (job_id, part, questions, size) VALUES %s"
_WAITING = "SELECT count(*) FROM audit.check_job WHERE client_id = %s AND state = 'waiting'"
_TAKE = """
UPDATE audit.check_job_part AS p SET leased_until = %(now)s + %(lease)s
FROM audit.check_job AS j, access.client AS k
WHERE (p.job_id, p.part) = (
        SELECT q.job_id, q.part FROM audit.check_job_part AS q JOIN audit.check_job AS w USING (job_id)
        WHERE w.state = 'waiting' AND q.answered_at IS NULL AND q.leased_until <= %(now)s
        ORDER BY w.made_at, q.part LIMIT 1 FOR UPDATE OF q SKIP LOCKED)
    AND j.job_id = p.job_id AND k.client_id = j.client_id
RETURNING p.job_id::text, p.part, p.questions, k.client_id, k.code, k.organ
"""
_DONE = """
WITH part AS (
    UPDATE audit.check_job_part SET answers = %(answers)s, questions = NULL, answered_at = %(now)s
    WHERE job_id = %(job)s AND part = %(part)s AND answered_at IS NULL
)
UPDATE audit.check_job SET state = 'done', ended_at = %(now)s
WHERE job_id = %(job)s AND state = 'waiting' AND NOT EXISTS (
    SELECT FROM audit.check_job_part WHERE job_id = %(job)s AND part <> %(part)s AND answered_at IS NULL)
"""
_STOP = """UPDATE audit.check_job SET state = 'stopped', reason = %s, ended_at = %s
           WHERE job_id = %s AND state = 'waiting'"""
_STANDS = """
SELECT j.state, j.reason, j.questions, j.made_at, j.ended_at,
    (SELECT coalesce(sum(p.size), 0) FROM audit.check_job_part AS p
     WHERE p.job_id = j.job_id AND p.answered_at IS NOT NULL)
FROM audit.check_job AS j JOIN access.client AS k USING (client_id) WHERE j.job_id = %s AND k.organ = %s
"""


def add(checker: Checker, caller: Caller, asked: Sequence[CredentialCheck]) -> str:
    """Take a file of questions; return the job's number.

    Raises:
        TooMany: too many jobs of this client wait already.
        NotAuthenticated: the client was revoked.
        Unavailable: the log has not been sealed for too long.
    """
    checker.watch.mind()
    checker.mind(caller)
    job = str(uuid4())
    parts = [
        (job, place, _locked(checker.protector, asked[first : first + MOST_IN_BULK]),
         len(asked[first : first + MOST_IN_BULK]))
        for place, first in enumerate(range(0, len(asked), MOST_IN_BULK))
    ]  # fmt: skip
    with checker.sessions.transaction() as cursor:
        # Two files of one client at once: the second one counts the first.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('hub.check_job'), %s)", (caller.client_id,))
        cursor.execute(_WAITING, (caller.client_id,))
        if (cursor.fetchone() or (0,))[0] >= MOST_WAITING:
            raise TooMany(
                f"{MOST_WAITING} files of your client wait already", hint="Wait until one is answered.",
                after_seconds=60,
            )  # fmt: skip
        cursor.execute(_ADD, (job, caller.client_id, len(asked)))
        execute_values(cursor, _PARTS, parts, page_size=100)
    return job


def work(checker: Checker) -> bool:
    """Answer one part that waits; say whether there was one.

    Raises:
        psycopg2.Error, Unavailable: it could not be answered just now; after the lease it is taken again.
    """
    now = checker.clock()
    with checker.sessions.transaction() as cursor:
        cursor.execute(_TAKE, {"now": now, "lease": LEASE})
        row = cursor.fetchone()
    if row is None:
        return False
    job, part, locked, client_id, code, organ = row
    body = checker.protector.unseal(bytes(locked), context=CONTEXT)
    try:
        reply = checker.bulk(
            Caller(client_id, code, organ), Bulk.model_validate_json(body), body=body, key=f"{_KEY} {job} {part}",
            job=job,
        )  # fmt: skip
    except Unavailable:
        raise
    except RequestRefused as refusal:
        reason = "client_revoked" if isinstance(refusal, NotAuthenticated) else type(refusal).__name__
        with checker.sessions.transaction() as cursor:
            cursor.execute(_STOP, (reason, now, job))
        return True
    answers = checker.protector.seal(orjson.dumps(reply.document["checks"]), context=CONTEXT)
    with checker.sessions.transaction() as cursor:
        # Two processes that end the last two parts together must not each leave the end to the other.
        cursor.execute("SELECT FROM audit.check_job WHERE job_id = %s FOR UPDATE", (job,))
        cursor.execute(_DONE, {"job": job, "part": part, "answers": answers, "now": checker.clock()})
    return True


def stands(checker: Checker, caller: Caller, job: str) -> dict[str, Any]:
    """Return how a job of the caller's organ stands.

    Raises:
        NotFound: the caller's organ has no such job.
        NotAuthenticated: the client was revoked.
    """
    checker.mind(caller)

    def read(cursor: Cursor) -> Any:
        cursor.execute(_STANDS, (job, caller.organ))
        return cursor.fetchone()

    row = checker.sessions.reading(read)
    if row is None:
        raise NotFound("your organ has no file of this number", hint="Use the number of the answer to the upload.")
    state, reason, questions, made_at, ended_at, answered = row
    return {
        "id": job, "state": state, "reason": reason, "questions": questions, "answered": int(answered),
        "made_at": made_at, "ended_at": ended_at,
    }  # fmt: skip


def result(checker: Checker, caller: Caller, job: str) -> Iterator[bytes]:
    """Yield the answers of a job in the order of its questions, a line each; that they are read is logged.

    Raises:
        NotFound: the caller's organ has no such job, or its answers were taken away.
        NotYet: it is not answered yet.
    """
    said = stands(checker, caller, job)
    if said["state"] == "waiting":
        raise NotYet(
            "the file is not answered yet", hint="Ask for GET /v1/check-jobs/{id} until it is done.",
            after_seconds=AGAIN_SECONDS,
        )  # fmt: skip
    checker.noted(caller, "job")
    return _lines(checker, job)


def _lines(checker: Checker, job: str) -> Iterator[bytes]:
    part = 0
    while True:
        locked = checker.sessions.reading(lambda cursor, part=part: _answers(cursor, job, part))  # type: ignore[misc]  # bound for this round
        if locked is None:
            return
        for one in orjson.loads(checker.protector.unseal(locked, context=CONTEXT)):
            yield orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE)
        part += 1


def _answers(cursor: Cursor, job: str, part: int) -> bytes | None:
    cursor.execute("SELECT answers FROM audit.check_job_part WHERE job_id = %s AND part = %s", (job, part))
    row = cursor.fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def _locked(protector: Protector, asked: Sequence[CredentialCheck]) -> bytes:
    body = orjson.dumps({"checks": [one.model_dump(mode="json", exclude_none=True) for one in asked]})
    return protector.seal(body, context=CONTEXT)
