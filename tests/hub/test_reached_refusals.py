"""Whatever refusal a page can reach is worded in both languages: found by walking the code from the pages' routes.

A new one cannot be forgotten: no list names the places at which pages refuse, only those that no page
shows as they are.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from fastapi import APIRouter

from hub.errors import HubError
from hub.sentences import sentences
from tests.hub.reaching import Place, meant, module, names, reached
from web.app import PAGES

FOR_OPERATORS = ("connectors", "normalization", "validation", "sharedrepo", "hub.protect", "hub.settings", "hub.errors")
"""Errors that these define say what is broken in the hub or in its configuration. A page shows them in English, with
the request to hand them to the operators (`hub.templating.told`)."""
BELOW = ("connectors", "normalization", "validation", "hub.protect", "sharedrepo.archive", "sharedrepo.embedded")
"""Of these, which know nothing of persons, the walk follows nothing further."""
FOR_PROGRAMS = (
    "verification.checks.judging", "verification.checks.service", "verification.rights.callers",
    "verification.audit.watch", "web.knocks",
)  # fmt: skip
"""Modules whose refusals are answers to programs."""
SAID_OTHERWISE = {
    "BadScope": "mining_routes says that there are no such cases",
    "NoCalendar": "days_routes shows an empty explanation",
    "NoSuchCase": "days_routes says that nothing is known",
    "CannotSettle": "unmatched_routes says that it was settled meanwhile",
    "CannotWrite": "files of a temporary folder, which is new",
    "InputsRefused": "frozen inputs lie in our own database: a fault of the hub",
    "CannotBeAccount": "own.py looks at the password first and shows its own words",
}
"""Errors that no page shows as they are, and why not."""
SHARED = {"RepositoryError", "SourceBusy"}
"""Errors of the common language that deeds of persons raise, too."""


class Refusal(NamedTuple):
    """A place that makes a refusal: its class, where it stands, and the call."""

    kind: str
    module: str
    line: int
    call: ast.Call


def starts() -> Iterator[Place]:
    for router, _ in PAGES:
        assert isinstance(router, APIRouter)
        for route in router.routes:
            endpoint = route.endpoint  # type: ignore[attr-defined]  # routes of an APIRouter have one
            yield Place(endpoint.__module__, endpoint.__name__)


@cache
def refusals() -> tuple[Refusal, ...]:
    """Every refusal that a page can reach and may show as it is."""
    found: dict[tuple[str, int, int], Refusal] = {}
    for place in reached(starts(), but=BELOW):
        if place.module in FOR_PROGRAMS:
            continue
        home = module(place.module)
        for node in ast.walk(home.defined[place.name]):
            if not isinstance(node, ast.Call) or not (parts := names(node.func)):
                continue
            made, left = meant(home, place.module, parts)
            if made is not None and not left and _shown(made):
                found[place.module, node.lineno, node.col_offset] = Refusal(
                    made.name, *(place.module, node.lineno), node
                )
    return tuple(found.values())


def _shown(made: Place) -> bool:
    """Say whether this is an error that pages show in their reader's language."""
    if not isinstance(module(made.module).defined[made.name], ast.ClassDef) or made.name in SAID_OTHERWISE:
        return False
    if made.module.startswith(FOR_OPERATORS) and made.name not in SHARED:
        return False
    kind = getattr(importlib.import_module(made.module), made.name)
    return issubclass(kind, HubError)


def test_the_walk_reaches_every_package_that_has_pages() -> None:
    packages = {one.module.partition(".")[0] for one in refusals()}
    assert packages >= {"web", "hub", "quality", "catalog", "supervision", "verification", "pipeline"}
    places = {(one.kind, one.module) for one in refusals()}
    assert ("CardRefuses", "supervision.cards.orders") in places, "through a table of deeds"
    assert ("NotAllowed", "hub.visitor") in places, "through a method of an object"
    assert ("RepositoryError", "pipeline.writing.absence") in places, "five modules away from the page"
    assert len(places) > 60


def test_no_refusal_that_a_page_reaches_hides_its_words_behind_values() -> None:
    hidden = [
        (one.module, one.line)
        for one in refusals()
        for said in (*one.call.args, *(word.value for word in one.call.keywords))
        if _filled_in(said)
    ]
    assert hidden == []


def _filled_in(said: ast.expr) -> bool:
    """Say whether values are put into words here, other than by `sentence`, whose template can be looked up."""
    if isinstance(said, ast.Call) and names(said.func) == ["sentence"]:
        return isinstance(said.args[0], ast.JoinedStr)
    if isinstance(said, ast.Call) and names(said.func) == ["Fault"]:
        return any(_filled_in(one) for one in said.args[1:])  # its first part is a place, not words
    if isinstance(said, ast.BinOp) and isinstance(said.op, ast.Add | ast.Mod):
        return True
    return isinstance(said, ast.JoinedStr) or any(
        _filled_in(part) for part in ast.iter_child_nodes(said) if isinstance(part, ast.expr)
    )


def test_every_refusal_that_a_page_reaches_has_its_words_in_both_languages() -> None:
    unworded, seen = [], 0
    for one in refusals():
        for said in ast.walk(one.call):
            if isinstance(said, ast.Constant) and isinstance(said.value, str) and " " in said.value.strip():
                seen += 1
                if said.value not in sentences():
                    unworded.append((one.module, one.line, said.value))
    assert unworded == []
    assert seen > 150


def test_what_a_class_of_refusals_words_itself_can_be_told_in_both_languages() -> None:
    """A class that puts values into words of its own does it by `sentence`, or keeps its parts for `spoken`."""
    for kind, home in sorted({(one.kind, _home(one)) for one in refusals()}):
        made = module(home).defined.get(f"{kind}.__init__")
        if made is None or kind in PUT_TOGETHER:
            continue
        for one in ast.walk(made):
            assert not isinstance(one, ast.JoinedStr), (kind, home)


PUT_TOGETHER: Mapping[str, str] = {
    "RequestRefused": "pages show `got` and `hint` apart",
    "CardRefuses": "`spoken` puts `got` and `next_step` together anew",
    "CorrectionRefused": "the page shows `why`, and each finding in its reader's language",
}
"""Classes whose English is put together out of parts that are worded one by one, and who does it in Chinese."""


def _home(one: Refusal) -> str:
    made, _ = meant(module(one.module), one.module, names(one.call.func))
    assert made is not None
    return made.module
