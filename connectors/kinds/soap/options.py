"""Judges the options of a stream of kind `soap` beyond what the schema of source.yml can say; nothing is connected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.kinds.files.xml import option_faults as xml_faults
from connectors.kinds.soap.params import places

_SECRET = re.compile(r"(?i)(authorization|cookie|.*(passw|secret|token|api[-_]?key).*)")
_GIVEN = {"page": ("page",), "offset": ("offset",)}
"""The styles of paging whose parameter is given from the first page on, with its default name."""


def option_faults(options: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong with a stream's options, each with the place of the option."""
    if "records" not in options:
        yield (), "option 'records' is missing: the path of the repeated element inside the answer, such as cases/case"
    wsdl = options.get("wsdl")
    if isinstance(wsdl, str) and (wsdl.startswith(("/", "~")) or ".." in wsdl.split("/") or "\\" in wsdl):
        yield ("wsdl",), f"wsdl {wsdl!r} must stay inside the source's folder"
    for name in _part(options, "headers"):
        if _SECRET.fullmatch(name):
            yield ("headers", name), f"{name!r} looks like a secret; it belongs into the connection"
    yield from _parameter_faults(options, _part(options, "params"))
    for option, message in xml_faults({**options, "record": "record"}):
        yield (option,), message


def _parameter_faults(options: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    asked = _named(options)
    for path in _names(params, ()):
        if _SECRET.fullmatch(path[-1]) and path[-1] not in asked:
            yield ("params", *path), f"{path[-1]!r} looks like a secret; it belongs into the connection"
    for name in sorted(places(params) - set(params) - _always(options)):
        if name in asked:
            yield ("params",), f"{{{name}}} has no value on the first page or pull; give `{name}` one in params"
        else:
            yield ("params",), f"{{{name}}} names no parameter (known: {', '.join(sorted({*params, *asked}))})"


def _names(value: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, inner in value.items():
        yield (*above, str(name))
        if isinstance(inner, dict):
            yield from _names(inner, (*above, str(name)))


def _part(options: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = options.get(name)
    return part if isinstance(part, dict) else {}


def _named(options: Mapping[str, Any]) -> set[str]:
    """Return the parameters that the hub fills in."""
    since = {str(_part(options, "since").get("param"))} if "since" in options else set()
    paging = _part(options, "paging")
    return since | _always(options) | ({str(paging["param"])} if "param" in paging else set())


def _always(options: Mapping[str, Any]) -> set[str]:
    """Return those of them that have a value on every page."""
    paging = _part(options, "paging")
    found = {str(_part(options, "until").get("param"))} if "until" in options else set()
    if "size_param" in paging:
        found.add(str(paging["size_param"]))
    for default in _GIVEN.get(str(paging.get("style")), ()):
        found.add(str(paging.get("param", default)))
    return found
