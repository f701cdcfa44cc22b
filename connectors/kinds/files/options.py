"""Judges what a schema cannot say of the options of kinds `files` and `xes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.kinds.files.locations.place import parts_of

_AWAY = ("afterwards", "into", "refused_into", "done")
_SINGER = ("stream_name", "activate_version")


def option_faults(options: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the faults of one stream's options, each with the option's place."""
    if "into" in options and options.get("afterwards") != "move":
        yield ("into",), "option 'into' is for `afterwards: move`"
    folders = {name: parts_of(str(options[name])) for name in ("into", "refused_into") if name in options}
    for name, parts in folders.items():
        if ".." in parts or not parts:
            yield (name,), f"{name} {options[name]!r} must stay below the connection's folder"
    if folders.get("into") is not None and folders.get("into") == folders.get("refused_into"):
        yield ("refused_into",), "refused files must not lie among those that were read"
    for name in _SINGER:
        if name in options and options.get("format") != "singer":
            yield (name,), f"option {name!r} is for the format singer"


def shared_faults(name: str, streams: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong where two streams read the same files, which can be put away in one way only."""
    own = _options(streams.get(name), shared)
    for other in streams:
        if other == name:
            return  # each pair is told once, at the later of the two
        theirs = _options(streams[other], shared)
        if theirs.get("path") == own.get("path") and any(theirs.get(one) != own.get(one) for one in _AWAY):
            yield f"reads the same files as {other!r}: {', '.join(_AWAY)} must be the same"


def _options(body: Any, shared: Mapping[str, Any]) -> dict[str, Any]:
    own = body.get("options") if isinstance(body, dict) else None
    return {**shared, **(own if isinstance(own, dict) else {})}
