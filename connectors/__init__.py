"""Collect: reads records out of departments' systems and files, judging nothing but whether they can be read.

source = connectors.loading.load_sources(paths)[0]
connector = connectors.open(source, settings.connection, keyed_hash=protector.content_hash)
for piece in connector.read(source.stream("PRE_NODE"), state, slice_size=20_000, full=False): ...
"""

from connectors.registry import open_connector as open  # noqa: A004  # connectors.open reads as a sentence
from connectors.seam import CheckItem, CheckReport, Connector, DiscoveredField, DiscoveredStream, KeepsUnits
from connectors.source import Cursor, Expect, Owner, Source, StreamSpec

__all__ = [
    "CheckItem",
    "CheckReport",
    "Connector",
    "Cursor",
    "DiscoveredField",
    "DiscoveredStream",
    "Expect",
    "KeepsUnits",
    "Owner",
    "Source",
    "StreamSpec",
    "open",
]
