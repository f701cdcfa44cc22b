"""The XSD judge: all faults with line and path, and no value in its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.findings import UNIT
from hub.xmlsafe import XmlFault, parse
from validation.xsd import MAX_FAULTS, XsdJudge, worded

XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="cases"><xs:complexType><xs:sequence>
  <xs:element name="case" maxOccurs="unbounded"><xs:complexType>
    <xs:sequence>
      <xs:element name="number"><xs:simpleType><xs:restriction base="xs:string">
        <xs:pattern value="[0-9]{3}"/></xs:restriction></xs:simpleType></xs:element>
      <xs:element name="name"><xs:simpleType><xs:restriction base="xs:string">
        <xs:maxLength value="4"/></xs:restriction></xs:simpleType></xs:element>
      <xs:element name="day" type="xs:date" minOccurs="0"/>
    </xs:sequence>
    <xs:attribute name="kind" use="required"><xs:simpleType><xs:restriction base="xs:string">
      <xs:enumeration value="A"/><xs:enumeration value="B"/></xs:restriction></xs:simpleType></xs:attribute>
  </xs:complexType></xs:element>
</xs:sequence></xs:complexType>
<xs:unique name="once"><xs:selector xpath="case"/><xs:field xpath="number"/></xs:unique>
</xs:element></xs:schema>"""


@pytest.fixture
def judge(tmp_path: Path) -> XsdJudge:
    file = tmp_path / "cases.xsd"
    file.write_text(XSD, encoding="utf-8")
    return XsdJudge(file)


def test_a_good_document_gives_no_finding(judge: XsdJudge) -> None:
    tree = parse(b'<cases><case kind="A"><number>123</number><name>n</name><day>2026-01-05</day></case></cases>')
    assert judge.judge(tree) == []


def test_all_faults_come_at_once_with_line_and_path(judge: XsdJudge) -> None:
    document = """<cases>
      <case kind="A"><number>12a</number><name>王小明的儿子</name><day>2026-02-30</day></case>
      <case kind="Q"><number>123</number></case>
      <case><number>124</number><name>n</name><unknown/></case>
    </cases>"""
    found = judge.judge(parse(document.encode()))
    assert [(one.detail["line"], one.pointer, one.field) for one in found] == [
        ("2", "/cases/case[1]/number", "number"),
        ("2", "/cases/case[1]/name", "name"),
        ("2", "/cases/case[1]/day", "day"),
        ("3", "/cases/case[2]", "case"),
        ("3", "/cases/case[2]", "case"),
        ("4", "/cases/case[3]", "case"),
        ("4", "/cases/case[3]/unknown", "unknown"),
    ]
    assert all(one.rule == "schema_violation" and one.record == UNIT and one.refuses for one in found)
    assert "pattern '[0-9]{3}'" in found[0].detail["expected"]


@pytest.mark.parametrize(
    "value",
    [
        "secret",
        "it's secret",
        "secret' is not accepted by the pattern 'x'; secret",
        "secret&#10;secret",
        "' is secret' has a length of 'secret",
    ],
)
def test_no_value_is_quoted_whatever_it_holds(judge: XsdJudge, value: str) -> None:
    document = (
        f'<cases><case kind="{value}"><number>{value}</number><name>{value}</name><day>{value}</day></case></cases>'
    )
    found = judge.judge(parse(document.encode()))
    assert len(found) == 4
    assert not any("secret" in word for one in found for word in one.detail.values())


def test_keys_that_repeat_are_not_quoted(judge: XsdJudge) -> None:
    case = '<case kind="A"><number>123</number><name>n</name></case>'
    found = judge.judge(parse(f"<cases>{case}{case}</cases>".encode()))
    assert [one.detail["keyword"] for one in found] == ["SCHEMAV_CVC_IDC"]
    assert "123" not in found[0].detail["expected"]


def test_lines_beyond_65535_are_told(judge: XsdJudge) -> None:
    document = "<cases>" + "\n" * 70_000 + '<case kind="A"><number>1</number><name>n</name></case></cases>'
    assert judge.judge(parse(document.encode()))[0].detail["line"] == "70001"


def test_very_many_faults_are_listed_up_to_a_bound_and_counted(judge: XsdJudge) -> None:
    cases = "".join(
        f'<case kind="A"><number>x{number}</number><name>n</name></case>' for number in range(MAX_FAULTS + 5)
    )
    found = judge.judge(parse(f"<cases>{cases}</cases>".encode()))
    assert len(found) == MAX_FAULTS + 1
    assert found[-1].detail["more"] == "5"


def test_a_message_of_an_unknown_kind_is_replaced_by_its_name() -> None:
    assert worded("Element 'a': something new about 'secret'", "SCHEMAV_NEW") == "Element 'a': SCHEMAV_NEW"


def test_what_is_no_xsd_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "bad.xsd"
    file.write_text("<not-a-schema/>", encoding="utf-8")
    with pytest.raises(XmlFault, match=r"bad\.xsd is no XML schema"):
        XsdJudge(file)
