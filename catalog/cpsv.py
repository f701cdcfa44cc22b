"""The published catalogue in the European vocabulary of public services, CPSV-AP 3.2.0, as JSON-LD (SEMIC, 2023).

Only what is public goes out. What CPSV-AP has no place for is told in words and never forced into another meaning: a
limit in working days is no ISO 8601 duration, so that it stands in the description and not in `processingTime`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from catalog.disclosure import Said, shown
from catalog.imports.entries import ITEM_TYPES
from hub.words import Words

Node = dict[str, Any]

URN = "urn:approval-exchange-hub"
CONTEXT: Node = {
    "adms": "http://www.w3.org/ns/adms#",
    "cpsv": "http://purl.org/vocab/cpsv#",
    "cv": "http://data.europa.eu/m8g/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "org": "http://www.w3.org/ns/org#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_UNIT = "http://data.europa.eu/88u/dataset/atu-type"
_AUTHORITY = "http://publications.europa.eu/resource/authority"
_CHINESE = f"{_AUTHORITY}/language/ZHO"
_YUAN = f"{_AUTHORITY}/currency/CNY"
_ONLINE = ("3", "4", "5")
"""Depths at which an application can be made online."""
_DURATIONS = {"calendar_day": "P{}D", "month": "P{}M", "year": "P{}Y"}

_BASES = "SELECT base_code, content ->> 'name' AS name FROM catalog.base_item"
_ITEMS = """
SELECT f.code, f.base_code, f.organ, f.region, f.status, f.content, o.name AS organ_name, o.region AS organ_region
FROM catalog.in_force AS f
LEFT JOIN LATERAL (SELECT name, region FROM core.organ WHERE code = f.organ
                   ORDER BY valid_from DESC NULLS LAST LIMIT 1) AS o ON TRUE
WHERE f.valid_from <= :day AND (f.valid_to IS NULL OR :day < f.valid_to)
    AND f.status IN ('in_force', 'suspended') AND f.content ->> 'disclosure' IS DISTINCT FROM 'internal'
