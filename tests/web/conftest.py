"""A hub that serves its API, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pipeline.runtime import Runtime
from sharedrepo import clients
from tests.departments import ORGAN
from tests.web.serving import served
from web.app import create


@pytest.fixture
def service(runtime: Runtime) -> Iterator[str]:
    """The address of the hub's API."""
    with served(create(lambda: runtime)) as url:
        yield url


@pytest.fixture
def token_for(runtime: Runtime) -> Callable[..., str]:
    """Enter a client with rights and return its token."""

    def make(*rights: str, code: str = "labour-it", days: int = 1) -> str:
        token, _ = clients.make(runtime.engine, runtime.protector, code=code, organ=ORGAN, rights=rights, days=days)
        return token

    return make
