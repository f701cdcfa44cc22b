"""What no feed can tell is asked of the issuing department's own system, live, where it has agreed to that.

What the system brings goes into the repository like any record, and the check is answered anew by it: a new receipt.
That it brings nothing says nothing: a number may be written otherwise there, and the answer stays undetermined.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg2.extensions

from hub.errors import ConfigError, RetrySource, SourceBusy, SourceTrouble, SourceUnreachable
from hub.refusals import Fault, TooMany, Unavailable
from hub.settings import SettingError
from verification.audit import log
from verification.audit.log import Entry
from verification.checks import answers, inquiring, options, reread, waiting
from verification.checks.judging import Judged
from verification.checks.service import Checker
from verification.checks.sources import Brought, Place, Sources
from verification.questions import CredentialCheck
from verification.receipts import canonical
from verification.rights.callers import Caller
from verification.rules.names import number_forms

Cursor = psycopg2.extensions.cursor
Document = dict[str, Any]
AT_ONCE: Final = 4
"""Sources that one process asks at a time; who comes then is told to come again."""
_OPERATORS: Final = logging.getLogger("hub.live")

_FEEDS: Final = """SELECT ss.code, st.name FROM access.feed AS f JOIN ledger.stream AS st USING (stream_id)
    JOIN core.source_system AS ss USING (source_system_id)
    WHERE f.kind = 'credential_type' AND f.code = %s AND f.issuer IN (%s, '')"""
_COUNT: Final = """
INSERT INTO audit.live_asked AS l (source, minute, asked) VALUES (%(source)s, %(minute)s, 1)
ON CONFLICT (source) DO UPDATE SET minute = excluded.minute,
    asked = CASE WHEN l.minute = excluded.minute THEN l.asked + 1 ELSE 1 END
RETURNING asked"""
_ORGAN: Final = """SELECT name FROM core.organ WHERE code = %(organ)s OR credit_code = %(organ)s
    ORDER BY valid_from DESC NULLS LAST LIMIT 1"""


class Asking:
    """Asks a few sources at a time, in threads of their own: a department that is slow holds up no other check."""

    def __init__(self, sources: Sources | None, *, a_minute: int) -> None:
        self._sources, self._a_minute = sources if a_minute else None, a_minute
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="live")

    async def ask(self, checker: Checker, caller: Caller, check_id: str, *, issuer: str | None) -> Document:
        """Ask as the function `ask` does, unless as many are being asked as may be.

        Raises:
            TooMany: so it is.
            RequestRefused: as `ask` says.
        """
        if not self._free.acquire(blocking=False):
            raise TooMany(
                f"{AT_ONCE} sources are being asked just now", hint="Ask again in a moment.", after_seconds=5,
                faults=[Fault("source", "all_asking", "as many are asked as may be at a time")],
            )  # fmt: skip

        def work() -> Document:
            try:
                return ask(checker, self._sources, caller, check_id, issuer=issuer, a_minute=self._a_minute)
            finally:
                self._free.release()

        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    def close(self) -> None:
        """Wait for what is being asked, and ask no more."""
        self._workers.shutdown()


def ask(
    checker: Checker, sources: Sources | None, caller: Caller, check_id: str, *, issuer: str | None, a_minute: int
) -> Document:
    """Ask the issuing department's system where no feed can tell, or not whether it still is so; return the check with
    its new receipt.

    Raises:
        NotFound: the caller's organ asked no such check.
        Contradicted: no source can be asked about it, or it can be answered without.
        Malformed: the question names no issuer, and neither does the request.
        NotAllowed, NotAuthenticated: the asker may not check this (any more).
        TooMany: the source was asked as often in this minute as it may be.
        Unavailable: the source is busy or does not answer, or the log has not been sealed for too long.
    """
    checker.watch.mind()
    checker.mind(caller)
    asked = _asked(checker, caller.organ, check_id)
    if not _open(checker.judge(caller, asked, checker.clock()).answer):
        raise reread.contradicted(
            "answerable", "the check can be answered without a source", "Ask it again by POST /v1/checks."
        )
    whom = _issuer(checker, asked, issuer)
    places = _places(checker, sources, asked, whom)
    began = _begin(checker, caller, asked, check_id, places, a_minute)
    brought = _brought(checker, sources, caller, check_id, places, asked)
    judged = checker.judge(caller, asked, checker.clock())
    return _written(checker, caller, check_id, _worded(checker, judged, brought, whom, began), judged)


# --- before ---


def _asked(checker: Checker, organ: str, check_id: str) -> CredentialCheck:
    """Return what a check asked, where it is one that a source may yet answer."""
    earlier = reread.earlier(checker, organ, check_id)
    if not isinstance(earlier.asked, CredentialCheck):
        raise reread.contradicted(
            "not_one_credential", "a source is asked about one credential",
            "Check the credential that is undetermined by itself.",
        )  # fmt: skip
    if not _open(earlier.answer):
        raise reread.contradicted("answerable", "the check has its answer", "Read it again.")
    return earlier.asked


def _open(answer: Document) -> bool:
    """Say whether a source may yet add to an answer: there is none, or nobody knows whether it still holds."""
    return bool(answer["outcome"] == "undetermined" or answer["later_status_unknown"])


def _issuer(checker: Checker, asked: CredentialCheck, named: str | None) -> str:
    known = checker.sessions.reading(lambda cursor: options.issuers(cursor, credential=asked.credential.type))
    return reread.issuer("the source cannot be asked", named=named, own=asked.credential.issuer, known=known)


def _places(checker: Checker, sources: Sources | None, asked: CredentialCheck, whom: str) -> list[Place]:
    """Return where to ask: the feeds of that department's credentials of the type, else its systems that may be asked.

    Raises:
        Contradicted: none of them has agreed to be asked.
    """

    def read(cursor: Cursor) -> set[tuple[str, str]]:
        cursor.execute(_FEEDS, (asked.credential.type, whom))
        return set(cursor.fetchall())

    declared = list(sources.places()) if sources is not None else []
    feeds = checker.sessions.reading(read)
    places = [one for one in declared if ((one.source, one.stream) in feeds if feeds else one.organ == whom)]
    if not places:
        raise reread.contradicted(
            "nobody_to_ask", "no source of these credentials can be asked live",
            "Wait for its feed, or ask an officer: POST /v1/checks/{id}/inquiry.",
        )  # fmt: skip
    return places


# --- asking ---


def _begin(
    checker: Checker, caller: Caller, asked: CredentialCheck, check_id: str, places: Sequence[Place], a_minute: int
) -> datetime:
    """Count the question against each source's minute and log it, before anybody is asked; return when it is asked."""
    now = checker.clock()
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    with checker.sessions.transaction() as cursor:
        for source in sorted({one.source for one in places}):
            cursor.execute(_COUNT, {"source": source, "minute": minute})
            (count,) = cursor.fetchone() or (0,)
            if count > a_minute:
                raise TooMany(
                    f"source {source} is asked no more than {a_minute} times a minute", hint="Wait.",
                    after_seconds=(minute + timedelta(minutes=1) - now).total_seconds(),
                    faults=[Fault("source", "asked_too_often", f"{a_minute} a minute")],
                )  # fmt: skip
        log.write(cursor, [_noted(now, "live_asked", caller, check_id, asked, {"sources": list(map(_name, places))})])
    return now


