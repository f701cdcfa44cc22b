"""`python -m bench.soak`: a mixed load on the API of checks for a long time, and whether anything was lost or grew.

Locust's users ask as departments do: single checks, prerequisites, repeats under a key, bulks, the newest answer by its
number, progress, items, their own log, heads. Each writes down the number of every check that was answered. At the end
every number must stand in the log, the chain must hold, nothing may have failed, and the memory of the processes that
serve is told as it was early on and at the end. Locust runs in an environment of its own: it replaces Python's sockets.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench import checks
from bench.contenders.dlt import environment
from bench.measure import ROOT
from bench.server import Server, started
from catalog.imports.entries import entry
from catalog.imports.service import take_in
from catalog.life import Doer
from hub.identifiers import item_code
from hub.protect.keys import new_ring
from sharedrepo.access import clients
from sharedrepo.keyring import signing
from sharedrepo.keyring.signing import Ed25519Signer
from verification.audit import sealing
from verification.evidence import feeds

ITEM = item_code.make("330117021000", body=checks.ASKER)
LOCUST = "locust==2.47.0"
EARLY = 0.2
"""The part of the time after which memory is first looked at: caches have filled by then."""
USERS = """
import json, os, random, time, uuid
from locust import FastHttpUser, constant_throughput, task

ITEM = os.environ["SOAK_ITEM"]
QUESTIONS = open(os.environ["SOAK_QUESTIONS"], encoding="utf-8").read().splitlines()
ANSWERED = open(os.environ["SOAK_ANSWERED"], "a", encoding="ascii", buffering=1)


class Department(FastHttpUser):
    wait_time = constant_throughput(float(os.environ["SOAK_EACH"]))

    def on_start(self):
        self.last, self.until = [], 0.0

    def said(self):
        if time.monotonic() > self.until:
            answer = self.client.post("/v1/token", data={"grant_type": "client_credentials", "client_id": "bench",
                                                         "client_secret": os.environ["SOAK_SECRET"]})
            self.token, self.until = answer.json()["access_token"], time.monotonic() + 240
        return {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}

    def ask(self, path, body, name, **more):
        with self.client.post(path, data=body, headers={**self.said(), **more}, name=name, catch_response=True) as got:
            if got.status_code != 200:
                got.failure(str(got.status_code))
                return []
            told = got.json()
            one = told.get("checks", [told])
            for check in one:
                ANSWERED.write(check["id"] + "\\n")
            self.last = (self.last + [check["id"] for check in one])[-20:]
            return one

    @task(60)
    def single(self):
        self.ask("/v1/checks", random.choice(QUESTIONS), "check")

    @task(12)
    def prerequisites(self):
        one = json.loads(random.choice(QUESTIONS))
        body = {"kind": "prerequisites", "item": ITEM, "case": one["case"], "purpose": one["purpose"],
                "applicant": {"number": one["credential"]["holder_number"]}}
        self.ask("/v1/checks", json.dumps(body), "prerequisites")

    @task(4)
    def repeated(self):
        body, key = random.choice(QUESTIONS), str(uuid.uuid4())
        first, second = (self.ask("/v1/checks", body, "check under a key", **{"Idempotency-Key": key}) for _ in "ab")
        assert not first or not second or first == second, "a repeat is answered the same"

    @task(2)
    def bulk(self):
        some = [json.loads(one) for one in random.sample(QUESTIONS, min(100, len(QUESTIONS)))]
        self.ask("/v1/bulk-checks", json.dumps({"checks": some}), "bulk of 100")

    @task(10)
    def newest(self):
        if self.last:
            self.client.get("/v1/checks/" + random.choice(self.last), headers=self.said(), name="newest answer")

    @task(3)
    def progress(self):
        one = json.loads(random.choice(QUESTIONS))
        body = {"project": "P-1", "case": one["case"], "purpose": one["purpose"]}
        self.client.post("/v1/progress", data=json.dumps(body), headers=self.said(), name="progress")

    @task(5)
    def reads(self):
        for path in ("/v1/items", "/v1/items/" + ITEM, "/v1/log?limit=10", "/v1/audit/heads"):
            self.client.get(path, headers=self.said(), name=path.partition("?")[0].replace(ITEM, "CODE"))
