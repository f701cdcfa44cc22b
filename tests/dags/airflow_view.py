"""Run as a program: reads the DAG files as Airflow does and prints, as JSON, what Airflow sees and how long it took.

Its own process, because Airflow reads its configuration when it is imported and warns about much.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

# What "Airflow's own import" is: what any DAG file at all would need, and what reads it.
import airflow  # noqa: E402, F401
from airflow.dag_processing.dagbag import DagBag  # noqa: E402
from airflow.providers.standard.operators.hitl import ApprovalOperator  # noqa: E402, F401
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator  # noqa: E402, F401
from airflow.sdk import (  # noqa: E402, F401
    DAG,
    Asset,
    AssetAny,
    AssetOrTimeSchedule,
    Connection,
    CronTriggerTimetable,
    RetryPolicy,
    get_parsing_context,
    task,
)
from airflow.serialization.serialized_objects import DagSerialization  # noqa: E402

DAGS = Path(__file__).resolve().parents[2] / "dags"
FILES = ("sources.py", "province.py", "quality.py", "supervision.py")
HEAVY = ("pandas", "pyarrow", "lxml", "great_expectations", "numpy", "pipeline.pulls.exchange", "requests_toolbelt")


def facts(dag: DAG) -> dict[str, object]:
    return {
        "file": Path(dag.fileloc).name,
        "tags": sorted(dag.tags),
        "doc": dag.doc_md,
        "title": dag.dag_display_name,
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "timeout": dag.dagrun_timeout.total_seconds() if dag.dagrun_timeout else None,
        "schedule": type(dag.timetable).__name__,
        "cron": getattr(dag.timetable, "expression", None),
        "zone": str(getattr(dag.timetable, "timezone", "")),
        "tasks": {
            one.task_id: {
                "owner": one.owner,
                "retries": one.retries,
                "retry_delay": one.retry_delay.total_seconds(),
                "backoff": one.retry_exponential_backoff,
                "policy": type(one.retry_policy).__name__,
                "pool": one.pool,
                "outlets": [getattr(outlet, "uri", None) or outlet.name for outlet in one.outlets],
                "after": sorted(one.upstream_task_ids),
            }
            for one in dag.tasks
        },
    }


def main() -> None:
    said: dict[str, object] = {}
    seconds, dags, errors = {}, {}, {}
    for name in FILES:
        begun, spent = time.perf_counter(), time.process_time()
        bag = DagBag(DAGS / name, bundle_path=DAGS)
        seconds[name] = {"wall": time.perf_counter() - begun, "processor": time.process_time() - spent}
        errors.update(bag.import_errors)
        dags.update(bag.dags)
    said["heavy"] = [name for name in HEAVY if name in sys.modules]
    said["seconds"] = seconds
    said["errors"] = errors
    said["order"] = list(dags)
    said["dags"] = {dag_id: facts(dag) for dag_id, dag in dags.items()}
    once, twice = ({key: DagSerialization.to_dict(dag) for key, dag in dags.items()} for _ in range(2))
    said["same_twice"] = once == twice
    said["serialized"] = {key: json.dumps(value, ensure_ascii=False, sort_keys=True) for key, value in once.items()}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
