"""A service on loopback that hands out the examples page by page, as the source declares its answers."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from connectors.marks import moment_of
from connectors.source import Source, StreamSpec
from hub.records import Record
from kit.samples import Samples
from kit.subject import Subject
from kit.suite.loopback import Quiet, serving
from kit.suite.standins.base import SECRET, USER, StandIn, filling


def make_service(subject: Subject, samples: Samples, _place: Path, stack: ExitStack) -> StandIn:
    """Start the service; `stack` stops it."""
    source = subject.source
    records = {name: filling(samples, spec) for name, spec in source.streams.items()}
    own = stack.enter_context(serving(lambda _own: _handler(source, records)))
    return StandIn(source, f"http://{USER}:{SECRET}@{own}", lambda stream, record: records[stream].append(record))


def _handler(source: Source, records: dict[str, list[Record]]) -> type[Quiet]:
    streams = {f"/{str(spec.options.get('path', name)).strip('/')}": spec for name, spec in source.streams.items()}

    class Handler(Quiet):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            spec, params = streams.get(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True))
            if spec is None:
                self._answer(404, {}, {})
            elif not admitted(spec.options.get("auth", {}), dict(self.headers)):
                self._answer(401, {}, {})
            else:
                document, headers = _answer(source, spec, records[spec.name], params, self.headers.get("Host", ""))
                self._answer(200, document, headers)

        def _answer(self, status: int, document: Any, headers: dict[str, str]) -> None:
            body = json.dumps(document, ensure_ascii=False).encode()
            self.say(status, {"Content-Type": "application/json", **headers}, body)

    return Handler


def admitted(declared: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Say whether a request bears the secret as its stream's `auth` declares it."""
    style = declared.get("style", "basic")
    if style == "none":
        return True
    wanted = {
        "basic": "Basic " + b64encode(f"{USER}:{SECRET}".encode()).decode(),
        "bearer": f"Bearer {SECRET}",
    }.get(style, SECRET)
    name = declared.get("name", "Authorization") if style == "header" else "Authorization"
    return {key.lower(): value for key, value in headers.items()}.get(name.lower()) == wanted


def _answer(
    source: Source, spec: StreamSpec, records: list[Record], params: dict[str, str], host: str
) -> tuple[Any, dict[str, str]]:
    options = spec.options
    matching, page, following = page_of(source, spec, records, params)
    document = _put(None, str(options.get("records", "")), page)
    if "total" in options:
        document = _put(document, options["total"], matching)
    if "success" in options:
        document = _put(document, options["success"]["pointer"], options["success"]["values"][0])
    paging, headers = options.get("paging", {}), {}
    if following and paging.get("style") == "cursor":
        document = _put(document, paging["next"], following)
    if following and paging.get("style") == "link":
        query = urlencode({**params, "_from": following})
        headers["Link"] = f'<http://{host}/{str(options.get("path", spec.name)).strip("/")}?{query}>; rel="next"'
    return document, headers


def page_of(
    source: Source, spec: StreamSpec, records: Sequence[Record], params: Mapping[str, str]
) -> tuple[int, list[Record], str]:
    """Return how many records are asked for, those of the page, and the token of the next; empty where this is all."""
    matching = [one for one in records if _is_since(source, spec, one, params)]
    start, size, following = _window(spec.options.get("paging", {}), params)
    page = matching[start : start + size] if size else matching[start:]
    return len(matching), page, following if size and start + size < len(matching) else ""


def _window(paging: Any, params: Mapping[str, str]) -> tuple[int, int, str]:
    """Return where the page begins, how many records it holds (0: all), and the token of the next."""
    style = paging.get("style", "none")
    if style == "none":
        return 0, 0, ""
    size = int(params.get(str(paging.get("size_param")), 0) or 0) or 2
    if style == "page":
        first = int(paging.get("first", 1))
        return (int(params.get(paging.get("param", "page"), first)) - first) * size, size, ""
    name = {"offset": paging.get("param", "offset"), "cursor": paging.get("param"), "link": "_from"}[style]
    start = int(params.get(str(name), 0) or 0)
    return start, size, str(start + size)


def _is_since(source: Source, spec: StreamSpec, record: Record, params: Mapping[str, str]) -> bool:
    """Say whether a record is new enough for what is asked."""
    since = spec.options.get("since")
    asked = params.get(since["param"]) if since else None
    if asked is None or spec.cursor is None:
        return True
    own = record.get(spec.cursor.field.lstrip("/"))
    said: Any = int(asked) if asked.isdecimal() else asked
    one, other = moment_of(own, source.time_zone), moment_of(said, source.time_zone)
    if one is not None and other is not None:
        return one >= other
    if str(own).isdecimal() and asked.isdecimal():
        return int(str(own)) >= int(asked)
    return own is None or str(own) >= asked


def _put(document: Any, pointer: str, value: Any) -> Any:
    """Put a value at a JSON pointer of a document that is made on the way."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    if not parts:
        return value
    out = document if isinstance(document, dict) else {}
    inner = out
    for part in parts[:-1]:
        inner = inner.setdefault(part, {})
    inner[parts[-1]] = value
    return out
