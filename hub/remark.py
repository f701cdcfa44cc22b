"""What a person says beside a deed, as it is kept: one line of printable characters."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Return a person's words on one line, without control characters: as they may stand in a table, a log, a terminal.

    Line ends and other white space become one blank each; characters that print nothing become blanks.
    """
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
