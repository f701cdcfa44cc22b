"""Reads suites, and fails loudly where not every expectation of a file was built.

Great Expectations itself logs and drops an expectation that it cannot build, so that a typo weakens a suite in
silence. Here each is built on its own, every fault is told with its place, and what was built is counted against what
is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from great_expectations.core import ExpectationSuite
from great_expectations.exceptions.exceptions import GreatExpectationsError
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

from hub.errors import HubError
from hub.findings import RULES
from quality.sets import expectations as own
from quality.sets.relation import SUITES

Bound = Literal["min", "max"]
_META = frozenset({"rule", "field", "bound", "title", "title_zh"})


class SuiteError(HubError):
    """A suite did not load whole; carries every fault."""

    exit_status = 78

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(["Suites did not load whole:", *faults]))


@dataclass(frozen=True, slots=True)
class Asked:
    """One expectation of a suite: what the library built, and whom and what its result speaks of.

    A breach of a `min` bound means that something is missing or broken and blocks publishing; one of a `max` bound
    means that there is too much of something and warns.
    """

    built: Expectation
    rule: str
    field: str
    bound: Bound
    title: str | None = None
    title_zh: str | None = None

    @property
    def code(self) -> str:
        """Return the name of the expectation: its type and the column that it looks at."""
        column = getattr(self.built, "column", None)
        return f"{self.built.expectation_type}({column})" if column else str(self.built.expectation_type)


@dataclass(frozen=True, slots=True)
class Suite:
    """The expectations of one canonical document."""

    name: str
    asked: Sequence[Asked]

    def as_library(self) -> ExpectationSuite:
        """Return the suite as Great Expectations knows it."""
        return ExpectationSuite(name=self.name, expectations=[one.built.configuration for one in self.asked])


@cache
def suites(folder: Path = SUITES) -> Mapping[str, Suite]:
    """Return every suite of the folder by its name (that of the canonical document).

    Raises:
        SuiteError: an expectation of any suite cannot be built or says no rule; every fault is listed.
    """
    faults: list[str] = []
    read = [_read(file, faults) for file in sorted(folder.glob("*.json"))]
    if not read:
        faults.append(f"{folder.name}: no suite (*.json) in this folder")
    if faults:
        raise SuiteError(faults)
    return {suite.name: suite for suite in read if suite is not None}


def load_suite(file: Path) -> Suite:
    """Read one suite.

    Raises:
        SuiteError: as `suites` does.
    """
    faults: list[str] = []
    suite = _read(file, faults)
    if faults or suite is None:
        raise SuiteError(faults)
    return suite


def _read(file: Path, faults: list[str]) -> Suite | None:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        name, written = said["name"], said["expectations"]
    except (ValueError, TypeError, KeyError) as error:
        faults.append(f"{file.name}: no suite as Great Expectations writes it ({error!r})")
        return None
    if name != file.stem:
        faults.append(f"{file.name}: the suite is named {name!r}, its file {file.stem!r}")
    places = [(f"{file.name}: expectation {place}", one) for place, one in enumerate(written, start=1)]
    asked = [built for place, one in places if (built := _build(one, place, faults)) is not None]
    faults += [f"{file.name}: {code} is asked twice" for code in _twice(one.code for one in asked)]
    if len(asked) != len(written):
        faults.append(f"{file.name}: {len(written)} expectations are written and {len(asked)} were built")
    return Suite(name, tuple(asked))


def _build(said: Any, place: str, faults: list[str]) -> Asked | None:
    if not isinstance(said, Mapping) or not isinstance(said.get("type"), str):
        faults.append(f"{place}: no expectation (it has no type)")
        return None
    place = f"{place} ({said['type']})"
    meta = said.get("meta") or {}
    wrong = list(_faults_of_meta(meta))
    try:
        built = ExpectationConfiguration(**said).to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError) as error:
        wrong.append(" ".join(str(error).split()))
    faults += [f"{place}: {one}" for one in wrong]
    return None if wrong else Asked(built, **{"field": "", **meta})


def _faults_of_meta(meta: Mapping[str, Any]) -> Iterator[str]:
    rule = meta.get("rule")
    if not isinstance(rule, str) or rule not in RULES or RULES[rule].scope != "set":
        sets = ", ".join(code for code, one in RULES.items() if one.scope == "set")
        yield f"meta.rule {rule!r} is no rule of scope set in hub/rules.csv (known: {sets})"
    if meta.get("bound") not in ("min", "max"):
        yield f"meta.bound {meta.get('bound')!r} is neither min nor max"
    for name in sorted(meta.keys() - _META):
        yield f"meta.{name} is unknown (known: {', '.join(sorted(_META))})"


def _twice(codes: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [code for code in codes if code in seen or seen.add(code)]  # type: ignore[func-returns-value]  # add notes it


OWN = frozenset(name for name in own.__all__ if name.startswith("Expect"))
"""The classes of our own expectations; importing them here registers them with the library."""
