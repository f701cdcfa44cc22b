"""The API's process killed in the midst of posts, and two processes for one source: the repository is as undisturbed.

Clients do what the documentation tells them: each post has an Idempotency-Key, and is sent again until it is answered.
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from hub.settings import Settings
from pipeline.runtime import Runtime
from sharedrepo.access import clients
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.telling.digest import digest
from sharedrepo.telling.ledger import check
from tests.crash.campaign import execute
from tests.posters import ORGAN, STREAMS, Poster
from tests.web.processes import serving

CASES = 12
CLIENTS = 6
KILLS = 4
PATIENCE = 120


@dataclasses.dataclass
class Posted:
    """A hub with a database of its own, that a department posts to."""

    settings: Settings
    runtime: Runtime
    poster: Poster
    answers: dict[str, dict[str, Any]]

    def digest(self) -> dict[str, str]:
        assert check(self.runtime.engine) == []
        return digest(self.runtime.engine)

    def one(self, query: str) -> Any:
        with self.runtime.engine.connect() as connection:
            return connection.exec_driver_sql(query).scalar_one()


@pytest.fixture(scope="module")
def made(
    server: EmbeddedServer, template: str, key_ring: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Any]]:
    """Make hubs that differ in nothing but their databases and archives."""
    sources = tmp_path_factory.mktemp("posting") / "sources"
    Poster(sources)

    @contextmanager
    def make(name: str) -> Iterator[Posted]:
        execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
        home = tmp_path_factory.mktemp(name)
        settings = Settings(
            home=home, database_url=SecretStr(server.url(name)), keys=SecretStr(key_ring), sources=(sources,),
            push_linger=0.1,
        )  # fmt: skip
        runtime = Runtime.open(settings)
        poster = Poster.__new__(Poster)
        poster.code, poster.folder = "labour", sources / "labour"
        poster.token, _ = clients.make(
            runtime.engine, runtime.protector, code="labour-it", organ=ORGAN, rights=["push:labour"], days=1
        )
        try:
            yield Posted(settings, runtime, poster, {})
        finally:
            runtime.engine.dispose()
            execute(server, f"DROP DATABASE {name} WITH (FORCE)")

    return make


def rows(poster: Poster, number: int) -> list[tuple[str, str, list[Any]]]:
    """The posts of one case: name, stream and rows. One in three has bad records among its steps."""
    found = [(f"c{number}-{stream}", stream, list(of)) for stream, of in poster.case_rows(f"C{number}").items()]
    if number % 3 == 0:
        found[2][2].append(poster.row("PRE_NODE", UNID=f"C{number}-bad", PROJID=f"C{number}", PHASE_CODE="SIGNED"))
        found[2][2].append(number)
    again = poster.row("PRE_NODE", UNID=f"C{number}-1", PROJID=f"C{number}", OPINION="更正", DATAVERSION=2)
    return [*found, (f"c{number}-again", "PRE_NODE", [again])]


def send(hub: Posted, addresses: Callable[[], str], number: int) -> None:
    """Post a case in its order; each post is sent again under its key until it is answered."""
    deadline = time.monotonic() + PATIENCE
    for name, stream, records in rows(hub.poster, number):
        while True:
            assert time.monotonic() < deadline, f"{name} is not answered in {PATIENCE} s"
            poster = Poster.__new__(Poster)
            poster.at, poster.token = addresses(), hub.poster.token
            try:
                answer = poster.post(stream, *records, Idempotency_Key=name)
            except requests.ConnectionError:
                time.sleep(0.1)
                continue
            if answer.status_code == 503:
                time.sleep(0.2)
                continue
            assert answer.status_code == 200, answer.text
            hub.answers[name] = answer.json()
            break


def send_all(hub: Posted, addresses: Callable[[], str]) -> None:
    with ThreadPoolExecutor(CLIENTS) as clients_:
        list(clients_.map(lambda number: send(hub, addresses, number), range(CASES)))


@pytest.fixture(scope="module")
def calm(made: Callable[[str], Any]) -> dict[str, str]:
    """The digest of a hub that was left in peace."""
    with made("calm_of_posts") as hub, serving(hub.settings) as (url, _):
        send_all(hub, lambda: url)
        assert hub.one("SELECT count(*) FROM core.approval_case") == CASES
        assert hub.one("SELECT count(*) FROM ledger.waiting WHERE status = 'open'") == 2 * len(range(0, CASES, 3))
        found: dict[str, str] = hub.digest()
        return found


def test_a_killed_process_leaves_the_repository_as_an_undisturbed_one(
    made: Callable[[str], Any], calm: dict[str, str]
) -> None:
    with made("hurt_of_posts") as hub, ExitStack() as stack:
        now: dict[str, str] = {}
        killed, finished = 0, threading.Event()

        def sending() -> None:
            send_all(hub, lambda: now["url"])
            finished.set()

        url, process = stack.enter_context(serving(hub.settings))
        now["url"] = url
        sender = threading.Thread(target=sending)
        sender.start()
        while killed < KILLS and not finished.wait(0.3 + 0.23 * killed):
            process.kill()
            process.wait(30)
            killed += 1
            now["url"], process = stack.enter_context(serving(hub.settings))
        sender.join(PATIENCE)
        assert finished.is_set()
        assert killed > 1, "it was killed in the midst of posts"
        assert len(hub.answers) == CASES * (len(STREAMS) + 1)
        assert hub.digest() == calm
        for name, answer in hub.answers.items():
            assert answer["counts"]["read"] == sum(n for what, n in answer["counts"].items() if what != "read"), name


def test_two_processes_for_one_source_do_not_get_into_each_others_way(
    made: Callable[[str], Any], calm: dict[str, str]
) -> None:
    with made("two_of_posts") as hub, serving(hub.settings) as (one, _), serving(hub.settings) as (other, _):
        turn = iter(range(1_000_000))
        send_all(hub, lambda: (one, other)[next(turn) % 2])
        assert hub.digest() == calm


def test_a_posted_stage_event_is_in_the_repository_within_two_seconds(made: Callable[[str], Any]) -> None:
    with made("quick_of_posts") as hub:
        usual = hub.settings.model_copy(update={"push_linger": 0.5})
        with serving(usual) as (url, _):
            poster = hub.poster
            poster.at = url
            assert poster.post("PRE_APASINFO", poster.row("PRE_APASINFO", PROJID="C1")).status_code == 200
            times = []
            for number in range(5):
                began = time.monotonic()
                row = poster.row("PRE_NODE", UNID=f"n{number}", PROJID="C1")
                assert poster.post("PRE_NODE", row).json()["counts"]["new"] == 1
                assert hub.one("SELECT count(*) FROM core.stage_event") == number + 1
                times.append(time.monotonic() - began)
        sys.stdout.write(f"posted to repository: {', '.join(f'{one:.2f} s' for one in times)}\n")
        assert statistics.median(times) < 2, times
