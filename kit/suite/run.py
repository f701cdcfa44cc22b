"""Runs the standard suite over one source."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.errors import HubError
from hub.settings import Settings
from kit.suite import connection, enveloped, examples, httptrouble, posted, reading, secrets, spec, trouble
from kit.suite.result import Check, Result, Status, cannot, failed, passed
from kit.suite.stand import MOST, Stand, refusal, stand_of
from kit.suite.waivers import FILE, Waivers, read_waivers

Said = Callable[[str], None]
"""Called with the name of each check before it runs."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one check of the suite ended."""

    check: str
    proves: str
    status: Status
    message: str
    seconds: float


def _waivers_valid(stand: Stand) -> Result:
    """Judge the file of waivers itself."""
    found = read_waivers(stand.folder, NAMES)
    if found.faults:
        return failed("; ".join(map(str, found.faults)))
    return passed(f"{len(found.reasons)} checks are waived, each with a reason")


CHECKS: tuple[Check, ...] = (
    *spec.CHECKS,
    *secrets.CHECKS,
    Check(
        "waivers-valid",
        f"{FILE} waives only checks that there are, each with a written reason",
        "folder",
        _waivers_valid,
    ),
    *examples.CHECKS,
    *posted.CHECKS,
    *connection.CHECKS,
    *reading.CHECKS,
    *httptrouble.CHECKS,
    *trouble.CHECKS,
    *enveloped.CHECKS,
)
"""The standard suite, in the order in which it runs."""

NAMES = tuple(one.name for one in CHECKS)
_ALWAYS = frozenset({"waivers-valid", "no-secret-in-files", "no-person-in-files"})
"""Checks that run although the folder cannot be loaded; the first of them can never be waived."""


def run(
    code: str, settings: Settings, *, only: Iterable[str] = (), most: int = MOST, said: Said | None = None
) -> list[Outcome]:
    """Run the suite, or the checks named by `only`, over one source.

    Raises:
        UnknownSource: no source folder has this code.
    """
    chosen = [one for one in CHECKS if not only or one.name in set(only)]
    with stand_of(code, settings, most=most) as stand:
        return list(_outcomes(stand, chosen, said))


def _outcomes(stand: Stand, chosen: list[Check], said: Said | None) -> Iterator[Outcome]:
    waivers = read_waivers(stand.folder, NAMES)
    for check in chosen:
        if said is not None:
            said(check.name)
        began = time.monotonic()
        result = outcome(stand, check, waivers)
        yield Outcome(check.name, check.proves, result.status, result.message, round(time.monotonic() - began, 2))


def outcome(stand: Stand, check: Check, waivers: Waivers) -> Result:
    """Run one check, unless it is waived or has nothing to run on."""
    if check.name in waivers.reasons and check.name != "waivers-valid":
        return Result(Status.WAIVED, waivers.reasons[check.name])
    if stand.subject is None and check.name not in {*_ALWAYS, "spec-valid"}:
        return cannot("the folder cannot be loaded: see spec-valid")
    if check.needs == "system" and stand.system is None:
        return cannot(stand.no_system)
    try:
        return check.run(stand)
    except HubError as error:
        return failed(f"{type(error).__name__}: {refusal(error)}")
    except Exception as error:  # noqa: BLE001  # a connector of a folder's own may raise anything; the suite is to tell
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        return failed(
            f"{type(error).__name__} at {place}, which says nobody what to do: raise an error of hub/errors.py"
        )
