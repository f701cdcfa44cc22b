"""Changes of the catalogue as an Atom feed (RFC 4287), made by lxml, so that every text is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from lxml import etree

from hub.words import HTML_LANG, Words

_ATOM = "http://www.w3.org/2005/Atom"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_URN = "urn:approval-exchange-hub"
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""
TYPE = "application/atom+xml; charset=utf-8"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def made(
    changes: Iterable[Mapping[str, Any]], *, base: str, language: str, query: Mapping[str, str], further: int | None
) -> bytes:
    """Return the feed of changes, the newest first; `further` is where the next page of it begins, if there is one."""
    words, listed = Words(language), list(changes)
    root = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})  # type: ignore[dict-item]  # the stubs know no default namespace
    root.set(f"{_XML}lang", HTML_LANG[language])
    here = {**query, "language": language}
    _put(root, "id", f"{_URN}:items:changes:{urlencode(sorted(query.items()))}")
    _put(root, "title", words("changes.title"))
    _put(root, "updated", _instant(max((one["published_at"] for one in listed), default=_NEVER)))
    _link(root, "self", f"{base}/items/changes.atom?{urlencode(here)}", TYPE.partition(";")[0])
    _link(root, "alternate", f"{base}/items/changes", "text/html")
    if further is not None:
        _link(root, "next", f"{base}/items/changes.atom?{urlencode({**here, 'from': further})}", "application/atom+xml")
    for one in listed:
        _entry(root, one, words, base)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))


def _entry(root: Any, one: Mapping[str, Any], words: Words, base: str) -> None:
    entry = etree.SubElement(root, f"{{{_ATOM}}}entry")
    _put(entry, "id", f"{_URN}:item:{quote(one['code'], safe='')}:{one['version']}")
    _put(entry, "title", f"{words.or_code('item.change', one['change'])} {one['content']['name']}")
    _put(entry, "updated", _instant(one["published_at"]))
    author = etree.SubElement(entry, f"{{{_ATOM}}}author")
    _put(author, "name", one["organ_name"] or one["organ"])
    _link(entry, "alternate", f"{base}/items/{quote(one['code'])}", "text/html")
    etree.SubElement(entry, f"{{{_ATOM}}}category", term=one["change"])
    said = [
        words("changes.effective", day=one["valid_from"].isoformat()),
        f"{words('item.col.reason')}: {one['reason']}",
        *([f"{words('item.col.fields')}: {_list(words, one['fields'])}"] if one["fields"] else []),
        *([f"{words('item.successors')}: {', '.join(one['successors'])}"] if one["successors"] else []),
    ]
    _put(entry, "summary", " · ".join(said))


def _list(words: Words, fields: Iterable[str]) -> str:
    return ", ".join(words.or_code("item.field", one) for one in fields)


def _put(parent: Any, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{_ATOM}}}{name}").text = _UNFIT.sub("\ufffd", text)


def _link(parent: Any, relation: str, address: str, kind: str) -> None:
    etree.SubElement(parent, f"{{{_ATOM}}}link", rel=relation, href=address, type=kind)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
