"""Sends notices through Apprise: SMS providers, WeCom, DingTalk, e-mail.

Its addresses hold secrets and are never shown. Apprise says yes or no and nothing else: a no may hide a text that came,
and nothing can be asked afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import apprise

from hub.gateways import ENTRY, silent
from hub.settings import SettingError, Settings
from supervision.notices.terms import Channel, Outcome, Tried

_EXAMPLE = {"phone": "13900000000", "mail": "office@example.gov.cn"}


@dataclass(frozen=True, slots=True)
class Chat:
    """One way through Apprise; `{phone}` or `{mail}` in its address is filled for each recipient."""

    name: str
    channel: Channel
    organs: frozenset[str]
    url: str = field(repr=False)

    def send(self, *, title: str, text: str, address: Mapping[str, str]) -> Tried:
        """Send a text once; whatever a plug-in raises is its no."""
        with silent():
            server = _made(self.url, address)
            try:
                done = server is not None and bool(server.notify(title=title, body=text))
            except Exception:  # noqa: BLE001  # plug-ins of many authors: none of them may stop the others
                done = False
        return Tried(Outcome.TAKEN) if done else Tried(Outcome.NOT_TAKEN, "apprise_said_no")


def chats(settings: Settings) -> list[Chat]:
    """Return the ways that `HUB_NOTICE_URLS` names.

    Raises:
        SettingError: an entry is no address that Apprise knows; its number is told, never its text.
    """
    if settings.notice_urls is None:
        return []
    found, counts = [], Counter[str]()
    for number, entry in enumerate(settings.notice_urls.get_secret_value().split(), 1):
        match = ENTRY.fullmatch(entry)
        with silent():
            server = _made(match["url"], _EXAMPLE) if match else None
        if match is None or server is None:
            raise SettingError(
                f"HUB_NOTICE_URLS: entry {number} is no address that Apprise knows. Write it as scheme://… with "
                "{phone} or {mail} where the recipient stands, or as ORGAN=scheme://… for a department's group."
            )
        kind = str(match["url"].partition("://")[0]).lower()
        counts[kind] += 1
        channel: Channel = "sms" if "{phone}" in match["url"] else "mail" if "{mail}" in match["url"] else "group"
        organs = frozenset(filter(None, (match["organs"] or "").split(",")))
        found.append(Chat(f"{kind}#{counts[kind]}", channel, organs, match["url"]))
    return found


def _made(url: str, address: Mapping[str, str]) -> Any:
    filled = url
    for name in ("phone", "mail"):
        filled = filled.replace(f"{{{name}}}", quote(address.get(name, ""), safe=""))
    return apprise.Apprise.instantiate(filled)
