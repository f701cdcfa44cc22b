"""The JSON-lines files of one part of a delivery: one for each stream, opened with its first record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from demo.model import Defect
from demo.shapes.record import Entry, Values


class LineFiles:
    """The files of one part; subclasses say what a record's lines are, and what spoils the part's first file."""

    spoiled = "steps"
    """The stream whose file of the first part carries what is spoiled."""

    def __init__(self, folder: Path, name: str, plans: Mapping[str, Defect]) -> None:
        self._folder, self._name, self.plans = folder, name, plans
        self._open: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def put(self, entry: Entry, values: Values) -> None:
        """Write one record."""
        handle = self._open.get(entry.stream)
        if handle is None:
            file = self._folder / f"{entry.stream}_{self._name}.jsonl"
            handle = self._open[entry.stream] = file.open("w", encoding="utf-8")
            if entry.stream == self.spoiled and self._name.endswith("_01"):
                handle.write(self.besides(values))
        handle.write(self.lines(entry, values))

    def lines(self, entry: Entry, values: Values) -> str:
        """Return the lines of a record."""
        raise NotImplementedError

    def besides(self, values: Values) -> str:
        """Return the lines that spoil a file, before its first record, whose values these are."""
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._open.values():
            handle.close()
