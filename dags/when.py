"""When DAGs run: the asset that each source updates, and the timetable that its folder asks for."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import Asset, AssetAlias, AssetAny, AssetOrTimeSchedule, CronTriggerTimetable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow.sdk.bases.timetable import BaseTimetable

    from dags.headers import Header

LATE = timedelta(minutes=5)
"""A DAG that appears this shortly after its scheduled time still runs for it."""


def asset(header: Header) -> Asset:
    """Return the asset that a source's exchange updates; the province waits for these."""
    return Asset(name=f"hub/source/{header.code}", uri=f"hub://source/{header.code}", group="hub")


def alias(header: Header) -> AssetAlias:
    """Return what stands for the assets of the sources that share a DAG: each is updated when its own pull is done."""
    return AssetAlias(name=f"hub/sources/{header.code}", group="hub")


def any_or_time(headers: Iterable[Header], cron: str, time_zone: str) -> AssetAny | AssetOrTimeSchedule | None:
    """Return what starts a run: any source's delivery, or the clock; without sources, nothing.

    Waiting for all of them would wait for the one that is broken.
    """
    assets = [asset(header) for header in headers]
    clock = timetable(cron, time_zone)
    if not assets:
        return None
    anyone = AssetAny(*assets)
    return AssetOrTimeSchedule(timetable=clock, assets=anyone) if clock else anyone


def timetable(cron: str, time_zone: str) -> BaseTimetable | None:
    """Return when a DAG runs by itself; `HUB_SCHEDULES=off` lets nothing run by itself (the demonstration does so)."""
    if not cron or os.environ.get("HUB_SCHEDULES", "on") == "off":
        return None
    return CronTriggerTimetable(cron, timezone=time_zone, run_immediately=LATE)
