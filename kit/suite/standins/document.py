"""Documents with the examples in XML, as a department writes its files; valid by the declared XSD if there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from connectors.source import StreamSpec
from hub.records import Record
from hub.xmlsafe import XmlFault, load_schema, parse
from kit.suite.standins.elements import child, element_of, unwritable

_XS = "{http://www.w3.org/2001/XMLSchema}"
_VALUES = {"date": "2026-01-01", "dateTime": "2026-01-01T00:00:00", "int": "1", "integer": "1", "boolean": "true"}
"""What stands in an attribute that an XSD demands of the root."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """What an XSD says of a document as a whole: its root with the attributes that it must have, and the namespace."""

    root: str
    attributes: Mapping[str, str]
    space: str | None
    qualified: bool


def fault_of(
    specs: Mapping[str, StreamSpec], records: Mapping[str, Sequence[Record]], schemas: Mapping[str, Any]
) -> str:
    """Say why no document can be written from the examples; nothing where one can."""
    for name, spec in specs.items():
        if why := unwritable(spec.options):
            return f"of stream {name}, {why}"
        if spec.options["record"].split("/")[-1] in {"", "*"}:
            return f"stream {name} names no element for its records"
    try:
        data = document(specs, records, schemas)
        xsd = next((one.options["xsd"] for one in specs.values() if "xsd" in one.options), None)
        if xsd is not None and not (schema := load_schema(Path(xsd))).validate(parse(data)):
            log: Any = schema.error_log  # its stub does not know that it can be walked
            return f"no document of the examples is valid by {Path(xsd).name} ({log[0].type_name})"
    except (ValueError, XmlFault) as error:
        return f"the examples hold what XML cannot ({type(error).__name__})"
    return ""


def document(
    specs: Mapping[str, StreamSpec], records: Mapping[str, Sequence[Record]], schemas: Mapping[str, Any]
) -> bytes:
    """Write one document with the records of all streams that share it, each at the path that it is read from.

    Raises:
        ValueError: a record holds what XML cannot.
    """
    names = [str(spec.options["record"]).split("/")[-1] for spec in specs.values()]
    xsd = next((one.options["xsd"] for one in specs.values() if "xsd" in one.options), None)
    frame = _frame(Path(xsd), names) if xsd else _Frame("examples", {}, None, qualified=False)
    ways = {name: _way(str(spec.options["record"]), frame) for name, spec in specs.items()}
    inner = frame.space if frame.qualified else None
    root = etree.Element(_tag(next(iter(ways.values()))[0], frame.space), dict(frame.attributes))
    for name, spec in specs.items():
        home = root
        for step in ways[name][1:-1]:
            home = child(home, _tag(step, inner))
        order = schemas[name]["properties"]
        for record in records[name]:
            home.append(element_of(ways[name][-1], spec.options, record, order=order, space=inner))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _way(path: str, frame: _Frame) -> list[str]:
    """Return the steps from the root to a record; `*` becomes a name of ours."""
    steps = [step if step != "*" else "part" for step in path.lstrip("/").split("/")]
    absolute = path.startswith("/") and not path.startswith("//")
    return steps if absolute or (len(steps) > 1 and steps[0] == frame.root) else [frame.root, *steps]


def _frame(xsd: Path, records: Sequence[str]) -> _Frame:
    """Read the root and its attributes out of an XSD: the first element that stands alone and is no record."""
    top = parse(xsd.read_bytes()).getroot()
    roots = [one for one in top.findall(f"{_XS}element") if one.get("name") not in records]
    if not roots:
        raise ValueError(xsd.name)
    kind = roots[0].get("type", "").rpartition(":")[2]
    types = [one for one in top.findall(f"{_XS}complexType") if one.get("name") == kind] if kind else [roots[0]]
    attributes = {name: _VALUES.get(sort, "examples") for one in types for name, sort in _demanded(one)}
    qualified = top.get("elementFormDefault") == "qualified"
    return _Frame(str(roots[0].get("name")), attributes, top.get("targetNamespace"), qualified)


def _demanded(element: etree._Element) -> Iterator[tuple[str, str]]:
    """Yield the attributes that an element must have, with their types; those of elements within are not its own."""
    for one in element.iter(f"{_XS}attribute"):
        owner = next((up for up in one.iterancestors(f"{_XS}element")), element)
        if one.get("use") == "required" and owner is element:
            yield str(one.get("name")), str(one.get("type", "")).rpartition(":")[2]


def _tag(name: str, space: str | None) -> str:
    plain = name.rpartition(":")[2]
    return f"{{{space}}}{plain}" if space else plain
