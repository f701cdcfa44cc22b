"""A hub with a secret of every kind in it, and everybody who might ask: programs, persons, readers by SQL, nobody."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import psycopg2
import requests

from hub.settings import Settings
from hub.visitor import BOUND, CHIEF, DEPARTMENT, OFFICER, REGIONAL
from hub.workdays import local_day
from pipeline.runtime import Runtime
from quality.issues.service import listed
from sharedrepo.access import clients
from sharedrepo.keyring.signing import Ed25519Signer
from supervision import running
from supervision.appraisal import editions, freezing, objecting, yearly
from supervision.rules import service as rules
from tests.catalog import items
from tests.departments import ORGAN
from tests.quality.pages.conftest import OTHER as OTHER_DEPARTMENT
from tests.quality.pages.conftest import Pages, filled
from tests.supervision.appraisal import filling
from tests.verification.conftest import Asker, asker_of
from tests.verification.registry import (
    ASKER,
    FIRM,
    LICENCE,
    NOW,
    OTHER,
    PERSON,
    PERSON_NAME,
    PURPOSE,
    Registry,
    body,
    text,
)
from tests.web.browser import PASSWORD, Browser
from verification.notices import recall
from verification.rights import readers
from web.accounts import service as accounts
from web.app import CHECKS

ELSEWHERE: Final = "330200"
"""The region of a supervisor who sees no case of this hub: they lie in others."""
PROJECT: Final = "2026-330100-47-01-000001"
SECRETS: Final = {
    "C": "2099-08-08",  # until when the credential is valid that only ASKER may see
    "K": "2098-07-07",  # until when another one is, of a type that nobody may see
    "A": ASKER,  # that ASKER asked something
    "R": "办-77031",  # the case for which it asked
    "F": "labour-bad",  # the refused record of one department
    "G": "other-bad",  # that of another
    "V": "机密意见",  # a raw value of a refused record
    "D": "还在起草的事项",  # a draft of an item
    "I": "不公开的事项",  # an item that is not public
    "P": PERSON,  # a person's number
    "N": PERSON_NAME,
    "Z": "R-2099-000001",  # the supervision card of one department
    "B": "C-1008",  # the number of a case behind a point of the ranking
    "H": "机密异议",  # what a department objects to a ranking under hearing
    "Q": "JY-QQ77",  # the number that an officer of ORGAN is asked about
    "O": "P-OO55",  # the project of which another officer's question is
    "U": "办-88042",  # the case that a check named, and that never was
}
"""What must be seen by nobody whom it is not meant for: a letter each, by which the matrix says who does."""

PROGRAMS: Final = (
    "nobody", "check granted", "check other", "check issuer", "check revoked", "quality own", "quality other", "portal",
    "metrics", "poster", "cards own", "cards other", "officers own", "officers other",
)  # fmt: skip
PERSONS: Final = (
    "steward", DEPARTMENT, f"{DEPARTMENT} other", "supervisor", "legal_office", "reform_commission", "engineer",
    "administrator", CHIEF, REGIONAL, OFFICER, f"{OFFICER} other", "personal_data_officer",
)  # fmt: skip
KINDS: Final = (*PROGRAMS, *PERSONS)
DRAFT, HIDDEN, OPEN, OWN, WANTING = (items.code(number, ORGAN) for number in (1, 2, 3, 4, 5))
_BY_TOKEN = {str(vars(route)["path"]) for router, by_token in CHECKS if by_token for route in router.routes}


@dataclass
class Client:
    """A program with its two tokens, as far as it has them."""

    secret: str | None = None
    asker: Asker | None = None

    def headers(self, pattern: str) -> dict[str, str]:
        token = self.asker.token or self.asker.authorise() if self.asker and pattern in _BY_TOKEN else self.secret
        return {} if token is None else {"Authorization": f"Bearer {token}"}


@dataclass
class World:
    """The hub, what is in it, and who asks."""

    url: str
    runtime: Runtime
    named: dict[str, str] = field(default_factory=dict)
    programs: dict[str, Client] = field(default_factory=dict)
    persons: dict[str, Browser] = field(default_factory=dict)
    readers: dict[str, str | None] = field(default_factory=dict)
    line: requests.Session = field(default_factory=requests.Session)
    """By which programs ask; it keeps nothing that it is given."""
    secrets: dict[str, str] = field(default_factory=lambda: dict(SECRETS))
    """The secrets by letter, with those that came to be on the way: X and Y, the numbers of the asker's checks."""

    def __post_init__(self) -> None:
        self.line.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def ask(self, kind: str, method: str, pattern: str, asked: str) -> str:
        """Ask as somebody; return the status, and a letter for each secret that the answer tells."""
        if method == "SQL":
            return self._query(kind, asked)
        address, _, said = asked.partition(" ")
        path = re.sub(r"\{(\w+)\}", lambda found: self.named[found[1]], address)
        shown = {letter for letter, secret in self.secrets.items() if secret in path}
        answer = self._send(kind, method, pattern, path, said)
        told = sorted(
            letter for letter, secret in self.secrets.items() if secret in answer.text and letter not in shown
        )
        return f"{answer.status_code} {''.join(told)}".strip()

    def _send(self, kind: str, method: str, pattern: str, path: str, said: str) -> requests.Response:
        if kind in self.persons:
            browser = self.persons[kind]
            if method == "GET" or pattern.startswith("/v1/"):
                return browser.request(method, self.url + path, timeout=30, allow_redirects=False)
            form = dict(part.split("=", 1) for part in said.split("&") if part)
            answer: requests.Response = browser.fill_in(path, form, page="/account", allow_redirects=False)
            return answer
        headers = {**self.programs[kind].headers(pattern), "X-Road-UserId": PERSON}
        body = None if method == "GET" else BODIES.get(said, {})
        return self.line.request(method, self.url + path, json=body, headers=headers, timeout=30, allow_redirects=False)

    def _query(self, kind: str, query: str) -> str:
        if kind not in self.readers:
            return "-"
        role = self.readers[kind]
        try:
            connection = psycopg2.connect(self.runtime.settings.database_url.get_secret_value(), user=role)  # type: ignore[union-attr]  # the test's settings name it
        except psycopg2.OperationalError:
            return "shut"
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query)
                said = str([[str(one) for one in row] for row in cursor.fetchall()])
        except psycopg2.errors.InsufficientPrivilege:
            return "refused"
        finally:
            connection.close()
        told = sorted(letter for letter, secret in self.secrets.items() if secret in said)
        return f"{'none' if said == '[]' else 'rows'} {''.join(told)}".strip()


