"""Supervision: every case against its legal clock, whenever anything was delivered, and all of them anew each night.

`hub_supervision` runs when any source has delivered: the clocks of the cases that changed are computed, and what rests
on them. `hub_recount` computes all clocks anew at night; what it finds otherwise than it stood is a defect of the hub
(the run fails and says how many, and an issue stands), and is put right.

`hub_freeze` freezes the inputs of each month that is over, from the day of the next month on that `HUB_FREEZE_DAY`
names. It looks each day and freezes what is due and not frozen, so that a missed day is made up for and a second run
changes nothing. Feeds that were not complete through the month's end are named; their departments stand unranked.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, task

from dags import supervisor
from dags.house import daily, delivered_or, own

NIGHT = "30 1 * * *"
HOURLY = "5 * * * *"
MORNING = "30 6 * * *"

with DAG(
    dag_id="hub_supervision",
    dag_display_name="电子监察",
    description="Clocks of the cases that changed, and what rests on them",
    doc_md=__doc__,
    schedule=delivered_or(HOURLY),
    **own("supervision", hours=1),
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
    schedule=daily(NIGHT),
    **own("supervision", hours=3),
):

    @task
    def recount() -> dict[str, int]:
        """Computes all clocks anew and says how many differed."""
        return supervisor.recount()

    recount()

with DAG(
    dag_id="hub_freeze",
    dag_display_name="考核数据封存",
    description="Freezes the inputs of each month that is over, from its grace day on",
    doc_md=__doc__,
    schedule=daily(MORNING),
    **own("supervision", hours=3),
):

    @task
    def freeze() -> list[dict[str, Any]]:
        """Freezes what is due; returns each month, its digest, and the feeds that were not complete."""
        return supervisor.freeze()

    freeze()