ORDER BY f.code
"""


def document(connection: sa.Connection, day: date) -> Node:
    """Return the items that are in force or suspended on a day, as far as they are public."""
    rows = [dict(row) for row in connection.execute(sa.text(_ITEMS), {"day": day}).mappings()]
    by_number: dict[str, list[str]] = {}
    for row in rows:
        for number in {row["code"], row["base_code"] or row["code"]}:
            by_number.setdefault(number, []).append(_item(row["code"]))
    bases = {row.base_code: row.name for row in connection.execute(sa.text(_BASES))}
    nodes: dict[str, Node] = {}
    for row in rows:
        for node in _service(row, shown(row["content"]), by_number, bases):
            nodes.setdefault(node["@id"], node)
    for node in _dataset(day, [_item(row["code"]) for row in rows]):
        nodes[node["@id"]] = node
    return {"@context": CONTEXT, "@graph": list(nodes.values())}


def _dataset(day: date, items: list[str]) -> Iterator[Node]:
    publisher = f"{URN}:hub"
    titles = {language: Words(language)("items.title") for language in ("zh", "en")}
    yield {
        "@id": f"{URN}:items", "@type": "dcat:Dataset", "dct:identifier": f"items {day.isoformat()}",
        "dct:title": _texts(titles["zh"], titles["en"]),
        "dct:description": _texts(f"{titles['zh']}，{day.isoformat()} 有效", f"{titles['en']} on {day.isoformat()}"),
        "dct:publisher": _to(publisher), "dct:hasPart": [_to(one) for one in items],
    }  # fmt: skip
    name = {language: Words(language)("hub.name") for language in ("zh", "en")}
    yield {
        "@id": publisher, "@type": "foaf:Agent", "dct:identifier": "hub", "dct:title": _texts(name["zh"], name["en"]),
    }  # fmt: skip


def _service(
    row: Mapping[str, Any], content: Said, by_number: Mapping[str, list[str]], bases: Mapping[str, str | None]
) -> Iterator[Node]:
    """Yield an item and all that belongs to it."""
    me, organ = _item(row["code"]), f"{URN}:organ:{row['organ']}"
    node: Node = {
        "@id": me, "@type": "cpsv:PublicService", "dct:identifier": row["code"],
        "dct:title": _texts(content["name"], content["name_en"]),
        "dct:description": _texts(_told(content, "zh"), _told(content, "en")),
        "cv:hasCompetentAuthority": _to(organ), "dct:isPartOf": _to(f"{URN}:items"), "dct:language": _to(_CHINESE),
        "adms:status": _to(f"{URN}:status:{row['status']}"),
        "cv:isClassifiedBy": [_to(f"{URN}:type:{content['item_type']}")],
    }  # fmt: skip
    if row["base_code"] in bases:
        base = _base(row["base_code"], bases[row["base_code"]])
        node["cv:isClassifiedBy"].append(_to(base["@id"]))
        yield base
    region = row["organ_region"] or row["region"] or row["organ"][2:8]
    place = row["region"] or region
    yield from _organ(organ, row, region)
    yield {"@id": f"{URN}:location:{quote(place)}", "@type": "dct:Location", "dct:identifier": place}
    node["dct:spatial"] = _to(f"{URN}:location:{quote(place)}")
    yield {"@id": _CHINESE, "@type": "dct:LinguisticSystem"}
    yield _concept("status", row["status"], "item.status")
    yield _concept("type", content["item_type"], "item.type")
    if duration := _duration(content["promised_limit"]):
        node["cv:processingTime"] = {"@value": duration, "@type": "xsd:duration"}
    parts = [*_parts(me, organ, content), *_requirements(me, content, by_number)]
    for relation, part in parts:
        if relation:
            node.setdefault(relation, []).append(_to(part["@id"]))
        if "@type" in part:
            yield part
    yield node


Part = tuple[str, Node]
"""How an item is related to a node (empty: by another part), and the node."""


def _parts(me: str, organ: str, content: Said) -> Iterator[Part]:
    """Yield channels, contact, cost, law, papers and results."""
    where = " ".join(one for one in (content["place"], content["window"]) if one)
    if where:
        yield (
            "cv:hasChannel",
            _thing(f"{me}:channel:window", "cv:Channel", describes=where) | {"cv:ownedBy": _to(organ)},
        )
    if content["online_depth"] in _ONLINE:
        depth = Words("zh").or_code("item.online_depth", content["online_depth"])
        yield "cv:hasChannel", _thing(f"{me}:channel:online", "cv:Channel", describes=f"网上办理（{depth}）")
    if content["telephone"]:
        contact = {"@id": f"{me}:contact", "@type": "cv:ContactPoint", "cv:telephone": content["telephone"]}
        yield "cv:contactPoint", contact
    if content["fee"]:
        yield from _cost(me, organ, content["fee"])
    for law in content["legal_basis"] or ():
        name = hashlib.sha256(law.encode()).hexdigest()[:32]
        yield "cv:hasLegalResource", {
            "@id": f"{URN}:law:{name}", "@type": "eli:LegalResource", "dct:title": _texts(law),
        }  # fmt: skip
    for place, one in enumerate(content["materials"] or (), 1):
        paper = _thing(f"{me}:material:{place}", "cv:Evidence", name=one["name"], describes=one["source"])
        if one["form"]:
            paper["dct:type"] = _to(f"{URN}:form:{one['form']}")
            yield "", _concept("form", one["form"], "item.form")
        yield "cpsv:hasInput", paper
    for place, one in enumerate(content["results"] or (), 1):
        yield "", _concept("result", one["kind"], "item.kind")
        result = _thing(f"{me}:result:{place}", "cv:Output", name=one["name"])
        yield "cpsv:produces", result | {"dct:type": _to(f"{URN}:result:{one['kind']}")}


def _cost(me: str, organ: str, fee: Said) -> Iterator[Part]:
    words = "；".join(one for one in (fee["standard"], fee["basis"]) if one)
    cost = _thing(f"{me}:cost", "cv:Cost", describes=words) | {"cv:isDefinedBy": _to(organ)}
    if not fee["charged"]:
        yield "", {"@id": _YUAN, "@type": "skos:Concept"}
        cost |= {"cv:hasValue": {"@value": "0", "@type": "xsd:double"}, "cv:currency": _to(_YUAN)}
    yield "cv:hasCost", cost


def _requirements(me: str, content: Said, by_number: Mapping[str, list[str]]) -> Iterator[Part]:
    """Yield a requirement for each group; its evidence is one of several, each of which is enough."""
    for place, group in enumerate(content["requirements"] or (), 1):
        mine = f"{me}:requirement:{place}"
        need = _thing(mine, "cv:Requirement", name=group["name"])
        need |= {"dct:type": _to(f"{URN}:holder:{group['holder']}"), "cv:hasSupportingEvidence": []}
        yield "", _concept("holder", group["holder"], "item.holder")
        for number, option in enumerate(group["any_of"], 1):
            kind = option["credential"] or option["item"]
            sort = f"{URN}:evidence-type:{quote(kind, safe='')}"
            yield "cv:hasInputType", {"@id": sort, "@type": "cv:EvidenceType", "dct:identifier": kind}
            proof = _thing(f"{mine}:option:{number}", "cv:Evidence", name=kind, describes=_holds(group, option))
            proof |= {"dct:conformsTo": _to(sort), "cv:supportsRequirement": _to(mine)}
            need["cv:hasSupportingEvidence"].append(_to(proof["@id"]))
            yield "", proof
            for other in by_number.get(option["item"] or "", ()):
                yield "dct:requires", _to(other)
        yield "cv:holdsRequirement", need


def _holds(group: Said, option: Said) -> str:
    """Say in words what must hold of an option."""
    words = Words("zh")
    said = [words.or_code("item.holder", group["holder"]), words.or_code("item.valid_on", group["valid_on"])]
    if option["issued_by"]:
        said.append(words("item.issued_by", organ=option["issued_by"]))
    if option["not_older_than"]:
        said.append(words("item.not_older", limit=_limit(option["not_older_than"], words)))
    return "；".join(said)


def _organ(organ: str, row: Mapping[str, Any], region: str) -> Iterator[Node]:
    unit = f"{URN}:region:{quote(region)}"
    name = row["organ_name"] or row["organ"]
    yield {
        "@id": organ, "@type": ["cv:PublicOrganisation", "org:Organization"], "dct:identifier": row["organ"],
        "dct:title": _texts(name), "skos:prefLabel": _texts(name), "dct:spatial": _to(unit),
    }  # fmt: skip
    yield {"@id": unit, "@type": _UNIT, "dct:identifier": region}


def _told(content: Said, language: str) -> str:
    """Describe an item in a sentence, with its limits as the law counts them."""
    words = Words(language)
    said = [words.or_code("item.type", content["item_type"]) if content["item_type"] in ITEM_TYPES else ""]
    said += [
        f"{words(f'item.field.{name}')}: {_limit(content[name], words)}"
        for name in ("legal_limit", "promised_limit")
        if content[name]
    ]
    return f"{content['name']} ({'; '.join(one for one in said if one)})"


def _limit(limit: Mapping[str, Any], words: Words) -> str:
    return f"{limit['value']} {words.or_code('item.unit', limit['unit'])}"


def _duration(limit: Mapping[str, Any] | None) -> str | None:
    form = None if limit is None else _DURATIONS.get(limit["unit"])
    return None if form is None or limit is None else form.format(limit["value"])


def _thing(iri: str, kind: str, *, name: str | None = None, describes: str | None = None) -> Node:
    made: Node = {"@id": iri, "@type": kind, "dct:identifier": iri.removeprefix(f"{URN}:")}
    if name:
        made["dct:title"] = _texts(name)
    if describes:
        made["dct:description"] = _texts(describes)
    return made


def _concept(sort: str, code: str, prefix: str) -> Node:
    labels = (Words(language).or_code(prefix, code) for language in ("zh", "en"))
    return {
        "@id": f"{URN}:{sort}:{code}", "@type": "skos:Concept", "skos:notation": code, "skos:prefLabel": _texts(*labels)
    }  # fmt: skip


def _base(code: str, name: str | None) -> Node:
    """Return a base item: what all that carry it out have in common."""
    return {
        "@id": f"{URN}:base:{code}", "@type": "skos:Concept", "skos:notation": code,
        "skos:prefLabel": _texts(name or f"基本编码 {code}"),
    }  # fmt: skip


def _texts(chinese: str, english: str | None = None) -> list[Node]:
    both: Iterable[tuple[str, str | None]] = (("zh", chinese), ("en", english))
    return [{"@value": text, "@language": language} for language, text in both if text]


def _item(code: str) -> str:
    return f"{URN}:item:{quote(code, safe='')}"


def _to(iri: str) -> Node:
    return {"@id": iri}
