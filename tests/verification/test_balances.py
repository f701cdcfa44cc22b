"""Departments countersign the day: what they signed binds the hub, even one that writes its whole log anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from joserfc import jws
from joserfc.jwk import OKPKey

from pipeline.runtime import Runtime
from sharedrepo.keyring import signing
from sharedrepo.keyring.signing import Ed25519Signer
from tests.verification.conftest import Asker, Command, asker_of
from tests.verification.registry import ASKER, OTHER, Registry, body
from verification.audit import balances, sealing
from verification.audit.sealing import LogBroken
from verification.client import BadQuestion, Head, Hub, NotProven, NotThere
from verification.rights.access import AccessRefused

YESTERDAY = datetime.now(UTC) - timedelta(days=1)


class Office:
    """A department that countersigns, and the hub's sealer of a chosen day."""

    def __init__(self, registry: Registry, asker: Asker) -> None:
        self.registry, self.engine = registry, registry.engine
        self.signer = Ed25519Signer.of(registry.protector.ring)
        with self.engine.begin() as connection:
            signing.publish(connection, self.signer)
        self.hub = Hub(asker.at, asker.code, asker.secret)
        self.key = OKPKey.generate_key("Ed25519")
        balances.enter_key(self.engine, organ=ASKER, jwk=self.key.as_dict(private=False), actor="office")

    def seal(self, at: datetime = YESTERDAY) -> int:
        return sealing.seal(self.engine, self.signer, clock=lambda: at)


@pytest.fixture
def office(registry: Registry, asker: Asker) -> Office:
    registry.share(class_="unconditional")
    registry.case()
    registry.credential()
    return Office(registry, asker)


def test_an_organ_countersigns_what_it_knows_of_itself(office: Office, asker: Asker, runtime: Runtime) -> None:
    other = asker_of(runtime, asker.at, code="other-it", organ=OTHER)
    sealed = 0
    for _ in range(3):
        asker.check(body())
        sealed += office.seal()
    other.check(body())
    sealed += office.seal()
    asker.check(body())
    office.seal(datetime.now(UTC))
    (balance,) = office.hub.balances()
    assert (balance.day.isoformat(), balance.countersigned) == (balance.document["day"], None)
    assert balance.document["own"] == {"credential": 3, "prerequisites": 0, "read": 0, "refused": 0}
    assert (balance.document["entries"], balance.document["organ"]) == (sealed, ASKER)
    head = office.hub.countersign(balance, office.key, agrees=True)
    assert head.head == balance.document["head"]
    office.hub.countersign(balance, office.key, agrees=True)
    assert [one.countersigned for one in office.hub.balances()] == ["agrees"]
    office.hub.countersign(balance, office.key, agrees=False)
    assert [one.countersigned for one in office.hub.balances()] == ["differs"], "the later word counts, both are kept"
    assert {(one["organ"], one["verdict"]) for one in balances.listed(office.engine)} == {
        (ASKER, "differs"), (OTHER, None)
    }  # fmt: skip
    assert list(balances.faults(office.engine)) == []
    assert office.hub.balances(after=balance.day) == []


def test_a_day_is_closed_after_its_midnight_and_never_changes(office: Office, asker: Asker) -> None:
    asker.check(body())
    office.seal(datetime.now(UTC))
    assert office.hub.balances() == []
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    (one,) = balances.told(office.engine, ASKER, now=tomorrow)
    asker.check(body())
    office.seal(tomorrow)
    assert balances.told(office.engine, ASKER, now=tomorrow) == [one]


WRONG: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "another head": (lambda said: said["balance"].update(head="00" * 32), "another_balance"),
    "another count": (lambda said: said["balance"]["own"].update(credential=0), "another_balance"),
    "of another organ": (lambda said: said["balance"].update(organ=OTHER), "another_balance"),
    "no balance": (lambda said: said.pop("balance"), "another_balance"),
    "no verdict": (lambda said: said.pop("verdict"), "bad_verdict"),
    "a verdict of its own": (lambda said: said.update(verdict="maybe"), "bad_verdict"),
}


