"""Compares what a system has with what is declared of it: fields that the mapping does not know, and the reverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.seam import DiscoveredField, DiscoveredStream
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
        names = {own: None for _, own in record_fields(source, spec, seen.fields) if own} if seen is not None else {}
        out.append(_difference(source, spec, mapped[name], list(names)) if names else Difference(name, found=False))
    return out


def match(spec: StreamSpec, found: Sequence[DiscoveredStream]) -> DiscoveredStream | None:
    """Find the discovered table, pattern or endpoint that a declared stream reads."""
    options = spec.options
    said = next((str(options[name]) for name in ("table", "operation", "queue") if name in options), spec.name)
    wanted = [f"{options['schema']}.{said}"] if "schema" in options else [spec.name, said]
    for name in wanted:
        for one in found:
            if one.name == name:
                return one
    folded = {name.lower() for name in wanted}
    return next((one for one in found if one.name.lower() in folded), None)


def record_fields(
    source: Source, spec: StreamSpec, fields: Sequence[DiscoveredField]
) -> list[tuple[DiscoveredField, str | None]]:
    """Return each discovered field with the record's field that it fills; None for what stands beside the records.

    A WSDL lists all that an operation takes and answers: its records are found below the declared path.
    """
    if source.kind != "soap":
        case = spec.options.get("names", "as_is")
        return [(one, _cased(one.name, case)) for one in fields]
    if "document" in spec.options:
        return [(one, None) for one in fields]  # the WSDL knows the text, and not what stands in it
    named: dict[tuple[str, ...], str] = {}
    for name, path in spec.options.get("fields", {}).items():
        named[tuple(step.rpartition(":")[2] for step in path.removesuffix("/text()").split("/"))] = name
    way = ["out", *spec.options["records"].split("/")]
    return [(one, _of_record(one.name, way, named)) for one in fields]


def _of_record(name: str, way: Sequence[str], named: dict[tuple[str, ...], str]) -> str | None:
    """Return the record's field that an element of a WSDL fills: by its declared path, else by its first step."""
    steps = [step.removesuffix("[]") for step in name.split("/")]
    if len(steps) <= len(way) or steps[: len(way)] != list(way):
        return None
    inner = tuple(steps[len(way) :])
    found = next(
        (field for path, field in named.items() if path[: len(inner)] == inner or inner[: len(path)] == path), None
    )
    return found or inner[0].removeprefix("@")


def _difference(source: Source, spec: StreamSpec, mapped: StreamMapping, names: list[str]) -> Difference:
    options = spec.options
    case = options.get("names", "as_is")
    chosen, left_out = ({_cased(one, case) for one in options.get(name, ())} for name in ("columns", "leave_out"))
    tables = source.kind in _OF_TABLES
    if tables:
        names = [name for name in names if name not in left_out and (not chosen or name in chosen)]
    declared = list(mapped.schema["properties"])
    sparse = bool(mapped.schema.get("x-sparse", False))
    certain = not sparse and (tables or source.kind == "soap" or options.get("format") in _SURE_FORMATS)
    return Difference(
        spec.name,
        found=True,
        unknown=tuple(name for name in names if name not in declared),
        absent=tuple(name for name in declared if name not in names),
        certain=certain,
    )


def _cased(name: str, case: str) -> str:
    return name.upper() if case == "upper" else name.lower() if case == "lower" else name
