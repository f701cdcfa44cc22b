"""Posts that bear a running number: proven before anything is kept, a gap is told, nothing is complete past it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from pydantic import SecretStr

from connectors.envelopes.document import canonical
from hub.documents import SCHEMAS
from pipeline.afterwards.rebuild import rebuild
from pipeline.runtime import Runtime
from sharedrepo.telling.digest import digest
from sharedrepo.telling.ledger import check
from tests.crash.campaign import execute
from tests.journeys.conftest import Hub
from tests.posters import Poster
from tests.web.serving import serving
from tests.web.test_push import outcomes, refused, taken, written
from validation.explain import Explainer

STREAM = "PRE_APASINFO"


@pytest.fixture
def poster(tmp_path: Path, runtime: Runtime, token_for: Callable[..., str]) -> Iterator[Poster]:
    """A department whose posts of cases bear envelopes."""
    made = Poster(tmp_path / "sources")
    file = made.folder / "source.yml"
    body = yaml.safe_load(file.read_text(encoding="utf-8"))
    body["streams"][STREAM] = {"envelope": {"use": "required"}}
    file.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")
    made.token = token_for("push:labour")
    with serving(lambda: runtime) as made.at:
        yield made


@pytest.fixture
def hub(runtime: Runtime, poster: Poster) -> Hub:
    return Hub(runtime, poster)


def send(poster: Poster, number: int, *rows: Any, key: str | None = None, **over: Any) -> requests.Response:
    """Post rows in an envelope; `over` replaces what it says."""
    body = json.dumps(list(rows), ensure_ascii=False).encode()
    said = {
        "envelope": 1, "source": "labour", "stream": STREAM, "number": number, "records": len(rows),
        "digest": "sha-256:" + hashlib.sha256(body).hexdigest(), "written": f"2026-03-{number:02d}T18:05:00+08:00",
        "complete_through": f"2026-03-{number:02d}T18:00:00+08:00", **over,
    }  # fmt: skip
    envelope = base64.b64encode(json.dumps(said).encode()).decode()
    return poster.post(STREAM, body=body, Envelope=envelope, Idempotency_Key=key)


def test_a_gap_is_told_and_closes_when_the_missing_number_comes(poster: Poster, hub: Hub) -> None:
    def row(n: int) -> dict[str, Any]:
        return poster.row(STREAM, PROJID=f"C{n}")

    def through() -> str:
        found = hub.one("SELECT complete_through FROM ledger.stream WHERE name = :name", name=STREAM)
        return str(found.date())

    first = taken(send(poster, 1, row(1)))
    assert first.envelope is not None
    assert (first.envelope.number, first.envelope.missing) == (1, [])
    receipt = dict(first.envelope.receipt)
    schema = json.loads((SCHEMAS / "exchange/receipt/v1/schema.json").read_text(encoding="utf-8"))
    assert Explainer(schema).is_valid(receipt)
    assert (receipt["number"], receipt["outcome"], receipt["counts"]) == (1, "received", {"new": 1})
    value = base64.b64decode(receipt["signature"]["value"])
    ours = hub.runtime.protector.ring.signing_key()
    ours.private.public_key().verify(value, canonical(receipt))
    third = taken(send(poster, 4, row(4), 7))
    assert third.envelope is not None
    assert (third.envelope.missing, third.envelope.missing_count) == ([(2, 3)], 2)
    assert [one.outcome for one in third.records] == ["new", "quarantined"]
    assert ("envelope_gap", "") in hub.findings()
    assert through() == "2026-03-01", "nothing is complete past the gap"
    send(poster, 3, row(3))
    last = taken(send(poster, 2, row(2)))
    assert last.envelope is not None
    assert last.envelope.missing == []
    assert ("envelope_gap", "") not in hub.findings()
    assert through() == "2026-03-04"
    assert check(hub.runtime.engine) == []


def test_an_envelope_that_does_not_belong_to_its_body_is_refused_and_nothing_is_kept(poster: Poster, hub: Hub) -> None:
    row = poster.row(STREAM, PROJID="C1")
    for rule, over in {
        "envelope_digest": {"digest": "sha-256:" + "0" * 64}, "envelope_count": {"records": 2},
        "envelope_foreign": {"source": "housing"}, "envelope_unreadable": {"written": "yesterday"},
    }.items():  # fmt: skip
        answer = send(poster, 1, row, **over)
        assert refused(answer) == (422, "Contradicted"), rule
        assert rule in answer.json()["detail"]
        assert answer.json()["hint"]
    assert refused(poster.post(STREAM, row)) == (400, "Malformed"), "one is required"
    assert refused(poster.post(STREAM, row, Envelope="%%%")) == (400, "Malformed")
    assert refused(poster.post("PRE_NODE", row, Envelope="e30=")) == (400, "Malformed"), "none is declared"
    beside = poster.post(STREAM, row, Envelope="e30=", Complete_Through="2026-03-01T00:00:00Z")
    assert refused(beside) == (400, "Malformed")
    assert hub.one("SELECT count(*) FROM ledger.batch") == 0


def test_a_number_that_comes_again_is_the_same_or_refused(poster: Poster, hub: Hub) -> None:
    row = poster.row(STREAM, PROJID="C1")
    assert outcomes(send(poster, 1, row, key="k-1")) == ["new"]
    assert send(poster, 1, row, key="k-1").headers["Idempotency-Replayed"] == "true"
    assert outcomes(send(poster, 1, row)) == ["unchanged"]
    other = send(poster, 1, poster.row(STREAM, PROJID="C2"))
    assert refused(other) == (422, "Contradicted")
    assert hub.one("SELECT count(*) FROM core.approval_case") == 1
    assert outcomes(send(poster, 2, poster.row(STREAM, PROJID="C2"))) == ["new"], "it serves on"


def test_numbers_are_rebuilt_from_the_archive(
    poster: Poster, hub: Hub, server: Any, template: str, settings: Any
) -> None:
    for number in (1, 2, 4):
        taken(send(poster, number, poster.row(STREAM, PROJID=f"C{number}")))
    execute(server, f"CREATE DATABASE numbered_again TEMPLATE {template}")
    other = Runtime.open(settings.model_copy(update={"database_url": SecretStr(server.url("numbered_again"))}))
    try:
        rebuild(other)
        assert digest(other.engine) == digest(hub.runtime.engine)
    finally:
        other.engine.dispose()
        execute(server, "DROP DATABASE numbered_again WITH (FORCE)")


def test_the_pages_function_makes_an_envelope_that_is_taken(
    tmp_path: Path, runtime: Runtime, token_for: Callable[..., str]
) -> None:
    made = Poster(tmp_path / "sources", "county-licences")
    file = made.folder / "source.yml"
    body = yaml.safe_load(file.read_text(encoding="utf-8"))
    body["streams"]["PRE_NODE"] = {"envelope": {"use": "optional"}}
    file.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")
    made.token = token_for("push:county-licences")
    names: dict[str, Any] = {}
    exec(written("python", "envelope.py"), names)
    sent = json.dumps([made.row("PRE_NODE", UNID="n1", PROJID="C1")]).encode()
    with serving(lambda: runtime) as made.at:
        answer = made.post("PRE_NODE", body=sent, Envelope=names["envelope"](sent, 1, 1))
        assert outcomes(answer) == ["parked"]
        assert outcomes(made.post("PRE_NODE", body=sent)) == ["unchanged"], "an optional one may be left out"
