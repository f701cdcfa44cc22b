"""When DAGs run: the asset that each source updates, and the timetable that its folder asks for."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import Asset, AssetAlias, CronTriggerTimetable

if TYPE_CHECKING:
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


def timetable(cron: str, time_zone: str) -> BaseTimetable | None:
    """Return when a DAG runs by itself; `HUB_SCHEDULES=off` lets nothing run by itself (the demonstration does so)."""
    if not cron or os.environ.get("HUB_SCHEDULES", "on") == "off":
        return None
    return CronTriggerTimetable(cron, timezone=time_zone, run_immediately=LATE)
