"""What an application has open while it serves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from starlette.requests import HTTPConnection

from pipeline.runtime import Runtime
from web.knocks import Knocks


@dataclass(frozen=True, slots=True)
class State:
    """What routes work with; made when the application starts, closed when it ends."""

    runtime: Runtime
    knocks: Knocks = field(default_factory=Knocks)


def state_of(request: HTTPConnection) -> State:
    """Return the state of the application that a request came to."""
    return cast("State", request.app.state.hub)
