"""Sends notices: each at least once while it may still be told, and never twice where that can be known.

What "never twice" can mean: between a gateway's taking a text and our writing that down lies a moment in which a
process can die. Whoever comes after knows only that the text may have gone out. Then the gateway decides: one that can
be asked is asked; one that takes no second text under the same key is sent it again; a receipt that comes by itself
settles it. Where there is none of the three nobody can know, and `HUB_NOTICE_DOUBT` says what is worse: a text twice,
or none.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson
import sqlalchemy as sa

from hub.protect import Protector
from hub.settings import Settings
from supervision.notices import store
from supervision.notices.chat import Chat, chats
from supervision.notices.gateway import HttpGateway
from supervision.notices.quiet import Quiet
from supervision.notices.store import enqueue, withhold
from supervision.notices.template import load
from supervision.notices.terms import Due, Outcome, Receipt, Tried

__all__ = ["Sender", "enqueue", "withhold"]

AT_ONCE: Final = 4
DOUBT_RESTS: Final = timedelta(minutes=1)
MOST: Final = 2_000
"""Notices that one round sends at most; the next goes on."""
TITLE: Final = {"warning": "【电子监察】预警", "yellow": "【电子监察】黄牌", "red": "【电子监察】红牌"}
_ASKING: Final = "asking"
_UNREACHED: Final = frozenset({"not_reached", "too_slow", "certificate_refused", "not_http"})


@dataclass(frozen=True, slots=True)
class Sender:
    """What sends notices; one instance a process."""

    engine: sa.Engine
    protector: Protector
    gateway: HttpGateway | None
    ways: Sequence[Chat]
    quiet: Quiet
    again: bool
    keep_days: int
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    @classmethod
    def of(cls, engine: sa.Engine, protector: Protector, settings: Settings) -> Sender:
        """Make the sender of a deployment.

        Raises:
            SettingError: a gateway, an address or the quiet hours are set wrongly.
        """
        found = load(settings)
        secret = settings.sms_secret.get_secret_value() if settings.sms_secret else ""
        return cls(
            engine, protector, None if found is None else HttpGateway(found, secret), chats(settings),
            Quiet.of(settings.notice_quiet, frozenset(settings.notice_quiet_through)),
            settings.notice_doubt == "again", settings.notice_keep_days,
        )  # fmt: skip

    @property
    def channels(self) -> list[str]:
        """Return the channels that something leads to; the rest waits."""
        return sorted({one.channel for one in self.ways} | ({"sms"} if self.gateway else set()))

    async def round(self) -> Counter[str]:
        """Send what is due and ask after what was sent; return how many notices came to which state.

        After a gateway that cannot be reached nothing more is sent in this round: the rest would wait for it in vain.
        """
        counts = Counter[str]()
        given_up = await asyncio.to_thread(store.give_up_late, self.engine, now=self.clock())
        counts.update({"given_up": given_up} if given_up else {})
        shut: set[str] = set()

        async def some() -> None:
            for _ in range(MOST // AT_ONCE):
                due = await asyncio.to_thread(self._take, shut)
                if due is None:
                    return
                counts[await self._one(due, shut)] += 1

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))
        await asyncio.to_thread(store.forget, self.engine, days=self.keep_days, now=self.clock())
        return counts

    def _take(self, shut: set[str]) -> Due | None:
        now = self.clock()
        open_ = [one for one in self.channels if one not in shut]
        quiet = self.quiet.until(now) is not None
        return store.take(
            self.engine, now=now, channels=open_, quiet=quiet, through=self.quiet.through, asks=_ASKING not in shut
        )  # fmt: skip

    async def _one(self, due: Due, shut: set[str]) -> str:
        if due.was == "waiting":
            return await self._send(due, shut)
        if due.was == "sent":
            return await self._ask(due, shut)
        return await self._resolve(due, shut)

    async def _send(self, due: Due, shut: set[str]) -> str:
        name, tried = await self._tried(due)
        now = self.clock()
        if tried.fault in _UNREACHED:
            shut.add(due.channel)
        if tried.outcome is Outcome.TAKEN:
            asked = now + store.FIRST_ASKED if self._asks(name) else None
            return await self._settle(due, "sent", next_at=asked, gateway=name, number=tried.number)
        if tried.outcome is Outcome.NOT_TAKEN:
            return await self._settle(due, "waiting", next_at=now + store.pause(due.tries), fault=tried.fault)
        if tried.outcome is Outcome.REFUSED:
            return await self._settle(due, "given_up", fault=tried.fault, gateway=name)
        # A gateway that is still busy with a text does not know of it yet: it is not asked at once.
        return await self._settle(
            due, "doubtful", next_at=now + max(store.pause(due.tries), DOUBT_RESTS), fault=tried.fault, gateway=name
        )  # fmt: skip

    async def _tried(self, due: Due) -> tuple[str | None, Tried]:
        """Send once by the way of the channel; return its name and what became of it."""
        address = {} if due.sealed is None else orjson.loads(self.protector.unseal(due.sealed, context=store.CONTEXT))
        if due.channel == "sms" and self.gateway is not None:
            return self.gateway.name, await self.gateway.send(
                phone=address["phone"], text=due.said, key=due.message
            )  # fmt: skip
        fitting = [one for one in self.ways if one.channel == due.channel]
        way = next((one for one in fitting if due.organ in one.organs), None)
        way = way or next((one for one in fitting if not one.organs), None)
        if way is None:
            return None, Tried(Outcome.NOT_TAKEN, "no_way")
        title = TITLE.get(due.level, "【电子监察】")
        return way.name, await asyncio.to_thread(way.send, title=title, text=due.said, address=address)

    async def _resolve(self, due: Due, shut: set[str]) -> str:
        """Settle what is doubtful: by the gateway's own memory, else as the deployment wants it."""
        gateway = self.gateway if due.channel == "sms" else None
        if gateway is not None and gateway.can_be_asked:
            told = await self._receipt(gateway, due, shut)
            if told is not Receipt.NO_ANSWER:
                return told.value
        if gateway is not None and gateway.deduplicates:
            return await self._once_more(due, shut)
        if gateway is not None and gateway.can_be_asked:
            return await self._later(due, store.pause(due.tries))
        if self.again:
            return await self._settle(due, "waiting", next_at=self.clock(), fault=due.was)
        return await self._later(due, None)

    async def _once_more(self, due: Due, shut: set[str]) -> str:
        now = self.clock()
        over = self.quiet.until(now)
        if over is not None and due.level not in self.quiet.through:
            return await self._later(due, over - now)
        if due.channel in shut or not await asyncio.to_thread(store.sending_again, self.engine, due, now=now):
            return await self._later(due, store.pause(due.tries))
        return await self._send(due, shut)

    async def _receipt(self, gateway: HttpGateway, due: Due, shut: set[str]) -> Receipt:
        """Ask after a notice, and write down what is said of it; who does not answer is asked no more in this round."""
        told = await gateway.receipt(key=due.message, number=due.gateway_number)
        if told is Receipt.NO_ANSWER:
            shut.add(_ASKING)
        now = self.clock()
        if told in (Receipt.DELIVERED, Receipt.UNDELIVERED):
            await self._settle(due, told.value, gateway=gateway.name)
        elif told is Receipt.UNDER_WAY and due.was != "sent":
            await self._settle(due, "sent", next_at=now + store.FIRST_ASKED, gateway=gateway.name)
        elif told is Receipt.UNKNOWN and due.was != "sent":
            await self._settle(due, "waiting", next_at=now, fault="gateway_never_got_it")
        return told

    async def _ask(self, due: Due, shut: set[str]) -> str:
        """Ask what became of what was sent, less and less often; after three days no more."""
        gateway = self.gateway if due.channel == "sms" else None
        if gateway is None or not gateway.can_be_asked:
            return await self._later(due, None)
        told = await self._receipt(gateway, due, shut)
        if told in (Receipt.DELIVERED, Receipt.UNDELIVERED):
            return told.value
        age = self.clock() - (due.sent_at or self.clock())
        return await self._later(due, None if age > store.ASKED_FOR else max(store.FIRST_ASKED, age / 2))

    async def _later(self, due: Due, wait: timedelta | None) -> str:
        next_at = None if wait is None else self.clock() + wait
        await asyncio.to_thread(store.put_off, self.engine, due, next_at=next_at)
        return "doubtful" if due.was != "sent" else "sent"

    async def _settle(
        self, due: Due, state: str, *, next_at: datetime | None = None, fault: str | None = None,
        gateway: str | None = None, number: str | None = None,
    ) -> str:  # fmt: skip
        await asyncio.to_thread(
            store.settle, self.engine, due, state, now=self.clock(), next_at=next_at, fault=fault, gateway=gateway,
            number=number,
        )  # fmt: skip
        return state

    def _asks(self, name: str | None) -> bool:
        return self.gateway is not None and name == self.gateway.name and self.gateway.can_be_asked
