"""Checks answered: looked up, judged, signed, logged, and only then told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
import psycopg2.extensions

from hub.protect import Protector
from hub.refusals import KeyReused, NotAllowed, NotFound
from hub.workdays import local_day
from sharedrepo.keyring.signing import Signer
from verification import receipts
from verification.audit import log
from verification.audit.log import Entry, Keyed
from verification.audit.watch import Watch
from verification.checks import answers, heard, inquiring, judging, waiting
from verification.checks.judging import Judged, mind_admitted, mind_right
from verification.evidence import looking
from verification.evidence.sessions import Sessions
from verification.questions import Bulk, CredentialCheck, PrerequisitesCheck, mind
from verification.receipts import Digest
from verification.rights.callers import Caller
from verification.rules.words import NOTHING_SAID, Words

Cursor = psycopg2.extensions.cursor
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out: the document, whether it waits for a feed, and whether it was told before."""

    document: Document
    waiting: bool = False
    replayed: bool = False


class Checker:
    """Answers checks; one instance serves all threads of a process."""

    def __init__(
        self, sessions: Sessions, protector: Protector, signer: Signer, watch: Watch, *, digest: Digest = "sha-256",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self.sessions, self.protector, self._signer = sessions, protector, signer
        self.watch, self._digest, self.clock = watch, digest, clock

    # --- asking ---

    def check(
        self, caller: Caller, asked: CredentialCheck | PrerequisitesCheck, *, body: bytes = b"", key: str | None = None
    ) -> Reply:
        """Answer one check.

        Raises:
            Malformed: the question contradicts itself.
            NotAllowed: no sharing class and no grant lets the asker see this for its purpose; it is logged.
            NotFound: there is no such item.
            KeyReused: the idempotency key was used for another question.
            Unavailable: the log has not been sealed for too long.
        """
        now = self.clock()
        mind(asked, now=now, today=local_day(now))
        self.watch.mind()
        told = self._earlier(caller, key, body)
        if told is not None:
            return Reply(told, waiting=told["state"] == "waiting", replayed=True)
        judged = self.judge(caller, asked, now)
        document, entry = self._answered(caller, judged, now)
        return self._written(caller, [judged], [entry], document, body, key)

    def bulk(
        self, caller: Caller, asked: Bulk, *, body: bytes = b"", key: str | None = None, job: str | None = None
    ) -> Reply:
        """Answer many checks of credentials by one query; each is a check of its own. With `job` they are of a file.

        Raises:
            Malformed, KeyReused, Unavailable: as `check`; what the asker may not see is told at its place.
        """
        now = self.clock()
        for place, one in enumerate(asked.checks):
            mind(one, now=now, today=local_day(now), at=f"checks.{place}.")
        self.watch.mind()
        told = self._earlier(caller, key, body)
        if told is not None:
            return Reply(told, replayed=True)
        documents, entries, judged = [], [], []
        for one, looked in zip(asked.checks, self._looked(caller, asked.checks, now), strict=True):
            if not looked.allowed:
                documents.append({"outcome": "not_allowed"})
                entries.append(_refusal(caller, one, "not_allowed", now))
                continue
            made = judging.of_credential(self.sessions, self.protector, one, looked, now)
            document, entry = self._answered(caller, made, now)
            documents.append(document)
            entries.append(entry)
            judged.append(made)
        return self._written(caller, [], entries, {"checks": documents}, body, key, job=job)

    def again(self, caller: Caller, asked: CredentialCheck | PrerequisitesCheck, check_id: str) -> Document | None:
        """Answer a waiting check anew, as a new receipt on the same check; None while it would go on waiting."""
        now = self.clock()
        judged = self.judge(caller, asked, now, self.words(check_id))
        over = asked.wait_until is not None and asked.wait_until <= now
        if judged.waits and not over:
            return None

        def closing(cursor: Cursor) -> bool:
            if judged.answer["outcome"] != "undetermined":
                inquiring.overtake(cursor, check_id)
            return waiting.close(cursor, check_id, "lapsed" if judged.waits else "answered")

        try:
            return self.anew(caller, judged, check_id, closing)
        except inquiring.SpokenMeanwhile:  # the next round knows that answer
            return None

    def anew(self, caller: Caller, judged: Judged, check_id: str, closing: Callable[[Cursor], bool]) -> Document | None:
        """Write a later answer to a check, as a new receipt on it; in the same transaction `closing` ends what awaited
        it, and says whether that was still open: of two who bring an answer the first one is written.

        Raises:
            SpokenMeanwhile: it has been answered since it was judged, and is to be judged again.
        """
        document, entry = self._answered(caller, judged, self.clock(), check_id=check_id, last=True)
        with self.sessions.transaction() as cursor:
            inquiring.mind_spoken(cursor, check_id, judged.answers)
            if not closing(cursor):
                return None
            log.write(cursor, [entry])
        return document

    def refused(self, caller: Caller | None, reason: str) -> None:
        """Log a call that was refused before it became a check."""
        with self.sessions.connection().cursor() as cursor:
            log.write(cursor, [_refusal(caller, None, reason, self.clock())])

    # --- reading ---

    def read(self, caller: Caller, check_id: str) -> Document:
        """Return the newest answer to a check of the caller's organ; reading it is logged.

        Raises:
            NotFound: the caller's organ asked no such check.
        """
        return self.sessions.reading(lambda cursor: self._read(cursor, caller, check_id))

    def _read(self, cursor: Cursor, caller: Caller, check_id: str) -> Document:
        cursor.execute(
            """SELECT e.receipt, e.personal, e.answer, e.recorded_at, w.state, (
                   SELECT k.revoked_at IS NULL AND k.expires_at > now() FROM access.client AS k WHERE k.client_id = %s)
               FROM audit.entry AS e LEFT JOIN audit.waiting_check AS w ON w.check_id = e.check_id
               WHERE e.check_id = %s AND e.organ = %s AND e.kind IN ('credential', 'prerequisites')
               ORDER BY e.entry_id DESC LIMIT 1""",
            (caller.client_id, check_id, caller.organ),
        )
        row = cursor.fetchone()
        if row is None:
            raise NotFound("your organ has asked no check of this number", hint="Use the number of its answer.")
        receipt, personal, answer, at, state, admitted = row
        mind_right(admitted)
        now = self.clock()
        seen = Entry(now, "read", "read", check_id, caller.client_id, caller.organ)
        log.write(cursor, [seen])
        kept = None if personal is None else orjson.loads(self.protector.unseal(personal, context=log.CONTEXT))
        document = {
            "id": check_id, "state": state or "answered", "answer": orjson.loads(answer),
            "answered_at": answers.instant(at), "asked": None if kept is None else kept["asked"],
        }  # fmt: skip
        return {**document, "receipt": {"jws": receipt, "salt": None if kept is None else kept["salt"]}}

    def mind(self, caller: Caller) -> None:
        """Refuse a client that has lost its rights while its token lives.

        Raises:
            NotAuthenticated: it was revoked, or has expired.
        """
        self.sessions.reading(lambda cursor: mind_admitted(cursor, caller))

    def noted(self, caller: Caller, what: str) -> None:
        """Log that something was read."""
        seen = Entry(self.clock(), "read", what, None, caller.client_id, caller.organ)
        with self.sessions.connection().cursor() as cursor:
            log.write(cursor, [seen])

    # --- judging ---

    def words(self, check_id: str) -> Words:
        """Return what officers have said of the options of a check, and what systems have brought for them."""
        return self.sessions.reading(lambda cursor: heard.words(cursor, check_id))

    def judge(
        self, caller: Caller, asked: CredentialCheck | PrerequisitesCheck, now: datetime, words: Words = NOTHING_SAID
    ) -> Judged:
        """Look a question up and answer it; nothing is written, but that it was refused. Who judges a check anew gives
        the `words` that officers have said of it.

        Raises:
            NotAllowed, NotFound: as `check`.
            NotAuthenticated: the client was revoked.
        """
        made = self._made(caller, asked, now, words)
        if made is None:
            raise self._not_allowed(caller, asked, now)
        return made

    def _made(
        self, caller: Caller, asked: CredentialCheck | PrerequisitesCheck, now: datetime, words: Words
    ) -> Judged | None:
        if isinstance(asked, PrerequisitesCheck):
            return judging.of_prerequisites(self.sessions, self.protector, caller, asked, now, words)
        (looked,) = self._looked(caller, [asked], now)
        return judging.of_credential(self.sessions, self.protector, asked, looked, now) if looked.allowed else None

    def _looked(self, caller: Caller, asked: Sequence[CredentialCheck], now: datetime) -> list[looking.Looked]:
        """Look all questions up, those for one instant together, in the order in which they were asked."""
        found: dict[int, looking.Looked] = {}
        for instant in {one.known_at for one in asked}:
            places = [place for place, one in enumerate(asked) if one.known_at == instant]
            some = [asked[place] for place in places]
            rows = self.sessions.reading(
                lambda cursor, some=some, instant=instant: looking.look(  # type: ignore[misc]  # bound for this round
                    cursor, some, caller=caller, today=local_day(now), known_at=instant
                )
            )
            found.update(zip(places, rows, strict=True))
        listed = [found[place] for place in range(len(asked))]
        mind_right(all(one.admitted for one in listed))
        return listed

    # --- writing ---

    def _answered(
        self, caller: Caller, judged: Judged, now: datetime, *, check_id: str | None = None, last: bool = False
    ) -> tuple[Document, Entry]:
        """Sign an answer; return its document and its row of the log."""
        asked = judged.asked.model_dump(mode="json", exclude_none=True)
        state = "waiting" if judged.waits and not last else "answered"
        document: Document = {
            "id": check_id or str(uuid4()), "state": state, "asked": asked, "answer": judged.answer,
            "answered_at": answers.instant(now),
        }  # fmt: skip
        document, _ = receipts.receipted(document, organ=caller.organ, signer=self._signer, digest=self._digest)
        receipt = document["receipt"]
        personal = orjson.dumps({"asked": asked, "salt": receipt["salt"]})
        return document, Entry(
            now, judged.asked.kind, judged.answer["outcome"], document["id"], caller.client_id, caller.organ,
            judged.grant_id, judged.asked.purpose, judged.answer["case"], receipts.canonical(judged.answer).decode(),
            receipt["jws"], self.protector.seal(personal, context=log.CONTEXT), judged.holder.subject(),
            _relied(judged.answer),
        )  # fmt: skip

    def _written(
        self, caller: Caller, judged: Sequence[Judged], entries: Sequence[Entry], document: Document, body: bytes,
        key: str | None, *, job: str | None = None,
    ) -> Reply:  # fmt: skip
        """Write the log, then let the answer go; under an idempotency key the first of two stands."""
        keyed = None if key is None else self._keyed(caller, key, body, document, job)
        connection = self.sessions.connection()
        with connection.cursor() as cursor:
            if not log.write(cursor, entries, keyed):
                told = self._earlier(caller, key, body)
                assert told is not None  # noqa: S101  # the key was taken, and keys are never taken away in between
                return Reply(told, waiting=told.get("state") == "waiting", replayed=True)
            waits = [one for one in judged if one.waits]
            for one in waits:
                waiting.add(cursor, document["id"], caller, one.asked, self.protector)
        return Reply(document, waiting=bool(waits))

    def _keyed(self, caller: Caller, key: str, body: bytes, document: Document, job: str | None) -> Keyed:
        keep = self.protector.seal(orjson.dumps(document), context=log.CONTEXT)
        number = job or document.get("id") or str(uuid4())
        return Keyed(caller.client_id, self._hash("check key", key.encode()), self._hash("check", body), number, keep)

    def _earlier(self, caller: Caller, key: str | None, body: bytes) -> Document | None:
        if key is None:
            return None
        hashed = self._hash("check key", key.encode())
        found = self.sessions.reading(lambda cursor: log.earlier(cursor, caller.client_id, hashed))
        if found is None:
            return None
        if found[0] != self._hash("check", body):
            raise KeyReused(
                "this Idempotency-Key came with another question", hint="Take a new key for a new question."
            )
        document: Document = orjson.loads(self.protector.unseal(found[1], context=log.CONTEXT))
        return document

    def _hash(self, what: str, data: bytes) -> bytes:
        return self.protector.content_hash(what.encode() + b"\x1f" + data)

    def _not_allowed(self, caller: Caller, asked: CredentialCheck | PrerequisitesCheck, now: datetime) -> NotAllowed:
        with self.sessions.connection().cursor() as cursor:
            log.write(cursor, [_refusal(caller, asked, "not_allowed", now)])
        return NotAllowed(
            "neither a sharing class nor a grant lets your organ check this for this purpose",
            hint="Ask for it: the hub's operators enter the request, and the issuing organ answers it.",
        )


def _relied(answer: Document) -> list[int] | None:
    """Return the records that a positive answer stands on."""
    if answer["outcome"] == "match":
        return list(answer["evidence"])
    met = [group["options"][group["option"]] for group in answer.get("groups", ()) if group["state"] == "met"]
    return sorted({one["evidence"] for one in met if one["evidence"] is not None}) or None


def _refusal(
    caller: Caller | None, asked: CredentialCheck | PrerequisitesCheck | None, reason: str, now: datetime
) -> Entry:
    return Entry(
        now, "refused", reason, str(uuid4()), None if caller is None else caller.client_id,
        None if caller is None else caller.organ, purpose=None if asked is None else asked.purpose,
    )  # fmt: skip
