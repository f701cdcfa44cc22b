"""Kind soap, against a real SOAP service on loopback: the message, the answer, paging, who asks, and what is told."""

from __future__ import annotations

import json
import logging
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import connectors
from connectors.kinds.soap.params import filled, nested
from connectors.loading import load_sources
from connectors.source import Cursor, Expect, StreamSpec
from hub.errors import (
    ConfigError,
    HostileInput,
    HubError,
    RetrySource,
    SchemaMismatch,
    SourceUnreachable,
    StopSource,
    StreamMissing,
    TruncatedUnit,
    WrongCredentials,
)
from hub.records import Record, Slice
from tests.connectors.parts import keyed, opened, pull, records, stream
from tests.connectors.soap_service import SCHEMA, TNS, Asked, SoapService, answer_of, fault, serving

PAGE = Path(__file__).resolve().parents[2] / "docs" / "integrate" / "kinds" / "soap.md"


@pytest.fixture
def service() -> Iterator[SoapService]:
    with serving() as made:
        made.cases = [{"@version": 1, "caseNo": str(number)} for number in range(25)]
        yield made


def soap(cursor: Cursor | None = None, expect: Expect | None = None, **options: Any) -> StreamSpec:
    own = {"operation": "queryCases", "port": "Soap11", "records": "cases/case", "params": {"query": {}}}
    return stream("cases", cursor=cursor, expect=expect, **{**own, "backoff": 0.01, "attempts": 3, **options})


def take(service: SoapService, one: StreamSpec, state: Record | None = None, **more: Any) -> list[Slice]:
    return pull("soap", service.url(), one, state, **more)


def numbers(slices: list[Slice]) -> list[int]:
    return [int(record["caseNo"]) for record in records(slices)]


# --- the message


@pytest.mark.parametrize("port", ["Soap11", "Soap12"])
def test_both_versions_of_soap_are_spoken(service: SoapService, port: str) -> None:
    assert numbers(take(service, soap(port=port))) == list(range(25))
    assert service.asked[0].version == {"Soap11": "1.1", "Soap12": "1.2"}[port]
    assert service.got == ["/services/approval?wsdl", "/services/approval.xsd"]


def test_parameters_go_where_the_message_has_them(service: SoapService) -> None:
    one = soap(
        Cursor("changedAt"), params={"query": {"state": ["open", "closed"], "pageSize": 7}, "query/offset": 0},
        since={"param": "query/changedSince", "format": "iso"}, until={"param": "query/changedUntil"},
    )  # fmt: skip
    take(service, one, {"cursor": "2026-01-05 08:00:00"})
    values = service.asked[0].values
    assert values["state"] == ["open", "closed"]
    assert (values["pageSize"], values["offset"]) == (["7"], ["0"])
    assert values["changedSince"] == ["2026-01-05T08:00:00+08:00"]
    assert values["changedUntil"] > values["changedSince"]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "Missing element query"),
        ({"query": {"pag": 1}}, "unexpected keyword argument"),
        ({"query": "x"}, "query holds elements, not a value"),
        ({"query": {"page": {"a": 1}}}, "query/page holds a value, not elements"),
    ],
)
def test_parameters_that_the_wsdl_does_not_know_are_never_sent(
    service: SoapService, params: dict[str, Any], words: str
) -> None:
    with pytest.raises(SchemaMismatch, match=words):
        take(service, soap(params=params))
    assert service.asked == []


