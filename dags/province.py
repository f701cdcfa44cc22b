"""The province as a whole: which sources have delivered since their schedule, and which are missing.

Runs when any source has delivered (deliveries during a run wait for the next one, together) or in the morning, when
none has: waiting for all would wait for the one that is broken.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, task

from dags import tasks
from dags.headers import read_headers, sources_of
from dags.when import any_or_time
from hub.settings import Settings

MORNING = "30 8 * * *"
ZONE = "Asia/Shanghai"


with DAG(
    dag_id="hub_province",
    dag_display_name="全省到数情况",
    description="Which departments have delivered, and which are missing",
    doc_md=__doc__,
    tags=["hub", "province"],
    schedule=any_or_time(sources_of(read_headers(Settings.load().sources)), MORNING, ZONE),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=30),
    default_args={
        "owner": "hub",
        "pool": "hub",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": tasks.ByErrorType(),
    },
):

    @task
    def delivered() -> dict[str, Any]:
        """Log who is missing; return counts and codes."""
        return tasks.province()

    delivered()
