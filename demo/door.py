"""The hub's door to departments that post: it is served beside the body, and each of them gets its token."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from demo.processes import Halted, answer, command, die_with_parent
from demo.shapes.push import PushShape

_ROSTER = Path(__file__).parent / "shapes" / "roster.csv"


@dataclass(slots=True)
class Door:
    """Where the hub answers, and the departments that have a token for it."""

    url: str
    environment: Mapping[str, str]
    tokens: dict[str, str] = field(default_factory=dict)

    def admit(self) -> None:
        """Make the client of each department that posts."""
        with _ROSTER.open(encoding="utf-8", newline="") as lines:
            posting = {row["code"]: row["organ"] for row in csv.DictReader(lines) if row["shape"] == PushShape.name}
        for code, organ in posting.items():
            words = ("client", "new", f"{code}-it", "--organ", organ, "--push", code, "--json")
            self.tokens[code] = json.loads(answer(words, self.environment))["token"]

    def post(self) -> None:
        """Let each department post what is new.

        Raises:
            Halted: the hub did not take it.
        """
        for code, token in self.tokens.items():
            words = command(("demo", "post", code, "--url", self.url))
            status = subprocess.run(words, env={**self.environment, "HUB_DEMO_TOKEN": token}, check=False).returncode
            if status:
                raise Halted(f"{code} could not post its records", status if status > 0 else 1)


@contextmanager
def hub_door(environment: Mapping[str, str]) -> Iterator[Door]:
    """Serve the hub's API beside the body, on a port that is free; what it says of its work goes into `logs/web.log`.

    Raises:
        Halted: it does not serve, or ended before the body did.
    """
    log = Path(environment["HUB_HOME"]) / "logs" / "web.log"
    log.parent.mkdir(mode=0o700, exist_ok=True)
    with log.open("ab") as said:
        service = _started(environment, said)
    try:
        door = Door(_address(service, log), environment)
        door.admit()
        yield door
        if service.poll() is not None:
            raise Halted(f"`hub web serve` ended by itself with status {service.returncode}: see {log}", 1)
    finally:
        service.terminate()
        with suppress(subprocess.TimeoutExpired):
            service.communicate(timeout=40)
        service.kill()
        service.wait()


def _started(environment: Mapping[str, str], said: IO[bytes]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(("web", "serve", "--port", "0", "--json")),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509  # this program has no threads
    )


def _address(service: subprocess.Popen[str], log: Path) -> str:
    """Read where the service answers: it says so when it is ready."""
    assert service.stdout is not None  # noqa: S101  # it is a pipe
    said = ""
    for line in service.stdout:
        said += line
        with suppress(ValueError):
            url: str = json.loads(said)["url"]
            return url
    raise Halted(f"`hub web serve` did not begin to serve; it ended with status {service.wait()}: see {log}", 1)
