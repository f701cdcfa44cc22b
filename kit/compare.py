"""Compares what a system has with what is declared of it: fields that the mapping does not know, and the reverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.seam import DiscoveredStream
from connectors.source import Source, StreamSpec
from normalization.model import StreamMapping

_OF_TABLES = frozenset({"database", "exchange_table"})
_SURE_FORMATS = frozenset({"csv", "xlsx"})
"""Formats whose header names every column; elsewhere an absent field may only be empty."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a stream's fields differ. `certain` says that a field not found is really not there."""

    stream: str
    found: bool
    unknown: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    certain: bool = True

    @property
    def alike(self) -> bool | None:
        """Say whether the stream is as declared; None where that cannot be told."""
        if not self.found:
            return None
        if self.unknown or (self.absent and self.certain):
            return False
        return None if self.absent else True

    @property
    def sentence(self) -> str:
        """Say it in words."""
        if not self.found:
            return "cannot tell: the system shows no fields of it yet"
        parts = []
        if self.unknown:
            parts.append(f"the system has fields that are not declared: {', '.join(self.unknown)}")
        if self.absent and self.certain:
            parts.append(f"declared fields that the system has not: {', '.join(self.absent)}")
        elif self.absent:
            parts.append(f"cannot tell: not seen in the first records, perhaps empty: {', '.join(self.absent)}")
        return "; ".join(parts) or "all fields are as declared"


def differences(
    source: Source, mapped: dict[str, StreamMapping], found: Sequence[DiscoveredStream]
) -> list[Difference]:
    """Compare every declared stream with what was discovered."""
    out = []
    for name, spec in source.streams.items():
        seen = match(spec, found)
        if seen is None or not seen.fields:
            out.append(Difference(name, found=False))
            continue
        out.append(_difference(source, spec, mapped[name], seen))
    return out


def match(spec: StreamSpec, found: Sequence[DiscoveredStream]) -> DiscoveredStream | None:
    """Find the discovered table, pattern or endpoint that a declared stream reads."""
    table, schema = str(spec.options.get("table", spec.name)), spec.options.get("schema")
    wanted = [f"{schema}.{table}"] if schema else [spec.name, table]
    for name in wanted:
        for one in found:
            if one.name == name:
                return one
    folded = {name.lower() for name in wanted}
    return next((one for one in found if one.name.lower() in folded), None)


def _difference(source: Source, spec: StreamSpec, mapped: StreamMapping, seen: DiscoveredStream) -> Difference:
    options = spec.options
    case = options.get("names", "as_is")
    names = [_cased(one.name, case) for one in seen.fields]
    chosen, left_out = ({_cased(one, case) for one in options.get(name, ())} for name in ("columns", "leave_out"))
    tables = source.kind in _OF_TABLES
    if tables:
        names = [name for name in names if name not in left_out and (not chosen or name in chosen)]
    declared = list(mapped.schema["properties"])
    sparse = bool(mapped.schema.get("x-sparse", False))
    certain = not sparse and (tables or options.get("format") in _SURE_FORMATS)
    return Difference(
        spec.name,
        found=True,
        unknown=tuple(name for name in names if name not in declared),
        absent=tuple(name for name in declared if name not in names),
        certain=certain,
    )


def _cased(name: str, case: str) -> str:
    return name.upper() if case == "upper" else name.lower() if case == "lower" else name
