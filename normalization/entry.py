"""How cases were entered, where a mapping does not say and the kind of source does."""

from __future__ import annotations

from dataclasses import replace

from hub.documents import Documents
from normalization.model import ColumnMap, StreamMapping, Yield

_TABLE, _COLUMN = "approval_case", "entry_mode"


def entered(stream: StreamMapping, documents: Documents, mode: str | None) -> StreamMapping:
    """Return the mapping with `mode` as every case's entry mode; what the mapping itself says comes first."""
    if mode is None or not any(made.table == _TABLE for made in stream.yields):
        return stream
    return replace(stream, yields=tuple(_with(made, documents, mode) for made in stream.yields))


def _with(made: Yield, documents: Documents, mode: str) -> Yield:
    if made.table != _TABLE or any(one.column.name == _COLUMN for one in made.columns):
        return made
    said = ColumnMap(documents[_TABLE].columns[_COLUMN], made.line, how="const", const=mode)
    return replace(made, columns=(*made.columns, said))
