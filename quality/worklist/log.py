"""Who did it and why, as the log of deeds on records keeps it (`pipeline/afterwards/deeds.py` writes it)."""

from __future__ import annotations

from hub.remark import one_line
from hub.sentences import sentence
from quality.worklist.errors import NotDone

LONGEST_REASON = 1_000
_LONGEST_ACTOR = 200


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
