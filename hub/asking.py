"""What a route of a package's pages asks of the application that mounts it, and how addresses and forms are read.

The routes know nothing of that application (decision 29); it leaves these where they are found here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol, cast

from hub.refusals import Malformed, NotFound
from hub.sentences import sentence
from hub.visitor import Visitor


class Pages(Protocol):
    """Fills a template in the reader's language and answers with it."""

    def answer(self, request: Any, template: str, *, status: int = 200, **values: Any) -> Any:
        """Answer with a page."""

    def language(self, request: Any) -> str:
        """Return the language in which a reader is answered."""


def visitor_of(request: Any) -> Visitor:
    """Return the person who is signed in."""
    return cast("Visitor", request.state.visitor)


def page(request: Any, template: str, *, status: int = 200, **values: Any) -> Any:
    """Answer with a page."""
    pages: Pages = request.app.state.pages
    return pages.answer(request, template, status=status, **values)


def form_of(request: Any) -> Mapping[str, str]:
    """Return the fields of the form that was sent."""
    return cast("Mapping[str, str]", request.state.form)


def chosen(request: Any, name: str, longest: int = 200) -> str | None:
    """Return what was chosen in a filter of the page; None where nothing was.

    Raises:
        Malformed: it is longer than anything there is to choose.
    """
    said = str(request.query_params.get(name) or "").strip()
    if len(said) > longest or "\0" in said:
        raise Malformed(sentence("the filter {name} is too long", name=name), hint="Choose on the page.")
    return said or None


def named(said: str, longest: int = 100) -> str:
    """Return a name out of an address.

    Raises:
        NotFound: nothing can have this name: it is too long, or holds what is no printable text.
    """
    if len(said) > longest or not said.isprintable():
        raise NotFound("there is no such thing", hint="Choose on the page.")
    return said


def number(said: str | None, name: str) -> int:
    """Read a number of an address or a form.

    Raises:
        Malformed: it is none that the repository can hold.
    """
    text = (said or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 18):  # noqa: PLR2004  # digits of a 64-bit number
        raise Malformed(sentence("{name} is no number", name=name), hint="Choose on the page.")
    return int(text)


def day(said: str | None, name: str) -> date:
    """Read a day of a form.

    Raises:
        Malformed: it is none.
    """
    with contextlib.suppress(ValueError):
        return date.fromisoformat((said or "").strip())
    raise Malformed(sentence("{name} is no day", name=name), hint="Write it as 2026-01-31.")
