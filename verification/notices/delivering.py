"""Notices sent: taken from the queue, worded, signed, posted, and what became of each written down.

A notice is a Security Event Token (RFC 8417) posted as RFC 8935 has it: a JWS by the key that receipts are signed
with. Against a secret of each subscription (HMAC) this has three reasons: there is nothing for a receiver to keep
secret or to lose, keys turn and are published as for receipts, and a notice proves to a third party that the hub sent
it. At least once: a process that dies between the post and its note posts again; `jti` is the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

import sqlalchemy as sa

from hub.protect import Protector
from sharedrepo.access.topics import topics
from sharedrepo.keyring.signing import Signer
from verification.notices import subscriptions
from verification.notices.sending import SECONDS, BadAddress, Networks, NotSent, Place, post
from verification.notices.subscriptions import Due
from verification.receipts import canonical

KIND: Final = "secevent+jwt"
ISSUER: Final = "urn:approval-exchange-hub"
EVENTS: Final = {
    subscriptions.RECALL: f"{ISSUER}:recall", subscriptions.CREDENTIAL: f"{ISSUER}:credential-change",
    subscriptions.CASE: f"{ISSUER}:case-change",
}  # fmt: skip
RECEIVERS_AT_ONCE: Final = 8


def event_of(topic: str) -> str:
    """Return the URN of a topic's event."""
    return EVENTS[topic] if topic in EVENTS else topics()[topic].event


@dataclass(frozen=True, slots=True)
class Post:
    """What sends notices; one instance a process."""

    engine: sa.Engine
    protector: Protector
    signer: Signer
    allowed: Networks
    seconds: float = SECONDS
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def round(self) -> Counter[str]:
        """Send what is due, several receivers at once, and return how many notices came to which end.

        A receiver that does not take a notice gets no further one in this round.
        """
        taken = await asyncio.to_thread(subscriptions.take, self.engine, now=self.clock())
        taken.sort(key=lambda one: one.subscription_id)  # stable: within a subscription they stay in order
        queues = [list(some) for _, some in groupby(taken, key=lambda one: one.subscription_id)]
        limit, counts = asyncio.Semaphore(RECEIVERS_AT_ONCE), Counter[str]()

        async def one(some: Sequence[Due]) -> None:
            async with limit:
                counts.update(await self._in_order(some))

        await asyncio.gather(*(one(some) for some in queues))
        return counts

    async def _in_order(self, some: Sequence[Due]) -> Counter[str]:
        counts = Counter[str]()
        for place, due in enumerate(some):
            state = await self._one(due)
            counts[state] += 1
            if state in ("waiting", "given_up"):
                for left in some[place + 1 :]:
                    await asyncio.to_thread(subscriptions.put_back, self.engine, left, now=self.clock())
                break
        return counts

    async def _one(self, due: Due) -> str:
        if due.topic not in EVENTS and due.topic not in topics():
            return await asyncio.to_thread(subscriptions.missed, self.engine, due, "unknown_topic", now=self.clock())
        said = await asyncio.to_thread(subscriptions.worded, self.engine, self.protector, due, now=self.clock())
        if said is None:
            await asyncio.to_thread(subscriptions.withheld, self.engine, due, now=self.clock())
            return "withheld"
        claims = {
            "iss": ISSUER, "aud": subscriptions.audience(due.subscription_id), "jti": due.jti,
            "iat": int(self.clock().timestamp()), "events": {event_of(due.topic): said},
        }  # fmt: skip
        token = self.signer.sign(canonical(claims), KIND)
        try:
            await post(Place.of(due.url), token.encode("ascii"), allowed=self.allowed, seconds=self.seconds)
        except NotSent as error:
            return await asyncio.to_thread(subscriptions.missed, self.engine, due, error.fault, now=self.clock())
        except BadAddress:
            return await asyncio.to_thread(subscriptions.missed, self.engine, due, "bad_address", now=self.clock())
        await asyncio.to_thread(subscriptions.delivered, self.engine, due, now=self.clock())
        return "delivered"
