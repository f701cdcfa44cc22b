"""A hub that answers checks, and a department that asks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from hub.cli import build
from hub.workdays import ZONE
from pipeline.runtime import Runtime
from sharedrepo.access import clients
from tests.conftest import Copies
from tests.verification.registry import ASKER, Registry
from tests.web.serving import serving

Command = Callable[..., Any]


class Asker:
    """A department's program: gets a token, asks."""

    def __init__(self, at: str, code: str, secret: str) -> None:
        self.at, self.code, self.secret = at, code, secret
        self.token: str | None = None

    def authorise(self) -> str:
        form = {"grant_type": "client_credentials"}
        answer = requests.post(f"{self.at}/v1/token", data=form, auth=(self.code, self.secret), timeout=20)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        return self.token

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token or self.authorise()}", **more}

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, (bytes, str)):
            more.setdefault("Content-Type", "application/json")
            return requests.post(f"{self.at}{path}", data=body, headers=self._headers(more), timeout=30)
        return requests.post(f"{self.at}{path}", json=body, headers=self._headers(more), timeout=30)

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.at}{path}", headers=self._headers({}), timeout=20)

    def check(self, body: Any, **headers: str) -> dict[str, Any]:
        answer = self.post("/v1/checks", body, **headers)
        assert answer.status_code in (200, 202), answer.text
        said: dict[str, Any] = answer.json()
        return said

    def answer(self, body: Any) -> dict[str, Any]:
        said: dict[str, Any] = self.check(body)["answer"]
        return said


@pytest.fixture
def database(database: str, copies: Copies) -> str:
    """The URL of a repository; on its server nothing goes on that a seal has to wait for."""
    copies.rest()
    return database


MIDNIGHT_SECONDS = 30.0
"""A test that begins so shortly before midnight in China begins after it: none sees two days."""


@pytest.fixture
def registry(runtime: Runtime) -> Registry:
    left = (_midnight() - datetime.now(ZONE)).total_seconds()
    if left < MIDNIGHT_SECONDS:
        time.sleep(left + 0.1)
    return Registry(runtime)


def _midnight() -> datetime:
    """When the next day begins in China."""
    return datetime.combine(datetime.now(ZONE).date() + timedelta(days=1), datetime.min.time(), ZONE)


@pytest.fixture
def command(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `hub …` on the test's repository; with `--json` what it prints is read back."""
    settings = runtime.settings
    assert settings.database_url is not None
    assert settings.keys is not None
    monkeypatch.setenv("HUB_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("HUB_KEYS", settings.keys.get_secret_value())
    monkeypatch.setenv("HUB_HOME", str(settings.home))

    def call(*words: str) -> Any:
        done = CliRunner().invoke(build([words[0]]), list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout) if "--json" in words else done.stdout

    return call


@pytest.fixture
def service(runtime: Runtime) -> Iterator[str]:
    with serving(lambda: runtime) as url:
        yield url


@pytest.fixture
def asker(runtime: Runtime, service: str) -> Asker:
    return asker_of(runtime, service)


def asker_of(
    runtime: Runtime, at: str, *, code: str = "asker-it", organ: str = ASKER, rights: tuple[str, ...] = ("check",)
) -> Asker:
    secret, _ = clients.make(runtime.engine, runtime.protector, code=code, organ=organ, rights=rights, days=1)
    return Asker(at, code, secret)
