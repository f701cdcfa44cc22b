"""Entries of settings that name gateways of Apprise: how each is written, and that nobody logs what it holds."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ENTRY: Final = re.compile(
    r"(?:(?P<organs>[0-9A-Za-z][0-9A-Za-z,_-]*)=)?(?P<url>[A-Za-z][A-Za-z0-9+.-]*://.*)", re.DOTALL
)
"""`scheme://…`, or `ORGAN,ORGAN=scheme://…` for some departments only."""

_TALKATIVE: Final = ("apprise", "urllib3")
"""Loggers that write URLs down, tokens and all."""


@contextmanager
def silent() -> Iterator[None]:
    """Keep libraries from logging addresses while the body runs."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
