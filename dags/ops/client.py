"""A small client of Airflow's public REST interface (/api/v2): what the hub's commands ask of a running Airflow."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import requests

from hub.errors import HubError

PAGE = 100
TIMEOUT = (5.0, 60.0)


class AirflowRefused(HubError):
    """Airflow answered with an error, or not at all."""


class Client:
    """Speaks to one Airflow as one user; gets its token on the first use."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._login = {"username": user, "password": password}
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands between us and this machine

    def unhealthy(self, needed: Iterable[str]) -> list[str]:
        """Return which of the needed components are not healthy; all of them while nothing answers."""
        try:
            answer = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=TIMEOUT).json()
            return [name for name in needed if (answer.get(name) or {}).get("status") != "healthy"]
        except (requests.RequestException, ValueError):
            return ["api-server"]

    def dags(self) -> dict[str, dict[str, Any]]:
        """Return the hub's DAGs that Airflow knows and finds in the DAG files now, by id."""
        found = self._pages("/dags", "dags", {"dag_id_prefix_pattern": "hub_", "exclude_stale": True})
        return {dag["dag_id"]: dag for dag in found}

    def import_errors(self) -> dict[str, str]:
        """Return the DAG files that cannot be imported, and why."""
        found = self._pages("/importErrors", "import_errors", {})
        return {str(error["filename"]): str(error["stack_trace"]).strip() for error in found}

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, Any] | None = None) -> None:
        """Make a run of a DAG now; a run of this id that is there already stays as it is."""
        asked = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf or {})}
        answer = self._ask("POST", f"/dags/{dag_id}/dagRuns", json=asked)
        if answer.status_code != requests.codes.conflict:
            self._checked(answer)

    def runs(self, run_id: str) -> dict[str, str]:
        """Return the states of the runs of this id, by DAG."""
        found = self._pages("/dags/~/dagRuns", "dag_runs", {"run_id_prefix_pattern": run_id})
        return {run["dag_id"]: run["state"] for run in found if run["dag_run_id"] == run_id}

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the task instances of a run."""
        return self._pages(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", "task_instances", {})

    def retrying(self, run_id: str) -> list[dict[str, Any]]:
        """Return the task instances of the runs of this id that wait for their next try."""
        found = self._pages("/dags/~/dagRuns/~/taskInstances", "task_instances", {"state": "up_for_retry"})
        return [task for task in found if task["dag_run_id"] == run_id]

    def log(self, task: Mapping[str, Any], try_number: int) -> list[dict[str, Any]]:
        """Return the log of one try of a task, as structured events."""
        path = f"/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}/logs/{try_number}"
        content = self._checked(self._ask("GET", path, params={"full_content": True})).json()["content"]
        return [event for event in content if isinstance(event, dict)]

    def _pages(self, path: str, key: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            asked = {**params, "limit": PAGE, "offset": len(found)}
            answer = self._checked(self._ask("GET", path, params=asked)).json()
            found += answer[key]
            if len(answer[key]) < PAGE:
                return found

    def _ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send one request; one that broke or had no answer in time is asked again: none of ours does a thing twice."""
        for pause in (0.2, 0.5, 1.0, 2.0, None):
            try:
                if "Authorization" not in self._session.headers:
                    self._sign_in()
                return self._session.request(method, f"{self.url}/api/v2{path}", timeout=TIMEOUT, **more)
            except (requests.ConnectionError, requests.Timeout) as error:
                if pause is None:
                    raise AirflowRefused(
                        f"Airflow at {self.url} does not answer ({type(error).__name__}). See `hub airflow status`."
                    ) from error
                time.sleep(pause)
        raise AssertionError

    def _sign_in(self) -> None:
        answer = self._session.post(f"{self.url}/auth/token", json=self._login, timeout=TIMEOUT)
        self._session.headers["Authorization"] = f"Bearer {self._checked(answer).json()['access_token']}"

    def _checked(self, answer: requests.Response) -> requests.Response:
        if answer.ok:
            return answer
        try:
            detail = answer.json().get("detail", "")
        except ValueError:
            detail = answer.text[:200]
        raise AirflowRefused(f"Airflow answered {answer.status_code} to {answer.request.method} {answer.url}: {detail}")
