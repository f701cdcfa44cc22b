"""The connector of kind `push`: there is nothing to pull, for departments bring their records themselves.

A pull of such a source therefore reads nothing. It is made all the same, once a day by its schedule: it writes down
that nothing was read, and the pipeline looks after what is due, as children that have waited for their case too long.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.kinds.push.options import PushOptions
from connectors.seam import CheckItem, CheckReport, DiscoveredStream, KeyedHash
from connectors.source import Source, StreamSpec
from hub.records import Record, Slice


class PushConnector:
    """Stands for a source that posts; the API takes its records in."""

    def __init__(self, source: Source, url: str = "", keyed_hash: KeyedHash | None = None) -> None:
        del url, keyed_hash  # nothing is connected to
        self.source = source

    def check(self) -> CheckReport:
        """Say of each stream where it is posted to, and in which forms."""
        return CheckReport(self.source.code, tuple(self._check(one) for one in self.source.streams.values()))

    def _check(self, stream: StreamSpec) -> CheckItem:
        try:
            options = PushOptions.of(self.source, stream)
        except FileNotFoundError as error:
            return CheckItem(stream.name, ok=False, message=str(error), hint="Put the schema file of the XML there.")
        forms = "JSON" if options.xml is None else "JSON or XML"
        return CheckItem(stream.name, ok=True, message=f"departments post {forms} to /v1/records/{stream.name}")

    def discover(self) -> list[DiscoveredStream]:
        """List the declared streams: what a department will post is seen when it posts."""
        return [DiscoveredStream(one.name, (), key=one.key) for one in self.source.streams.values()]

    def read(self, stream: StreamSpec, state: Record, *, slice_size: int, full: bool) -> Iterator[Slice]:
        """Yield one empty slice; see `connectors.seam.Connector.read`."""
        del slice_size, full
        yield Slice(stream.name, [], [], dict(state), last=True)
