"""Checks of what is posted: the examples are read as they are in each form, and hostile bodies end in a refusal."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.kinds.push.body import JSON, LINES, XML, read_body
from connectors.kinds.push.options import PushOptions
from connectors.pointer import read_json
from connectors.source import StreamSpec
from hub import jsontext
from hub.records import Record
from hub.refusals import RequestRefused
from kit.suite.result import Check, Result, cannot, failed, passed, together
from kit.suite.stand import Stand

_NO_POST = "departments do not post to this kind"
_DEEP = 100_000
_BOMB = b'<!DOCTYPE a [<!ENTITY b "%b"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>' % (b"x" * 1000)


def posted_examples(stand: Stand) -> Result:
    """Post each stream's valid examples in each form of JSON: what is read is what was sent."""
    if stand.ready.source.kind != "push":
        return cannot(_NO_POST)
    return together({name: _examples(stand, spec) for name, spec in stand.ready.source.streams.items()})


def _examples(stand: Stand, spec: StreamSpec) -> Result:
    records = [one.record for one in stand.samples.of(spec.name, valid=True)]
    if not records:
        return cannot("it has no valid example")
    options = PushOptions.of(stand.ready.source, spec)
    # A number beyond 64 bits, such as an identifier written as one, is read as its digits from any source.
    sent = [read_json(jsontext.dumps(one), options.limits.depth) for one in records]
    for form, body in {JSON: jsontext.dumps(records), LINES: b"\n".join(map(jsontext.dumps, records))}.items():
        if len(body) > options.limits.body_bytes:
            return failed("its examples are larger than `limits: {body_bytes}`: raise it, or shorten them")
        if _read(stand, spec, body, form) != sent:
            return failed(f"posted as {form}, its examples are read as something else")
    return passed(f"{len(records)} examples are read as they are sent, as an array and as lines")


def hostile_bodies(stand: Stand) -> Result:
    """Post bodies that no honest client sends: each is refused with its reason, and at once."""
    if stand.ready.source.kind != "push":
        return cannot(_NO_POST)
    return together({name: _hostile(stand, spec) for name, spec in stand.ready.source.streams.items()})


def _hostile(stand: Stand, spec: StreamSpec) -> Result:
    options = PushOptions.of(stand.ready.source, spec)
    bodies = {
        "nested too deeply": (JSON, b"[" * _DEEP + b"]" * _DEEP),
        "cut off": (JSON, b'[{"a": "'),
        "of too many records": (JSON, b"[" + b"{}," * options.limits.rows + b"{}]"),
    }
    if options.xml is not None:
        bodies["with entities"] = (XML, _BOMB)
    for what, (form, body) in bodies.items():
        try:
            _read(stand, spec, body, form)
        except RequestRefused:
            continue
        return failed(f"a body {what} is not refused")
    return passed(f"bodies {', '.join(bodies)} are refused")


def _read(stand: Stand, spec: StreamSpec, body: bytes, form: str) -> Sequence[Record | object]:
    options = PushOptions.of(stand.ready.source, spec)
    return read_body(body, form, options, source=stand.code, stream=spec.name)


CHECKS = (
    Check("posted-examples", "examples that are posted are read as they are sent", "samples", posted_examples),
    Check("hostile-bodies", "posted bodies that no honest client sends are refused", "folder", hostile_bodies),
)
