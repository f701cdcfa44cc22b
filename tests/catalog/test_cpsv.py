"""The catalogue in CPSV-AP 3.2.0: checked by pyshacl against shapes of its classes and cardinalities."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from pyshacl import validate
from rdflib import RDF, XSD, Graph, Literal, Namespace, URIRef

from catalog import base_items, cpsv
from catalog.life import Doer
from hub.documents import SCHEMAS
from tests.catalog.items import ORGAN, code, content, needs, published

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning:rdflib")
"""The library's own reader of JSON-LD uses what the library calls deprecated."""

CPSV, CV = Namespace("http://purl.org/vocab/cpsv#"), Namespace("http://data.europa.eu/m8g/")
DCT, FOAF = Namespace("http://purl.org/dc/terms/"), Namespace("http://xmlns.com/foaf/0.1/")
DCAT, SKOS = Namespace("http://www.w3.org/ns/dcat#"), Namespace("http://www.w3.org/2004/02/skos/core#")
SHAPES = SCHEMAS / "catalog" / "cpsv-ap" / "3.2.0" / "shapes.ttl"
FULL = content(
    name="食品经营许可", name_en="Food licence", place="二楼", window="3 号", telephone="0571-1", online_depth="4",
    promised_limit={"value": 1, "unit": "month"}, legal_limit={"value": 2, "unit": "month"},
    materials=[{"name": "申请书", "form": "electronic", "source": "本人"}, {"name": "章程"}],
    requirements=[
        {"name": "用地", "holder": "project", "valid_on": "decision", "any_of": [
            {"item": code(1)[19:31]}, {"credential": "不动产权证书", "issued_by": ORGAN,
                                       "not_older_than": {"value": 6, "unit": "month"}},
        ]},
        *needs(code(9), holder="applicant"),
    ],
)  # fmt: skip


@pytest.fixture
def graph(engine: sa.Engine) -> Graph:
    """The export of a small catalogue, read as a graph."""
    fixed = {"name": "食品经营许可", "item_type": "01"}
    base_items.fix(engine, "330117002000", fixed, Doer("cli:keeper", "hub"), reason="省级基本目录")
    published(engine, code(1), content=content(name="建设用地规划许可", fee={"charged": True, "basis": "《办法》"}))
    published(engine, code(2), content=FULL)
    published(engine, code(3), content=content(name="机密事项", disclosure="internal"))
    published(engine, code(4), content=content(name="依申请事项", disclosure="on_request", place="三楼"))
    published(engine, code(5), content=content(name="已取消事项"))
    published(engine, code(5), change="abolish", content=None, on=date(2026, 2, 1))
    with engine.connect() as connection:
        made = cpsv.document(connection, date(2026, 3, 1))
    return Graph().parse(data=json.dumps(made), format="json-ld")


def shapes() -> Graph:
    return Graph().parse(SHAPES, format="turtle")


def wrong(graph: Graph) -> str:
    conforms, _, text = validate(graph, shacl_graph=shapes(), inference="none")
    return "" if conforms else str(text)


def item(number: int) -> URIRef:
    return URIRef(f"{cpsv.URN}:item:{code(number)}")


def test_the_export_conforms_and_holds_what_is_public(graph: Graph) -> None:
    assert wrong(graph) == ""
    assert set(graph.subjects(RDF.type, CPSV.PublicService)) == {item(1), item(2), item(4)}
    assert "三楼" not in graph.serialize()
    assert "机密事项" not in graph.serialize()
    for kind in (CV.Channel, CV.ContactPoint, CV.Cost, CV.Output, CV.Evidence, CV.Requirement, CV.EvidenceType):
        assert (None, RDF.type, kind) in graph, kind


def test_an_item_says_all_that_it_says(graph: Graph) -> None:
    me = item(2)
    assert set(graph.objects(me, DCT.title)) == {Literal("食品经营许可", "zh"), Literal("Food licence", "en")}
    base = URIRef(f"{cpsv.URN}:base:330117002000")
    assert (me, CV.isClassifiedBy, base) in graph, "the base item that all levels share"
    assert graph.value(base, SKOS.prefLabel) == Literal("食品经营许可", "zh")
    assert not [one for one in graph.objects(item(1), CV.isClassifiedBy) if ":base:" in str(one)], "none is kept"
    assert graph.value(me, CV.processingTime) == Literal("P1M", datatype=XSD.duration)
    assert graph.value(item(1), CV.processingTime) is None, "working days are no duration"
    assert "10 working days" in str([str(one) for one in graph.objects(item(1), DCT.description)])
    assert set(graph.objects(me, DCT.requires)) == {item(1)}, "the base code leads to its item, the unknown one nowhere"
    assert len(set(graph.objects(me, CV.holdsRequirement))) == 2
    groups = {str(graph.value(one, DCT.title)): one for one in graph.objects(me, CV.holdsRequirement)}
    assert len(set(graph.objects(groups["用地"], CV.hasSupportingEvidence))) == 2
    assert len(set(graph.objects(me, CPSV.hasInput))) == 2
    assert len(set(graph.objects(me, CV.hasChannel))) == 2
    cost = graph.value(me, CV.hasCost)
    assert float(str(graph.value(cost, CV.hasValue))) == 0
    assert graph.value(graph.value(item(1), CV.hasCost), CV.hasValue) is None, "a fee in words has no number"


MANDATORY: list[tuple[Any, Any]] = [
    (CPSV.PublicService, DCT.identifier), (CPSV.PublicService, DCT.title), (CPSV.PublicService, DCT.description),
    (CPSV.PublicService, CV.hasCompetentAuthority), (CV.PublicOrganisation, SKOS.prefLabel),
    (CV.PublicOrganisation, DCT.spatial), (CV.Requirement, DCT.identifier), (CV.Requirement, DCT.title),
    (CV.Evidence, DCT.identifier), (CV.Evidence, DCT.title), (CV.EvidenceType, DCT.identifier),
    (CV.Output, DCT.identifier), (CV.Output, DCT.title), (CV.Cost, DCT.identifier), (CV.Channel, DCT.identifier),
    (FOAF.Agent, DCT.identifier), (FOAF.Agent, DCT.title), (DCAT.Dataset, DCT.title), (DCAT.Dataset, DCT.publisher),
    (DCAT.Dataset, DCT.description),
]  # fmt: skip


def test_the_shapes_find_each_mandatory_property_that_is_missing_and_each_wrong_class(graph: Graph) -> None:
    for kind, name in MANDATORY:
        one = next(graph.subjects(RDF.type, kind))
        kept = list(graph.triples((one, name, None)))
        assert kept, (kind, name)
        graph.remove((one, name, None))
        assert "MinCount" in wrong(graph), (kind, name)
        for triple in kept:
            graph.add(triple)
    for name in (CV.hasChannel, CV.hasCost, CPSV.produces, CV.holdsRequirement, DCT.requires, CV.hasLegalResource):
        graph.add((item(2), name, item(4) if name != DCT.requires else URIRef("urn:x")))
        assert "ClassConstraint" in wrong(graph), name
        graph.remove((item(2), name, item(4) if name != DCT.requires else URIRef("urn:x")))
    graph.add((item(2), DCT.identifier, Literal("second")))
    assert "MaxCount" in wrong(graph)
