"""The mapping that a source is read with: the one that it names, and the corrections that it declares itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as ReadOnly
from dataclasses import replace
from typing import Any

from connectors.source import Source
from hub import jsontext
from hub.mends import Replacement
from normalization.mapping import Mapping, load_mapping
from pipeline.runtime import Runtime


def mapping_of(runtime: Runtime, source: Source) -> Mapping:
    """Load a source's mapping with its corrections.

    Raises:
        ConfigError: something is wrong with the mapping; every fault is listed with file and line.
    """
    return corrected(load_mapping(source.mapping, runtime.documents), source)


def corrected(mapping: Mapping, source: Source) -> Mapping:
    """Add what a source's declaration says is sent wrong to its mapping, and to the version that names it."""
    return with_corrections(mapping, {name: one.corrections for name, one in source.streams.items()})


def with_corrections(mapping: Mapping, declared: ReadOnly[str, tuple[Replacement, ...]]) -> Mapping:
    """Add corrections, by stream, to a mapping; without any the mapping and its version stay as they are."""
    declared = {name: said for name, said in declared.items() if said and name in mapping.streams}
    if not declared:
        return mapping
    streams = {name: replace(one, corrections=declared.get(name, ())) for name, one in mapping.streams.items()}
    made = replace(mapping, streams=streams)
    content = mapping.version.encode() + jsontext.dumps(as_lines(made))
    return replace(made, version=hashlib.blake2b(content, digest_size=8).hexdigest())


def as_lines(mapping: Mapping) -> dict[str, list[dict[str, Any]]]:
    """Return the corrections of a mapping, by stream, as JSON has them."""
    return {
        name: [one.as_dict() for one in stream.corrections]
        for name, stream in sorted(mapping.streams.items()) if stream.corrections
    }  # fmt: skip
