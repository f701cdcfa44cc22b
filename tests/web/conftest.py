"""A hub that serves its API, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hub.settings import Settings
from pipeline.runtime import Runtime
from sharedrepo.access import clients
from tests.departments import ORGAN
from tests.web.serving import serving


@pytest.fixture
def linger() -> float:
    """The seconds that a post waits for others; a test of posts that go together has them wait longer."""
    return 0.02


@pytest.fixture
def settings(settings: Settings, linger: float) -> Settings:
    """The settings of a hub in which posts hardly wait for each other."""
    return settings.model_copy(update={"push_linger": linger})


@pytest.fixture
def service(runtime: Runtime) -> Iterator[str]:
    """The address of the hub's API."""
    with serving(lambda: runtime) as url:
        yield url


@pytest.fixture
def token_for(runtime: Runtime) -> Callable[..., str]:
    """Enter a client with rights and return its token."""

    def make(*rights: str, code: str = "labour-it", days: int = 1) -> str:
        token, _ = clients.make(runtime.engine, runtime.protector, code=code, organ=ORGAN, rights=rights, days=days)
        return token

    return make
