"""Systems made of a source's valid examples, so that its connector can be tried where the department's cannot be had.

They are real ones: a SQLite database, a folder of files, a service over HTTP on loopback.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from kit.samples import Samples
from kit.subject import Subject
from kit.suite.standins.base import StandIn


def make(subject: Subject, samples: Samples, place: Path, stack: ExitStack) -> StandIn | str:
    """Make a system of the examples in `place`, or say why that cannot be; `stack` puts it away."""
    if not any(one.valid for one in samples.found):
        return "there are no valid examples to make a system of (samples/valid)"
    kind = subject.source.kind
    if kind == "database":
        from kit.suite.standins.database import make_database  # noqa: PLC0415  # only the kind that is asked for

        return make_database(subject, samples, place)
    if kind == "files":
        from kit.suite.standins.files import make_folder  # noqa: PLC0415  # see above

        return make_folder(subject, samples, place)
    if kind == "rest":
        from kit.suite.standins.service import make_service  # noqa: PLC0415  # see above

        return make_service(subject, samples, stack)
    return f"no system of kind {kind} can be made of examples"
