"""One DAG for each source that `HUB_SOURCES` names: `exchange` pulls it, `report` states the balance.

The instances of a folder with `one_dag` share one.

This is the only DAG file for sources: adding a department means adding a folder, never editing here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, get_parsing_context, task

from dags import tasks, together
from dags.exchange import Exchange
from dags.headers import Header, read_headers
from dags.page import page
from dags.when import alias, asset, timetable
from hub.settings import Settings


def tags(header: Header) -> list[str]:
    """Return what the DAG can be found by."""
    said = {name: getattr(header, name) for name in ("kind", "profile", "region", "organ")}
    state = ["unreadable"] if header.faults else []
    return sorted(["hub", *state, *(f"{name}:{value}"[:100] for name, value in said.items() if value)])


def build(header: Header) -> DAG:
    """Build the DAG of one source."""
    with DAG(
        dag_id=header.dag_id,
        dag_display_name=header.title or header.code,
        description=header.title_en or header.title or None,
        doc_md=page(header),
        tags=tags(header),
        schedule=None if header.faults else timetable(header.schedule, header.time_zone),
        catchup=False,  # the cursor knows where the last pull ended; a missed run needs no repeat
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=12),
        default_args={
            "owner": header.owner or "unknown",
            "pool": header.pool,
            "retries": 4,
            "retry_delay": timedelta(seconds=30),
            "retry_exponential_backoff": 2.0,
            "max_retry_delay": timedelta(minutes=30),
            "retry_policy": tasks.ByErrorType(),
        },
    ) as dag:
        if header.members:
            _together(header)
            return dag
        exchange = Exchange(
            task_id="exchange",
            header=header,
            outlets=[asset(header)],
            doc_md="Pulls all streams of the source through the pipeline.",
        )

        @task(doc_md="Logs the balance; fails if records are missing from it or a stream was refused.")
        def report(summary: dict[str, Any]) -> None:
            tasks.report(summary)

        report(exchange.output)  # type: ignore[arg-type]  # its XComArg stands for the dict that it returns
    return dag


def _together(header: Header) -> None:
    """Make the tasks of a folder whose instances share this DAG: each task pulls some of them after each other."""

    @task(doc_md="Logs the balance of each source; fails if a source failed, lacks records, or a stream was refused.")
    def report(summaries: list[dict[str, Any]]) -> None:
        together.report(summaries)

    reported: Any = [
        together.ExchangePart(
            task_id=f"exchange_{part + 1}",
            header=header,
            part=part,
            outlets=[alias(header)],
            doc_md="Pulls some of the sources one after the other; one that fails keeps no other from its turn.",
        ).output
        for part in range(together.parts(header))
    ]
    report(reported)


for _header in read_headers(Settings.load().sources, only=get_parsing_context().dag_id):
    globals()[_header.dag_id] = build(_header)
