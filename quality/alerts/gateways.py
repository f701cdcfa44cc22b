"""The gateways that `HUB_ALERT_URLS` names; their URLs hold secrets and are never shown, named or logged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import apprise

from hub.gateways import ENTRY, silent
from hub.settings import SettingError, Settings


@dataclass(frozen=True, slots=True)
class Gateway:
    """One place that alerts go to; `name` is its kind and number, `organs` the departments it is for (empty: all)."""

    name: str
    organs: frozenset[str]
    server: Any

    def wants(self, organ: str) -> bool:
        """Say whether alerts of this department go here."""
        return not self.organs or organ in self.organs

    def send(self, title: str, body: str) -> bool:
        """Send a message; say whether the gateway took it. Whatever it raises is its failure, not ours."""
        with silent():
            try:
                return bool(self.server.notify(title=title, body=body, notify_type=apprise.NotifyType.WARNING))
            except Exception:  # noqa: BLE001  # plug-ins of many authors: none of them may stop the others' alerts
                return False


def gateways(settings: Settings) -> list[Gateway]:
    """Return the gateways of a deployment, none where none are set.

    Raises:
        SettingError: an entry is no URL that Apprise knows; its number is told, never its text.
    """
    if settings.alert_urls is None:
        return []
    found, counts = [], Counter[str]()
    for number, entry in enumerate(settings.alert_urls.get_secret_value().split(), 1):
        match = ENTRY.fullmatch(entry)
        with silent():
            server = apprise.Apprise.instantiate(match["url"]) if match else None
        if match is None or server is None:
            raise SettingError(
                f"HUB_ALERT_URLS: entry {number} is no address that Apprise knows. Write it as scheme://…, or as "
                "ORGAN=scheme://… for one department's alerts; blanks separate entries."
            )
        kind = str(match["url"].partition("://")[0]).lower()
        counts[kind] += 1
        organs = frozenset(filter(None, (match["organs"] or "").split(",")))
        found.append(Gateway(f"{kind}#{counts[kind]}", organs, server))
    return found
