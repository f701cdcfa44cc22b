"""What a check is, and how it may end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kit.suite.stand import Stand


class Status(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    WAIVED = "waived"
    CANNOT = "cannot run here"


@dataclass(frozen=True, slots=True)
class Result:
    """How a check ended, and the sentence that says why or what was proven."""

    status: Status
    message: str


Needs = Literal["folder", "samples", "system"]
"""What a check works on: the folder's files, its examples, or a system that can be read."""


@dataclass(frozen=True, slots=True)
class Check:
    """One named check of the standard suite."""

    name: str
    proves: str
    needs: Needs
    run: Callable[[Stand], Result]


def passed(message: str) -> Result:
    """Say that a check proved what it proves."""
    return Result(Status.PASSED, message)


def failed(message: str) -> Result:
    """Say that a check found the opposite; the message says what to do."""
    return Result(Status.FAILED, message)


def cannot(message: str) -> Result:
    """Say that a check could not be run, and why."""
    return Result(Status.CANNOT, message)


def together(results: dict[str, Result]) -> Result:
    """Put the results of several streams together: one failure fails, and what could not be run is named."""
    if not results:
        return cannot("the source has no streams")
    bad = {name: one for name, one in results.items() if one.status is Status.FAILED}
    if bad:
        return failed("; ".join(f"{name}: {one.message}" for name, one in bad.items()))
    good = {name: one for name, one in results.items() if one.status is Status.PASSED}
    left = {name: one.message for name, one in results.items() if name not in good}
    if not good:
        reasons = list(dict.fromkeys(left.values()))
        return cannot(reasons[0] if len(reasons) == 1 else "; ".join(f"{name}: {why}" for name, why in left.items()))
    said = "; ".join(f"{name}: {one.message}" for name, one in good.items())
    return passed(said + "".join(f"; {name} cannot run here: {why}" for name, why in left.items()))
