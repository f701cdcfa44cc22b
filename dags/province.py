"""The province as a whole: which sources have delivered since their schedule, and which are missing.

Runs when any source has delivered (deliveries during a run wait for the next one, together) or in the morning, when
none has: waiting for all would wait for the one that is broken.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, task

from dags import tasks
from dags.house import delivered_or, own

MORNING = "30 8 * * *"

with DAG(
    dag_id="hub_province",
    dag_display_name="全省到数情况",
    description="Which departments have delivered, and which are missing",
    doc_md=__doc__,
    schedule=delivered_or(MORNING, always=True),
    **own("province", hours=0.5),
):

    @task
    def delivered() -> dict[str, Any]:
        """Log who is missing; return counts and codes."""
        return tasks.province()

    delivered()
