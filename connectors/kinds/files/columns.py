"""Names the columns of a table that people made: finds the header, resolves aliases, tells repeated names apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.kinds.files.where import Where
from connectors.limits import Limits
from hub.records import BrokenRecord

WITHIN = 50
"""Rows in which a header that is searched for must stand."""


def find_header(rows: Iterator[tuple[int, list[str]]], options: Mapping[str, Any], where: Where) -> list[str] | None:
    """Take rows up to the header and return its cells; None where the file has no header by declaration.

    Raises:
        TruncatedUnit: the file holds no row at all.
        RefuseUnit: no row has the names that are searched for.
    """
    header = options.get("header", {"skip": 0})
    if header == "none":
        return None
    if "find" in header:
        return _search(rows, header, options.get("aliases", {}), where)
    for _ in range(header["skip"]):
        next(rows, None)
    for _, cells in rows:
        if any(cell.strip() for cell in cells):
            return cells
    raise where.truncated("the file holds no header")


def _search(
    rows: Iterator[tuple[int, list[str]]], header: Mapping[str, Any], aliases: Mapping[str, Sequence[str]], where: Where
) -> list[str]:
    canonical = {other: name for name, others in aliases.items() for other in others}
    wanted = {canonical.get(name, name) for name in header["find"]}
    within = int(header.get("within", WITHIN))
    seen = 0
    for _, cells in rows:
        seen += 1
        if wanted <= {canonical.get(clean(cell), clean(cell)) for cell in cells}:
            return cells
        if seen >= within:
            break
    if not seen:
        raise where.truncated("the file holds no row")
    raise where.refused(
        f"no header within {min(seen, within)} rows",
        known=", ".join(header["find"]),
        hint="Compare the file's header with `header` and `aliases` in source.yml.",
    )


def clean(name: str) -> str:
    """Return a header cell as it is compared: without blanks and line breaks around and inside doubled."""
    return " ".join(name.replace("\ufeff", "").split())


def name_columns(header: Sequence[str] | None, options: Mapping[str, Any], where: Where, limits: Limits) -> list[str]:
    """Return the field names of a table's columns.

    A name that stands twice becomes `name__2`; a column without a name `column_7`, which a mapping can ignore.

    Raises:
        HostileInput: there are more columns than any honest table has.
    """
    if header is None:
        return list(options["columns"])
    while header and not header[-1].strip():
        header = header[:-1]
    if len(header) > limits.columns:
        raise where.hostile(f"the table has {len(header):,} columns", known=f"at most {limits.columns:,}")
    canonical = {other: name for name, others in options.get("aliases", {}).items() for other in others}
    names: list[str] = []
    counts: dict[str, int] = {}
    for position, cell in enumerate(header, 1):
        cleaned = clean(cell)
        name = canonical.get(cleaned, cleaned) or f"column_{position}"
        counts[name] = counts.get(name, 0) + 1
        names.append(name if counts[name] == 1 else f"{name}__{counts[name]}")
    return names


def table_body(
    split: Iterator[tuple[int, list[str] | BrokenRecord]],
    options: Mapping[str, Any],
    where: Where,
    declared: dict[str, int],
) -> Iterator[tuple[int, list[str] | BrokenRecord]]:
    """Yield the rows below the header: no blank ones, and not the closing line, whose count goes into `declared`.

    Raises:
        TruncatedUnit: the closing line that the stream declares is missing.
        RefuseUnit: rows stand behind it.
    """
    pattern = re.compile(options["trailer"]) if "trailer" in options else None
    closed = 0
    for number, cells in split:
        if isinstance(cells, list):
            if not any(cells):
                continue
            if pattern and (found := pattern.search(next(cell for cell in cells if cell))):
                closed = number
                if found.groups() and found.group(1):
                    declared["records"] = int(found.group(1).replace(",", ""))
                continue
        if closed:
            raise where.refused(f"line {number} stands behind the closing line {closed}")
        yield number, cells
    if pattern and not closed:
        raise where.truncated("the closing line is missing")
