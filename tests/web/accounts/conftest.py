"""Accounts of a test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.visitor import DEPARTMENT
from pipeline.runtime import Runtime
from tests.departments import ORGAN
from tests.web.browser import PASSWORD, Browser
from web.accounts import service


@pytest.fixture
def account(runtime: Runtime) -> Callable[..., str]:
    """Enter an account with one role and return its code."""

    def make(role: str = "steward", code: str | None = None, **more: str) -> str:
        chosen = code or role.replace("_", "-")
        organ = ORGAN if role == DEPARTMENT else None
        values = {"name": "王萍", "roles": [role], "organ": organ, "password": PASSWORD, "actor": "cli:test", **more}
        service.make(runtime.engine, code=chosen, **values)  # type: ignore[arg-type]  # a dict of the right kinds
        return chosen

    return make


@pytest.fixture
def browser(service: str) -> Browser:
    """A browser at the hub."""
    return Browser(service)