BODIES: Final[dict[str, Any]] = {
    "credential": body(case=SECRETS["R"]),
    "other type": body(case=SECRETS["R"], credential={"type": "不予共享的证照", "number": "K-1"}),
    "prerequisites": {
        "kind": "prerequisites", "item": OWN, "applicant": {"number": FIRM}, "case": SECRETS["R"],
        "purpose": PURPOSE,
    },
    "bulk": {"checks": [body(case=SECRETS["R"]), body(case=SECRETS["R"], purpose="别的用途")]},
    "jws": {"jws": "x"},
    "feedback": {"text": "已办结"},
    "inquiry": {"issuer": ORGAN},
    "option": {"issuer": ORGAN, "group": 0, "option": 0},
    "officer": {"answer": "perhaps", "reason": "x", "officer": "x"},
    "project": {"project": PROJECT, "case": SECRETS["R"], "purpose": PURPOSE},
}  # fmt: skip


def made(url: str, settings: Settings, runtime: Runtime) -> World:
    """Fill a hub and let everybody in."""
    filled(settings, runtime)
    registry, world = Registry(runtime), World(url, runtime)
    _catalogue(registry)
    registry.share()
    registry.grant()
    case = registry.case(SECRETS["R"], item=OWN, project=PROJECT)
    registry.case("M-1", source="market", organ=ORGAN, item=OPEN, project=PROJECT)
    registry.decision("M-1", source="market", on=date(2026, 5, 8))
    registry.credential(valid_to=date(2099, 8, 8))
    registry.credential(
        "K-1", credential_type="不予共享的证照", valid_to=date(2098, 7, 7), holder=(PERSON, PERSON_NAME)
    )
    _card(registry)
    _programs(world)
    granted = world.programs["check granted"].asker
    assert granted is not None
    number = world.secrets["X"] = granted.check(body(case=SECRETS["R"]))["id"]
    granted.check(
        body(case=SECRETS["R"], credential={"number": "X", "holder_number": PERSON, "holder_name": PERSON_NAME})
    )
    relied = registry.credential("JY-002")
    world.secrets["Y"] = granted.check(body(case=SECRETS["R"], credential={"number": "JY-002"}))["id"]
    registry.replace(relied, at=datetime.now(UTC), status="revoked")
    recall.look(runtime.engine)
    _ranking(world)
    job = granted.post("/v1/check-jobs", text(body(case=SECRETS["R"])), Content_Type="application/x-ndjson").json()[
        "id"
    ]
    while granted.get(f"/v1/check-jobs/{job}").json()["state"] == "waiting":
        time.sleep(0.2)
    _persons(world)
    _undetermined(world, registry)
    _readers(world)
    running.run(runtime.engine, protector=runtime.protector)
    pages = Pages(url, runtime)
    world.named |= {
        "check": number, "job": job, "organ": ORGAN, "theirs": OTHER_DEPARTMENT, "month": f"{local_day(NOW):%Y-%m}",
        "issue": pages.issue(ORGAN), "their_issue": listed(runtime.engine, organ=OTHER_DEPARTMENT)[0].code,
        "record": str(pages.entry("labour")), "their_record": str(pages.entry("other")), "draft": DRAFT,
        "case": str(case), "case_number": SECRETS["R"], "hidden": HIDDEN, "open": OPEN, "own": OWN, "project": PROJECT,
    }  # fmt: skip
    return world


