"""The mapping that a source is read with."""

from __future__ import annotations

from connectors.source import Source
from normalization.mapping import Mapping, load_mapping
from pipeline.runtime import Runtime


def mapping_of(runtime: Runtime, source: Source) -> Mapping:
    """Load a source's mapping.

    Raises:
        ConfigError: something is wrong with it; every fault is listed with file and line.
    """
    return load_mapping(source.mapping, runtime.documents)
