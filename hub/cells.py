"""What a spreadsheet program would compute instead of showing."""

from __future__ import annotations

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def like_formula(text: str) -> bool:
    """Say whether a spreadsheet program may take a cell for a formula: also after blanks, also in full-width signs."""
    return text.lstrip(" ").startswith(_FORMULA)