def test_a_text_in_and_a_text_out(service: SoapService) -> None:
    def answer(asked: Asked) -> str:
        request = etree.fromstring(asked.one("request"))
        page = int(request.findtext("page") or 0)
        rows = "".join(f"<row><caseNo>{n}</caseNo></row>" for n in range(25)[(page - 1) * 10 :][:10])
        inner = f'<?xml version="1.0" encoding="GBK"?><r><head><code>0</code></head><body>{rows}<!-- 数 --></body></r>'
        return f'<t:getDataResponse xmlns:t="{TNS}"><return><![CDATA[{inner}]]></return></t:getDataResponse>'

    service.answer = answer
    one = soap(
        Cursor("changedAt"), operation="getData",
        params={"request": "<q><from>{from}</from><page>{page}</page></q>", "from": "a<b&c"},
        since={"param": "from"}, paging={"style": "page"}, document="return", records="body/row",
        success={"path": "head/code", "values": [0]},
    )  # fmt: skip
    assert numbers(take(service, one)) == list(range(25))
    assert service.asked[0].one("request") == "<q><from>a&lt;b&amp;c</from><page>1</page></q>"
    take(service, one, {"cursor": "2026-01-05"})
    assert "<from>2026-01-05</from>" in service.asked[-1].one("request")
    with pytest.raises(StopSource, match=r"the service says head/code = 0 \(known: 200\)"):
        take(service, soap(**{**one.options, "success": {"path": "head/code", "values": [200]}}))
    with pytest.raises(SchemaMismatch, match=r"nothing at list/row .option `records`. \(known: head, body\)"):
        take(service, soap(**{**one.options, "records": "list/row"}))


@given(st.dictionaries(st.text("ab/", min_size=1), st.integers()))
def test_names_with_slashes_nest(params: dict[str, int]) -> None:
    made = nested(params)
    for name, value in params.items():
        here: Any = made
        for step in name.split("/"):
            here = here.get(step) if isinstance(here, dict) else None
        inside = any(other.startswith(name + "/") or name.startswith(other + "/") for other in params if other != name)
        assert here == value or inside


def test_what_is_filled_in_is_not_filled_again() -> None:
    assert filled({"a": "{b}{c}", "b": "{c}", "c": "x", "d": {"e": ["{b}"]}}) == {"a": "{c}x", "d": {"e": ["{c}"]}}
    assert filled({"a": '<q v="{b}"/>', "b": '"<'}) == {"a": '<q v="&quot;&lt;"/>'}


# --- the answer


def test_elements_read_as_those_of_xml_files_do(service: SoapService, tmp_path: Path) -> None:
    service.cases = [{
        "@version": "007", "caseNo": " A-1 ", "itemName": None, "applicant": "",
        "appliedAt": "2026-01-05T08:00:00.120Z", "fee": "0012.50", "step": ["a", "b"],
        "item": {"code": "1", "sub": [{"caseNo": "1"}, {"caseNo": "2"}]},
    }]  # fmt: skip
    (record,) = records(take(service, soap()))
    assert record == {
        "version": "007", "caseNo": " A-1 ", "itemName": None, "applicant": None,
        "appliedAt": "2026-01-05T08:00:00.120Z", "fee": "0012.50", "step": ["a", "b"],
        "item": {"code": "1", "sub": [{"caseNo": "1"}, {"caseNo": "2"}]},
    }  # fmt: skip
    (tmp_path / "a.xml").write_text(answer_of(service.cases), encoding="utf-8")
    same = stream("s", path="*.xml", format="xml", record="/queryCasesResponse/cases/case")
    assert records(pull("files", str(tmp_path), same)) == [record]
    fields = {"no": "t:caseNo", "total": "../@total"}
    (chosen,) = records(take(service, soap(fields=fields, namespaces={"t": TNS})))
    assert (chosen["no"], chosen["total"], chosen["version"]) == (" A-1 ", "1", "007")


@pytest.mark.parametrize(
    ("charset", "declared", "encoding"),
    [("GBK", None, "gbk"), ("gb2312", "utf-8", "gb18030"), ("utf-8", "GBK", "utf-8"), (None, "GB18030", "gb18030")],
)
def test_the_encoding_is_what_http_says_else_what_the_document_says(
    service: SoapService, charset: str | None, declared: str | None, encoding: str
) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    inner = answer_of([{"caseNo": "许可〔2026〕1号"}])
    text = (
        f'{head}<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{inner}</s:Body></s:Envelope>'
    )
    kind = "text/xml" + (f"; charset={charset}" if charset else "")
    service.answer = lambda _asked: (200, {"Content-Type": kind}, text.encode(encoding))
    assert records(take(service, soap())) == [{"caseNo": "许可〔2026〕1号"}]


