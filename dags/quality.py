"""Quality: what is wrong with the data becomes issues, scores and alerts, and held deliveries come before a person.

`hub_quality` runs when any source has delivered (deliveries during a run wait for the next one, together) and in the
morning: sets are checked, issues brought up to date, scores written, silence escalated, people told. A failed check of
sets keeps the rest from nothing, and fails the run at its end.

`hub_held` asks a person about one delivery that was not published: approve, with a reason, or reject. What is accepted
elsewhere (`hub batch accept`, the page) meanwhile is left alone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param, chain, get_current_context, task

from dags import steward
from dags.house import delivered_or, own

MORNING = "0 9 * * *"
PATIENCE = timedelta(days=14)
"""So long a held delivery waits for an answer here; then the task fails, and the delivery is still held."""

QUESTION = """\
**{{ params.source }} · {{ params.stream }}**: batch {{ params.batch }} was not published ({{ params.rules }}); \
{{ params.read }} records wait.

Look first: `hub batch list {{ params.source }} --status held`, `hub finding list {{ params.source }} --each`.

*Approve* publishes it as it is; the reason and your name are kept with it. *Reject* leaves it held until its department
sends it again.
"""

with DAG(
    dag_id="hub_quality",
    dag_display_name="数据质量",
    description="Sets, issues, scores, escalation, alerts",
    doc_md=__doc__,
    schedule=delivered_or(MORNING),
    **own("quality", hours=3),
):

    @task
    def check_sets() -> dict[str, int]:
        """Runs the suites over the sources that delivered; in the morning over all."""
        return steward.check_sets(steward.triggering(get_current_context()))

    @task(trigger_rule="all_done")
    def refresh() -> dict[str, int]:
        """Opens, counts, closes and reopens issues."""
        return steward.refresh()

    @task
    def record() -> dict[str, int]:
        """Writes today's scores."""
        return steward.record()

    @task
    def escalate() -> dict[str, int]:
        """Lets issues that nobody answers climb."""
        return steward.escalate()

    @task
    def alert() -> dict[str, int]:
        """Sends one message a department and gateway."""
        return steward.alert()

    @task
    def held() -> list[dict[str, Any]]:
        """Lists the deliveries that were not published."""
        return steward.held()

    @task(trigger_rule="none_failed")
    def end() -> None:
        """Fails where anything before it failed."""

    checked, refreshed, recorded, escalated, told, waiting = (
        check_sets(), refresh(), record(), escalate(), alert(), held(),
    )  # fmt: skip
    asks = TriggerDagRunOperator.partial(
        task_id="ask", trigger_dag_id="hub_held", skip_when_already_exists=True, openlineage_inject_parent_info=False
    ).expand_kwargs(waiting)
    chain(checked, refreshed, [recorded, escalated, waiting])
    chain(escalated, told)
    chain([checked, recorded, told, asks], end())

with DAG(
    dag_id="hub_held",
    dag_display_name="待审批的批次",
    description="Asks a person whether a held delivery is published after all",
    doc_md=__doc__,
    schedule=None,
    params={
        "source": Param("", type="string"),
        "stream": Param("", type="string"),
        "batch": Param(0, type="integer"),
        "read": Param(0, type="integer"),
        "rules": Param("", type="string"),
    },
    **(own("quality", hours=None) | {"max_active_runs": 500}),
):
    ask = ApprovalOperator(
        task_id="ask",
        subject="{{ params.source }}: publish held batch {{ params.batch }}? · 是否发布被扣留的批次",
        body=QUESTION,
        # Airflow judges the form's values before anybody has filled it in: that there is a reason, `release` looks at.
        params={"reason": Param("", type="string", description="Why it is right (required) · 理由（必填）")},
        response_timeout=PATIENCE,
        doc_md="Waits for a person; no worker is held meanwhile.",
    )

    @task
    def release(answer: dict[str, Any]) -> dict[str, int]:
        """Publishes the delivery; the reason and who gave it are kept."""
        return steward.release(get_current_context()["params"], answer)

    release(ask.output)  # type: ignore[arg-type]  # its XComArg stands for the dict that it returns
