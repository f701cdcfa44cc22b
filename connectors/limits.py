"""The bounds that no honest input reaches. Every reader stops at them: at once, and in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one stream; `limits:` in its options overrides single ones."""

    file_bytes: int = 2048 * MIB
    unpacked_bytes: int = 2048 * MIB
    ratio: int = 200
    line_bytes: int = 16 * MIB
    cell_chars: int = 1 * MIB
    columns: int = 2_000
    rows: int = 50_000_000
    files: int = 20_000
    sheet_cells: int = 8_000_000
    depth: int = 64
    body_bytes: int = 64 * MIB
    pages: int = 100_000

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Limits:
        """Return the bounds that a stream's options set."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: int(value) for name, value in options.get("limits", {}).items() if name in known})


RATIO_FROM = 16 * MIB
"""An unpacked size below this is never judged by its ratio: small files of blanks pack well."""
