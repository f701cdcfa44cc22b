"""A hub that tells people, and the fake gateway with its phones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.services.phones import Phones, PhonesSettings
from demo.services.phonesetting import file_text
from hub.settings import Settings
from pipeline.runtime import Runtime
from supervision.notices import listing, store
from supervision.notices.service import Sender
from supervision.notices.terms import Notice, Recipient

NOW = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)
"""Ten in the morning in the province."""
HANDLER = Recipient("duty:1", "王小明", "13912345678")
HEAD = Recipient("duty:2", "李红", "13987654321")
WORDS = {"organ": "省住房和城乡建设厅", "card": "YJ202611-0001", "due": "2026-11-28", "feedback": "2026-12-04"}
SECRET = "gateway-secret"


def notice(card: int = 1, who: Recipient = HANDLER, **how: Any) -> Notice:
    given = {"words": "warning.tomorrow", "level": "warning", "organ": "A1", "card_id": card, "put": WORDS, **how}
    return Notice(f"card:{card}", who, **given)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)


class Office:
    """The hub of a test: queues, sends, looks."""

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        self.runtime, self.clock, self.folder = runtime, Clock(), folder

    def settings(self, gateway: str | None, **how: Any) -> Settings:
        file = self.folder / "sms.yml"
        if gateway is not None:
            file.write_text(gateway, encoding="utf-8")
        known = self.runtime.settings.model_dump()
        given = {"sms_gateway": file if gateway else None, "sms_secret": SECRET, **how}
        return Settings(**{**known, **given})

    def sender(self, gateway: str | None, **how: Any) -> Sender:
        made = Sender.of(self.runtime.engine, self.runtime.protector, self.settings(gateway, **how))
        return replace(made, clock=self.clock)

    def queue(self, *notices: Notice) -> int:
        with self.runtime.engine.begin() as connection:
            return store.enqueue(connection, self.runtime.protector, notices, now=self.clock.now)

    def rows(self, **how: Any) -> list[dict[str, Any]]:
        return sorted(listing.listed(self.runtime.engine, states=None, **how), key=lambda row: row["notice_id"])

    def states(self) -> list[str]:
        return [row["state"] for row in self.rows()]

    def log(self, number: int = 1) -> list[str]:
        return [row["what"] for row in listing.deeds(self.runtime.engine, number)]


@pytest.fixture
def office(runtime: Runtime, tmp_path: Path) -> Office:
    return Office(runtime, tmp_path)


Running = Callable[..., Phones]


@pytest.fixture
def phones(tmp_path: Path) -> Iterator[Phones]:
    """The fake gateway on a free port."""
    server = Phones(tmp_path / "phones.sqlite", PhonesSettings(0, SECRET))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def described(phones: Phones, *, deduplicates: bool = True, asked: bool = True) -> str:
    """The fake gateway's file, as if it could do less."""
    text = file_text(phones.at)
    if not deduplicates:
        text = text.replace("deduplicates: true", "deduplicates: false")
    if not asked:
        before, _, rest = text.partition("ask:\n")
        text = before + "receipts:" + rest.partition("receipts:")[2]
    return text
