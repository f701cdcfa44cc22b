"""Runs a program in a process of its own and measures it: wall time, processor time, peak memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LAUNCH = str(Path(__file__).with_name("launch.py"))
SETTLING = 0.5
"""Seconds until the server has buried the processes that served a program: only then their time is counted."""


class ProgramFailed(RuntimeError):
    """A measured program ended with an error; the message is the end of what it said."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One run of one program.

    `seconds` is the wall time with the process's start, `work` without it (from the first read to the last commit);
    `cpu` are the processor seconds of the program, `server_cpu` those of the server meanwhile.
    """

    records: int
    seconds: float
    work: float
    cpu: float
    server_cpu: float
    peak_mib: float
    said: Mapping[str, Any]

    @property
    def rate(self) -> float:
        """Return source records a second, the process's start included."""
        return self.records / self.seconds

    @property
    def work_rate(self) -> float:
        """Return source records a second, without the process's start."""
        return self.records / self.work

    def as_dict(self) -> dict[str, Any]:
        """Return the figures, without what else the program said."""
        figures = asdict(self)
        del figures["said"]
        return {**figures, "rate": self.rate, "work_rate": self.work_rate}


def run(
    command: Sequence[str],
    *,
    records: int,
    server_cpu: Callable[[], float],
    environment: Mapping[str, str] | None = None,
) -> Measure:
    """Run a program and measure it; its last line of output is a JSON object with at least `work`, in seconds.

    The kernel counts the processor time and the peak memory of the process and of the children it waited for.

    Raises:
        ProgramFailed: it ended with an error.
    """
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        tempfile.NamedTemporaryFile("w+") as report,
    ):
        cpu_before, started = server_cpu(), time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", LAUNCH, report.name, *command],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            env={**os.environ, **(environment or {})}, start_new_session=True,
        )  # fmt: skip
        try:
            ended = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        seconds = time.perf_counter() - started
        said, trouble, used = _read(out), _read(err), _read(report)
    if ended != 0:
        raise ProgramFailed(f"{' '.join(command[:4])} … ended with {ended}:\n{trouble[-3000:]}")
    answer, spent = json.loads(said.strip().rsplit("\n", 1)[-1]), json.loads(used)
    time.sleep(SETTLING)
    server = server_cpu() - cpu_before
    return Measure(records, seconds, answer["work"], spent["cpu"], server, spent["peak_kib"] / 1024, answer)


def _read(file: Any) -> str:
    file.seek(0)
    return str(file.read())
