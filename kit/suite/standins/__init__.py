"""Systems made of a source's valid examples, so that its connector can be tried where the department's cannot be had.

They are real ones: a SQLite database, exchange tables in one, a folder of files, an event log, a service over HTTP or
SOAP on loopback, a small broker with queues.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from kit.samples import Samples
from kit.subject import Subject
from kit.suite.standins.base import StandIn

_MAKERS: Mapping[str, tuple[str, str]] = {
    "database": ("database", "make_database"),
    "exchange_table": ("exchange", "make_exchange_tables"),
    "files": ("files", "make_folder"),
    "queue": ("queue", "make_queues"),
    "rest": ("service", "make_service"),
    "soap": ("soap", "make_soap_service"),
    "workbook": ("workbook", "make_workbooks"),
    "xes": ("log", "make_log"),
}
"""The module and function of each kind; only those of the kind that is asked for are imported."""


def make(subject: Subject, samples: Samples, place: Path, stack: ExitStack) -> StandIn | str:
    """Make a system of the examples in `place`, or say why that cannot be; `stack` puts it away."""
    if not any(one.valid for one in samples.found):
        return "there are no valid examples to make a system of (samples/valid)"
    kind = subject.source.kind
    if kind not in _MAKERS:
        return f"no system of kind {kind} can be made of examples"
    module, name = _MAKERS[kind]
    maker = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    made: StandIn | str = maker(subject, samples, place, stack)
    return made
