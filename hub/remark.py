"""What a person says beside a deed, as it is kept: one line of printable characters."""

from __future__ import annotations

import re


def one_line(text: str) -> str:
    """Return a person's words on one line, without control characters: as they may stand in a table, a log, a terminal.

    Line ends and other white space become one blank each; characters that print nothing become blanks.
    """
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


# Control characters but line ends and tabs, what turns the direction of text or has no width, lone surrogates.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def visible(text: str) -> str:
    """Return a text as a terminal may show it: what it would obey instead of showing is written out as an escape.

    Names of files, fields and codes come from departments' systems: none of them moves a cursor or turns a line round.
    """
    return _OBEYED.sub(lambda one: one[0].encode("unicode_escape").decode("ascii"), text)
