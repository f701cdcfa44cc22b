"""Sends texts through the SMS gateway that a file describes, and asks it what became of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.outward import Answer, NoAddress, NoAnswer, ask
from supervision.notices.template import Gateway
from supervision.notices.terms import Outcome, Receipt, Tried

_LONGEST_NUMBER = 100
_REDIRECTIONS, _CLIENT_FAULTS = range(300, 400), range(400, 500)
_COME_AGAIN = frozenset({408, 425, 429})
"""Statuses of the 400s that say nothing of the text itself."""


@dataclass(frozen=True, slots=True)
class HttpGateway:
    """The gateway of a deployment; its secret stands in no message and no log."""

    of: Gateway
    secret: str = field(repr=False)

    @property
    def name(self) -> str:
        """Return the gateway's name, as lists show it."""
        return self.of.name

    @property
    def deduplicates(self) -> bool:
        """Say whether a text that is sent again under its key reaches the phone once."""
        return self.of.deduplicates

    @property
    def can_be_asked(self) -> bool:
        """Say whether it can be asked what became of a text."""
        return self.of.ask is not None

    async def send(self, *, phone: str, text: str, key: str) -> Tried:
        """Send a text once, and say what can be known of it."""
        values = {"phone": phone, "text": text, "key": key, "secret": self.secret}
        try:
            answer = await ask(self.of.send.request(values, self.of.charset), seconds=self.of.seconds)
        except NoAddress:
            return Tried(Outcome.NOT_TAKEN, "bad_address")
        except NoAnswer as none:
            return Tried(Outcome.DOUBT if none.begun else Outcome.NOT_TAKEN, none.fault)
        return self._judged(answer)

    def _judged(self, answer: Answer) -> Tried:
        """Read the answer: a clear yes, a clear no, or neither."""
        if answer.status in _REDIRECTIONS:
            return Tried(Outcome.NOT_TAKEN, "redirected")
        said = answer.body.decode(self.of.charset, "replace")
        if answer.status in _CLIENT_FAULTS or 200 <= answer.status < 300:  # noqa: PLR2004  # HTTP's own numbers
            if answer.status < 300 and re.search(self.of.send.taken, said):  # noqa: PLR2004  # as above
                return Tried(Outcome.TAKEN, number=self._number(said))
            if self.of.send.refused and re.search(self.of.send.refused, said):
                return Tried(Outcome.REFUSED, "refused")
            if answer.status in _CLIENT_FAULTS:
                return Tried(Outcome.NOT_TAKEN, f"status_{answer.status}")
            return Tried(Outcome.NOT_TAKEN, "no_success") if answer.whole else Tried(Outcome.DOUBT, "cut_off")
        return Tried(Outcome.DOUBT, f"status_{answer.status}")

    def _number(self, said: str) -> str | None:
        found = re.search(self.of.send.number, said) if self.of.send.number else None
        number = None if found is None else (found[1] if found.re.groups else found[0])
        return number if number and len(number) <= _LONGEST_NUMBER and number.isprintable() else None

    async def receipt(self, *, key: str, number: str | None) -> Receipt:
        """Ask what became of a text; what is not understood is no answer."""
        how = self.of.ask
        if how is None:
            return Receipt.NO_ANSWER
        values: Mapping[str, str] = {"key": key, "number": number or "", "secret": self.secret}
        try:
            answer = await ask(how.request(values, self.of.charset), seconds=self.of.seconds)
        except (NoAddress, NoAnswer):
            return Receipt.NO_ANSWER
        said = answer.body.decode(self.of.charset, "replace")
        if not answer.whole or answer.status >= 500 or answer.status in _COME_AGAIN:  # noqa: PLR2004  # as above
            return Receipt.NO_ANSWER
        found = [
            receipt
            for receipt, pattern in (
                (Receipt.DELIVERED, how.delivered), (Receipt.UNDELIVERED, how.undelivered),
                (Receipt.UNDER_WAY, how.under_way), (Receipt.UNKNOWN, how.unknown),
            ) if re.search(pattern, said)
        ]  # fmt: skip
        return found[0] if len(found) == 1 else Receipt.NO_ANSWER
