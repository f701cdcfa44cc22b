"""What no feed can tell is asked of the issuing department's own system, live, where it has agreed to that.

What the system brings goes into the repository like any record, and the check is answered anew by it: a new receipt.
That it brings nothing says nothing: a number may be written otherwise there, and the answer stays undetermined.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import psycopg2.extensions

from hub.refusals import Fault, TooMany
from verification.checks import answers, asking, inquiring, live_options, options, reread
from verification.checks.judging import Judged
from verification.checks.service import Checker
from verification.checks.sources import Brought, Place, Sources
from verification.questions import CredentialCheck, PrerequisitesCheck
from verification.rights.callers import Caller
from verification.rules import words
from verification.rules.names import number_forms

Cursor = psycopg2.extensions.cursor
Document = dict[str, Any]
AT_ONCE: Final = 4
"""Questions that one process puts to sources at a time; who comes then is told to come again."""
_WHAT: Final = "the source cannot be asked"


class Asking:
    """Asks a few sources at a time, in threads of their own: a department that is slow holds up no other check."""

    def __init__(self, sources: Sources | None, *, a_minute: int) -> None:
        self._sources, self._a_minute = sources if a_minute else None, a_minute
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="live")

    async def ask(
        self, checker: Checker, caller: Caller, check_id: str, *, issuer: str | None, option: words.Place | None = None
    ) -> Document:
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
                return ask(
                    checker, self._sources, caller, check_id, issuer=issuer, option=option, a_minute=self._a_minute
                )
            finally:
                self._free.release()

        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    def close(self) -> None:
        """Wait for what is being asked, and ask no more."""
        self._workers.shutdown()


def ask(
    checker: Checker, sources: Sources | None, caller: Caller, check_id: str, *, issuer: str | None,
    option: words.Place | None = None, a_minute: int,
) -> Document:  # fmt: skip
    """Ask the issuing departments' systems where no feed can tell, or not whether it still is so; return the check with
    its new receipt. Of prerequisites all options that are open are asked about, or the one that is named.

    Raises:
        NotFound: the caller's organ asked no such check.
        Contradicted: no source can be asked about it, or it can be answered without.
        Malformed: the question names no issuer, and neither does the request, or there is no such option.
        NotAllowed, NotAuthenticated: the asker may not check this (any more).
        TooMany: the source was asked as often in this minute as it may be.
        Unavailable: the source is busy or does not answer, or the log has not been sealed for too long.
    """
    checker.watch.mind()
    checker.mind(caller)
    earlier = reread.earlier(checker, caller.organ, check_id)
    if not asking.open_(earlier.answer):
        raise asking.answered()
    if isinstance(earlier.asked, PrerequisitesCheck):
        return live_options.ask(
            checker, sources, caller, check_id, earlier.asked, issuer=issuer, option=option, a_minute=a_minute
        )
    if option is not None:
        raise reread.mend(_WHAT, "option", "option_unknown", "a check of one credential has no options")
    return _of_credential(checker, sources, caller, check_id, earlier.asked, issuer, a_minute)


def _of_credential(
    checker: Checker, sources: Sources | None, caller: Caller, check_id: str, asked: CredentialCheck,
    issuer: str | None, a_minute: int,
) -> Document:  # fmt: skip
    if not asking.open_(checker.judge(caller, asked, checker.clock()).answer):
        raise asking.answerable()
    whom = _issuer(checker, asked, issuer)
    places = asking.places(checker, sources, "credential", asked.credential.type, whom)
    if not places:
        raise asking.nobody()
    began = asking.begin(checker, caller, asked, check_id, places, a_minute)
    brought = _brought(checker, sources, caller, check_id, places, asked)
    judged = checker.judge(caller, asked, checker.clock())
    return asking.written(checker, caller, check_id, _worded(checker, judged, brought, whom, began), judged)


def _issuer(checker: Checker, asked: CredentialCheck, named: str | None) -> str:
    known = checker.sessions.reading(lambda cursor: options.issuers(cursor, credential=asked.credential.type))
    return reread.issuer(_WHAT, named=named, own=asked.credential.issuer, known=known)


def _brought(
    checker: Checker, sources: Sources | None, caller: Caller, check_id: str, places: list[Place],
    asked: CredentialCheck,
) -> Brought:  # fmt: skip
    """Ask all places; one that cannot be asked matters only where no other one brings anything."""
    numbers = number_forms(asked.credential.number)
    brought, refused = asking.look(checker, sources, caller, check_id, asked, places, numbers, "credential")
    every = brought.values()
    read = sum(one.read for one in every)
    if refused and not read:
        raise list(refused.values())[-1]
    return Brought(read, frozenset[int]().union(*(one.kept for one in every)), sum(one.refused for one in every))


def _worded(checker: Checker, judged: Judged, brought: Brought, whom: str, began: datetime) -> Judged:
    """Return an answer that says that the source was asked. What stands on what it just said, is so as of now."""
    told = answers.of_source(
        judged.answer, found="none" if not brought.read else "taken" if brought.kept else "refused",
        sure=bool(judged.records) and brought.kept.issuperset(judged.records), organ=whom,
        name=checker.sessions.reading(lambda cursor: inquiring.name_of(cursor, whom)), asked_at=began,
        at=checker.clock(),
    )  # fmt: skip
    return replace(judged, answer=told)