def test_no_records_are_an_empty_pull(service: SoapService) -> None:
    service.cases = []
    (piece,) = take(service, soap(Cursor("changedAt"), total="cases/@total"), {"cursor": "2026-01-01"})
    assert (piece.read, piece.state, piece.last) == (0, {"cursor": "2026-01-01"}, True)


def test_a_path_that_the_wsdl_does_not_know_is_no_empty_pull(service: SoapService) -> None:
    with pytest.raises(SchemaMismatch, match=r"has no 'item' .option `records`. \(known: case\)"):
        take(service, soap(records="cases/item"))
    with pytest.raises(SchemaMismatch, match=r"has no 'more' .option `paging`."):
        take(service, soap(paging={"style": "cursor", "param": "query/after", "next": "more"}))
    assert service.asked == []


def test_an_answer_that_the_wsdl_does_not_promise_is_refused(service: SoapService) -> None:
    service.answer = lambda _asked: f'<other xmlns="{TNS}"/>'
    with pytest.raises(SchemaMismatch, match=r"the answer holds other \(known: queryCasesResponse\)"):
        take(service, soap())


# --- paging


@pytest.mark.parametrize("stop", ["empty", "short"])
@pytest.mark.parametrize("style", ["page", "offset"])
def test_pages_by_number_and_by_offset(service: SoapService, style: str, stop: str) -> None:
    paging = {"style": style, "param": f"query/{style}", "size_param": "query/pageSize", "size": 10, "stop": stop}
    slices = take(service, soap(paging=paging), size=4)
    assert numbers(slices) == list(range(25))
    assert [row for piece in slices for row in piece.rows] == list(range(1, 26))
    assert len(service.asked) == (3 if stop == "short" else 4)


def test_the_total_ends_the_pull_and_is_declared(service: SoapService) -> None:
    paging = {"style": "page", "param": "query/page", "size_param": "query/pageSize", "size": 5}
    slices = take(service, soap(paging=paging, total="cases/@total"))
    assert numbers(slices) == list(range(25))
    assert len(service.asked) == 5
    assert slices[0].unit is not None
    assert (slices[0].unit.name, dict(slices[0].unit.declared)) == ("queryCases", {"records": 25})


def test_pages_by_token(service: SoapService) -> None:
    paging = {"style": "cursor", "param": "query/after", "next": "next", "size_param": "query/pageSize", "size": 10}
    assert numbers(take(service, soap(paging=paging))) == list(range(25))
    assert [asked.one("after") for asked in service.asked] == ["", "10", "20"]


def test_the_cursor_moves_only_when_the_pull_has_ended(service: SoapService) -> None:
    service.cases = [{"caseNo": n, "changedAt": f"2026-01-05T08:{n:02}:00+08:00"} for n in range(25)]
    one = soap(Cursor("changedAt", timedelta(minutes=5)), since={"param": "query/changedSince", "format": "iso"})
    slices = take(service, one, {"cursor": "2026-01-05T08:10:00+08:00"}, size=10)
    assert service.asked[0].one("changedSince") == "2026-01-05T08:05:00+08:00"
    assert numbers(slices) == list(range(5, 25))
    assert [piece.state["cursor"][11:16] for piece in slices] == ["08:10", "08:24"]
    assert numbers(take(service, one, slices[-1].state, full=True)) == list(range(25))
    assert "changedSince" not in service.asked[-1].values


# --- the WSDL


