"""What every live question goes through: counted and logged before it goes out, asked, answered by a new receipt."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg2.extensions

from hub.errors import ConfigError, RetrySource, SourceBusy, SourceTrouble, SourceUnreachable
from hub.refusals import Contradicted, Fault, TooMany, Unavailable
from hub.settings import SettingError
from verification.audit import log
from verification.audit.log import Entry
from verification.checks import inquiring, reread, waiting
from verification.checks.judging import Judged
from verification.checks.reread import Asked
from verification.checks.service import Checker
from verification.checks.sources import Brought, By, Place, Sources
from verification.receipts import canonical
from verification.rights.callers import Caller

Cursor = psycopg2.extensions.cursor
Document = dict[str, Any]
_OPERATORS: Final = logging.getLogger("hub.live")

_FEEDS: Final = """SELECT ss.code, st.name FROM access.feed AS f JOIN ledger.stream AS st USING (stream_id)
    JOIN core.source_system AS ss USING (source_system_id)
    WHERE f.kind = 'credential_type' AND f.code = %(type)s
        AND (%(issuer)s::text IS NULL OR f.issuer IN (%(issuer)s, ''))"""
_COUNT: Final = """
INSERT INTO audit.live_asked AS l (source, minute, asked) VALUES (%(source)s, %(minute)s, 1)
ON CONFLICT (source) DO UPDATE SET minute = excluded.minute,
    asked = CASE WHEN l.minute = excluded.minute THEN l.asked + 1 ELSE 1 END
RETURNING asked"""


def open_(answer: Document) -> bool:
    """Say whether a source may yet add to an answer: there is none, or nobody knows whether it still holds."""
    return bool(answer["outcome"] == "undetermined" or answer["later_status_unknown"])


def places(
    checker: Checker, sources: Sources | None, by: By, credential: str, whom: str | None
) -> list[Place]:  # fmt: skip
    """Return where to ask: the feeds of the credentials of a type, of one department where it is named, else that
    department's systems; each has agreed to be asked by such a number."""

    def read(cursor: Cursor) -> set[tuple[str, str]]:
        cursor.execute(_FEEDS, {"type": credential, "issuer": whom})
        return set(cursor.fetchall())

    declared = [] if sources is None else [one for one in sources.places() if by in one.by]
    feeds = checker.sessions.reading(read)
    own = [one for one in declared if whom is not None and one.organ == whom]
    return [one for one in declared if (one.source, one.stream) in feeds] if feeds else own


def nobody() -> Contradicted:
    """Return the refusal where no system has agreed to be asked."""
    return reread.contradicted(
        "nobody_to_ask", "no source of these credentials can be asked live",
        "Wait for its feed, or ask an officer: POST /v1/checks/{id}/inquiry.",
    )  # fmt: skip


def begin(
    checker: Checker, caller: Caller, asked: Asked, check_id: str, whom: Sequence[Place], a_minute: int
) -> datetime:
    """Count the question against each source's minute and log it, before anybody is asked; return when it is asked.

    Raises:
        TooMany: a source was asked as often in this minute as it may be.
    """
    now = checker.clock()
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    with checker.sessions.transaction() as cursor:
        for source in sorted({one.source for one in whom}):
            cursor.execute(_COUNT, {"source": source, "minute": minute})
            (count,) = cursor.fetchone() or (0,)
            if count > a_minute:
                raise TooMany(
                    f"source {source} is asked no more than {a_minute} times a minute", hint="Wait.",
                    after_seconds=(minute + timedelta(minutes=1) - now).total_seconds(),
                    faults=[Fault("source", "asked_too_often", f"{a_minute} a minute")],
                )  # fmt: skip
        said = {"sources": [one.name for one in whom]}
        log.write(cursor, [_noted(now, "live_asked", caller, check_id, asked, said)])
    return now


def look(
    checker: Checker, sources: Sources | None, caller: Caller, check_id: str, asked: Asked, whom: Sequence[Place],
    numbers: Sequence[str], by: By,
) -> tuple[dict[Place, Brought], dict[Place, Unavailable]]:  # fmt: skip
    """Ask all places; return what each brought, and of those that could not be asked the refusal."""
    assert sources is not None  # noqa: S101  # it named the places
    brought: dict[Place, Brought] = {}
    refused: dict[Place, Unavailable] = {}
    for place in whom:
        try:
            brought[place] = sources.look_up(place, numbers, by)
        except (SourceBusy, SourceTrouble, ConfigError, SettingError) as error:
            refused[place] = _refusal(place, error)
            said = {"source": place.name, "said": refused[place].faults[0].code}
            # Not in its words: what a department's own function raises may repeat the number that was asked for.
            _OPERATORS.warning(
                "%(source)s could not be asked live: %(said)s (%(kind)s)", said | {"kind": type(error).__name__}
            )
            with checker.sessions.connection().cursor() as cursor:
                log.write(cursor, [_noted(checker.clock(), "live_failed", caller, check_id, asked, said)])
    return brought, refused


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


def written(checker: Checker, caller: Caller, check_id: str, told: Judged, judged: Judged) -> Document:
    """Write the new receipt of what is `told`; the repository alone says of it what was `judged`.

    Raises:
        Contradicted: the check got its answer meanwhile.
        SpokenMeanwhile: as `Checker.anew` says.
    """
    waits = False

    def closing(cursor: Cursor) -> bool:
        nonlocal waits
        if not open_(reread.answer(cursor, caller.organ, check_id)):
            return False
        if judged.answer["outcome"] == "undetermined":
            cursor.execute("SELECT FROM audit.waiting_check WHERE check_id = %s AND state = 'waiting'", (check_id,))
            waits = bool(cursor.rowcount)
        else:
            inquiring.overtake(cursor, check_id)
            waiting.close(cursor, check_id, "answered")
        return True

    document = checker.anew(caller, told, check_id, closing)
    if document is None:
        raise answered()
    return {**document, "state": "waiting"} if waits else document


def answered() -> Contradicted:
    """Return the refusal of what needs no source to be answered: it has been."""
    return reread.contradicted("answerable", "the check has its answer", "Read it again.")


def answerable() -> Contradicted:
    """Return the refusal of what needs no source to be answered: the repository can."""
    return reread.contradicted(
        "answerable", "the check can be answered without a source", "Ask it again by POST /v1/checks."
    )


def _noted(now: datetime, what: str, caller: Caller, check_id: str, asked: Asked, said: Document) -> Entry:
    return Entry(
        now, "read", what, check_id, caller.client_id, caller.organ, purpose=asked.purpose,
        answer=canonical(said).decode(),
    )  # fmt: skip
