"""Judges XML documents against an XSD: every fault, with line and XPath, and never the value itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from lxml import etree

from hub.findings import UNIT, Finding
from hub.xmlsafe import load_schema

MAX_FAULTS = 1000
"""Faults listed of one document; how many more there are is told by a last one."""

_PLACE = re.compile(r"Element '[^']*'(?:, attribute '[^']*')?: ")
_WARNING = re.compile(_PLACE.pattern + "Warning: ")
_BEHIND_THE_VALUE = re.compile(
    r"' (is not accepted by the pattern|is not an element of the set|is not a valid value|has more digits"
    r"|has more fractional digits|is greater than|is less than|must be greater than|must be less than|does not match)"
)
_LENGTH = re.compile(r"\[facet '[A-Za-z]+'\] The value has a length of '[0-9]+'")
_WITHOUT_VALUE = ("SCHEMAV_ELEMENT_CONTENT", "SCHEMAV_CVC_COMPLEX_TYPE", "SCHEMAV_CVC_ELT_1", "SCHEMAV_CVC_TYPE")


@dataclass(frozen=True, slots=True)
class XsdFault:
    """One breach of an XSD: line (1-based), XPath, libxml2's name for it, and its words without the value."""

    line: int
    path: str
    kind: str
    message: str


class XsdJudge:
    """Judges parsed documents against one XSD, loaded once; parse them with `hub.xmlsafe.parse`.

    Raises:
        XmlFault: the file is no XML schema.
    """

    def __init__(self, xsd: Path) -> None:
        self._schema = load_schema(xsd)

    def faults(self, tree: etree._ElementTree) -> list[XsdFault]:
        """List the faults of a document in document order, at most MAX_FAULTS."""
        return [
            XsdFault(entry.line, entry.path or "", entry.type_name, worded(entry.message, entry.type_name))
            for entry in islice(self._entries(tree), MAX_FAULTS)
        ]

    def judge(self, tree: etree._ElementTree) -> list[Finding]:
        """Return the faults of a document as findings on the unit, with XPath as pointer and the line in the detail."""
        findings = [
            Finding(
                UNIT,
                "schema_violation",
                field=_name(fault.path),
                pointer=fault.path,
                detail={"line": str(fault.line), "keyword": fault.kind, "expected": fault.message},
            )
            for fault in self.faults(tree)
        ]
        if len(findings) == MAX_FAULTS:
            more = sum(1 for _ in self._entries(tree)) - MAX_FAULTS
            findings += [Finding(UNIT, "schema_violation", detail={"more": str(more)})] if more else []
        return findings

    def _entries(self, tree: etree._ElementTree) -> Iterator[Any]:
        if self._schema.validate(tree):
            return
        log: Any = self._schema.error_log  # its stub does not know that it can be walked
        # Beside a bad key value libxml2 logs a warning about itself, which says nothing about the document.
        yield from (entry for entry in log if not _WARNING.match(entry.message))


def worded(message: str, kind: str) -> str:
    """Return libxml2's message without the value that it quotes, which may be a person's.

    The value may itself hold quotation marks and these very words; so only what stands behind the last of them is kept.
    """
    if kind.startswith(_WITHOUT_VALUE):
        return message
    place = _PLACE.match(message)
    prefix = place.group() if place else ""
    if _LENGTH.match(message, len(prefix)):
        return message
    behind = [found.start() for found in _BEHIND_THE_VALUE.finditer(message)]
    return f"{prefix}the value{message[behind[-1] + 1 :]}" if behind else f"{prefix}{kind}"


def _name(path: str) -> str | None:
    """Return the last element's name of an XPath, without position."""
    return re.sub(r"\[[0-9]+\]$", "", path.rpartition("/")[2]) or None
