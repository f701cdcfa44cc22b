"""What a stream of kind `push` declares, and what a schema cannot say against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.limits import MIB, Limits
from connectors.source import Source, StreamSpec

_OWN_LIMITS = {"body_bytes": 16 * MIB, "rows": 10_000}
"""A post is smaller than a file: it is held in memory whole, and so is its answer."""

_XML = ("fields", "namespaces", "xsd")

_UNFIT = {
    "cursor": "kind push has no cursor: a department posts what is new",
    "deletion": "deletion 'snapshot' needs whole deliveries; posts bring changes: use none or operation",
    "budget": "kind push has no budget: a post is told what became of its records, and a bad one stops no other",
    "expect": "kind push has no expect: `hub connector health` shows each day beside days like it",
}


@dataclass(frozen=True, slots=True)
class PushOptions:
    """The options of one stream; docs/integrate/kinds/push.md says what each does. Without `xml` only JSON is read."""

    limits: Limits
    xml: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, source: Source, stream: StreamSpec) -> PushOptions:
        """Return what a stream's options say; the schema file of its XML lies in the source's folder or the profile's.

        Raises:
            FileNotFoundError: there is no such file in either.
        """
        said = dict(stream.options)
        limits = Limits.of({"limits": {**_OWN_LIMITS, **said.get("limits", {})}})
        if "record" not in said:
            return cls(limits)
        if "xsd" in said:
            said["xsd"] = str(_beside(source, str(said["xsd"])))
        return cls(limits, said)


def _beside(source: Source, name: str) -> Path:
    for place in (source.folder, source.mapping.parent):
        if (place / name).is_file():
            return place / name
    raise FileNotFoundError(f"{name}: no such file in {source.folder} or {source.mapping.parent}")


def stream_faults(body: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with one stream of a push source, with the part that it is about (`options/…`)."""
    for part, words in _UNFIT.items():
        if part in body and (part != "deletion" or body[part] == "snapshot"):
            yield part, words
    if "record" not in options:
        for name in _XML:
            if name in options:
                yield f"options/{name}", f"option {name!r} is for XML, which needs option 'record'"
        return
    from connectors.kinds.files.xml import option_faults  # noqa: PLC0415  # lxml is heavy; only where XML is read

    for name, words in option_faults(options):
        yield f"options/{name}", words