"""


def main() -> None:
    """Soak, print what was found; the status is 1 where anything failed, was lost, or the chain is broken."""
    options = _options()
    with started() as (server, folder):
        found = soak(server, folder, options)
    print(json.dumps(found, indent=2))
    sys.exit(1 if found["failed"] or found["lost"] or found["faults"] else 0)


def soak(server: Server, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Fill a repository, serve it, let the users ask; return what they met and what is left."""
    database, ring = server.create("soak"), new_ring().to_json()
    url = server.url(database)
    protector, engine, numbers = checks.filled(server, database, ring, folder, options)
    _item(engine)
    feeds.learn(engine, wait=True)
    secret, _ = clients.make(engine, protector, code="bench", organ=checks.ASKER, rights=["check"], days=1)
    asked, answered = folder / "questions.txt", folder / "answered.txt"
    asked.write_text("\n".join(checks.questions(options, numbers)) + "\n", encoding="utf-8")
    said = {
        "SOAK_QUESTIONS": str(asked), "SOAK_ANSWERED": str(answered), "SOAK_SECRET": secret, "SOAK_ITEM": ITEM,
        "SOAK_EACH": str(options.each),
    }  # fmt: skip
    with checks.serving(url, ring, folder, options.workers) as at:
        memory = _asked(at, folder, said, options)
    sealing.seal(engine, Ed25519Signer.of(protector.ring))
    verified = sealing.verify(engine, signing.published(engine))
    ids = set(answered.read_text(encoding="ascii").split())
    with engine.connect() as connection:
        logged = set(connection.execute(sa.text("SELECT DISTINCT check_id::text FROM audit.entry")).scalars())
    engine.dispose()
    rows = list(csv.DictReader((folder / "soak_stats.csv").read_text(encoding="utf-8").splitlines()))
    return {
        "minutes": options.minutes, "users": options.users, "answered": len(ids), "lost": len(ids - logged),
        "entries_verified": verified.entries, "faults": list(verified.faults), "memory_mib": memory,
        "failed": sum(int(row["Failure Count"]) for row in rows if row["Name"] == "Aggregated"),
        "requests": {
            row["Name"]: {
                "count": int(row["Request Count"]), "median_ms": float(row["50%"]), "p99_ms": float(row["99%"]),
            }
            for row in rows
        },
    }  # fmt: skip


def _item(engine: sa.Engine) -> None:
    """Publish an item of the asker that rests on a credential."""
    needs = {"name": "a", "holder": "applicant", "valid_on": "decision", "any_of": [{"credential": checks.TYPE}]}
    said = {"name": "soak", "item_type": "01", "kind": "immediate", "disclosure": "public", "requirements": [needs]}
    one = entry("soak", {"code": ITEM, "organ": checks.ASKER, "effective_on": "2025-01-01", "content": said})
    take_in(engine, [one], Doer("cli:bench", "hub"), reason="soak")


def _asked(at: str, folder: Path, said: dict[str, str], options: argparse.Namespace) -> dict[str, list[int]]:
    """Let the users ask; return the memory of the processes that serve, early on and at the end."""
    users, seconds = folder / "users.py", options.minutes * 60
    locust = environment(options.cache, "locust", (LOCUST,)).with_name("locust")
    users.write_text(USERS, encoding="utf-8")
    command = [
        str(locust), "-f", str(users), "--headless", "--host", at, "-u", str(options.users), "-r", str(options.users),
        "-t", f"{round(seconds)}s", "--csv", str(folder / "soak"), "--only-summary", "--exit-code-on-error", "0",
    ]  # fmt: skip
    serving = _below(os.getpid(), "serve")
    with (folder / "locust").open("w") as log:
        running = subprocess.Popen(command, env={**os.environ, **said}, cwd=folder, stdout=log, stderr=log)
        time.sleep(seconds * EARLY)
        early = _resident(serving)
        status = running.wait(seconds + 300)
    if status:
        sys.exit((folder / "locust").read_text(encoding="utf-8"))
    return {"early": early, "late": _resident(serving)}


def _below(process: int, word: str) -> list[int]:
    """Return the processes below one whose command holds a word."""
    found = []
    for one in map(int, Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()):
        if word in Path(f"/proc/{one}/cmdline").read_text(encoding="utf-8").split("\0"):
            found.append(one)
        found += _below(one, word)
    return found


def _resident(processes: list[int]) -> list[int]:
    pages = [int(Path(f"/proc/{one}/statm").read_text(encoding="ascii").split()[1]) for one in processes]
    return [one * os.sysconf("SC_PAGE_SIZE") >> 20 for one in pages]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument(
        "--cache", type=Path, default=ROOT / ".hub" / "bench", help="where Locust's environment is made"
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--each", type=float, default=10, help="requests a second of each user, at most")
    parser.add_argument("--credentials", type=int, default=1_000_000)
    parser.add_argument("--cases", type=int, default=346_000)
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
