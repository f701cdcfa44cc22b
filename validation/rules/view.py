"""What a rule of meaning sees, and what it says: canonical columns in, breaches out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from hub.documents import Column, Document

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Breach:
    """Rows of one column that break a rule; `reasons` has one word for each row, or none at all."""

    column: str
    rows: Rows
    details: Sequence[Mapping[str, str]]


@dataclass(slots=True)
class View:
    """The canonical rows of one table, with what rules need to know around them.

    `invented` marks the values already found to be placeholders: no other rule judges those, so that one bad value
    gives one finding.
    """

    document: Document
    frame: pd.DataFrame
    read_at: datetime
    zone: str
    invented: dict[str, Mask] = field(default_factory=dict)

    def columns(self, *kinds: str) -> Iterator[Column]:
        """Walk the columns of these kinds that the frame has."""
        for column in self.document.columns.values():
            if column.kind in kinds and column.name in self.frame:
                yield column

    def texts(self, name: str) -> pa.Array:
        """Return a column of texts, with invented values left out."""
        values = text_array(self.frame[name])
        mask = self.invented.get(name)
        return values if mask is None or not mask.any() else pc.if_else(pa.array(~mask), values, None)

    def equal(self, name: str, word: str) -> Mask:
        """Say for each row whether a code is `word`; nowhere if the frame has no such column."""
        if name not in self.frame:
            return np.zeros(len(self.frame), dtype=np.bool_)
        return np.asarray(self.frame[name].eq(word).fillna(value=False), dtype=np.bool_)


MeaningRule = Callable[[View], Iterator[Breach]]


def text_array(series: pd.Series[Any]) -> pa.Array:
    """Return a column of texts as one Arrow array, without copying where pandas holds it so."""
    found = pa.array(series.array, from_pandas=True)
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    return found if pa.types.is_large_string(found.type) else found.cast(pa.large_string())