def _undetermined(world: World, registry: Registry) -> None:
    """Inquiries to ORGAN about a credential and an option that no feed brings, and a check whose case never was."""
    asker = world.programs["check granted"].asker
    assert asker is not None
    registry.share("没有数据的证照", class_="unconditional")
    asked = {"type": "没有数据的证照", "number": SECRETS["Q"]}
    number = asker.check(body(case=SECRETS["R"], credential=asked))["id"]
    answer = asker.post(f"/v1/checks/{number}/inquiry", {"issuer": ORGAN})
    assert answer.status_code == 202, answer.text
    needs = {"kind": "prerequisites", "item": WANTING, "applicant": {"number": FIRM}, "project": SECRETS["O"],
             "case": SECRETS["R"], "purpose": PURPOSE}  # fmt: skip
    wanting = asker.check(needs)["id"]
    answer = asker.post(f"/v1/checks/{wanting}/inquiry", {"issuer": ORGAN})
    assert answer.status_code == 202, answer.text
    stray = asker.check(body(case=SECRETS["U"]))["id"]
    registry.run(
        """INSERT INTO audit.confirmation (check_id, state) VALUES (CAST(:id AS uuid), 'no_such_case')
           ON CONFLICT DO NOTHING""",
        id=stray,
    )  # fmt: skip
    world.named |= {"asked": number, "wanting": wanting, "stray": stray}


def _card(registry: Registry) -> None:
    registry.run(
        """INSERT INTO supervision.card (number, subject, clock, level, kind, rule, rule_version, organ, state,
               raised_at, sent_at, evidence)
           SELECT :number, 'organ:x', 'month:2026-03!overdue_rate', 'red', 'statistical', 'overdue_rate', 1, :organ,
               'sent', now(), now(), '{}'""",
        number=SECRETS["Z"], organ=ORGAN,
    )  # fmt: skip
    with registry.engine.begin() as connection:
        rules.ensure(connection)


def _catalogue(registry: Registry) -> None:
    needs = [{"name": "经营", "holder": "applicant", "valid_on": "decision", "any_of": [{"credential": LICENCE}]}]
    engine = registry.engine
    items.published(engine, OPEN, content=items.content(name="公开的事项"))
    items.published(engine, OWN, content=items.content(name="有前置的事项", requirements=needs))
    wants = [
        {"name": "用地", "holder": "project", "valid_on": "decision", "any_of": [{"credential": "没有数据的证照"}]}
    ]
    items.published(engine, WANTING, content=items.content(name="没有数据的事项", requirements=wants))
    items.published(engine, HIDDEN, content=items.content(name=SECRETS["I"], disclosure="internal"))
    items.proposed(engine, DRAFT, content=items.content(name=SECRETS["D"]))


