"""Runs source DAGs and waits for them, telling what happens and why a run failed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from dags.ops.client import Client
from hub.errors import HubError

ENDED = frozenset({"success", "failed"})
POLL_SECONDS = 0.5
TRIGGERS_AT_ONCE = 4


class NotRun(HubError):
    """Runs could not be started or did not end in time; the message names them."""


class Watcher(Protocol):
    """Is told what happens while runs go on."""

    def ended(self, dag_id: str, state: str) -> None:
        """A run has ended."""

    def said(self, text: str) -> None:
        """Something worth a line has happened."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that failed: which task, and the sentence of its error."""

    dag_id: str
    task: str
    state: str
    reason: str


@dataclass(slots=True)
class Outcome:
    """What became of the runs of one id."""

    run_id: str
    seconds: float
    states: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON-native values."""
        return asdict(self)


def new_run_id() -> str:
    """Return an id for a new run by hand: the time, to the millisecond."""
    return f"hub__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def await_dags(client: Client, wanted: Iterable[str], seconds: float) -> None:
    """Wait until Airflow has read the DAG files and knows all wanted DAGs.

    Raises:
        NotRun: some are not known in time; the import errors of the DAG files stand with it.
    """
    deadline = time.monotonic() + seconds
    while missing := sorted(set(wanted) - client.dags().keys()):
        if time.monotonic() > deadline:
            errors = "".join(f"\n{file}:\n{trace}" for file, trace in sorted(client.import_errors().items()))
            raise NotRun(f"Airflow does not know {', '.join(missing)} (after {seconds:.0f} seconds).{errors}")
        time.sleep(POLL_SECONDS)


def trigger(
    client: Client, dag_ids: Sequence[str], run_id: str, confs: Mapping[str, Mapping[str, Any]] | None = None
) -> None:  # fmt: skip
    """Start a run of each DAG, several requests at a time; `confs` are the configurations of runs that have one.

    Raises:
        NotRun: a DAG is paused, so that its run would wait for ever.
    """
    known = client.dags()
    if paused := [one for one in dag_ids if known[one]["is_paused"]]:
        raise NotRun(f"paused in Airflow: {', '.join(paused)}. Resume them in Airflow's user interface.")
    said = confs or {}
    client.trigger(dag_ids[0], run_id, said.get(dag_ids[0]))  # alone: it signs in and warms the server
    with ThreadPoolExecutor(TRIGGERS_AT_ONCE) as pool:
        list(pool.map(lambda one: client.trigger(one, run_id, said.get(one)), dag_ids[1:]))


def wait(client: Client, dag_ids: Sequence[str], run_id: str, *, seconds: float, watcher: Watcher) -> Outcome:
    """Wait until all runs have ended and say what became of them.

    Raises:
        NotRun: some have not ended in time; they go on in Airflow.
    """
    begun = time.monotonic()
    outcome = Outcome(run_id, 0.0)
    told: set[tuple[str, str, int]] = set()
    while len(outcome.states) < len(dag_ids):
        for dag_id, state in client.runs(run_id).items():
            if state in ENDED and dag_id not in outcome.states:
                outcome.states[dag_id] = state
                watcher.ended(dag_id, state)
        _tell_retries(client, run_id, told, watcher)
        if time.monotonic() - begun > seconds:
            left = ", ".join(sorted(set(dag_ids) - outcome.states.keys()))
            raise NotRun(f"not ended after {seconds:.0f} seconds, and still going on in Airflow: {left}")
        if len(outcome.states) < len(dag_ids):
            time.sleep(POLL_SECONDS)
    outcome.seconds = round(time.monotonic() - begun, 1)
    outcome.states = dict(sorted(outcome.states.items()))
    failed = [dag_id for dag_id, state in outcome.states.items() if state == "failed"]
    outcome.failures = [failure for dag_id in failed for failure in failures(client, dag_id, run_id)]
    return outcome


def _tell_retries(client: Client, run_id: str, told: set[tuple[str, str, int]], watcher: Watcher) -> None:
    for task in client.retrying(run_id):
        mark = (task["dag_id"], task["task_id"], task["try_number"])
        if mark not in told:
            told.add(mark)
            watcher.said(f"{task['dag_id']}.{task['task_id']} waits to be tried again: {reason(client, task)}")


def failures(client: Client, dag_id: str, run_id: str) -> list[Failure]:
    """Return the tasks of a run that failed by themselves, each with its reason."""
    found = [task for task in client.tasks(dag_id, run_id) if task["state"] == "failed"]
    if not found:
        return [Failure(dag_id, "", "failed", "the run failed without a failed task (its time limit?)")]
    return [Failure(dag_id, task["task_id"], task["state"], reason(client, task)) for task in found]


def reason(client: Client, task: dict[str, Any]) -> str:
    """Return the sentence of the error that ended the last try of a task, as its log has it."""
    try_number = task["try_number"] or 1
    said = [text for event in client.log(task, try_number) for text in _errors(event)]
    return said[-1] if said else "its log names no error (was its process killed?)"


def _errors(event: dict[str, Any]) -> list[str]:
    """Return the words of an exception in a log event, the outermost last."""
    detail = event.get("error_detail")
    if not isinstance(detail, list):
        return []
    return [
        f"{error.get('exc_type')}: {error.get('exc_value')}" for error in reversed(detail) if isinstance(error, dict)
    ]


def chosen(asked: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the codes to run: those asked for, or all when none is.

    Raises:
        NotRun: a code is of no source; the message names those that there are.
    """
    if unknown := sorted(set(asked) - set(known)):
        raise NotRun(f"no such source: {', '.join(unknown)} (there are: {', '.join(known) or 'none'})")
    return list(dict.fromkeys(asked)) or list(known)
