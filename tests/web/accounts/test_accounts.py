"""`hub account` as people use it, and what cannot be an account."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.errors import RepositoryError
from hub.settings import Settings
from hub.visitor import CHIEF, DEPARTMENT, OFFICER, REGIONAL, RIGHTS, ROLES, Visitor, faults_of
from pipeline.runtime import Runtime
from sharedrepo.models import account as table
from tests.departments import ORGAN
from tests.web.browser import PASSWORD
from tests.web.processes import environment
from web.accounts import service
from web.accounts.service import CannotBeAccount


def hub(settings: Settings, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("hub")), "account", *words],
        env=environment(settings), capture_output=True, text=True, timeout=120, check=False, input=said,
    )  # fmt: skip


def test_an_account_is_made_changed_listed_and_disabled(settings: Settings, runtime: Runtime) -> None:
    made = hub(settings, "new", "ping", "--name", "王萍", "--role", "steward", said=f"{PASSWORD}\n")
    assert made.returncode == 0, made.stderr
    assert hub(settings, "new", "ping", "--name", "王萍", "--role", "steward", said=f"{PASSWORD}\n").returncode == 1
    changed = hub(settings, "roles", "ping", "--role", DEPARTMENT, "--organ", ORGAN, "--json")
    assert json.loads(changed.stdout) == {"account": "ping", "state": "active"}
    assert hub(settings, "password", "ping", said="another long password\n").returncode == 0
    assert hub(settings, "disable", "ping").returncode == 0
    listed = hub(settings, "list", "--json")
    (one,) = json.loads(listed.stdout)["accounts"]
    assert (one["code"], one["roles"], one["organ"], one["state"]) == ("ping", [DEPARTMENT], ORGAN, "disabled")
    assert "argon2" not in listed.stdout
    with runtime.engine.connect() as connection:
        kept = connection.execute(sa.select(table.c.password_hash)).scalar_one()
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$"), "the cost that RFC 9106 advises, as deployed"
    told = [one["what"] for one in service.events(runtime.engine)]
    assert told == ["disabled", "password", "roles", "made"]


def test_a_password_is_never_an_argument(settings: Settings, runtime: Runtime) -> None:
    told = hub(settings, "new", "ping", "--name", "王萍", "--role", "steward")
    assert told.returncode == 2
    assert "standard input" in told.stderr
    assert hub(settings, "new", "ping", "--name", "王萍", "--role", "steward", "--password", PASSWORD).returncode == 2


def test_what_cannot_be_an_account_is_told_all_its_faults(runtime: Runtime) -> None:
    with pytest.raises(CannotBeAccount) as told:
        service.make(
            runtime.engine, code="王 萍", name="a\nb", roles=["boss"], organ="12", password="short", actor="cli:test"
        )
    for words in ("small letters", "printable", "no role 'boss'", "no unified social credit code", "12 to 256"):
        assert words in str(told.value)
    assert "short" not in str(told.value)


@pytest.mark.parametrize("password", ["ping-ping-ping", "aaaaaaaaaaaaaaaa", "x" * 257, "elevenchars"])
def test_a_weak_password_is_refused(runtime: Runtime, password: str) -> None:
    with pytest.raises(CannotBeAccount, match="password"):
        service.make(
            runtime.engine, code="ping", name="王萍", roles=["steward"], organ=None, password=password, actor="cli:test"
        )


def test_an_unknown_account_is_told_which_there_are(runtime: Runtime) -> None:
    service.make(
        runtime.engine, code="ping", name="王萍", roles=["steward"], organ=None, password=PASSWORD, actor="cli:test"
    )
    with pytest.raises(RepositoryError, match="known: ping"):
        service.disable(runtime.engine, "pong", undo=False, actor="cli:test")
    assert [one["what"] for one in service.events(runtime.engine)] == ["made"], "what failed is not logged as done"


def test_roles_and_organ_fit_together() -> None:
    assert faults_of(["steward", "administrator"], None) == []
    assert faults_of([DEPARTMENT], ORGAN) == []
    assert faults_of([DEPARTMENT], None)
    assert faults_of([DEPARTMENT, "steward"], ORGAN)
    assert faults_of(["steward"], ORGAN)
    assert faults_of([], None)
    assert faults_of([REGIONAL], None, "330100") == []
    assert faults_of([CHIEF], None) == faults_of([CHIEF], None, "330106") == []
    assert faults_of([REGIONAL], None), "who is bound to a region needs one"
    assert faults_of([REGIONAL], None, "330000"), "a province is no city and no county"
    assert faults_of([REGIONAL], None, "33%"), "a code has six digits"
    assert faults_of(["supervisor"], None, "330100"), "who sees all is bound to no region"
    assert faults_of([CHIEF, "steward"], None, "330100"), "one role may not show what another one hides"
    assert faults_of([DEPARTMENT], ORGAN, "330100")
    assert faults_of(["legal_office", "steward"], None) == []
    assert faults_of(["legal_office", "supervisor"], None), "nobody sits in two seats of the catalogue"


def test_a_city_sees_its_counties_and_a_county_only_itself() -> None:
    city, county = (Visitor("a", "A", frozenset({REGIONAL}), None, region) for region in ("330100", "330106"))
    assert city.sees_case(ORGAN, "330100")
    assert city.sees_case(ORGAN, "330106")
    assert not city.sees_case(ORGAN, "330200")
    assert not city.sees_case(ORGAN, None), "a case of no region is for those who see all"
    assert county.sees_case(ORGAN, "330106")
    assert not county.sees_case(ORGAN, "330100")
    assert Visitor("a", "A", frozenset({"supervisor"})).sees_case(ORGAN, None)
    assert not Visitor("a", "A", frozenset({DEPARTMENT}), ORGAN).sees_case("another", "330100")
    assert not city.may("see"), "the pages of quality know no regions"


def test_a_region_is_kept_and_logged(settings: Settings, runtime: Runtime) -> None:
    made = hub(
        settings, "new", "qian", "--name", "钱伟", "--role", REGIONAL, "--region", "330100", said=f"{PASSWORD}\n"
    )
    assert made.returncode == 0, made.stderr
    (one,) = json.loads(hub(settings, "list", "--json").stdout)["accounts"]
    assert (one["roles"], one["region"]) == ([REGIONAL], "330100")
    assert service.events(runtime.engine)[0]["detail"]["region"] == "330100"
    assert hub(settings, "roles", "qian", "--role", REGIONAL).returncode == 2
    assert hub(settings, "roles", "qian", "--role", CHIEF).returncode == 0
    found = service.find(runtime.engine, "qian")
    assert found is not None
    assert found.visitor.region is None, "the new roles stand in place of the old, with their region"


def test_rights_follow_the_roles() -> None:
    assert set(ROLES) == {
        "steward", DEPARTMENT, "supervisor", "engineer", "administrator", "legal_office", "reform_commission",
        REGIONAL, CHIEF, OFFICER, "personal_data_officer",
    }  # fmt: skip
    supervisor = Visitor("a", "A", frozenset({"supervisor"}))
    assert [one for one in RIGHTS["steward"] if supervisor.may(one)] == ["see"]
    both = Visitor("a", "A", frozenset({"supervisor", "administrator"}))
    assert both.may("accounts")
    assert both.may("see")
    assert not Visitor("a", "A", frozenset({"administrator"})).may("see"), "who keeps accounts sees no data"
    assert not Visitor("a", "A", frozenset({DEPARTMENT}), ORGAN).sees(""), "what is nobody's is no department's"
