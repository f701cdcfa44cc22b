"""What a route of these pages asks of the application that mounts it; most of it is the same for all packages."""

from __future__ import annotations

from typing import Any, cast

from hub.asking import Pages, chosen, day, form_of, named, number, page, visitor_of
from pipeline.runtime import Runtime

__all__ = ["Pages", "chosen", "day", "form_of", "named", "number", "page", "runtime_of", "visitor_of"]


def runtime_of(request: Any) -> Runtime:
    """Return the open hub."""
    return cast("Runtime", request.app.state.hub.runtime)
