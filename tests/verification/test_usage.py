"""Who checked me: newest first, page by page, for the portal only; an investigation later, and then with its reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from pipeline.runtime import Runtime
from sharedrepo.access import clients
from sharedrepo.keyring.signing import Ed25519Signer
from tests.verification.conftest import Asker, Command, asker_of
from tests.verification.registry import (
    ASKER,
    FIRM,
    FIRM_NAME,
    NOW,
    OTHER,
    PERSON,
    PERSON_NAME,
    PURPOSE,
    Registry,
    body,
    today,
)
from verification.audit.watch import Watch
from verification.checks.service import Checker
from verification.evidence.sessions import Sessions
from verification.reading import usage
from verification.rights import disclosure
from verification.rights.access import AccessRefused

PORTAL = "11330000002482285J"


class Portal:
    """The portal: it knows who signed in."""

    def __init__(self, runtime: Runtime, at: str) -> None:
        self.at = at
        self.token, _ = clients.make(
            runtime.engine, runtime.protector, code="portal", organ=PORTAL, rights=("usage",), days=1
        )

    def get(self, path: str, viewer: str | None = PERSON, **headers: str) -> requests.Response:
        own = {"Authorization": f"Bearer {self.token}", **({} if viewer is None else {"X-Road-UserId": viewer})}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.get(f"{self.at}/v1/{path}", headers={**own, **more}, timeout=20)

    def find(self, query: str = "", viewer: str = PERSON, **headers: str) -> dict[str, Any]:
        answer = self.get(f"findUsage{query}", viewer, **headers)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said


@pytest.fixture
def portal(registry: Registry, service: str, runtime: Runtime) -> Portal:
    registry.share(class_="unconditional")
    registry.case()
    registry.credential()
    registry.credential("P-1", source="market", holder=(PERSON, PERSON_NAME))
    return Portal(runtime, service)


def about(number: str, name: str | None = None, **over: Any) -> dict[str, Any]:
    return body(credential={"number": "P-1", "holder_number": number, "holder_name": name or "某人"}, **over)


def test_a_person_reads_who_checked_it_newest_first_and_page_by_page(
    asker: Asker, portal: Portal, runtime: Runtime
) -> None:
    other = asker_of(runtime, asker.at, code="other-it", organ=OTHER)
    asker.check(about(PERSON))
    other.check(about(PERSON, purpose="个案调查"))
    asker.check(body())
    for place in range(3):
        asker.check(about(PERSON), Idempotency_Key=f"k{place % 2}")
    said = portal.find()
    assert said["totalUsages"] == 4, "the firm's are not a person's; a repeat under its key is no new check"
    last = said["usages"][-1]
    assert (last["action"], last["receiverCode"], last["receiverSystem"]) == (f"核验证照:{PURPOSE}", ASKER, "asker-it")
    times = [datetime.fromisoformat(one["logtime"]) for one in said["usages"]]
    assert times == sorted(times, reverse=True)
    pages = [portal.find(f"?limit=3&offset={offset}") for offset in (0, 3, 6)]
    assert [one["totalUsages"] for one in pages] == [4, 4, 4]
    assert [row for one in pages for row in one["usages"]] == said["usages"]
    middle = said["usages"][1]["logtime"]
    early, late = portal.find(f"?periodEnd={middle}"), portal.find(f"?periodStart={middle}")
    assert (early["totalUsages"], late["totalUsages"]) == (2, 2)
    assert PERSON not in str(said)


def test_a_person_acts_for_a_firm_and_both_are_logged_locked(asker: Asker, portal: Portal, registry: Registry) -> None:
    asker.check(body())
    assert portal.find()["totalUsages"] == 0
    assert portal.find(X_Road_Represented_Party=f"COM/{FIRM}")["totalUsages"] == 1
    with registry.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT organ, subject_hash, personal, to_jsonb(e)::text FROM audit.entry AS e WHERE outcome = 'usage'"
        ).fetchall()
    assert [row[0] for row in rows] == [PORTAL, PORTAL]
    assert all(row[1] and row[2] for row in rows)
    assert not any(PERSON in row[3] or FIRM in row[3] for row in rows)


def test_an_older_number_that_the_asked_one_holds_is_found(asker: Asker, portal: Portal) -> None:
    asker.check(body(credential={"holder_number": FIRM[8:17]}))
    assert portal.find(viewer=FIRM)["totalUsages"] == 1


def test_an_investigation_is_shown_later_with_its_reason_and_never_counted_before(
    asker: Asker, portal: Portal, registry: Registry
) -> None:
    engine = registry.engine
    asker.check(about(PERSON))
    said: dict[str, Any] = {
        "organ": ASKER, "purpose": "案件调查", "legal_basis": "《监察法》第四十条", "begins": NOW - timedelta(days=1),
        "ends": None, "until": NOW + timedelta(days=30), "actor": "inspector", "now": NOW,
    }  # fmt: skip
    number = disclosure.ask(engine, **said)
    asker.check(about(PERSON, purpose="案件调查"))
    assert portal.find()["totalUsages"] == 1, "it hides from the moment that it is asked for"
    with pytest.raises(AccessRefused, match="asked for it yourself"):
        disclosure.answer(engine, number, granted=True, reason="依法", actor="inspector")
    disclosure.answer(engine, number, granted=True, reason="依法", actor="chief")
    assert portal.find()["totalUsages"] == 1
    later = _found(registry, NOW + timedelta(days=31))
    assert later["totalUsages"] == 2
    assert [one.get("hiddenReason") for one in later["usages"]] == ["《监察法》第四十条", None]
    disclosure.end(engine, number, reason="结案", actor="chief")
    shown = portal.find()
    assert shown["totalUsages"] == 2, "ended early, it is shown at once"
    assert datetime.fromisoformat(shown["usages"][0]["hiddenUntil"]) < NOW + timedelta(days=1)


def _found(registry: Registry, at: datetime) -> dict[str, Any]:
    """What a portal is told at a later time."""

    sessions = Sessions(registry.engine)
    signer = Ed25519Signer.of(registry.protector.ring)
    try:
        return usage.find(
            Checker(sessions, registry.protector, signer, Watch(3600)), client_id=1, organ=PORTAL, viewer=PERSON,
            subject=PERSON, since=None, until=None, offset=0, limit=10, now=at,
        )  # fmt: skip
    finally:
        sessions.close()


def test_a_delay_that_nobody_answers_or_that_is_refused_hides_nothing(
    asker: Asker, portal: Portal, registry: Registry
) -> None:
    asker.check(about(PERSON, purpose="案件调查"))
    said: dict[str, Any] = {
        "organ": ASKER, "purpose": "案件调查", "legal_basis": "x", "begins": NOW - timedelta(days=9), "ends": None,
        "until": NOW + timedelta(days=30), "actor": "inspector",
    }  # fmt: skip
    disclosure.ask(registry.engine, **said, now=NOW - timedelta(days=4))
    assert portal.find()["totalUsages"] == 1, "unanswered for three days"
    number = disclosure.ask(registry.engine, **said, now=NOW)
    assert portal.find()["totalUsages"] == 0
    disclosure.answer(registry.engine, number, granted=False, reason="无依据", actor="chief")
    assert portal.find()["totalUsages"] == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [({"until": NOW - timedelta(days=1)}, "must end"), ({"until": NOW + timedelta(days=400)}, "must end"),
     ({"legal_basis": " "}, "legal basis"), ({"ends": NOW - timedelta(days=9)}, "before it begins")],
)  # fmt: skip
def test_no_delay_is_without_end_or_basis(registry: Registry, change: dict[str, Any], word: str) -> None:
    good: dict[str, Any] = {
        "organ": ASKER, "purpose": "p", "legal_basis": "b", "begins": NOW, "ends": None,
        "until": NOW + timedelta(days=30), "actor": "a", "now": NOW,
    }  # fmt: skip
    with pytest.raises(AccessRefused, match=word):
        disclosure.ask(registry.engine, **{**good, **change})


def test_only_the_portal_asks_and_no_number_stands_in_an_address(asker: Asker, portal: Portal) -> None:
    asker.authorise()
    for path in ("findUsage", "usagePeriod", "heartbeat"):
        for token, status in ((asker.secret, 403), (asker.token, 401), ("x", 401)):
            answer = portal.get(path, Authorization=f"Bearer {token}")
            assert answer.status_code == status, (path, status)
    for query, headers in (
        (f"?userCode={PERSON}", {}),
        ("?limit=1001", {}),
        ("?limit=0", {}),
        ("?offset=-1", {}),
        ("?periodStart=2026-01-01T00:00:00", {}),
        ("", {"X_Road_UserId": PERSON[:-1] + "4"}),
        ("", {"X_Road_Represented_Party": "COM/" + FIRM[:-1] + "A"}),
        ("", {"X_Road_Represented_Party": "COM/"}),
    ):
        answer = portal.get(f"findUsage{query}", **headers)
        assert answer.status_code == 400, (query, headers)
        assert PERSON not in answer.text
    assert portal.get("findUsage", None).status_code == 400


def test_period_and_heartbeat(asker: Asker, portal: Portal) -> None:
    asker.check(body())
    said = portal.get("usagePeriod").json()
    assert abs(datetime.fromisoformat(said["periodStart"]).date() - today()) <= timedelta(days=1)
    assert portal.get("heartbeat").json() == {"status": "OK", "message": "the log of checks answers"}


def test_the_commands_hide_answer_list_and_end(registry: Registry, command: Command) -> None:
    assert command("share", "hide", ASKER, "--purpose", "案件调查", "--basis", "法", "--until",
                   str(today() + timedelta(days=9)), "--by", "inspector").startswith("Delay 1 is entered")  # fmt: skip
    command("share", "hide-answer", "1", "--reason", "依法", "--by", "chief")
    (row,) = command("share", "hidden", "--json")["delays"]
    assert (row["state"], row["answered_by"]) == ("granted", "chief")
    command("share", "hide-end", "1", "--reason", "结案", "--by", "chief")
    assert command("share", "hidden", "--json")["delays"][0]["state"] == "ended"


def test_nothing_of_a_holder_stands_in_what_a_firm_reads(asker: Asker, portal: Portal) -> None:
    asker.check(body())
    said = str(portal.find(viewer=FIRM))
    assert not any(secret in said for secret in (FIRM, FIRM_NAME, "JY-001", "A-1"))