def test_messages_go_to_the_connections_host_whatever_the_wsdl_says(service: SoapService) -> None:
    service.documents["/services/approval?wsdl"] = service.wsdl(address="http://10.1.2.3:7001/inner").encode()
    take(service, soap())
    assert service.asked[-1].path == "/services/approval"
    own = service.wsdl(address=f"http://{service.host}/other/port").encode()
    service.documents["/services/approval?wsdl"] = own
    take(service, soap())
    assert service.asked[-1].path == "/other/port"


def test_the_wsdl_may_be_a_file_of_the_source(service: SoapService, tmp_path: Path) -> None:
    (tmp_path / "wsdl").mkdir()
    (tmp_path / "wsdl" / "approval.wsdl").write_text(service.wsdl(schema="../approval.xsd"))
    (tmp_path / "approval.xsd").write_text(SCHEMA)
    with pytest.raises(HostileInput, match="leads out of the source's folder"):
        take(service, soap(wsdl="wsdl/approval.wsdl"), folder=tmp_path)
    (tmp_path / "wsdl" / "approval.wsdl").write_text(service.wsdl())
    with pytest.raises(StreamMissing, match=r"imports 'approval.xsd', which is not in"):
        take(service, soap(wsdl="wsdl/approval.wsdl"), folder=tmp_path)
    (tmp_path / "wsdl" / "approval.xsd").write_text(SCHEMA)
    slices = pull("soap", service.url().removesuffix("?wsdl"), soap(wsdl="wsdl/approval.wsdl"), folder=tmp_path)
    assert numbers(slices) == list(range(25))
    assert service.got == []
    for outside in ("../approval.wsdl", "none.wsdl"):
        (tmp_path.parent / "approval.wsdl").write_text(service.wsdl())
        with pytest.raises(StreamMissing, match="no WSDL"):
            take(service, soap(wsdl=outside), folder=tmp_path)


def test_what_the_wsdl_offers_is_named(service: SoapService) -> None:
    with pytest.raises(StopSource, match=r"offered in 2 ways \(known: Approval/Soap11 \(SOAP 1.1\), Approval/Soap12"):
        pull("soap", service.url(), stream("cases", operation="queryCases", records="cases/case"))
    with pytest.raises(StreamMissing, match=r"no operation gone \(known: getData, queryCases\)"):
        take(service, soap(operation="gone"))
    with pytest.raises(StreamMissing, match=r"no such service, port or binding .* \(known: Approval/Soap11"):
        take(service, soap(port="Soap13"))
    assert numbers(take(service, stream_with(binding="Binding12"))) == list(range(25))


def stream_with(**options: Any) -> StreamSpec:
    return stream("queryCases", records="cases/case", params={"query": {}}, **options)


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/x.xsd", "file:///etc/passwd", "ftp://127.0.0.1/x.xsd"])
def test_an_import_from_elsewhere_is_refused(service: SoapService, location: str) -> None:
    service.documents["/services/approval?wsdl"] = service.wsdl(schema=location).encode()
    with pytest.raises(HostileInput, match=r"an import of the WSDL leads to .* Save the WSDL"):
        take(service, soap())


def test_no_import_of_the_wsdl_reaches_another_host(service: SoapService) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0.3)
        location = f"http://127.0.0.1:{other.getsockname()[1]}/x.xsd"
        first = '<xs:element name="queryCases">'
        included = SCHEMA.replace(first, f'<xs:include schemaLocation="{location}"/>{first}')
        service.documents["/services/approval.xsd"] = included.encode()
        with pytest.raises(HostileInput):
            pull("soap", service.url("user:TopSecret"), soap())
        with pytest.raises(TimeoutError):
            other.accept()


