"""Lays the bounds that people set over those of the source's folder, before anything of it is read."""

from __future__ import annotations

from dataclasses import replace

from connectors.source import Expect, Source
from pipeline.runtime import Runtime
from sharedrepo.feeds import bounds


def bounded(runtime: Runtime, source: Source) -> Source:
    """Return the source with the bounds that hold now: those set by a person, else those of its folder.

    The archive keeps with each batch by which bounds it was judged, or why it was held, so that a rebuild judges by
    those of then.
    """
    with runtime.connection() as connection, connection.cursor() as cursor:
        said = bounds.current(cursor, source.code)
        # Posts are gathered by chance: nothing can be said of one of them.
        shares = {} if source.kind == "push" else bounds.least_shares(cursor, source.code)
    if not said and not shares:
        return source
    streams = {}
    for name, spec in source.streams.items():
        expect = _expect(*said[name]) if name in said else spec.expect
        streams[name] = replace(spec, expect=expect, filled=shares.get(name, {}))
    return replace(source, streams=streams)


def _expect(least: int | None, most: int | None) -> Expect | None:
    return None if least is None and most is None else Expect(least, most)
