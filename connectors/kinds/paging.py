"""How services hand out their records page by page: what to ask for next, and when all is had."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from connectors.http import Answer
from connectors.pointer import find

_LINK = re.compile(r'<([^>]*)>\s*;[^,]*?\brel\s*=\s*"?([^",;]+)"?')


@dataclass(frozen=True, slots=True)
class Ask:
    """What to ask for: a path or link, and parameters."""

    path: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """What came: its answer, the document in it, how many records it has and how many came with it so far."""

    answer: Answer
    document: Any
    count: int
    sum: int
    total: int | None


class Paging(Protocol):
    """A style of paging."""

    def first(self, ask: Ask) -> Ask:
        """Return the first page's question."""

    def next(self, ask: Ask, page: Page) -> Ask | None:
        """Return the next page's question; None where all is had."""


@dataclass(frozen=True, slots=True)
class Single:
    """One answer holds all."""

    def first(self, ask: Ask) -> Ask:
        """Ask as declared."""
        return ask

    def next(self, ask: Ask, page: Page) -> Ask | None:
        """Never ask again."""
        del ask, page
        return None  # mypy wants the None that the type promises


@dataclass(frozen=True, slots=True)
class Counted:
    """Pages by number or by offset. A short page ends the pull only where that was declared: a service may hold its
    pages shorter than was asked, and the rest would be lost without a sign. Else an empty page or the total ends it."""

    param: str
    begin: int
    by_records: bool
    size_param: str | None
    size: int | None
    stop_short: bool

    def first(self, ask: Ask) -> Ask:
        """Ask for the first page."""
        sized = {self.size_param: self.size} if self.size_param and self.size else {}
        return Ask(ask.path, {**ask.params, **sized, self.param: self.begin})

    def next(self, ask: Ask, page: Page) -> Ask | None:
        """Ask for the next page."""
        if page.count == 0 or (page.total is not None and page.sum >= page.total):
            return None
        if self.stop_short and self.size and page.count < self.size:
            return None
        here = int(ask.params[self.param])
        return Ask(ask.path, {**ask.params, self.param: here + (page.count if self.by_records else 1)})


@dataclass(frozen=True, slots=True)
class Cursored:
    """Each answer bears the token of the next; none or an empty one ends the pull."""

    param: str
    pointer: str
    size_param: str | None
    size: int | None

    def first(self, ask: Ask) -> Ask:
        """Ask without a token."""
        sized = {self.size_param: self.size} if self.size_param and self.size else {}
        return Ask(ask.path, {**ask.params, **sized})

    def next(self, ask: Ask, page: Page) -> Ask | None:
        """Ask with the token of the last answer."""
        try:
            token = find(page.document, self.pointer)
        except KeyError:
            return None
        return Ask(ask.path, {**ask.params, self.param: token}) if token not in (None, "", False) else None


@dataclass(frozen=True, slots=True)
class Linked:
    """Each answer bears the next one's address in its Link header (RFC 8288)."""

    size_param: str | None
    size: int | None

    def first(self, ask: Ask) -> Ask:
        """Ask as declared."""
        sized = {self.size_param: self.size} if self.size_param and self.size else {}
        return Ask(ask.path, {**ask.params, **sized})

    def next(self, ask: Ask, page: Page) -> Ask | None:
        """Follow the link whose relation is `next`."""
        del ask
        for target, relations in _LINK.findall(page.answer.headers.get("Link", "")):
            if "next" in relations.split():
                return Ask(target, {})
        return None


def paging_of(declared: Mapping[str, Any]) -> Paging:
    """Return the paging style that a stream declares."""
    style, size_param, size = declared.get("style", "none"), declared.get("size_param"), declared.get("size")
    if style == "page":
        short = declared.get("stop") == "short"
        return Counted(declared.get("param", "page"), declared.get("first", 1), False, size_param, size, short)
    if style == "offset":
        short = declared.get("stop") == "short"
        return Counted(declared.get("param", "offset"), 0, True, size_param, size, short)
    if style == "cursor":
        return Cursored(declared["param"], declared["next"], size_param, size)
    if style == "link":
        return Linked(size_param, size)
    return Single()
