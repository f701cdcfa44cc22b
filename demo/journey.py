"""`make demo`, the whole way in `hub` commands: a province is built, Airflow pulls it on two days, the truth decides.

Everything lives in one home (`HUB_HOME`, default .hub) that an earlier demonstration may have made and this one then
makes anew; a home that holds anything else is left alone. Nothing is left running at the end, however it comes.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from demo.asking import asking
from demo.door import hub_door
from demo.duty import duty_file
from demo.processes import Halted, command, die_with_parent
from demo.services.phonesetting import gateway_of
from demo.shapes.databases import systems_home

MARK = "journey.json"
SOME_RUNS_FAILED = 3
"""`hub airflow run` ends so when a source's run failed; whether it should have is for the verification to say."""

NEXT = """
Where to look next (each with --help and --json):
  hub ledger                 what came of every record, for each department
  hub quality issues list    what is wrong, who mends it and by when
  hub finding list           what is wrong with the feeds
  hub quality sets           what whole sets of records show
  hub quarantine list        what was refused, and why
  hub catalog list           what each department approves, in what time
  hub share list             who may check what
  hub supervise figures      cases against their legal clocks: rates, open cases, cards
  hub supervise cards list   which cards were sent, and what became of them
  hub web serve              the pages: /supervision, /quality, /items; an account first: hub account new --help
  hub trace TABLE KEY        from a value back to the message that said it
  hub airflow start          Airflow's own pages, with a page for each department
  hub db stop                stop the embedded PostgreSQL that these commands start
"""


