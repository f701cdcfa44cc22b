"""One way in and one error shape, over all routes that there are."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from functools import cache

import pytest
import requests
import sqlalchemy as sa
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from hub.refusals import PROBLEM, Contradicted, RequestRefused, TooMany
from pipeline.runtime import Runtime
from sharedrepo.access import clients
from tests.web.serving import served
from web.app import CHECKS, create
from web.problems import Problem

OPEN = {
    "/health",
    "/v1/keys",
    "/v1/token",
    "/sign-in",
    "/sign-in/provider",
    "/sign-in/return",
    "/language/{language}",
    "/static/{digest}/{name}",
    "/items",
    "/items/changes",
    "/items/changes.atom",
    "/items/graph/{code:path}",
    "/items/review",
    "/items/review/{code:path}",
    "/items/{code:path}",
    "/ranking",
    "/ranking/years/{year}",
    "/ranking/years/{year}/files/{name}",
    "/ranking/{month}",
    "/ranking/{month}/evidence",
    "/ranking/{month}/files/{name}",
    "/ranking/{month}/objections",
    "/ranking/{month}/unit",
}
"""The routes that anybody may ask: whether the hub is well, the way in for people, the published catalogue and
ranking."""


CHECKED = {route.path for router, closed in CHECKS if closed for route in router.routes}  # type: ignore[attr-defined]
"""The routes that take short access tokens only."""
OWN_DOOR = {"/v1/notices/receipts"}
"""The SMS gateway's callback, which brings a password of its own; no client's token opens it."""


def routes() -> Iterator[tuple[str, str]]:
    """Every route with every method."""
    for route in create().routes:
        assert isinstance(route, APIRoute), f"{route} was not mounted with a right"
        yield from ((method, route.path) for method in sorted(route.methods))


def problem(answer: requests.Response) -> Problem:
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.headers["Request-Id"]
    said = TypeAdapter(Problem).validate_json(answer.content)
    assert said.status == answer.status_code
    assert said.request == answer.headers["Request-Id"]
    return said


@cache
def programs() -> set[str]:
    """The routes of the API, which is what its document tells of."""
    return set(create().openapi()["paths"])


def test_no_route_is_open_but_those_that_are_listed(service: str, token_for: Callable[..., str]) -> None:
    nobodys = token_for("nothing")
    asked, line = set(), requests.Session()
    for method, path in routes():
        if path in OPEN:
            continue
        address = service + re.sub(r"\{[^}]+\}", "x", path)
        bare = line.request(method, address, timeout=10)
        assert bare.status_code == 401, path
        asked.add(path)
        if path not in programs():
            assert problem(bare).type == "urn:approval-exchange-hub:NotSignedIn"
            tried = line.request(method, address, headers={"Authorization": f"Bearer {nobodys}"}, timeout=10)
            assert problem(tried).type == "urn:approval-exchange-hub:NotSignedIn", "a program's token opens no page"
            continue
        assert bare.headers["WWW-Authenticate"] == "Bearer"
        for wrong in ("Basic aHViOmh1Yg==", "Bearer", "Bearer wrong", f"Bearer {'x' * 10_000}", f"bearer{nobodys}"):
            tried = line.request(method, address, headers={"Authorization": wrong}, timeout=10)
            assert problem(tried).type == "urn:approval-exchange-hub:NotAuthenticated", wrong
        tried = line.request(method, address, headers={"Authorization": f"Bearer {nobodys}"}, timeout=10)
        refusal = "NotAuthenticated" if path in CHECKED | OWN_DOOR else "NotAllowed"
        assert problem(tried).type == f"urn:approval-exchange-hub:{refusal}", path
    assert asked | OPEN == {path for _, path in routes()}
    assert requests.get(f"{service}/health", timeout=10).status_code == 200


def test_an_unknown_address_and_method_have_the_same_shape(service: str) -> None:
    assert problem(requests.get(f"{service}/nothing/here", timeout=10)).status == 404
    assert problem(requests.delete(f"{service}/health", timeout=10)).status == 405
    refused = requests.options(f"{service}/v1/inquiries/1", timeout=10)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, POST"), "the methods of all its routes"


def test_answers_are_for_no_browser_to_guess_at(service: str) -> None:
    headers = requests.get(f"{service}/health", timeout=10).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Server" not in headers


def test_refusals_and_faults_are_answered_in_the_one_shape(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    app = create(lambda: runtime)

    @app.get("/refused")
    def refuse() -> None:
        raise TooMany("too often", hint="wait", after_seconds=0.2)

    @app.get("/fault")
    def fail() -> None:
        raise ZeroDivisionError("身份证 330185199003071223")

    with served(app) as url:
        refused = requests.get(f"{url}/refused", timeout=10)
        assert (problem(refused).status, refused.headers["Retry-After"]) == (429, "1")
        assert (problem(refused).detail, problem(refused).hint) == ("too often", "wait")
        fault = requests.get(f"{url}/fault", timeout=10)
    assert problem(fault).type == "urn:approval-exchange-hub:InternalError"
    told = [one.getMessage() for one in caplog.records if one.name == "hub.web"]
    assert any(fault.headers["Request-Id"] in one and "ZeroDivisionError" in one for one in told)
    assert "330185199003071223" not in fault.text + " ".join(told)


def test_each_refusal_says_its_status_and_title() -> None:
    kinds = RequestRefused.__subclasses__()
    assert len(kinds) > 8
    assert all(400 <= one.status < 600 and one.title for one in kinds)
    assert str(Contradicted("3 records", hint="Send 4.")) == "3 records. Send 4."


def test_health_says_when_the_repository_does_not_answer(runtime: Runtime) -> None:
    app = create(lambda: runtime)
    with served(app) as url:
        assert requests.get(f"{url}/health", timeout=10).json() == {"status": "ok"}
        runtime.engine.dispose()
        app.state.well_at = float("-inf")
        app.state.hub = type(app.state.hub)(_unreachable(runtime))
        answer = requests.get(f"{url}/health", timeout=20)
        assert problem(answer).status == 503
        assert answer.headers["Retry-After"] == "5"


def _unreachable(runtime: Runtime) -> Runtime:
    nowhere = sa.create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    return dataclasses.replace(runtime, engine=nowhere)


# --- clients ---


def test_a_token_is_good_until_it_expires_or_is_revoked(runtime: Runtime, token_for: Callable[..., str]) -> None:
    def known(token: str) -> str | None:
        found = clients.find(runtime.engine, runtime.protector, token)
        return None if found is None else found.code

    token, other = token_for("push:labour"), token_for("metrics", code="scraper")
    assert (known(token), known(other), known(token + "x"), known("")) == ("labour-it", "scraper", None, None)
    clients.revoke(runtime.engine, "labour-it")
    assert (known(token), known(other)) == (None, "scraper")
    with runtime.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE access.client SET expires_at = now() WHERE code = 'scraper'")
    assert known(other) is None
    states = {one["code"]: one["state"] for one in clients.listed(runtime.engine)}
    assert states == {"labour-it": "revoked", "scraper": "expired"}


def test_no_token_is_kept(runtime: Runtime, token_for: Callable[..., str]) -> None:
    token = token_for("push:labour")
    with runtime.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT c::text, encode(token_hash, 'escape') FROM access.client AS c").one()
    assert token not in str(row)
    assert token[4:] not in str(row)


def test_rights_are_for_one_source_each(runtime: Runtime, token_for: Callable[..., str]) -> None:
    caller = clients.find(runtime.engine, runtime.protector, token_for("push:labour", "push:housing"))
    assert caller is not None
    assert caller.sources == ("housing", "labour")
    assert (caller.may("push"), caller.may("push:labour"), caller.may("push:tax"), caller.may("metrics")) == (
        True, True, False, False,
    )  # fmt: skip
