"""Bad questions to a department's system: a number is a number, whatever is written into it."""

from __future__ import annotations

import pytest

from hub.settings import Settings
from pipeline.runtime import Runtime
from tests.catalog import items
from tests.connectors.conftest import Department, mariadb, postgres, postgres_url
from tests.hostile.test_checks import faults, problem
from tests.verification.conftest import Asker, asker, registry, service
from tests.verification.office import CODE, Office
from tests.verification.registry import LICENCE, PURPOSE, Registry, body

__all__ = ["asker", "mariadb", "postgres", "postgres_url", "registry", "service"]

NUMBERS = (
    "' OR 1=1 --", "\\' OR 1=1 -- ", '" OR ""="', "'; DROP TABLE licence; --", "%", "_____", "x" * 200, "%(no)s", "\\",
    "1 UNION SELECT * FROM licence", "\u202eJY-001", "😀",
)  # fmt: skip


@pytest.fixture(params=["postgres", "mariadb"])
def office(
    request: pytest.FixtureRequest, settings: Settings, runtime: Runtime, registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> Office:  # fmt: skip
    system: Department = request.getfixturevalue(request.param)
    registry.behind()
    monkeypatch.setenv(f"HUB_CONN_{CODE.upper()}", system.url)
    made = Office(settings.sources[0], system, runtime)
    made.put()
    return made


def test_a_hostile_number_brings_nothing_and_breaks_nothing(
    registry: Registry, asker: Asker, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    for number in NUMBERS:
        registry.run("DELETE FROM audit.live_asked")
        check = asker.check(body(credential={"number": number}))["id"]
        said = asker.post(f"/v1/checks/{check}/live", {})
        assert said.status_code == 200, said.text
        assert said.json()["answer"]["reason"] == "source_has_none", number
        assert number not in caplog.text
    assert registry.run("SELECT count(*) FROM core.credential") == 1, "no row of the department's came"
    assert office.pull()["new"] == 1, "its table is there as it was"


def test_a_hostile_number_of_a_holder_brings_nothing_and_breaks_nothing(
    registry: Registry, asker: Asker, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    needs = [{"name": "经营", "holder": "applicant", "valid_on": "decision", "any_of": [{"credential": LICENCE}]}]
    items.published(registry.engine, items.code(1), content=items.content(requirements=needs))
    asked = {"kind": "prerequisites", "item": items.code(1), "case": "A-1", "purpose": PURPOSE}
    for number in (one[:40] for one in NUMBERS):
        registry.run("DELETE FROM audit.live_asked")
        check = asker.check({**asked, "applicant": {"number": number}})["id"]
        said = asker.post(f"/v1/checks/{check}/live", {})
        assert said.status_code == 200, said.text
        (option,) = said.json()["answer"]["groups"][0]["options"]
        assert (option["state"], option["reason"]) == ("undetermined", "source_has_none"), number
        assert number not in caplog.text
    assert registry.run("SELECT count(*) FROM core.credential") == 1, "no row of the department's came"
    assert office.pull()["new"] == 1, "its table is there as it was"


def test_what_is_no_question_is_refused_before_anybody_is_asked(asker: Asker, office: Office) -> None:
    check = asker.check(body())["id"]
    at = f"/v1/checks/{check}/live"
    for wrong, field in (
        ({"issuer": 1}, "issuer"),
        ({"group": "0"}, "group"),
        ({"number": "x"}, "number"),
        ([], ""),
        (b"{", ""),
    ):
        answer = asker.post(at, wrong)
        assert answer.status_code == 400
        assert list(faults(answer)) == [field]
    assert problem(asker.post(at, b"{}" + b" " * 70_000)).status == 413
    assert problem(asker.post(at, b"{}", Content_Type="text/plain")).status == 415
    assert problem(asker.post("/v1/checks/1;DROP/live", {})).status == 400
    log = asker.get("/v1/log").json()["entries"]
    assert "live_asked" not in {one["outcome"] for one in log}
