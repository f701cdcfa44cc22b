"""What the hub's own DAGs have in common: whose they are, when they run, and how their tasks are tried again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dags import tasks
from dags.headers import DEFAULT_ZONE, read_headers, sources_of
from dags.when import any_or_time, timetable
from hub.settings import Settings

if TYPE_CHECKING:
    from airflow.sdk import AssetAny, AssetOrTimeSchedule
    from airflow.sdk.bases.timetable import BaseTimetable


def own(area: str, *, hours: float | None) -> dict[str, Any]:
    """Return what a DAG of the hub itself says beside its name and schedule; a run of it may last so many hours.

    Without hours a run has all the time in the world: it waits for a person.
    """
    return {
        "tags": ["hub", area],
        "catchup": False,
        "max_active_runs": 1,
        "dagrun_timeout": None if hours is None else timedelta(hours=hours),
        "default_args": {
            "owner": "hub",
            "pool": "hub",
            "retries": 2,
            "retry_delay": timedelta(minutes=1),
            "retry_exponential_backoff": 2.0,
            "retry_policy": tasks.ByErrorType(),
        },
    }


def daily(cron: str) -> BaseTimetable | None:
    """Return when a DAG of the hub itself runs by the clock of the province; nothing where none is to run by itself."""
    return timetable(cron, DEFAULT_ZONE)


def delivered_or(cron: str, *, always: bool = False) -> AssetAny | AssetOrTimeSchedule | None:
    """Return what starts a run: any source's delivery, or the clock.

    Where nothing is to run by itself, deliveries start nothing either, for it is the longer work of the two; only what
    runs `always` does.
    """
    if not always and daily(cron) is None:
        return None
    return any_or_time(sources_of(read_headers(Settings.load().sources)), cron, DEFAULT_ZONE)