@pytest.mark.parametrize(
    ("document", "error", "words"),
    [
        (b"<html><body>log in</body></html>", SchemaMismatch, "neither a WSDL nor a schema"),
        (b"nonsense>", SchemaMismatch, "neither a WSDL nor a schema"),
        (SCHEMA.encode()[:200], TruncatedUnit, "ends before its last element"),
        (b'<description xmlns="http://www.w3.org/ns/wsdl"/>', StopSource, "WSDL 2.0"),
        (b'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>', StreamMissing, "no such service"),
        ((404, {}, b""), StreamMissing, "answered 404"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), SourceUnreachable, "points elsewhere"),
    ],
)
def test_what_is_no_wsdl_is_told(service: SoapService, document: Any, error: type[HubError], words: str) -> None:
    service.documents["/services/approval?wsdl"] = document
    with pytest.raises(error, match=words):
        take(service, soap())


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ('element="t:queryCases"', 'element="t:x"', StreamMissing, r"no operation queryCases \(known: getData\)"),
        ('type="t:Query"', 'type="t:x"', SchemaMismatch, "the WSDL makes no sense"),
    ],
)
def test_a_wsdl_that_makes_no_sense_is_told(
    service: SoapService, old: str, new: str, error: type[HubError], words: str
) -> None:
    service.documents["/services/approval?wsdl"] = service.wsdl().replace(old, new).encode()
    with pytest.raises(error, match=words):
        take(service, soap())


def test_the_schema_of_xml_lang_needs_no_network(service: SoapService) -> None:
    service.documents["/services/approval.xsd"] = SCHEMA.replace(
        '<xs:element name="queryCases">',
        '<xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="http://www.w3.org/2001/xml.xsd"/>'
        '<xs:element name="queryCases">',
    ).encode()
    assert numbers(take(service, soap())) == list(range(25))


# --- who asks


@pytest.mark.parametrize(
    ("secret", "auth", "header", "value"),
    [
        ("user:p%40ss", {}, "Authorization", "Basic dXNlcjpwQHNz"),
        (":T%40ken", {}, "Authorization", "Bearer T@ken"),
        (":T", {"style": "header", "name": "X-Key"}, "X-Key", "T"),
    ],
)
def test_the_secret_goes_into_a_header_only(
    service: SoapService, secret: str, auth: dict[str, str], header: str, value: str
) -> None:
    pull("soap", service.url(secret), soap(auth=auth) if auth else soap())
    (asked,) = service.asked
    assert asked.headers[header] == value
    assert (asked.token, asked.path) == ({}, "/services/approval")


def test_user_and_password_go_into_the_message(service: SoapService) -> None:
    service.user = ("reader", "p@ss")
    pull("soap", service.url("reader:p%40ss"), soap(security="username_token"))
    assert "Authorization" not in service.asked[0].headers
    with pytest.raises(WrongCredentials, match=r"fault, code wsse:FailedAuthentication"):
        pull("soap", service.url("reader:wrong"), soap(security="username_token"))
    assert len(service.asked) == 2, "wrong credentials are not tried again"
    service.user = None
    pull("soap", service.url("reader:p%40ss"), soap(security="username_token_digest"))
    token = service.asked[-1].token
    assert "p@ss" not in token.values()
    assert set(token) == {"Username", "Password", "Nonce", "Created"}
    with pytest.raises(WrongCredentials, match="needs a user and a password"):
        pull("soap", service.url(":T"), soap(security="username_token"))


