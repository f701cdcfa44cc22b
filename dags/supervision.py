"""Supervision: every case against its legal clock, whenever anything was delivered, and all of them anew each night.

`hub_supervision` runs when any source has delivered: the clocks of the cases that changed are computed, and what rests
on them. `hub_recount` computes all clocks anew at night; what it finds otherwise than it stood is a defect of the hub
(the run fails and says how many), and is put right.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, task

from dags import supervisor, tasks
from dags.headers import read_headers, sources_of
from dags.when import any_or_time, timetable
from hub.settings import Settings

NIGHT = "30 1 * * *"
HOURLY = "5 * * * *"
ZONE = "Asia/Shanghai"

_SOURCES = sources_of(read_headers(Settings.load().sources))
SCHEDULE = any_or_time(_SOURCES, HOURLY, ZONE) if timetable(HOURLY, ZONE) else None

DEFAULTS: dict[str, Any] = {
    "owner": "hub",
    "pool": "hub",
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2.0,
    "retry_policy": tasks.ByErrorType(),
}

with DAG(
    dag_id="hub_supervision",
    dag_display_name="电子监察",
    description="Clocks of the cases that changed, and what rests on them",
    doc_md=__doc__,
    tags=["hub", "supervision"],
    schedule=SCHEDULE,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    default_args=DEFAULTS,
):

    @task
    def run() -> dict[str, int]:
        """Computes the clocks of the cases that changed, and what rests on them."""
        return supervisor.run()

    run()

with DAG(
    dag_id="hub_recount",
    dag_display_name="时限全量重算",
    description="All clocks anew; a difference from what stood is a defect",
    doc_md=__doc__,
    tags=["hub", "supervision"],
    schedule=timetable(NIGHT, ZONE),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    default_args=DEFAULTS,
):

    @task
    def recount() -> dict[str, int]:
        """Computes all clocks anew and says how many differed."""
        return supervisor.recount()

    recount()
