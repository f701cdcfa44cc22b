"""Alerts: what is due to be told, told to each gateway, and written down; what was not delivered is told again."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from connectors.source import Source
from hub.settings import Settings
from hub.workdays import local_day
from quality.alerts import words
from quality.alerts.gateways import Gateway, gateways
from quality.issues.recipients import Directory

log = logging.getLogger("hub")

# An issue is told when something has happened to it since it was last told there, and not twice on one day.
_DUE = """
SELECT i.code, i.organ, coalesce(ss.code, '') AS source, coalesce(s.name, '') AS stream, i.rule, i.field, i.severity,
    i.records, i.of_records, i.due_on, i.due_provisional, i.level, t.what, t.told
FROM quality.issue AS i
LEFT JOIN ledger.stream AS s USING (stream_id) LEFT JOIN core.source_system AS ss USING (source_system_id)
CROSS JOIN LATERAL (
    SELECT e.what, e.at, e.detail ->> 'to' AS told FROM quality.issue_event AS e
    WHERE e.issue_id = i.issue_id AND e.what IN ('opened', 'reopened', 'grown', 'woke', 'escalated')
    ORDER BY e.event_id DESC LIMIT 1) AS t
LEFT JOIN (
    SELECT code, max(a.at) AS at FROM quality.alert AS a CROSS JOIN unnest(a.issues) AS code
    WHERE a.gateway = :gateway AND a.delivered GROUP BY code) AS told ON told.code = i.code
WHERE i.closed_at IS NULL AND i.status NOT IN ('accepted', 'snoozed')
  AND (told.at IS NULL OR (t.at > told.at AND (told.at AT TIME ZONE 'Asia/Shanghai')::date < :today))
ORDER BY array_position(ARRAY['high', 'medium', 'low'], i.severity), i.due_on, i.code
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a run of the alerts did: messages and issues that were delivered, and messages that were not."""

    messages: int = 0
    issues: int = 0
    failed: int = 0
    waiting: int = 0
    """Issues that would be told but for want of a gateway."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one gateway is told about one department; `codes` are the issues it speaks of."""

    gateway: Gateway
    organ: str
    title: str
    body: str
    codes: tuple[str, ...]


def send(engine: sa.Engine, settings: Settings, now: datetime, sources: Sequence[Source]) -> Sent:
    """Tell each gateway what is new, one message a department; write down what was sent, and return the counts.

    An issue is told once a day at most and only when something happened to it: it was opened, came back, outgrew its
    acceptance, woke, or climbed. What a gateway did not take is told again by the next run. Where another process is
    telling just now, nothing is done.

    Raises:
        SettingError: `HUB_ALERT_URLS` holds what is no address.
    """
    ways = gateways(settings)
    if not ways:
        waiting = len(_due(engine, "", now))
        if waiting:
            log.warning("alerts: %d issues, and nobody to tell: HUB_ALERT_URLS is not set", waiting)
        return Sent(waiting=waiting)
    messages = issues = failed = 0
    with _alone(engine) as mine:
        for message in _messages(engine, ways, now, Directory(sources)) if mine else ():
            delivered = message.gateway.send(message.title, message.body)
            _write_down(engine, message, now, delivered=delivered)
            messages, failed = messages + delivered, failed + (not delivered)
            issues += len(message.codes) * delivered
    return Sent(messages, issues, failed)


def pending(engine: sa.Engine, settings: Settings, now: datetime, sources: Sequence[Source]) -> list[Message]:
    """Return what `send` would tell now."""
    return list(_messages(engine, gateways(settings), now, Directory(sources)))


def _messages(
    engine: sa.Engine, ways: Sequence[Gateway], now: datetime, directory: Directory
) -> Iterator[Message]:  # fmt: skip
    for way in ways:
        by_organ: dict[str, list[dict[str, Any]]] = {}
        for row in _due(engine, way.name, now):
            by_organ.setdefault(directory.organ_of(row["organ"], row["source"]), []).append(row)
        for organ, rows in sorted(by_organ.items()):
            if way.wants(organ):
                codes = tuple(row["code"] for row in rows)
                yield Message(way, organ, words.title(directory.name_of(organ), rows), words.body(rows), codes)


def _due(engine: sa.Engine, gateway: str, now: datetime) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        found = connection.execute(sa.text(_DUE), {"gateway": gateway, "today": local_day(now)})
        return [dict(row) for row in found.mappings()]


def _write_down(engine: sa.Engine, message: Message, now: datetime, *, delivered: bool) -> None:
    """Keep what was sent, at once: a run that is cut off repeats at most the message under way."""
    with engine.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO quality.alert (at, organ, gateway, issues, delivered)
                       VALUES (:at, :organ, :gateway, :issues, :delivered)"""),
            {"at": now, "organ": message.organ, "gateway": message.gateway.name, "issues": list(message.codes),
             "delivered": delivered},
        )  # fmt: skip
        if delivered:
            connection.execute(
                sa.text("UPDATE quality.issue SET alerted_at = :at WHERE code = ANY(:codes)"),
                {"at": now, "codes": list(message.codes)},
            )
    level = logging.INFO if delivered else logging.WARNING
    said = "delivered" if delivered else "not delivered, the next run tells it again"
    log.log(level, "alert to %s: organ %s, %d issues: %s", message.gateway.name, message.organ or "unknown",
            len(message.codes), said)  # fmt: skip


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[bool]:
    """Hold the right to tell, without a transaction that would wait for gateways; say whether it is held."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        mine = bool(connection.exec_driver_sql("SELECT pg_try_advisory_lock(hashtext('quality.alert'))").scalar())
        try:
            yield mine
        finally:
            if mine:
                connection.exec_driver_sql("SELECT pg_advisory_unlock(hashtext('quality.alert'))")
