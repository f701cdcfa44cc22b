"""Worker processes killed under load: every check that was answered stands in the log, and the log is in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path

import requests

from pipeline.runtime import Runtime
from sharedrepo.access import clients
from sharedrepo.keyring import signing
from tests.verification.conftest import Asker, asker_of
from tests.verification.receiver import receiving
from tests.verification.registry import ASKER, Registry, body
from tests.verification.test_notices import recalled
from tests.web.processes import environment
from tests.web.serving import serving
from verification import client
from verification.audit import sealing
from verification.notices import subscriptions


def test_nothing_that_was_answered_is_lost_when_all_workers_are_killed(registry: Registry, runtime: Runtime) -> None:
    registry.share(class_="unconditional")
    registry.credential()
    secret, _ = clients.make(
        runtime.engine, runtime.protector, code="it", organ=ASKER, rights=["check"], days=1
    )  # fmt: skip
    command = [str(Path(sys.executable).parent / "hub"), "web", "serve", "--port", "0", "--workers", "2"]
    more = {"HUB_CHECK_SEAL_SECONDS": "0.3", "HUB_CHECK_RATE": "0"}
    process = subprocess.Popen(
        command, env={**environment(runtime.settings), **more}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, start_new_session=True,
    )  # fmt: skip
    answered: list[str] = []
    stop = threading.Event()
    try:
        assert process.stdout is not None
        at = process.stdout.readline().split()[-1]
        token = Asker(at, "it", secret).authorise()

        def ask(_: int) -> None:
            while not stop.is_set():
                try:
                    answer = requests.post(
                        f"{at}/v1/checks", json=body(), headers={"Authorization": f"Bearer {token}"}, timeout=20
                    )
                except requests.RequestException:
                    return
                assert answer.status_code == 200, answer.text
                answered.append(answer.json()["id"])

        with ThreadPoolExecutor(4) as pool:
            asking = pool.map(ask, range(4))
            until = time.monotonic() + 60
            while len(answered) < 150 or not registry.run("SELECT count(*) FROM audit.seal"):
                assert time.monotonic() < until, "the checks are not answered and sealed in time"
                stop.wait(0.01)
            os.killpg(process.pid, signal.SIGKILL)
            stop.set()
            list(asking)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()
    signer, until = signing.Ed25519Signer.of(runtime.protector.ring), time.monotonic() + 30
    # What the killed had begun goes on in the server for a moment, and nothing after it is sealed meanwhile.
    while sealing.seal(runtime.engine, signer) or sealing.oldest_unsealed(runtime.engine) is not None:
        assert time.monotonic() < until, "what the killed workers left is not sealed in time"
        time.sleep(0.05)
    with runtime.engine.connect() as connection:
        logged = {str(row[0]) for row in connection.exec_driver_sql("SELECT check_id FROM audit.entry")}
    assert set(answered) <= logged
    found = sealing.verify(runtime.engine, signing.published(runtime.engine))
    assert (found.faults, found.unsealed) == ((), 0)
    assert found.entries >= len(answered)
    assert found.seals >= 2, "it was sealed while it served"


def test_several_workers_serve_one_address_and_end_together(registry: Registry, runtime: Runtime) -> None:
    command = [str(Path(sys.executable).parent / "hub"), "web", "serve", "--port", "0", "--workers", "2"]
    with subprocess.Popen(
        command, env=environment(runtime.settings), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        at = process.stdout.readline().split()[-1]
        assert requests.get(f"{at}/health", timeout=20).status_code == 200
        process.terminate()
        assert process.wait(60) == 0
        assert registry.run("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hub check'") == 0


def test_a_notice_whose_sender_is_killed_comes_again_and_is_the_same(registry: Registry, runtime: Runtime) -> None:
    registry.case()
    with serving(lambda: runtime) as at:
        asker = asker_of(runtime, at)
        recalled(registry, asker)
    held, allowed = threading.Event(), {"HUB_NOTICE_NETWORKS": "127.0.0.0/8"}
    send = [str(Path(sys.executable).parent / "hub"), "verify", "notices", "--send"]
    with receiving(held=held) as receiver:
        subscriptions.subscribe(
            runtime.engine, client="asker-it", url=receiver.at, actor="office", allowed=(ip_network("127.0.0.0/8"),)
        )
        registry.run("UPDATE access.subscription SET made_at = made_at - interval '1 hour'")
        assert subscriptions.queue(runtime.engine) == 1
        with subprocess.Popen(send, env={**environment(runtime.settings), **allowed}) as process:
            assert receiver.came.wait(60), "the notice is there, and is not answered yet"
            process.kill()
        held.set()
        (row,) = subscriptions.deliveries(runtime.engine)
        assert (row["state"], row["attempts"]) == ("waiting", 1)
        registry.run("UPDATE audit.delivery SET next_at = now()")  # the five minutes are over for which it was taken
        subprocess.run(send, env={**environment(runtime.settings), **allowed}, check=True, timeout=60)
        first, second = (
            client.open_notice(one, signing.published(runtime.engine), audience=subscriptions.audience(1))
            for one in receiver.got
        )
    assert (first.id, first.said) == (second.id, second.said)
    assert subscriptions.deliveries(runtime.engine) == []