def test_no_error_and_no_log_shows_the_secret(service: SoapService, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service.answer = lambda asked: fault("1.1", "s:Server", f"bad password TopSecret for {asked.token.get('Username')}")
    down = "http://reader:TopSecret@127.0.0.1:1/x?wsdl"
    urls = [
        service.url("reader:TopSecret"),
        down,
        "http://reader:TopSecret@x/?key=TopSecret",
        "ftp://r:TopSecret@x/?wsdl",
    ]
    for url in urls:
        with pytest.raises(HubError) as caught:
            pull("soap", url, soap(security="username_token", attempts=1))
        assert "TopSecret" not in repr(caught.value)
        assert "TopSecret" not in repr(caught.value.__cause__)
    said = "".join(record.getMessage() for record in caplog.records)
    assert "TopSecret" not in said
    assert "Envelope" not in said


# --- faults


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    ("port", "code", "error", "times"),
    [
        ("Soap11", "s:Client", StopSource, 1),
        ("Soap11", "s:Client.Authentication", WrongCredentials, 1),
        ("Soap11", "s:Server", RetrySource, 3),
        ("Soap11", "s:Server.userException", RetrySource, 3),
        ("Soap11", "ns1:4711", StopSource, 1),
        ("Soap11", "wsse:InvalidSecurityToken", WrongCredentials, 1),
        ("Soap11", "s:VersionMismatch", StopSource, 1),
        ("Soap12", "s:Sender", StopSource, 1),
        ("Soap12", "s:Sender/wsse:FailedAuthentication", WrongCredentials, 1),
        ("Soap12", "s:Receiver", RetrySource, 3),
        ("Soap12", "s:DataEncodingUnknown", StopSource, 1),
    ],
)
def test_a_fault_says_what_to_do_next(
    service: SoapService, port: str, code: str, error: type[HubError], times: int, status: int
) -> None:
    service.answer = lambda asked: fault(asked.version, code, "it does not work", status)
    with pytest.raises(error, match=r"code [^:]*:\S+( / \S+)?: it does not work") as caught:
        take(service, soap(port=port))
    assert type(caught.value) is error
    assert len(service.asked) == times


def test_a_service_that_recovers_is_heard(service: SoapService) -> None:
    replies: Iterator[Any] = iter(
        [(503, {"Retry-After": "0"}, b""), fault("1.1", "s:Server", "busy"), answer_of([{"caseNo": "7"}])]
    )
    service.answer = lambda _asked: next(replies)
    assert numbers(take(service, soap())) == [7]


def test_a_status_without_a_fault_is_told(service: SoapService) -> None:
    for status, error in ((500, RetrySource), (400, SchemaMismatch), (401, WrongCredentials), (403, WrongCredentials)):
        service.answer = lambda _asked, status=status: (status, {"Content-Type": "text/xml"}, b"<oops/>")
        with pytest.raises(error, match=f"answered {status}"):
            take(service, soap())


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The case number is missing", "code s:Client: The case number is missing"),
        ("手机１３９５７１２６８４５不存在", "code s:Client: 手机…不存在"),
        ("申请人王晓岚的证件无效", "code s:Client: 申请人…的证件无效"),
        ("Wang Xiaolan, 330185199003071223", "code s:Client. "),
    ],
)
def test_a_fault_is_told_without_persons(service: SoapService, said: str, shown: str) -> None:
    service.answer = lambda asked: fault(asked.version, "s:Client", said)
    with pytest.raises(StopSource) as told:
        take(service, soap())
    assert shown in str(told.value)


# --- verbs and declarations


def test_check_and_discover(service: SoapService) -> None:
    one, gone = soap(total="cases/@total"), stream("gone", records="a", port="Soap11")
    report = opened("soap", service.url(), one, gone).check()
    assert [(item.stream, item.ok) for item in report.items] == [("cases", True), ("gone", False)]
    assert report.items[0].message == (
        "operation queryCases of Approval/Soap11 (SOAP 1.1) answers; the first page has 25 of 25 records"
    )
    found = {
        one.name: {field.name: field.type for field in one.fields}
        for one in opened("soap", service.url(), one).discover()
    }
    assert sorted(found) == ["getData", "queryCases"]
    assert found["getData"] == {"in/request": "string", "out/return": "string"}
    assert found["queryCases"]["in/query/changedSince"] == "dateTime"
    assert found["queryCases"]["in/query/state[]"] == "string"
    assert found["queryCases"]["out/cases/@total"] == "int"
    assert found["queryCases"]["out/cases/case[]/caseNo"] == "string"
    assert found["queryCases"]["out/cases/case[]/item/sub[]"] == "Case", "a type within itself is not followed"
    wrong = opened("soap", "http://127.0.0.1:1/x?wsdl", soap(attempts=1)).check()
    assert "nothing answers" in wrong.items[0].message


