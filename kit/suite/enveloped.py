"""Checks of streams whose deliveries bear an envelope: what was changed on the way is noticed, what lacks one waits."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from connectors.envelopes import ENVELOPE
from connectors.kinds.push.body import JSON, read_body
from connectors.kinds.push.enveloped import proven
from connectors.kinds.push.options import PushOptions
from connectors.source import StreamSpec
from hub import jsontext
from hub.records import Record
from hub.refusals import RequestRefused
from kit.suite.pulls import Pulled, guarded
from kit.suite.result import Check, Result, cannot, failed, passed, together
from kit.suite.stand import Stand
from kit.suite.standins.base import filling
from kit.suite.standins.files import unsigned
from kit.suite.standins.queue import Queues, envelope_of
from kit.suite.trouble import settled


@dataclass(frozen=True, slots=True)
class Spoil:
    """A change on the way: bytes behind the payload, and other words in the envelope."""

    tail: bytes = b""
    says: Callable[[Record], Record] | None = None

    def envelope(self, said: Record) -> Record:
        """Return the envelope with other words in it."""
        return said if self.says is None else self.says(said)


SPOILED: Mapping[str, Spoil] = {
    "another payload": Spoil(tail=b"\n"),
    "another count": Spoil(says=lambda said: {**said, "records": said["records"] + 1}),
    "another stream's envelope": Spoil(says=lambda said: {**said, "stream": f"{said['stream']}-other"}),
}


@dataclass(frozen=True, slots=True)
class Way:
    """How deliveries of a kind are handed over."""

    name: str
    take: Callable[[Spoil | None], Pulled]
    """Takes a delivery in after this was done to it; None takes its envelope away."""
    waits: bool = False
    """Whether a delivery without its envelope waits for it."""


def envelope_proven(stand: Stand) -> Result:
    """Change a delivery of each stream in ways that its envelope must bring to light."""
    source = stand.ready.source
    if all(spec.envelope is None for spec in source.streams.values()):
        return cannot("no stream declares envelopes")
    ways = {"files": _file, "xes": _file, "queue": _message, "push": _post}
    return together({name: _one(stand, spec, ways[source.kind]) for name, spec in source.streams.items()})


def _one(stand: Stand, spec: StreamSpec, way: Callable[[Stand, StreamSpec], Way | str]) -> Result:
    if spec.envelope is None:
        return cannot("it declares no envelope")
    made = way(stand, spec)
    if isinstance(made, str):
        return cannot(made)
    wrong = _fault(made, required=spec.envelope.required)
    if wrong:
        return failed(wrong)
    end = f"; without its envelope it {'waits' if made.waits else 'is refused'}" if spec.envelope.required else ""
    return passed(f"{made.name}: {', '.join(SPOILED)} are refused{end}")


def _fault(way: Way, *, required: bool) -> str:
    """Say what of a delivery does not hold, or which change of it is not noticed; nothing where all is well."""
    whole = way.take(Spoil())
    if whole.error is not None or whole.refused or whole.broken:
        why = whole.error or next(iter(whole.refused), "it is refused")
        return f"its newest delivery does not hold: {why}. See `hub envelope verify`."
    for what, spoil in SPOILED.items():
        got = way.take(spoil)
        if got.hung or got.error is not None:
            return f"{what} ends in {'a hang' if got.hung else type(got.error).__name__}"
        if not (got.refused or got.broken) or got.count:
            return f"{what} is not noticed"
    lonely = way.take(None)
    told = bool(lonely.refused or lonely.broken)
    if required and (lonely.count or lonely.error or told is way.waits):
        return f"a delivery without its envelope {'does not wait' if way.waits else 'is not refused'}"
    return ""


# --- files


def _file(stand: Stand, spec: StreamSpec) -> Way | str:
    """Try the newest file that has an envelope, in a copy."""
    if stand.system is None:
        return stand.no_system
    root = Path(stand.there.url.removeprefix("file://"))
    if not root.is_dir():
        return "its folder is not on this machine"
    spec = stand.there.source.streams[spec.name]
    files = sorted(
        one
        for one in root.glob(str(spec.options["path"]))
        if one.with_name(one.name + ENVELOPE).is_file() and one.is_file()
    )
    if not files:
        return "there is no file with an envelope yet"
    file = files[-1]

    def read(spoil: Spoil | None) -> Pulled:
        with tempfile.TemporaryDirectory(prefix="hub-kit-") as place:
            target = Path(place) / file.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
            if spoil is not None:
                with target.open("ab") as out:
                    out.write(spoil.tail)
                said = file.with_name(file.name + ENVELOPE).read_bytes()
                if spoil.says is not None:
                    said = json.dumps(spoil.envelope(json.loads(said))).encode()
                target.with_name(target.name + ENVELOPE).write_bytes(said)
            return guarded(stand, stand.connect(url=place), settled(spec), size=stand.most)

    return Way(file.name, read, waits=True)


# --- messages


def _message(stand: Stand, spec: StreamSpec) -> Way | str:
    """Try a message made of an example, at a broker of its own: nobody puts anything into the department's queue."""
    records = filling(stand.samples, spec)
    if not records:
        return "it has no valid example"

    def take(spoil: Spoil | None) -> Pulled:
        with ExitStack() as stack:
            queues = Queues.started(stand.ready.source, stack)
            body, said = queues.message(spec.name, records[0])
            if spoil is not None and said is not None:
                queues.put(spec.name, body + spoil.tail, spoil.envelope(said))
            else:
                queues.put(spec.name, body, None)
            connector = stand.connect(url=queues.url, source=queues.source)
            return guarded(stand, connector, queues.source.streams[spec.name], size=stand.most)

    return Way("a message", take)


# --- posts


def _post(stand: Stand, spec: StreamSpec) -> Way | str:
    """Try a post made of the examples, as the route reads it."""
    source = unsigned(stand.ready.source)
    spec = source.streams[spec.name]
    records = [one.record for one in stand.samples.of(spec.name, valid=True)]
    if not records:
        return "it has no valid example"
    body = jsontext.dumps(records)
    said = envelope_of(source.code, spec, body, records=len(records))

    def post(spoil: Spoil | None) -> Pulled:
        out = Pulled()
        sent = body if spoil is None else body + spoil.tail
        text = None if spoil is None else base64.b64encode(json.dumps(spoil.envelope(said)).encode()).decode()
        try:
            held = read_body(sent, JSON, PushOptions.of(source, spec), source=source.code, stream=spec.name)
            proven(text, source, spec, sent, held, stand.ready.protector.content_hash)
        except RequestRefused as refused:
            out.refused.append(str(refused))
        else:
            out.marks.append(Counter(str(place).encode() for place in range(len(held))))
        return out

    return Way("a post", post)


CHECKS = (
    Check(
        "envelope-proven",
        "where deliveries bear an envelope, one that was changed is refused and one without it is not taken",
        "samples",
        envelope_proven,
    ),
)
