"""Says whether what stands for a phone or a mailbox can be one; nothing is sent to what cannot."""

from __future__ import annotations

import re

from hub.protect import normalize
from supervision.notices.terms import Recipient

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_DIGITS = re.compile(r"[0-9]{5,20}")


def fault_of(who: Recipient) -> str | None:
    """Return a stable word for what is wrong with an address; None where nothing is."""
    if who.phone:
        return None if _DIGITS.fullmatch(normalize("phone", who.phone)) else "bad_phone"
    if who.mail:
        return None if _MAIL.fullmatch(who.mail) else "bad_mailbox"
    return None