def written(name: str) -> str:
    found = re.search(rf"```\w+ {re.escape(name)}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, name
    return found.group(1)


FILES = ("source.yml", "cases.schema.json", "mapping.yml", "codes/kind.csv")


def make_example(folder: Path, **replaced: str) -> Path:
    """Write the worked example of the page as a source folder."""
    home = folder / "land-office"
    (home / "codes").mkdir(parents=True)
    for name in FILES:
        (home / name).write_text(written(name), encoding="utf-8")
    for old, new in replaced.items():
        file = home / "source.yml"
        assert old in file.read_text(encoding="utf-8")
        file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return home


def test_the_page_makes_a_source_that_can_be_read(service: SoapService, tmp_path: Path) -> None:
    make_example(tmp_path)
    (one,) = load_sources([tmp_path])
    answer = etree.fromstring(written("answer").encode())
    (shown,) = answer.iter("{*}case")
    service.cases = [
        {"@version": shown.get("version"), **{etree.QName(part).localname: part.text for part in shown}}
    ] * 1
    service.user = ("reader", "pass")
    connector = connectors.open(one, {"land_office": service.url("reader:pass")}.__getitem__, keyed_hash=keyed)
    assert connector.check().ok
    state = {"cursor": "2026-03-02T08:10:00+08:00"}
    (piece,) = connector.read(one.stream("cases"), state, slice_size=100, full=False)
    assert piece.state == {"cursor": "2026-03-02T08:45:00+08:00"}
    declared = json.loads(written("cases.schema.json"))["properties"]
    assert [set(record) for record in piece.records] == [set(declared)]
    request = etree.fromstring(written("request").encode())
    expected = {etree.QName(part).localname: [part.text] for part in request[0]}
    assert service.asked[-1].values == expected


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("records: cases/case", "option 'records' is missing"),
        ("port: Soap11", "wsdl '../x.wsdl' must stay inside the source's folder"),
        ("port: Soap11 ", "'apiKey' looks like a secret"),
        ("port: Soap11  ", "{from} names no parameter (known: a, query/changedSince, query/page, query/pageSize)"),
        ("security: username_token", "'kerberos' is not one of"),
    ],
)
def test_faults_of_the_declaration_are_told_with_their_line(tmp_path: Path, line: str, fault: str) -> None:
    put = {
        "records: cases/case": "", "port: Soap11": "wsdl: ../x.wsdl", "port: Soap11 ": "params: {query: {apiKey: x}}",
        "port: Soap11  ": "params: {a: '<f>{from}</f>'}", "security: username_token": "security: kerberos",
    }[line]  # fmt: skip
    make_example(tmp_path, **{line.strip(): put})
    with pytest.raises(ConfigError) as caught:
        load_sources([tmp_path])
    (found,) = caught.value.faults
    assert fault in found.message
    assert found.file.endswith("source.yml")
    assert found.line > 10


def test_a_text_that_waits_for_a_value_needs_one_for_the_first_pull(tmp_path: Path) -> None:
    make_example(
        tmp_path, **{"port: Soap11": "params: {a: '<f>{from}</f>{page}'}", "param: query/changedSince": "param: from",
                     "param: query/page,": "param: page,"},
    )  # fmt: skip
    with pytest.raises(
        ConfigError, match=r"\{from\} has no value on the first page or pull; give `from` one in params"
    ):
        load_sources([tmp_path])


def test_declaring_a_soap_source_imports_nothing_heavy(tmp_path: Path) -> None:
    make_example(tmp_path)
    program = (
        "import sys; from pathlib import Path; from connectors.loading import load_sources;"
        f"load_sources([Path({str(tmp_path)!r})]); print('zeep' in sys.modules, 'requests' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
