"""Who may check what: nothing without a class; under conditions only with a grant that holds now, for this purpose."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from pipeline.runtime import Runtime
from tests.verification.conftest import Asker, asker_of
from tests.verification.registry import ASKER, LICENCE, NOW, OTHER, PURPOSE, Registry, body, today
from verification.rights import access
from verification.rights.access import AccessRefused


def refused(asker: Asker, **over: Any) -> bool:
    answer = asker.post("/v1/checks", body(**over))
    assert answer.status_code in (200, 403), answer.text
    if answer.status_code == 403:
        assert answer.json()["type"] == "urn:approval-exchange-hub:NotAllowed"
    return answer.status_code == 403


def test_by_default_nothing_is_shared_and_each_way_to_be_let_in_is_exact(registry: Registry, asker: Asker) -> None:
    registry.credential()
    assert refused(asker), "no class"
    registry.share()
    assert refused(asker), "conditional, and no grant"
    number = access.ask(
        registry.engine, organ=ASKER, kind="credential_type", code=LICENCE, purpose=PURPOSE, legal_basis="x",
        valid_from=today(), valid_to=today(), actor="asker", today=today(),
    )  # fmt: skip
    assert refused(asker), "asked for, not answered"
    access.answer(registry.engine, number, granted=True, reason="依法", actor="issuer")
    assert not refused(asker)
    assert refused(asker, purpose="another purpose")
    assert refused(asker, credential={"type": "另一种"})
    access.end(registry.engine, number, reason="not needed", actor="issuer")
    assert refused(asker), "taken back"
    registry.grant(valid_from=today() - timedelta(days=9), valid_to=today() - timedelta(days=1))
    assert refused(asker), "over"
    registry.grant(valid_from=today() + timedelta(days=2))
    assert refused(asker), "not yet"
    registry.grant(organ=OTHER)
    registry.grant(LICENCE, kind="credential_type", purpose="third")
    assert refused(asker), "of another organ, or for another purpose"
    registry.share(class_="none")
    registry.run("""UPDATE access."grant" SET state = 'granted' WHERE TRUE""")
    assert refused(asker), "class none bars all"
    registry.share(class_="unconditional")
    assert not refused(asker, purpose="whatever it is")


def test_every_refusal_is_logged_like_an_answer(registry: Registry, asker: Asker) -> None:
    registry.credential()
    refused(asker)
    asker.post("/v1/checks", {"kind": "credential"})
    asker.post("/v1/checks", body(), Authorization="Bearer x")
    registry.share(class_="unconditional")
    refused(asker)
    with registry.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT kind, outcome, organ FROM audit.entry ORDER BY entry_id").fetchall()
    assert [tuple(row) for row in rows] == [
        ("refused", "not_allowed", ASKER), ("refused", "Malformed", ASKER), ("refused", "not_authenticated", None),
        ("credential", "match", ASKER),
    ]  # fmt: skip


def test_a_check_is_read_by_the_organ_that_asked_and_by_nobody_else(
    registry: Registry, asker: Asker, runtime: Runtime
) -> None:
    registry.credential()
    registry.share(class_="unconditional")
    number = asker.check(body())["id"]
    other = asker_of(runtime, asker.at, code="other-it", organ=OTHER)
    colleague = asker_of(runtime, asker.at, code="asker-second")
    assert other.get(f"/v1/checks/{number}").status_code == 404
    assert colleague.get(f"/v1/checks/{number}").status_code == 200
    assert registry.run("SELECT count(*) FROM audit.entry WHERE kind = 'read'") == 1


def test_what_is_not_held_is_refused_to_who_may_not_see_it_in_the_same_words(registry: Registry, asker: Asker) -> None:
    registry.credential()
    there, gone = asker.post("/v1/checks", body()), asker.post("/v1/checks", body(credential={"number": "404"}))
    assert {**there.json(), "request": ""} == {**gone.json(), "request": ""}


def test_a_bulk_answers_each_question_by_itself(registry: Registry, asker: Asker) -> None:
    registry.share()
    registry.grant()
    registry.case()
    registry.credential()
    registry.credential("JY-002", periods=(("revoked", date(2026, 1, 5)),), source="market", status="revoked")
    early = (NOW - timedelta(days=40)).isoformat()
    asked = [
        body(), body(credential={"number": "JY-002"}), body(credential={"number": "404"}),
        body(credential={"type": "另一种"}), body(known_at=early), body(credential={"holder_name": "别家"}),
    ]  # fmt: skip
    answer = asker.post("/v1/bulk-checks", {"checks": asked})
    assert answer.status_code == 200, answer.text
    told = answer.json()["checks"]
    outcomes = [one.get("outcome") or one["answer"]["outcome"] for one in told]
    assert outcomes == ["match", "not_valid", "not_found", "not_allowed", "undetermined", "mismatch"]
    assert len({one["id"] for one in told if "id" in one}) == 5
    assert asker.get(f"/v1/checks/{told[1]['id']}").json() == told[1]
    for place, one in enumerate(told):
        if "answer" in one:
            single = asker.answer(asked[place])
            assert single == one["answer"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"sharing_class": "secret"}, "is none of"), ({"kind": "stream"}, "is none of"),
        ({"legal_ground": " "}, "legal ground"), ({"fresh_hours": 0}, "one hour"),
    ],
)  # fmt: skip
def test_a_class_is_given_with_its_ground(registry: Registry, change: dict[str, Any], word: str) -> None:
    good = {
        "kind": "item", "code": "x", "sharing_class": "none", "legal_ground": "y", "actor": "z", "fresh_hours": 1,
    }  # fmt: skip
    with pytest.raises(AccessRefused, match=word):
        access.share(registry.engine, **{**good, **change})


def test_a_grant_is_answered_by_somebody_else_once_within_ten_working_days(registry: Registry) -> None:
    with pytest.raises(AccessRefused, match="has no sharing class"):
        registry.grant()
    registry.share(class_="unconditional")
    with pytest.raises(AccessRefused, match="of class unconditional"):
        registry.grant()
    registry.share()
    number = access.ask(
        registry.engine, organ=ASKER, kind="credential_type", code=LICENCE, purpose=PURPOSE, legal_basis="x",
        valid_from=today(), valid_to=None, actor="asker", today=date(2026, 9, 30),
    )  # fmt: skip
    (found,) = access.listed(registry.engine)["grants"]
    assert found["answer_due"] > date(2026, 10, 14), "the holidays of October do not count"
    with pytest.raises(AccessRefused, match="asked for it yourself"):
        access.answer(registry.engine, number, granted=True, reason="ok", actor="asker")
    with pytest.raises(AccessRefused, match="say why"):
        access.answer(registry.engine, number, granted=True, reason=" ", actor="issuer")
    access.answer(registry.engine, number, granted=False, reason="no basis", actor="issuer")
    with pytest.raises(AccessRefused, match="no grant"):
        access.answer(registry.engine, number, granted=True, reason="ok", actor="issuer")
