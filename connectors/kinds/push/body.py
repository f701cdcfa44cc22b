"""Reads the body of one post: JSON, JSON lines, or XML, within limits. What is broken in it is told record by record.

A body that cannot be read as a whole is refused, and nothing of it is kept. One bad record in a good body refuses no
other: it becomes a broken record, which waits in quarantine.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connectors.kinds.push.options import PushOptions
from connectors.pointer import JsonFault, has_nul, read_json
from connectors.sizes import fields_of_record
from hub import jsontext
from hub.errors import HostileInput, RefuseUnit
from hub.records import BrokenRecord, Record
from hub.refusals import Malformed, RequestRefused, TooLarge, UnsupportedForm

JSON, LINES, XML = "application/json", "application/x-ndjson", "application/xml"

_FORMS = {JSON: JSON, LINES: LINES, "application/jsonl": LINES, XML: XML, "text/xml": XML}
"""The media types that are read, and the form that each stands for."""
_BOM = b"\xef\xbb\xbf"
_HEAD = 200
"""So much of a broken record's trouble is told."""

Held = Record | BrokenRecord


def form_of(content_type: str | None, content_encoding: str | None, options: PushOptions) -> str:
    """Return the form of a body: `JSON`, `LINES` or `XML`.

    Raises:
        UnsupportedForm: it is another one, packed, or in another encoding than UTF-8.
    """
    if (content_encoding or "identity").strip().lower() != "identity":
        raise UnsupportedForm("the body is packed", hint="Send it as it is, without Content-Encoding.")
    media, _, more = (content_type or "").partition(";")
    known = sorted(name for name, form in _FORMS.items() if form != XML or options.xml is not None)
    form = _FORMS.get(media.strip().lower())
    if form is None or media.strip().lower() not in known:
        xml = " XML is read where the stream declares option `record`." if form == XML else ""
        raise UnsupportedForm(
            "the body is in none of the forms that this stream takes",
            hint=f"Set Content-Type to one of {', '.join(known)}.{xml}",
        )
    charset = more.lower().partition("charset=")[2].split(";")[0].strip(' "')
    if charset not in {"", "utf-8", "utf8"}:
        raise UnsupportedForm("the body is in another encoding than UTF-8", hint="Send it in UTF-8.")
    return form


def read_body(body: bytes, form: str, options: PushOptions, *, source: str, stream: str) -> list[Held]:
    """Return the records of a body in their order; a broken one stands in its place, numbered from 1.

    Raises:
        Malformed: it cannot be read as a whole.
        TooLarge: it holds more records than the limit.
    """
    if not body.strip():
        raise Malformed("the request has no body", hint="Send records, or an empty array to say that you are there.")
    if form == XML:
        return _xml(body, options, source, stream)
    read: Callable[[bytes, PushOptions], list[Held]] = _lines if form == LINES else _json
    return read(body.removeprefix(_BOM), options)


def _json(body: bytes, options: PushOptions) -> list[Held]:
    try:
        value = read_json(body, options.limits.depth, nul=True)
    except JsonFault as fault:
        raise _unreadable(str(fault)) from None
    values = value if isinstance(value, list) else [value]
    _mind_count(len(values), options)
    suspect = has_nul(body)
    return [_held(one, place, options, suspect=suspect) for place, one in enumerate(values, 1)]


def _lines(body: bytes, options: PushOptions) -> list[Held]:
    lines = [one for one in body.split(b"\n") if one.strip()]
    _mind_count(len(lines), options)
    return [_line(line, place, options) for place, line in enumerate(lines, 1)]


def _line(line: bytes, place: int, options: PushOptions) -> Held:
    try:
        return _held(read_json(line, options.limits.depth), place, options, suspect=False)
    except JsonFault as fault:
        return _broken(place, str(fault), line.decode("utf-8", "backslashreplace"))


def _held(value: Any, place: int, options: PushOptions, *, suspect: bool) -> Held:
    """Return one value as a record; `suspect` says that a NUL stands somewhere in the body."""
    most = options.limits.columns
    if not isinstance(value, dict):
        return _broken(place, "it is no JSON object", jsontext.dumps(value).decode())
    if (count := fields_of_record(value, most)) > most:
        message = f"it has {count:,} fields or more (limit `columns`: {most:,})"
        return _broken(place, message, jsontext.dumps(value).decode())
    if suspect and has_nul(written := jsontext.dumps(value)):
        return _broken(place, "it holds a NUL character", written.decode())
    return value


def _broken(place: int, message: str, raw: str) -> BrokenRecord:
    return BrokenRecord(place, "unreadable_record", message[:_HEAD], raw)


def _mind_count(count: int, options: PushOptions) -> None:
    if count > options.limits.rows:
        raise TooLarge(
            f"the body holds more than {options.limits.rows:,} records (limit `rows`)",
            hint="Send them in several posts.",
        )


def _xml(body: bytes, options: PushOptions, source: str, stream: str) -> list[Held]:
    from connectors.kinds.files.where import Where  # noqa: PLC0415  # lxml is heavy; only where XML is read
    from connectors.kinds.files.xml import XmlReader  # noqa: PLC0415  # see above

    xml: Mapping[str, Any] = options.xml or {}
    reader = XmlReader(io.BytesIO(body), xml, options.limits, Where(source, stream, "the body"), alone=True)
    try:
        found = list(_bounded(reader.rows(), options))
    except RefuseUnit as refusal:
        raise _refused(refusal) from None
    if not found:
        raise _unreadable(f"no element stands at {xml['record']}, where this stream's records are")
    return found


def _bounded(rows: Iterator[tuple[int, Held]], options: PushOptions) -> Iterator[Held]:
    for number, held in rows:
        _mind_count(number, options)
        yield held


def _refused(refusal: RefuseUnit) -> RequestRefused:
    hint = "" if isinstance(refusal, HostileInput) else "Compare it with the stream's declaration."
    return _unreadable(refusal.got, hint)


def _unreadable(why: str, hint: str = "Nothing of the body was kept; mend it and send it again.") -> Malformed:
    return Malformed(f"the body cannot be read: {why}", hint=hint)
