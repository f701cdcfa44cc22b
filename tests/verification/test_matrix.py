"""The access matrix: every route of checks x every kind of client; nobody sees what was not granted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from pipeline.runtime import Runtime
from sharedrepo import clients
from tests.catalog import items
from tests.verification.conftest import Asker, asker_of
from tests.verification.registry import ASKER, FIRM, ISSUER, LICENCE, OTHER, PURPOSE, Registry, body
from tests.verification.test_prerequisites import ITEM
from web.app import CHECKS

QUESTION = {
    "kind": "prerequisites", "item": ITEM, "applicant": {"number": FIRM}, "case": "A-1", "purpose": PURPOSE,
}  # fmt: skip
SECRETS = ("valid_to", "2035-12-31", "complete_through")


def test_every_route_and_every_kind_of_client(registry: Registry, asker: Asker, runtime: Runtime) -> None:
    needs = [{"name": "经营", "holder": "applicant", "valid_on": "decision", "any_of": [{"credential": LICENCE}]}]
    items.published(registry.engine, ITEM, content=items.content(requirements=needs))
    registry.share()
    registry.grant()
    registry.case()
    registry.credential()
    number = asker.check(body())["id"]
    kinds: dict[str, Asker] = {
        "granted": asker,
        "granted, another program": asker_of(runtime, asker.at, code="asker-two"),
        "not granted": asker_of(runtime, asker.at, code="other", organ=OTHER),
        "the issuer itself, not granted": asker_of(runtime, asker.at, code="issuer", organ=ISSUER),
    }
    revoked = asker_of(runtime, asker.at, code="revoked")
    revoked.authorise()
    clients.revoke(runtime.engine, "revoked")
    kinds["revoked, its token lives"] = revoked
    calls: dict[str, Callable[[Asker], requests.Response]] = {
        "/v1/checks": lambda one: one.post("/v1/checks", body()),
        "/v1/checks ": lambda one: one.post("/v1/checks", QUESTION),
        "/v1/bulk-checks": lambda one: one.post("/v1/bulk-checks", {"checks": [body()]}),
        "/v1/checks/{id}": lambda one: one.get(f"/v1/checks/{number}"),
        "/v1/log": lambda one: one.get("/v1/log?limit=1000"),
        "/v1/recalls": lambda one: one.get("/v1/recalls"),
        "/v1/audit/heads": lambda one: one.get("/v1/audit/heads"),
        "/v1/audit/balances": lambda one: one.get("/v1/audit/balances"),
        "/v1/audit/balances/{day}": lambda one: one.post("/v1/audit/balances/2026-01-02", {"jws": "x"}),
    }
    closed = {str(vars(route)["path"]) for router, by_token in CHECKS if by_token for route in router.routes}
    assert {path.strip() for path in calls} == closed, "a new route belongs into the matrix"
    yes, no = [200] * 8 + [404], [403, 403, 200, 404, 200, 200, 200, 200, 404]
    expected = {
        "granted": yes, "granted, another program": yes, "not granted": no, "the issuer itself, not granted": no,
        "revoked, its token lives": [401] * 9,
    }  # fmt: skip
    for kind, client in kinds.items():
        answers = [call(client) for call in calls.values()]
        assert [one.status_code for one in answers] == expected[kind], kind
        if kind.startswith("granted"):
            continue
        assert not any(secret in one.text for one in answers for secret in SECRETS), kind
        if kind != "revoked, its token lives":
            assert answers[2].json() == {"checks": [{"outcome": "not_allowed"}]}
            logged: list[dict[str, Any]] = answers[4].json()["entries"]
            assert {one["client"] for one in logged} == {client.code}, "only its own organ's rows"
            assert {one["outcome"] for one in logged} == {"not_allowed"}


def test_the_log_of_an_organ_is_read_page_by_page_and_reading_it_is_logged(registry: Registry, asker: Asker) -> None:
    registry.share(class_="unconditional")
    registry.credential()
    told = [asker.check(body())["id"] for _ in range(3)]
    first = asker.get("/v1/log?limit=2").json()
    second = asker.get(f"/v1/log?limit=2&after={first['next']}").json()
    assert [one["check"] for one in (*first["entries"], *second["entries"])][:3] == told
    assert second["entries"][1]["outcome"] == "log"
    assert asker.get("/v1/log?limit=0").status_code == 400
    assert ASKER not in asker.get("/v1/log").text
