"""Reads the answer of an operation: its envelope and what stands beside the records, then the records.

zeep has no part in it: it would make Python values of instants and decimals only for us to write them out again,
perhaps otherwise. Records are read by the reader of XML files, so that an element reads the same from a file and from
a service.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from lxml import etree

from connectors.http import Answer
from connectors.kinds.files.where import Where
from connectors.kinds.files.xml import open_xml, worded
from connectors.kinds.soap.fault import ENVELOPES, trouble_of
from connectors.kinds.soap.walk import ENVELOPE, Look, local, look, root_of
from connectors.kinds.soap.wire import is_xml
from connectors.limits import Limits
from connectors.words import code_or_plain
from hub.errors import SchemaMismatch, SourceTrouble, StopSource
from hub.records import BrokenRecord, Record
from hub.xmlsafe import XmlFault

_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_DECLARED = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([\w.-]{1,40})[\"']")
_CHARSET = re.compile(r"(?i)charset\s*=\s*[\"']?([\w.-]{1,40})")
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030"}
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says: its records, and the texts at the paths that were asked for."""

    records: list[Record]
    texts: Mapping[str, str | None]


class AnswerReader:
    """Reads the answers of one stream.

    `named` is the element that the WSDL says an answer is, where it says so; `vouched` tells that the WSDL knows the
    path of the records to its end, so that an answer without that path has none.
    """

    def __init__(
        self, options: Mapping[str, Any], limits: Limits, where: Where, *, named: str | None, vouched: bool,
        secrets: Iterable[str],
    ) -> None:  # fmt: skip
        self.options, self.limits, self.where = options, limits, where
        self.named, self.vouched, self.secrets = named, vouched, tuple(secrets)
        self.records: str = options["records"]
        self.within: str | None = options.get("document")
        paths = {"total": options.get("total"), "next": options.get("paging", {}).get("next")}
        paths["success"] = options.get("success", {}).get("path")
        self.wanted: Mapping[str, str] = {name: path for name, path in paths.items() if path}

    def read(self, answer: Answer) -> Reading:
        """Read an answer.

        Raises:
            SourceTrouble: it is a fault, broken, unsafe, or not what was declared.
        """
        kind = answer.headers.get("Content-Type", "")
        if not is_xml(kind):
            raise self._trouble(
                SchemaMismatch, f"the answer is {_sort_of(kind)}, not XML", "text/xml, application/soap+xml",
                "Check the address: it may be a log-in page, or a service that sends attachments, which are not read.",
            )  # fmt: skip
        try:
            return self._read(self._as_declared(answer.body, kind))
        except XmlFault as fault:
            raise worded(fault, self.where) from None

    def _read(self, data: bytes) -> Reading:
        self._judge_root(root_of(data, self.limits.body_bytes))
        if self.within is None:
            seen = self._look(data, self.wanted, self.records)
        else:
            data = self._document(data, self.within)
            limit = self.limits.body_bytes
            seen = look(data, (local(root_of(data, limit)),), self.wanted, self.records, limit=limit)
        self._judge(seen)
        return Reading(self._records(data), seen.texts)

    def _look(self, data: bytes, wanted: Mapping[str, str], records: str | None) -> Look:
        """Walk through an envelope."""
        limit = self.limits.body_bytes
        seen = look(data, ENVELOPE, wanted, records, limit=limit, judge_body=self._judge_body)
        if not seen.body:
            raise self._trouble(SchemaMismatch, "the envelope has no body", "Envelope/Body")
        return seen

    def _judge_root(self, tag: str) -> None:
        root = etree.QName(tag)
        if root.localname != "Envelope" or root.namespace not in ENVELOPES:
            page = root.localname.lower() == "html"
            raise self._trouble(
                SchemaMismatch, "the answer is a web page" if page else "the answer is no SOAP envelope", "Envelope",
                "Check the address and the credentials in the connection: it may be a log-in page.",
            )  # fmt: skip

    def _judge_body(self, body: etree._Element) -> None:
        """Raise a fault that an envelope's body holds, or the trouble of another answer than the WSDL promises."""
        names = [local(child.tag) for child in body]
        if "Fault" in names:
            raise trouble_of(body[names.index("Fault")], self.where, self.secrets)
        if self.named is not None and self.named not in names:
            raise self._trouble(
                SchemaMismatch, f"the answer holds {', '.join(names[:5]) or 'nothing'}", self.named,
                "Ask the department whether the WSDL is that of this service.",
            )  # fmt: skip

    def _document(self, data: bytes, within: str) -> bytes:
        """Return the document that stands as text in the answer."""
        text = (self._look(data, {"document": within}, None).texts.get("document") or "").strip("\ufeff \t\r\n")
        if not text:
            raise self._trouble(SchemaMismatch, f"the answer has no text at {within} (option `document`)")
        return _DECLARATION.sub("", text, count=1).strip().encode()

    def _judge(self, seen: Look) -> None:
        """Raise what the texts beside the records say against the answer."""
        success = self.options.get("success")
        if success is not None:
            said, good = (seen.texts.get("success") or "").strip(), [_written(value) for value in success["values"]]
            if said not in good:
                raise self._trouble(
                    StopSource, f"the service says {success['path']} = {self._shown(said)}", ", ".join(good),
                    "Ask the department what this answer means.",
                )  # fmt: skip
        empty = self.vouched or (seen.texts.get("total") or "").strip() == "0"
        if seen.instead and not empty:
            raise self._trouble(
                SchemaMismatch, f"the answer has nothing at {self.records} (option `records`)",
                ", ".join(seen.instead[:_SHOWN]),
            )  # fmt: skip

    def _shown(self, said: str) -> str:
        return code_or_plain(said, self.secrets)

    def _records(self, data: bytes) -> list[Record]:
        base = ENVELOPE if self.within is None else ("*",)
        options = {name: self.options[name] for name in ("fields", "namespaces") if name in self.options}
        path = "/" + "/".join((*base, self.records))
        reader = open_xml(BytesIO(data), {**options, "record": path}, self.limits, self.where)
        return [record for _, record in reader.rows() if not isinstance(record, BrokenRecord)]

    def _as_declared(self, body: bytes, kind: str) -> bytes:
        """Return a body in the encoding that its document declares; what HTTP says goes before that (RFC 7303)."""
        found, declared = _CHARSET.search(kind), _DECLARED.match(body.removeprefix(codecs.BOM_UTF8))
        said, inside = _codec(found[1]) if found else None, _codec(declared[1].decode()) if declared else "utf-8"
        if said is None or said == inside or body.startswith(_MARKS):
            return body
        try:
            text = body.decode(_WIDER.get(said, said), "strict")
        except UnicodeDecodeError:
            raise self.where.encoding(f"the answer is no text in {said}", f"declared inside: {inside}") from None
        return _DECLARATION.sub("", text, count=1).encode()

    def _trouble(self, kind: type[SourceTrouble], got: str, known: str = "", hint: str = "") -> SourceTrouble:
        return kind(
            source=self.where.source, stream=self.where.stream, unit=self.where.unit, got=got, known=known, hint=hint
        )


def _codec(name: str) -> str | None:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def _sort_of(kind: str) -> str:
    """Name the sort of an answer without quoting what a service may have written there."""
    sort = kind.partition(";")[0].strip().lower()
    return sort if re.fullmatch(r"[a-z]+/[a-z0-9.+-]{1,40}", sort) else "of an unreadable type"


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
