"""Gathers a WSDL with all that it imports, before anything else reads it.

Each document is parsed by our own hardened parser and may come from the service's own host or, where the WSDL is a file
of the source, from the source's folder only. What imports them is rewritten to names on a shelf, so that zeep, which
reads the shelf, has no address left that it could follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from lxml import etree

from connectors.kinds.files.where import Where
from connectors.kinds.soap.growth import Growth
from connectors.kinds.soap.wire import Wire, contract_of
from connectors.limits import MIB
from connectors.source import Source
from hub.errors import HostileInput, StreamMissing

ENTRY = "/0.xml"
"""The name of the WSDL itself on the shelf."""
_MOST = 100
_TOTAL = 4 * MIB
_PARTS = 100_000
_WSDL, _XSD = "{http://schemas.xmlsoap.org/wsdl/}", "{http://www.w3.org/2001/XMLSchema}"
_IMPORTS = {
    f"{_WSDL}import": "location", f"{_XSD}import": "schemaLocation", f"{_XSD}include": "schemaLocation",
    f"{_XSD}redefine": "schemaLocation", f"{_XSD}override": "schemaLocation",
}  # fmt: skip
_XML, _XML_KEY = "http://www.w3.org/XML/1998/namespace", "/xml.xsd"
_XML_SCHEMA = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{_XML}">
<xs:attribute name="lang" type="xs:string"/><xs:attribute name="space" type="xs:string"/>
<xs:attribute name="base" type="xs:string"/><xs:attribute name="id" type="xs:string"/></xs:schema>"""
"""The schema of `xml:lang` and its kin, which many contracts import from its publisher's site."""


def gathered(source: Source, named: str | None, wire: Wire, where: Where, limit: int) -> Mapping[str, bytes]:
    """Return the WSDL, as `ENTRY`, and all that it imports, by their names on the shelf.

    `named` is the file of the source folder that holds the WSDL; without one the service is asked for it.

    Raises:
        SourceTrouble: one of them cannot be had, lies elsewhere, or is not safe to read.
    """
    if named is None:
        return _gather(wire.wsdl, _Fetcher(wire, where, None, limit), where)
    file = _beside(source, named, where)
    return _gather(file.as_uri(), _Fetcher(wire, where, file.parent, limit), where)


def _beside(source: Source, named: str, where: Where) -> Path:
    """Find the WSDL that a source names: in its own folder, else beside its mapping."""
    for folder in (source.folder, source.mapping.parent):
        file = (folder / named).resolve()
        if file.is_file() and file.is_relative_to(folder.resolve()):
            return file
    raise StreamMissing(
        source=where.source, stream=where.stream, got=f"there is no WSDL {named!r} in the source's folder",
        hint=f"Put it beside {source.mapping.name}; it may lead to no place outside.",
    )  # fmt: skip


class _Fetcher:
    """Gets a document of an address: over the network, or from below `folder` where the WSDL itself is a file."""

    def __init__(self, wire: Wire, where: Where, folder: Path | None, limit: int) -> None:
        self.wire, self.where, self.folder, self.limit = wire, where, folder, limit

    def __call__(self, address: str) -> etree._ElementTree:
        """Return the parsed document."""
        scheme = urlsplit(address).scheme
        if scheme in {"http", "https"}:
            return self._from_service(address)
        if scheme != "file" or self.folder is None:
            raise self._elsewhere("an import of the WSDL leads to no address of the service")
        return self._from_folder(Path(unquote(urlsplit(address).path)).resolve(), self.folder)

    def _from_service(self, address: str) -> etree._ElementTree:
        if urlsplit(address)[:2] != self.wire.origin:
            raise self._elsewhere("an import of the WSDL leads to another host")
        return self.wire.document(address, self.where)

    def _from_folder(self, file: Path, folder: Path) -> etree._ElementTree:
        if not file.is_relative_to(folder):
            raise self._elsewhere("an import of the WSDL leads out of the source's folder")
        if not file.is_file():
            raise StreamMissing(
                source=self.where.source, stream=self.where.stream, unit=self.where.unit,
                got=f"the WSDL imports {file.name!r}, which is not in the source's folder",
                hint="Put the schemas that the WSDL imports beside it.",
            )  # fmt: skip
        if file.stat().st_size > self.limit:
            raise self.where.hostile(f"{file.name!r} has more than {self.limit:,} bytes", known="`body_bytes`")
        return contract_of(file.read_bytes(), self.where)

    def _elsewhere(self, got: str) -> HostileInput:
        return HostileInput(
            source=self.where.source, stream=self.where.stream, unit=self.where.unit, got=got,
            known=self.wire.origin[1],
            hint="Save the WSDL and all that it imports in the source's folder and name it in `wsdl`.",
        )  # fmt: skip


def _gather(entry: str, fetch: Callable[[str], etree._ElementTree], where: Where) -> Mapping[str, bytes]:
    keys, waiting, shelf, total = {entry: ENTRY}, [entry], {_XML_KEY: _XML_SCHEMA.encode()}, 0
    growth = Growth()
    while waiting:
        address = waiting.pop()
        tree = fetch(address)
        growth.note(tree)
        for node, name in _imports(tree):
            target = urldefrag(urljoin(address, str(node.get(name))))[0]
            if target not in keys:
                keys[target] = f"/{len(keys)}.xml"
                waiting.append(target)
            node.set(name, keys[target])
        shelf[keys[address]] = etree.tostring(tree)
        total += len(shelf[keys[address]])
        if len(keys) > _MOST or total > _TOTAL:
            raise where.hostile("the WSDL and its imports are too large", known=f"{_MOST} documents, {_TOTAL:,} bytes")
    if growth.total() > _PARTS:
        raise where.hostile("the groups of the WSDL's schemas grow without end", known=f"{_PARTS:,} elements")
    return shelf


def _imports(tree: etree._ElementTree) -> Iterator[tuple[etree._Element, str]]:
    """Yield each element that imports a document with the attribute that names it."""
    for node in tree.iter(*_IMPORTS):
        name = _IMPORTS[str(node.tag)]
        if node.get("namespace") == _XML:
            node.set(name, _XML_KEY)
        elif node.get(name):
            yield node, name