def test_nothing_else_is_taken(office: Office, asker: Asker) -> None:
    asker.check(body())
    office.seal()
    (balance,) = office.hub.balances()
    path, good = f"/v1/audit/balances/{balance.day}", {"balance": balance.document, "verdict": "agrees"}

    def fault(said: Any, key: OKPKey = office.key, kind: str = balances.KIND) -> str:
        answer = asker.post(path, {"jws": signed(said, key, kind)})
        assert answer.status_code == 400, answer.text
        return str(answer.json()["faults"][0]["code"])

    for name, (change, code) in WRONG.items():
        said = json.loads(json.dumps(good))
        change(said)
        assert fault(said) == code, name
    assert fault(good, OKPKey.generate_key("Ed25519")) == "bad_signature"
    assert fault(good, kind="at+jwt") == "bad_signature"
    bodies: tuple[Any, ...] = ({}, {"jws": ""}, {"jws": "x" * 9000}, {"jws": "a.b.c"}, {"jws": 1}, [], b"{")
    for wrong in bodies:
        assert asker.post(path, wrong).status_code == 400, wrong
    assert asker.post(path, b"x" * 20_000).status_code == 413
    assert asker.post("/v1/audit/balances/2001-01-01", {"jws": "x"}).status_code == 404
    for day in ("0001-01-01", "9999-12-31", "2026-02-30", "x"):
        assert asker.post(f"/v1/audit/balances/{day}", {"jws": "x"}).status_code == 400, day
    assert asker.get("/v1/audit/balances?after=9999-12-31").status_code == 400
    balances.end_key(office.engine, office.key.thumbprint())
    with pytest.raises(BadQuestion, match="bad_signature"):
        office.hub.countersign(balance, office.key, agrees=True)


def signed(said: Any, key: OKPKey, kind: str) -> str:

    header = {"alg": "Ed25519", "kid": key.thumbprint(), "typ": kind}
    return jws.serialize_compact(header, json.dumps(said), key, registry=jws.JWSRegistry(algorithms=["Ed25519"]))


def test_a_log_that_was_written_anew_contradicts_what_was_signed(
    office: Office, asker: Asker, command: Command
) -> None:
    asker.check(body())
    office.seal()
    asker.check(body())
    office.seal()
    (balance,) = office.hub.balances()
    kept = office.hub.countersign(balance, office.key, agrees=True)
    command("audit", "verify")
    # Who owns the database takes an entry out and seals all that is left anew, by the hub's true key.
    with office.engine.begin() as connection:
        for statement in (
            "ALTER TABLE audit.entry DISABLE TRIGGER only_added", "ALTER TABLE audit.seal DISABLE TRIGGER only_sealed",
            "DELETE FROM audit.seal",
            "DELETE FROM audit.entry WHERE entry_id = (SELECT min(entry_id) FROM audit.entry)",
        ):  # fmt: skip
            connection.execute(sa.text(statement))
    office.seal()
    jwks = signing.published(office.engine)
    assert sealing.verify(office.engine, jwks).faults == (), "by itself the new log is in order"
    with pytest.raises(LogBroken, match=f"countersignature of {ASKER} for .* which is gone"):
        command("audit", "verify")
    asker.check(body())
    office.seal()
    with pytest.raises(LogBroken, match=f"countersignature of {ASKER} for .* another one"):
        command("audit", "verify")
    with pytest.raises(NotProven):
        list(office.hub.heads(after=Head(0, 0, kept.head)))
    with office.engine.begin() as connection, pytest.raises(sa.exc.IntegrityError, match="only added"):
        connection.execute(sa.text("DELETE FROM audit.countersignature"))


def test_a_chain_that_does_not_hang_together_is_never_signed(office: Office, asker: Asker) -> None:
    asker.check(body())
    office.seal()
    (balance,) = office.hub.balances()
    with pytest.raises(NotProven, match="another head"):
        office.hub.countersign(balance, office.key, agrees=True, kept=list(office.hub.heads())[-1])
    with pytest.raises(NotProven, match="does not follow"):
        office.hub.countersign(balance, office.key, agrees=True, kept=Head(0, 0, "ff" * 32))
    with pytest.raises(NotThere):
        office.hub._call("POST", "/v1/audit/balances/2001-01-01", body={"jws": "x"})
    assert [one.countersigned for one in office.hub.balances()] == [None]


def test_keys_are_entered_listed_by_thumbprint_and_ended(registry: Registry, command: Command, tmp_path: Path) -> None:
    key = OKPKey.generate_key("Ed25519")
    file = tmp_path / "key.json"
    file.write_text(json.dumps(key.as_dict(private=False)), encoding="utf-8")
    assert key.thumbprint() in command("audit", "key", ASKER, str(file))
    assert command("audit", "balances", "--json") == {"balances": []}
    assert "is ended" in command("audit", "key-end", key.thumbprint())
    with pytest.raises(AccessRefused, match="entered before"):
        command("audit", "key", ASKER, str(file))
    for wrong in (key.as_dict(private=True), {"kty": "OKP"}, OKPKey.generate_key("X25519").as_dict(private=False)):
        with pytest.raises(AccessRefused):
            balances.enter_key(registry.engine, organ=ASKER, jwk=wrong, actor="x")
    with pytest.raises(AccessRefused, match="in use"):
        balances.end_key(registry.engine, key.thumbprint())
