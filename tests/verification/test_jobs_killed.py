"""A worker of check jobs killed at any point: another one goes on, and no question is answered twice or lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.runtime import Runtime
from tests.verification.registry import Registry, body
from tests.verification.test_jobs import caller, checker
from tests.web.processes import environment
from verification.checks import jobs
from verification.checks.service import Checker
from verification.questions import CredentialCheck
from verification.rights.callers import Caller

__all__ = ["caller", "checker"]
QUESTIONS = 3


@contextmanager
def workers(runtime: Runtime) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.verification.killed_worker"], env=environment(runtime.settings),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield process
        assert process.stdin is not None
        process.stdin.close()


def test_wherever_a_worker_is_killed_another_goes_on_and_every_question_is_answered_once(
    registry: Registry, runtime: Runtime, checker: Checker, caller: Caller
) -> None:
    registry.share(class_="unconditional")
    registry.credential()
    asked = [CredentialCheck.model_validate(body(case=f"A-{place}")) for place in range(QUESTIONS)]
    kills, at = {"before": 0, "after": 0}, 0
    with workers(runtime) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = "killed"
        while told == "killed":
            at += 1
            for when in ("before", "after"):
                job = jobs.add(checker, caller, asked)
                process.stdin.write(f"{at} {when}\n")
                process.stdin.flush()
                told = process.stdout.readline().strip()
                assert told in ("killed", "done 0")
                kills[when] += told == "killed"
                goes_on(registry, checker, caller, job)
    assert min(kills.values()) >= 10, "it asks the server ten times at least for one part"


def goes_on(registry: Registry, checker: Checker, caller: Caller, job: str) -> None:
    """The lease of the killed worker ends; the next one brings the job to its end."""
    registry.run("UPDATE audit.check_job_part SET leased_until = '-infinity' WHERE answered_at IS NULL")
    while jobs.work(checker):
        pass
    assert jobs.stands(checker, caller, job)["state"] == "done"
    told = [json.loads(line) for line in jobs.result(checker, caller, job)]
    assert [one["asked"]["case"] for one in told] == [f"A-{place}" for place in range(QUESTIONS)]
    logged = registry.run(
        """SELECT array_agg(check_id::text ORDER BY check_id::text) FROM audit.entry
           WHERE kind = 'credential' AND entry_id > coalesce(
               (SELECT max(entry_id) FROM audit.entry WHERE kind = 'read' AND outcome = 'seen'), 0)"""
    )
    assert logged == sorted(one["id"] for one in told), "each once, and none that was not told"
    registry.run("INSERT INTO audit.entry (recorded_at, kind, outcome) VALUES (now(), 'read', 'seen')")
