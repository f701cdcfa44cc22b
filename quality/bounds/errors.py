"""Why a bound cannot be set, and what its setting must say."""

from __future__ import annotations

import re
from typing import Final

from hub.errors import HubError
from hub.remark import one_line

LONGEST_REASON: Final = 1000
_ACTOR = re.compile(r"(account|cli):\S{1,100}|hub")


class BoundRefused(HubError):
    """A bound cannot be set as asked; nothing was changed."""

    exit_status = 2


def reasoned(where: str, reason: str, actor: str) -> str:
    """Return the reason of a setting on one line.

    Raises:
        BoundRefused: there is none that can be kept, or nobody is named who sets it.
    """
    said = one_line(reason)
    if not said or len(said) > LONGEST_REASON:
        raise BoundRefused(f"{where}: a bound moves only with a reason of 1 to {LONGEST_REASON} characters: say why.")
    if not _ACTOR.fullmatch(actor):
        raise BoundRefused(f"{where}: {actor[:40]!r} names no actor. An actor is account:<code> or cli:<user>.")
    return said
