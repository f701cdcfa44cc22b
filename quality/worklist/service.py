"""What pages, commands and routes do with the work list, in one place."""

from __future__ import annotations

from quality.worklist.corrections import approve, propose, reject
from quality.worklist.deeds import replay, waive
from quality.worklist.entries import KINDS, MOST, Entry, Kind, entries
from quality.worklist.errors import CorrectionRefused, NotDone, NotFound
from quality.worklist.opened import HIDDEN, Becomes, Opened, RawField, opened
from quality.worklist.proposed import Proposed, proposals

__all__ = [
    "HIDDEN",
    "KINDS",
    "MOST",
    "Becomes",
    "CorrectionRefused",
    "Entry",
    "Kind",
    "NotDone",
    "NotFound",
    "Opened",
    "Proposed",
    "RawField",
    "approve",
    "entries",
    "opened",
    "proposals",
    "propose",
    "reject",
    "replay",
    "waive",
]
