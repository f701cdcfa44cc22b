"""Complaint 19, dependency pins collide: the locked packages go together on every Python that the hub runs on.

The packages' own metadata is asked, of those that are installed; no network is needed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = {"3.11": "3.11.7", "3.12": "3.12.8", "3.13": "3.13.1"}
_PIN = re.compile(r"^([a-z0-9._-]+)==(\S+?)(?: ; (.+?))? \\$", re.MULTILINE)


def environment(python: str) -> dict[str, str]:
    known = {name: str(value) for name, value in default_environment().items()}
    return known | {"python_version": python, "python_full_version": PYTHONS[python]}


def pins(python: str) -> dict[str, str]:
    """What the lock installs on a Python."""
    lines = _PIN.findall((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    mine = [(name, pin) for name, pin, marker in lines if not marker or Marker(marker).evaluate(environment(python))]
    assert len(dict(mine)) == len(mine), "one version of each package"
    return {canonicalize_name(name): pin for name, pin in mine}


@cache
def installed() -> dict[str, Distribution]:
    return {canonicalize_name(one.name): one for one in distributions()}


def asked_by_the_project() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    return [Requirement(line) for line in [*project["dependencies"], *extras]]


def asked(name: str, extras: frozenset[str], python: str) -> Iterator[Requirement]:
    """What a package asks for on a Python, with the extras that are wanted of it."""
    found = installed().get(name)
    for line in (found.requires if found is not None else None) or ():
        one = Requirement(line)
        wanted = [environment(python) | {"extra": extra} for extra in extras or {""}]
        if one.marker is None or any(one.marker.evaluate(each) for each in wanted):
            yield one


def faults(python: str) -> tuple[list[str], set[str]]:
    """Follow what is asked from the project on; say what the lock does not give, and what was reached."""
    locked, wrong, seen = pins(python), [], set()
    ahead = [("the project", one) for one in asked_by_the_project()]
    while ahead:
        by, one = ahead.pop()
        name, pin = canonicalize_name(one.name), locked.get(canonicalize_name(one.name))
        if pin is None:
            wrong.append(f"{by} asks for {one}, which is not locked")
        elif not one.specifier.contains(pin, prereleases=True):
            wrong.append(f"{by} asks for {one}, locked is {pin}")
        for extras in (frozenset(), frozenset(one.extras)):
            if (name, extras) not in seen:
                seen.add((name, extras))
                ahead += [(name, each) for each in asked(name, extras, python)]
    return sorted(wrong), {name for name, _ in seen}


@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_of_every_package_is_met_by_the_lock(python: str) -> None:
    wrong, reached = faults(python)
    assert wrong == []
    assert len(reached) > 150
    assert set(pins(python)) - reached - newer(python) == set(), "nothing is locked that nobody asks for"


def newer(python: str) -> set[str]:
    """Packages of which another version, or none, is installed here: what they ask for is not known."""
    return {name for name, pin in pins(python).items() if name not in installed() or installed()[name].version != pin}


@pytest.mark.parametrize("python", PYTHONS)
def test_every_locked_package_runs_on_every_python_of_ours(python: str) -> None:
    supported = {name: installed()[name].metadata.get("Requires-Python") for name in set(pins(python)) - newer(python)}
    assert len(supported) > 150
    assert [name for name, said in supported.items() if said and PYTHONS[python] not in SpecifierSet(said)] == []


def test_a_collision_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    locked = pins("3.11")
    monkeypatch.setattr("tests.test_requirements.pins", lambda _: {**locked, "pandas": "2.2.0"})
    assert "the project asks for pandas<4,>=3.0, locked is 2.2.0" in faults("3.11")[0]