def _ranking(world: World) -> None:
    """Publish October, then hear an erratum to which a department objects."""
    engine, signer = world.runtime.engine, Ed25519Signer.of(world.runtime.protector.ring)
    over, heard = datetime(2026, 11, 3, 1, 0, tzinfo=UTC), datetime(2026, 11, 11, 1, 0, tzinfo=UTC)
    with engine.begin() as connection:
        filling.cases(connection, ORGAN, 40, 1000, "X1")
    freezing.freeze(engine, "2026-10", actor="a", now=over)
    editions.draft(engine, "2026-10", "a")
    editions.hear(engine, "2026-10", date(2026, 11, 10), "a", over)
    editions.publish(engine, "2026-10", "b", signer, heard)
    yearly.publish(engine, 2026, 2, actor="b", signer=signer, now=datetime(2027, 1, 1, tzinfo=UTC))
    editions.draft(engine, "2026-10", "a", "erratum")
    editions.hear(engine, "2026-10", date(2199, 12, 31), "a", heard)
    objecting.lodge(engine, "2026-10", "department", ORGAN, "closed_late", SECRETS["H"], "account:x", heard)


def _programs(world: World) -> None:
    def entered(kind: str, organ: str, *rights: str) -> None:
        code = kind.replace(" ", "-")
        if rights == ("check",):
            asker = asker_of(world.runtime, world.url, code=code, organ=organ)
            world.programs[kind] = Client(asker.secret, asker)
        else:
            secret, _ = clients.make(
                world.runtime.engine, world.runtime.protector, code=code, organ=organ, rights=rights, days=1
            )
            world.programs[kind] = Client(secret)

    world.programs["nobody"] = Client()
    entered("check granted", ASKER, "check")
    entered("check other", OTHER, "check")
    entered("check issuer", ORGAN, "check")
    entered("check revoked", ASKER, "check")
    entered("quality own", ORGAN, "quality")
    entered("quality other", OTHER_DEPARTMENT, "quality")
    entered("portal", ORGAN, "usage")
    entered("metrics", ORGAN, "metrics")
    entered("poster", ORGAN, "push:labour")
    entered("cards own", ORGAN, "cards")
    entered("cards other", OTHER_DEPARTMENT, "cards")
    entered("officers own", ORGAN, "confirm")
    entered("officers other", OTHER_DEPARTMENT, "confirm")
    revoked = world.programs["check revoked"].asker
    assert revoked is not None
    revoked.authorise()
    clients.revoke(world.runtime.engine, "check-revoked")


def _persons(world: World) -> None:
    for kind in PERSONS:
        role, _, which = kind.partition(" ")
        code = kind.replace(" ", "-").replace("_", "-")
        organ = (OTHER_DEPARTMENT if which else ORGAN) if role in BOUND else None
        accounts.make(
            world.runtime.engine, code=code, name=code, roles=[role], password=PASSWORD, actor="cli:test", organ=organ,
            region=ELSEWHERE if role == REGIONAL else None,
        )  # fmt: skip
        world.persons[kind] = Browser(world.url)
        assert world.persons[kind].sign_in(code).status_code in (200, 403)


def _readers(world: World) -> None:
    """Roles that stand under the programs of the same organs; nobody's is the hub's own, the revoked one ended."""
    world.readers["nobody"] = "postgres"
    for kind, organ in {"granted": ASKER, "other": OTHER, "issuer": ORGAN, "revoked": ASKER}.items():
        role, _ = readers.make(world.runtime.engine, organ=organ, purpose=PURPOSE, actor="office", password=False)
        world.readers[f"check {kind}"] = role
    ended = world.readers["check revoked"]
    assert ended is not None
    readers.end(world.runtime.engine, ended, actor="office")


def gone(world: World) -> None:
    """Take the roles away: they belong to the whole server."""
    for role in world.readers.values():
        if role not in (None, "postgres", world.readers["check revoked"]):
            readers.end(world.runtime.engine, str(role), actor="office")