def _brought(
    checker: Checker, sources: Sources | None, caller: Caller, check_id: str, places: Sequence[Place],
    asked: CredentialCheck,
) -> Brought:  # fmt: skip
    """Ask all places; one that cannot be asked matters only where no other one brings anything."""
    assert sources is not None  # noqa: S101  # it named the places
    read, kept, refused = 0, frozenset[int](), None
    for place in places:
        try:
            one = sources.look_up(place, number_forms(asked.credential.number))
        except (SourceBusy, SourceTrouble, ConfigError, SettingError) as error:
            refused = _refusal(place, error)
            said = {"source": _name(place), "said": refused.faults[0].code}
            # Not in its words: what a department's own function raises may repeat the number that was asked for.
            _OPERATORS.warning(
                "%(source)s could not be asked live: %(said)s (%(kind)s)", said | {"kind": type(error).__name__}
            )
            with checker.sessions.connection().cursor() as cursor:
                log.write(cursor, [_noted(checker.clock(), "live_failed", caller, check_id, asked, said)])
        else:
            read, kept = read + one.read, kept | one.kept
    if refused is not None and not read:
        raise refused
    return Brought(read, kept)


def _refusal(place: Place, error: Exception) -> Unavailable:
    if isinstance(error, SourceBusy):
        return Unavailable(
            f"source {place.source} is being pulled just now", hint="Ask again in a moment.", after_seconds=15,
            faults=[Fault("source", "source_busy", "one at a time works on a source")],
        )  # fmt: skip
    if isinstance(error, RetrySource | SourceUnreachable):
        return Unavailable(
            f"source {place.source} does not answer", after_seconds=60,
            hint="Ask again later, or ask an officer: POST /v1/checks/{id}/inquiry.",
            faults=[Fault("source", "source_silent", "the department's system did not answer in time")],
        )  # fmt: skip
    return Unavailable(
        f"source {place.source} cannot be asked as it is", after_seconds=600,
        hint="The hub's operators see why in `hub source check`; meanwhile ask an officer.",
        faults=[Fault("source", "source_broken", "a person must act before it can be asked")],
    )  # fmt: skip


# --- after ---


def _worded(checker: Checker, judged: Judged, brought: Brought, whom: str, began: datetime) -> Judged:
    """Return an answer that says that the source was asked. What stands on what it just said, is so as of now."""

    def read(cursor: Cursor) -> Any:
        cursor.execute(_ORGAN, {"organ": whom})
        return (cursor.fetchone() or (None,))[0]

    told = answers.of_source(
        judged.answer, found="none" if not brought.read else "taken" if brought.kept else "refused",
        sure=bool(judged.records) and brought.kept.issuperset(judged.records), organ=whom,
        name=checker.sessions.reading(read), asked_at=began, at=checker.clock(),
    )  # fmt: skip
    return replace(judged, answer=told)


def _written(checker: Checker, caller: Caller, check_id: str, worded: Judged, judged: Judged) -> Document:
    """Write the new receipt, unless the check got its answer meanwhile."""
    waits = False

    def closing(cursor: Cursor) -> bool:
        nonlocal waits
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"hub.live {check_id}",))
        if not _open(reread.answer(cursor, caller.organ, check_id)):
            return False
        if judged.answer["outcome"] == "undetermined":
            cursor.execute("SELECT FROM audit.waiting_check WHERE check_id = %s AND state = 'waiting'", (check_id,))
            waits = bool(cursor.rowcount)
        else:
            inquiring.overtake(cursor, check_id)
            waiting.close(cursor, check_id, "answered")
        return True

    document = checker.anew(caller, worded, check_id, closing)
    if document is None:
        raise reread.contradicted("answerable", "the check has its answer", "Read it again.")
    return {**document, "state": "waiting"} if waits else document


def _noted(now: datetime, what: str, caller: Caller, check_id: str, asked: CredentialCheck, said: Document) -> Entry:
    return Entry(
        now, "read", what, check_id, caller.client_id, caller.organ, purpose=asked.purpose,
        answer=canonical(said).decode(),
    )  # fmt: skip


def _name(place: Place) -> str:
    return f"{place.source}/{place.stream}"
