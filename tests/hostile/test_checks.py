"""Bad questions: the one error shape with a code and the field, never a stack trace, nobody's name in the log."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.runtime import Runtime
from sharedrepo.access import clients
from sharedrepo.keyring.signing import Ed25519Signer
from tests.verification.conftest import Asker, asker, asker_of, registry, service
from tests.verification.registry import FIRM, PERSON, Registry, body
from tests.web.serving import serving
from verification.rights.callers import Caller, Tokens
from web.problems import Problem

__all__ = ["asker", "registry", "service"]


@pytest.fixture(autouse=True)
def shared(registry: Registry) -> None:  # the fixture above
    registry.share()
    registry.grant()
    registry.case()
    registry.credential()


def problem(answer: requests.Response) -> Problem:
    assert answer.headers["Content-Type"] == "application/problem+json"
    said = Problem.model_validate_json(answer.content)
    assert said.status == answer.status_code
    assert "Traceback" not in answer.text
    return said


def faults(answer: requests.Response) -> dict[str, str]:
    return {one.field: one.code for one in problem(answer).faults}


WRONG: dict[str, tuple[Any, dict[str, str]]] = {
    "no JSON": (b"{", {"": "json_invalid"}),
    "no UTF-8": (b'{"kind": "\xff"}', {"": "json_invalid"}),
    "a list": ([], {"": "dict_type"}),
    "no kind": ({"case": "A-1"}, {"": "union_tag_not_found"}),
    "an unknown kind": ({"kind": "all"}, {"": "union_tag_invalid"}),
    "nothing said": ({"kind": "credential"}, {"case": "missing", "purpose": "missing", "credential": "missing"}),
    "an unknown field": (body(everything=True), {"everything": "extra_forbidden"}),
    "an unknown field within": (body(credential={"id": 1}), {"credential.id": "extra_forbidden"}),
    "a wrong check character": (body(credential={"holder_number": FIRM[:-1] + "A"}),
                                {"credential.holder_number": "wrong_check_character"}),
    "a resident id with a wrong check": (body(credential={"holder_number": PERSON[:-1] + "4"}),
                                         {"credential.holder_number": "wrong_check_character"}),
    "a wrong organ": (body(credential={"issuer": "1" * 18}), {"credential.issuer": "wrong_code"}),
    "no day": (body(on="2026-02-30"), {"on": "date_from_datetime_parsing"}),
    "a day as a number": (body(on=0), {"on": "unreadable_day"}),
    "a day as a number in a text": (body(on="0"), {"on": "unreadable_day"}),
    "an instant as a number": (body(known_at=86400), {"known_at": "unreadable_instant"}),
    "a day in the future": (body(on="2999-01-01"), {"on": "day_in_future"}),
    "a day before the republic": (body(on="1900-01-01"), {"on": "day_too_early"}),
    "an instant in the future": (body(known_at="2999-01-01T00:00:00Z"), {"known_at": "instant_in_future"}),
    "an instant without a zone": (body(known_at="2026-01-01T00:00:00"), {"known_at": "timezone_aware"}),
    "a waiting that is over": (body(wait_until="2020-01-01T00:00:00Z"), {"wait_until": "instant_in_past"}),
    "no holder": (body(credential={"holder_number": None, "holder_name": None}),
                  {"credential.holder_number": "holder_missing"}),
    "days reversed": (body(credential={"valid_from": "2026-02-01", "valid_to": "2026-01-01"}),
                      {"credential.valid_to": "days_reversed"}),
    "a text too long": (body(case="x" * 201), {"case": "string_too_long"}),
    "an empty text": (body(case="  "), {"case": "empty_text"}),
    "NUL": (body(case="A\x001"), {"case": "unreadable_text"}),
    "a line break": (body(purpose="a\nb"), {"purpose": "unreadable_text"}),
    "half a surrogate pair": (b'{"kind":"credential","case":"\\ud800"}', {"": "json_invalid"}),
    "a wrong item code": ({"kind": "prerequisites", "item": "1" * 31, "applicant": {"number": FIRM}, "case": "A",
                           "purpose": "p"}, {"item": "wrong_code"}),
    "an earlier instant for prerequisites": (
        {"kind": "prerequisites", "item": "X", "applicant": {"number": FIRM}, "case": "A", "purpose": "p",
         "known_at": "2026-01-01T00:00:00Z"}, {"known_at": "extra_forbidden"}),
    "a number as text": (body(credential={"number": 5}), {"credential.number": "string_type"}),
    "deep nesting": (b'{"kind":' * 300 + b"1" + b"}" * 300, {"": "json_invalid"}),
}  # fmt: skip


def test_wrong_questions_are_told_with_the_field(asker: Asker) -> None:  # the fixture
    for name, (said, expected) in WRONG.items():
        answer = asker.post("/v1/checks", said)
        assert answer.status_code == 400, (name, answer.text)
        assert faults(answer) == expected, name


def test_bodies_beyond_their_limits_are_refused_before_they_are_read(asker: Asker) -> None:  # the fixture
    asker.authorise()
    place = urlsplit(asker.at)
    for path, size in (("/v1/checks", 100 << 20), ("/v1/bulk-checks", 100 << 20)):
        with socket.create_connection((place.hostname, place.port), timeout=20) as line:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {asker.token}\r\n"
            line.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n{{".encode())
            assert b" 413 " in line.recv(200), "answered, though nothing more was sent"
    chunks: Iterator[bytes] = (b" " * 65536 for _ in range(10))
    assert problem(asker.post("/v1/checks", b"".join(chunks))).type.endswith(":TooLarge")
    many = {"checks": [body()] * 1001}
    assert faults(asker.post("/v1/bulk-checks", many)) == {"checks": "too_long"}
    assert faults(asker.post("/v1/bulk-checks", {"checks": []})) == {"checks": "too_short"}
    wrong = {"checks": [body(), body(on="2999-01-01"), body(case="")]}
    assert faults(asker.post("/v1/bulk-checks", wrong)) == {"checks.2.case": "string_too_short"}
    later = {"checks": [body(), body(on="2999-01-01")]}
    assert faults(asker.post("/v1/bulk-checks", later)) == {"checks.1.on": "day_in_future"}


def test_other_forms_are_not_read(asker: Asker) -> None:  # the fixture
    for headers in ({"Content_Type": "text/xml"}, {"Content_Encoding": "gzip"}, {"Content_Type": ""}):
        assert problem(asker.post("/v1/checks", json.dumps(body()), **headers)).status == 415


def test_wrong_and_expired_tokens_get_nothing(asker: Asker, runtime: Runtime) -> None:  # the fixtures

    signer = Ed25519Signer.of(runtime.protector.ring)
    caller = Caller(1, "asker-it", "113300000024836594")
    good = asker.authorise()
    stale = Tokens(signer, seconds=-1).make(caller)
    head, payload, sign = good.split(".")
    forged = (f"{head}.{payload}.", f"{head}.{payload[:-2]}.{sign}", f"{payload}.{payload}.{sign}")
    for token in ("x", "a.b.c", "é", "x" * 9000, stale, asker.secret, *forged, ""):
        headers = {"Authorization": f"Bearer {token}".encode()}
        answer = requests.post(f"{asker.at}/v1/checks", json=body(), headers=headers, timeout=20)
        assert problem(answer).type == "urn:approval-exchange-hub:NotAuthenticated", token[:20]
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert requests.post(f"{asker.at}/v1/checks", json=body(), timeout=20).status_code == 401


def test_a_client_that_was_revoked_gets_nothing_more_while_its_token_lives(
    asker: Asker, runtime: Runtime  # the fixtures
) -> None:  # fmt: skip

    said = asker.check(body())
    clients.revoke(runtime.engine, "asker-it")
    assert problem(asker.post("/v1/checks", body())).status == 401
    assert problem(asker.post("/v1/bulk-checks", {"checks": [body()]})).status == 401
    assert problem(asker.get(f"/v1/checks/{said['id']}")).status == 401
    form = {"grant_type": "client_credentials"}
    again = requests.post(f"{asker.at}/v1/token", data=form, auth=("asker-it", asker.secret), timeout=20)
    assert problem(again).status == 401


def test_the_token_endpoint_gives_nothing_away(
    asker: Asker, runtime: Runtime, registry: Registry
) -> None:  # the fixtures
    pushing = asker_of(runtime, asker.at, code="push-only", rights=("quality",))
    good = {"grant_type": "client_credentials", "client_id": "asker-it", "client_secret": asker.secret}
    url = f"{asker.at}/v1/token"
    assert requests.post(url, data=good, timeout=20).json()["token_type"] == "Bearer"
    for change, status in (
        ({"client_secret": "hub_wrong"}, 401), ({"client_id": "nobody"}, 401), ({"client_id": ""}, 401),
        ({"grant_type": "password"}, 400), ({"grant_type": ""}, 400), ({"scope": "everything"}, 400),
        ({"client_id": "push-only", "client_secret": pushing.secret}, 403), ({"client_secret": "x" * 9000}, 413),
        ({"client_id": "' OR 1=1 --"}, 401),
    ):  # fmt: skip
        answer = requests.post(url, data={**good, **change}, timeout=20)
        assert problem(answer).status == status, (change, answer.text)
    assert problem(requests.post(url, json=good, timeout=20)).status == 415
    refused = registry.run("SELECT count(*) FROM audit.entry WHERE kind = 'refused' AND outcome = 'token_refused'")
    assert refused == 5


def test_a_replayed_key_with_another_body_is_refused_and_with_the_same_body_told_again(
    asker: Asker, registry: Registry  # the fixtures
) -> None:  # fmt: skip
    first = asker.post("/v1/checks", body(), Idempotency_Key="k-1")
    again = asker.post("/v1/checks", body(), Idempotency_Key="k-1")
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert "Idempotency-Replayed" not in first.headers
    other = asker.post("/v1/checks", body(purpose="another"), Idempotency_Key="k-1")
    assert problem(other).type == "urn:approval-exchange-hub:KeyReused"
    bulk = asker.post("/v1/bulk-checks", {"checks": [body()] * 3}, Idempotency_Key="k-2")
    assert asker.post("/v1/bulk-checks", {"checks": [body()] * 3}, Idempotency_Key="k-2").json() == bulk.json()
    assert faults(asker.post("/v1/checks", body(), Idempotency_Key="k" * 201)) == {"Idempotency-Key": "unreadable_text"}
    assert registry.run("SELECT count(*) FROM audit.entry WHERE kind = 'credential'") == 4


SQL = "'; DROP TABLE core.credential; --"


def test_sql_in_every_field_is_a_text_like_any_other(asker: Asker, registry: Registry) -> None:  # the fixtures
    for field in ("number", "holder_name", "version"):
        assert asker.answer(body(credential={field: SQL}))["outcome"] in ("mismatch", "not_found")
    assert asker.answer(body(case=SQL))["case"] == "not_yet"
    for change in ({"purpose": SQL}, {"credential": {"type": SQL}}):
        assert problem(asker.post("/v1/checks", body(**change))).status == 403
    ask = {
        "kind": "prerequisites",
        "item": SQL,
        "applicant": {"number": SQL},
        "project": SQL,
        "case": SQL,
        "purpose": SQL,
    }
    assert problem(asker.post("/v1/checks", ask)).status == 404
    assert problem(asker.get(f"/v1/checks/{SQL}")).status == 400
    assert registry.run("SELECT count(*) FROM core.credential") == 1


def test_no_name_and_no_number_stands_in_a_log_or_in_the_clear(
    asker: Asker, registry: Registry, caplog: pytest.LogCaptureFixture  # the fixtures
) -> None:  # fmt: skip
    caplog.set_level("DEBUG", logger="hub")
    for shown in ({"holder_number": PERSON, "holder_name": "王晓岚"}, {"holder_number": PERSON[:-1] + "4"}):
        asker.post("/v1/checks", body(credential=shown))
        asker.post("/v1/checks", body(credential=shown, type="x"))
    with registry.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT to_jsonb(e) - 'personal' FROM audit.entry AS e").fetchall()
    kept = json.dumps([row[0] for row in rows], ensure_ascii=False)
    for secret in (PERSON, "王晓岚", FIRM, asker.secret, str(asker.token)):
        assert secret not in caplog.text
        assert secret not in kept


def test_a_client_that_asks_too_often_waits(registry: Registry, runtime: Runtime) -> None:  # the fixtures

    slow = replace(runtime, settings=runtime.settings.model_copy(update={"check_rate": 1.0}))
    with serving(lambda: slow) as at:
        hasty = asker_of(runtime, at, code="hasty")
        answers = [hasty.post("/v1/checks", body()) for _ in range(5)]
        assert {one.status_code for one in answers} == {200, 429}
        assert int(answers[-1].headers["Retry-After"]) >= 1
    assert registry.run("SELECT count(*) FROM audit.entry WHERE outcome = 'TooMany'") >= 1


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["kind", "credential", "case", "purpose", "type", "number", "holder_name", "on", "item", "x"]),
        inner, max_size=6,
    ), max_leaves=12,
))  # fmt: skip
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_json_whatsoever_is_a_fault_of_the_hub(asker: Asker, said: Any) -> None:  # the fixture
    answer = asker.post("/v1/checks", said if isinstance(said, dict) else {"kind": "credential", "credential": said})
    assert answer.status_code in (200, 400, 403)


def test_a_token_request_without_end_is_cut_off(asker: Asker) -> None:
    place = urlsplit(asker.at)
    with socket.create_connection((place.hostname, place.port), timeout=20) as line:
        head = "POST /v1/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        line.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        line.sendall(b"1000\r\n" + b"a" * 4096 + b"\r\n" + b"1000\r\n" + b"a" * 4096 + b"\r\n")
        assert b" 413 " in line.recv(200)
    many = requests.post(f"{asker.at}/v1/token", data={f"f{n}": "x" for n in range(40)}, timeout=20)
    assert problem(many).status == 400


def test_callers_who_are_nobody_cannot_fill_the_log(asker: Asker, registry: Registry) -> None:
    for _ in range(40):
        assert requests.post(f"{asker.at}/v1/checks", json=body(), timeout=20).status_code == 401
    logged = registry.run("SELECT count(*) FROM audit.entry WHERE outcome = 'not_authenticated'")
    assert 1 <= logged < 40
