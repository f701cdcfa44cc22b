"""What a post says of itself in headers: its idempotency key, its number of records, how far all was sent.

Whatever else may come to vouch for a delivery has its place here: what it says goes on as these same values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.datastructures import Headers

from hub.refusals import Contradicted, Malformed

KEY, COUNT, THROUGH, ENVELOPE = "Idempotency-Key", "Record-Count", "Complete-Through", "Envelope"

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_COUNT = re.compile(r"[0-9]{1,9}")
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
"""Before this no department sent anything; and no database knows all offsets of such days."""
_AHEAD = timedelta(minutes=5)
"""So much may a department's clock be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a post says of itself; each is None where it says nothing of it."""

    key: str | None = None
    count: int | None = None
    complete_through: datetime | None = None
    envelope: str | None = None
    """The batch envelope in Base64, not yet read."""

    def mind(self, records: int) -> None:
        """Compare what was said with what came.

        Raises:
            Contradicted: the post holds another number of records than it says.
        """
        if self.count is not None and self.count != records:
            raise Contradicted(
                f"{COUNT} says {self.count:,}, and the body holds {records:,}", hint="Nothing was kept. Send all of it."
            )

    @property
    def text(self) -> str:
        """Return it as one text: under an idempotency key it must be the same again."""
        through = None if self.complete_through is None else self.complete_through.isoformat()
        return f"{self.count}\x1f{through}\x1f{self.envelope}"


def declared(headers: Headers) -> Declared:
    """Read what a request says of its post.

    Raises:
        Malformed: a header stands twice, or cannot be read.
        Contradicted: the department claims to be complete beyond the present.
    """
    key, count, through, envelope = (_one(headers, name) for name in (KEY, COUNT, THROUGH, ENVELOPE))
    if key is not None and not _KEY.fullmatch(key):
        raise Malformed(f"{KEY} cannot be read", hint="Write 1 to 200 visible ASCII characters, such as a UUID.")
    if count is not None and not _COUNT.fullmatch(count):
        raise Malformed(f"{COUNT} is no number of records")
    if envelope is not None and through is not None:
        raise Malformed(f"{THROUGH} stands beside an envelope", hint="Say it in the envelope: `complete_through`.")
    return Declared(
        key, None if count is None else int(count), None if through is None else _instant(through), envelope
    )


def _one(headers: Headers, name: str) -> str | None:
    found = headers.getlist(name)
    if len(found) > 1:
        raise Malformed(f"{name} stands more than once", hint="Write it once.")
    return found[0].strip() if found else None


def _instant(text: str) -> datetime:
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        said = None
    if said is None or said.tzinfo is None or said < _EARLIEST:
        raise Malformed(
            f"{THROUGH} is no instant with a zone", hint="Write it as 2026-03-02T17:30:00+08:00 (ISO 8601)."
        )
    if said > datetime.now(UTC) + _AHEAD:
        raise Contradicted(f"{THROUGH} lies in the future", hint="Nobody can have sent what has not happened.")
    return said.astimezone(UTC)