@dataclass(slots=True)
class Journey:
    """One demonstration: its home, its environment, and the clock of its steps."""

    home: Path
    seed: str
    cases: str
    environment: dict[str, str]
    begun: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """Print what comes next, with the time since the start."""
        sys.stdout.write(f"\n[{time.monotonic() - self.begun:5.0f} s] {text}\n")
        sys.stdout.flush()

    def hub(self, *words: str, allowed: tuple[int, ...] = (0,)) -> int:
        """Run a `hub` command to its end and return its exit status.

        Raises:
            Halted: it ended with a status that is not allowed.
        """
        status = subprocess.run(command(words), env=self.environment, check=False).returncode
        if status not in allowed:
            raise Halted(f"`hub {shlex.join(words)}` ended with status {status}", status if status > 0 else 1)
        return status

    def travel(self) -> int:
        """Go all the way and return the exit status: that of the verification."""
        self.say("PostgreSQL: start, make the tables")
        self.hub("db", "start")
        self.hub("db", "upgrade")
        self.say(f"the province: 43 departments, 11 cities and 90 counties, {self.cases} cases, seed {self.seed}")
        self.hub("demo", "build", "--seed", self.seed, "--cases", self.cases)
        self.environment |= read_connections(self.home / "demo" / "connections.env")
        with self.served(), hub_door(self.environment) as door:
            self.say("Airflow: scheduler, DAG processor, API server")
            self.hub("airflow", "start", "--while-running", str(os.getpid()))
            self.say("day 1: a department posts its records, Airflow pulls all others")
            door.post()
            self.hub("airflow", "run", "--all", "--wait", allowed=(0, SOME_RUNS_FAILED))
            program = asking(door.url, self.environment, self.truth())
            if program is not None:
                self.say("a department relies on another's licence: it asks before it decides")
                program.prepare()
                program.before()
            self.catalogue()
            self.say("day 2: increments, corrections, late records, deletions")
            self.hub("demo", "change")
            door.post()
            self.hub("airflow", "run", "--all", "--wait", allowed=(0, SOME_RUNS_FAILED))
            self.hub("airflow", "stop")
            self.say("the quality run: what whole sets show, issues, scores")
            self.hub("quality", "run", "--no-alerts")
            self.hub("catalog", "import", "--source", "items", "--reason", "全省事项目录调整")
            if program is not None:
                self.say("three checks: a prerequisite that is met, a licence that ran out, one revoked afterwards")
                program.after()
            self.supervise()
        self.say("what came of it, against the truth")
        status = self.hub("demo", "verify", allowed=(0, 1))
        for fault in program.wrong if program is not None else ():
            sys.stdout.write(f"  {fault}\n")
            status = 1
        sys.stdout.write(NEXT)
        self.say("the demonstration holds" if status == 0 else "the demonstration does NOT hold: see above")
        return status

    def catalogue(self) -> None:
        """Take the catalogue out of a department's register, and say who is on duty: supervision needs both."""
        self.say("the item catalogue, from the register of the government services office; who is on duty")
        self.hub("catalog", "import", "--source", "items", "--reason", "全省事项目录")
        self.hub("supervise", "duty", "import", str(duty_file(self.home)), "--reason", "全省值守名册")

    def supervise(self) -> None:
        """Put every case against its legal clock, send the cards, rank the last month; the texts go to fake phones."""
        self.say("supervision: every case against its legal clock, cards and texts, the month's ranking")
        gateway, described = gateway_of(self.home)
        self.environment |= {"HUB_SMS_GATEWAY": str(described), "HUB_SMS_SECRET": gateway.secret}
        self.hub("supervise", "run", "--full")
        self.hub("supervise", "notices", "send")
        month = (date.fromisoformat(self.truth()["date"]).replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
        self.hub("supervise", "freeze", month)
        self.hub("supervise", "rank", month, "--level", "department")
        self.hub("supervise", "edition", "draft", month, "--reason", "月度考核")
        self.hub("supervise", "figures")

    def truth(self) -> dict[str, Any]:
        """Return what was put in."""
        found: dict[str, Any] = json.loads((self.home / "demo" / "truth.json").read_text(encoding="utf-8"))
        return found

    @contextmanager
    def served(self) -> Iterator[None]:
        """Run the departments' services beside the body."""
        service = subprocess.Popen(
            command(("demo", "serve")),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509  # this program has no threads
        )
        try:
            yield
            if service.poll() is not None:
                raise Halted(f"`hub demo serve` ended by itself with status {service.returncode}", 1)
        finally:
            service.terminate()
            with suppress(subprocess.TimeoutExpired):
                service.wait(10)
            service.kill()

    def clean_up(self) -> None:
        """Leave nothing running."""
        systems = {**self.environment, "HUB_HOME": str(systems_home(self.home))}
        stops = (("airflow", "stop"), self.environment), (("db", "stop"), self.environment), (("db", "stop"), systems)
        for words, environment in stops:
            subprocess.run(
                command(words), env=environment, check=False, stdout=subprocess.DEVNULL, start_new_session=True
            )


def fresh_home(home: Path, seed: str, cases: str, environment: Mapping[str, str]) -> None:
    """Make the home of this demonstration, in place of an earlier one's.

    Raises:
        Halted: the folder holds something that no demonstration made.
    """
    mark = home / "demo" / MARK
    if home.is_dir() and any(home.iterdir()):
        if not mark.exists():
            raise Halted(
                f"{home} holds a hub that no demonstration made, and this one would have to delete it. "
                "Name another folder: make demo HUB_HOME=/tmp/demo-hub",
                78,
            )
        systems = {**environment, "HUB_HOME": str(systems_home(home))}
        stops = (("airflow", "stop"), environment), (("db", "stop"), environment), (("db", "stop"), systems)
        for words, around in stops:
            subprocess.run(command(words), env=around, check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(home)
    mark.parent.mkdir(mode=0o700, parents=True)
    home.chmod(0o700)
    mark.write_text(json.dumps({"seed": seed, "cases": cases}), encoding="utf-8")


def read_connections(file: Path) -> dict[str, str]:
    """Return the variables of a file of NAME='value' lines, as a shell would read them."""
    words = (
        word for line in file.read_text(encoding="utf-8").splitlines() for word in shlex.split(line, comments=True)
    )
    return dict(word.split("=", 1) for word in words if "=" in word)


def own_environment(home: Path) -> dict[str, str]:
    """Return an environment in which no setting of another deployment reaches the demonstration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HUB_", "AIRFLOW"))}
    return kept | {"HUB_HOME": str(home), "HUB_SCHEDULES": "off"}


def _interrupted(number: int, _frame: FrameType | None) -> None:
    raise Halted(f"stopped by {signal.Signals(number).name}", 128 + number)


def main() -> int:
    """Run the demonstration that SEED and CASES ask for; return its exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    home = Path(os.environ.get("HUB_HOME") or ".hub").expanduser().absolute()
    seed, cases = os.environ.get("SEED") or "20260105", os.environ.get("CASES") or "5000"
    journey = Journey(home, seed, cases, own_environment(home))
    try:
        fresh_home(home, seed, cases, journey.environment)
    except Halted as halt:
        sys.stderr.write(f"{halt}\n")
        return halt.status
    try:
        return journey.travel()
    except Halted as halt:
        sys.stderr.write(f"\nThe demonstration stops here: {halt}.\n")
        return halt.status
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        journey.clean_up()


if __name__ == "__main__":
    sys.exit(main())
