"""The client that departments copy: typed answers, proven before they are returned, and errors that say what to do."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.runtime import Runtime
from sharedrepo.access import clients
from tests.catalog import items
from tests.verification.conftest import Asker
from tests.verification.registry import FIRM, FIRM_NAME, LICENCE, NOW, PURPOSE, Registry, body
from tests.verification.test_prerequisites import ITEM
from tests.verification.test_recall import revoke
from verification import client
from verification.client import BadQuestion, Hub, HubProblem, NotAdmitted, NotGranted, NotProven, NotThere, TryLater
from verification.notices import recall


@pytest.fixture
def hub(asker: Asker, registry: Registry) -> Hub:
    registry.share()
    registry.grant()
    registry.case()
    registry.credential()
    return Hub(asker.at, asker.code, asker.secret, wait=_never)


def _never(_seconds: float) -> None:
    raise AssertionError("nothing was to be waited for")


def test_what_is_asked_is_answered_in_types_and_proven(hub: Hub, asker: Asker) -> None:
    said = hub.check_credential(
        type=LICENCE, number="JY-001", holder_number=FIRM, holder_name=FIRM_NAME, case="A-1", purpose=PURPOSE,
        on=date(2026, 5, 4), key="A-1/1",
    )  # fmt: skip
    assert isinstance(said.answer, client.CredentialAnswer)
    assert (said.answer.outcome, said.answer.may_rely, said.answer.on) == ("match", True, date(2026, 5, 4))
    assert (said.answer.valid_to, said.answer.case, said.answer.stale) == (date(2035, 12, 31), "confirmed", False)
    assert hub.read(said.id) == said
    again = hub.check_credential(
        type=LICENCE, number="JY-001", holder_number=FIRM, holder_name=FIRM_NAME, case="A-1", purpose=PURPOSE,
        on=date(2026, 5, 4), key="A-1/1",
    )  # fmt: skip
    assert again.id == said.id, "one key is one check"
    assert client.prove(said.document, asker.get("/v1/keys").json())["check"] == said.id


def test_prerequisites_come_group_by_group(hub: Hub, registry: Registry) -> None:
    needs = [{"name": "经营", "holder": "applicant", "valid_on": "decision", "any_of": [{"credential": LICENCE}]}]
    items.published(registry.engine, ITEM, content=items.content(requirements=needs))
    said = hub.check_prerequisites(item=ITEM, applicant=FIRM, case="A-1", purpose=PURPOSE).answer
    assert isinstance(said, client.PrerequisitesAnswer)
    (group,) = said.groups
    assert (said.outcome, group.name, group.state, group.options[group.option].may_rely) == ("met", "经营", "met", True)


def test_a_bulk_says_at_its_place_what_may_not_be_asked(hub: Hub) -> None:
    told = hub.bulk([body(), body(credential={"type": "另一种"}), body(credential={"number": "404"})])
    assert [getattr(getattr(one, "answer", None), "outcome", None) for one in told] == ["match", None, "not_found"]
    assert told[1] == client.NotAllowed()


def test_recalls_are_read_page_by_page(hub: Hub, registry: Registry) -> None:
    record = registry.credential("JY-009", source="market")
    told = [hub.check(body(credential={"number": "JY-009"})).id for _ in range(3)]
    revoke(registry, record, NOW + timedelta(hours=1))
    assert recall.look(registry.engine) == 3
    found = list(hub.recalls(page=2))
    assert sorted(one.check for one in found) == sorted(told)
    assert {(one.case, one.status, one.since) for one in found} == {("A-1", "revoked", date(2026, 11, 2))}
    assert list(hub.recalls(after=found[-1].number)) == []


def test_each_refusal_is_an_error_that_says_what_to_do(hub: Hub, asker: Asker, runtime: Runtime) -> None:
    with pytest.raises(BadQuestion, match="day_in_future") as wrong:
        hub.check(body(on="2999-01-01"))
    assert [(one.field, one.code) for one in wrong.value.faults] == [("on", "day_in_future")]
    assert wrong.value.request
    with pytest.raises(NotGranted, match="Ask for it"):
        hub.check(body(purpose="another"))
    with pytest.raises(NotThere, match="no check of this number"):
        hub.read("00000000-0000-4000-8000-000000000000")
    with pytest.raises(BadQuestion, match="Take a new key"):
        _twice(hub)
    with pytest.raises(NotAdmitted):
        Hub(asker.at, asker.code, "wrong").check(body())
    clients.revoke(runtime.engine, asker.code)
    with pytest.raises(NotAdmitted):
        hub.check(body())


def _twice(hub: Hub) -> None:
    hub.check(body(), key="one")
    hub.check(body(case="A-2"), key="one")


def test_a_token_that_ended_is_renewed_without_a_word(hub: Hub) -> None:
    first = hub.check(body()).id
    hub._token = hub._token[:-8] + "AAAAAAAA"
    assert hub.check(body()).id != first


def test_a_secret_never_goes_over_an_open_line() -> None:
    with pytest.raises(ValueError, match="in clear"):
        Hub("http://hub.example.gov.cn", "a", "b")
    Hub("http://10.0.0.1", "a", "b", plain_http=True)


@contextmanager
def answering(*answers: tuple[int, Any, dict[str, str]]) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that gives a token, and then these answers one after another; it notes the headers it got."""
    left, seen = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/v1/token":
                self._say(200, {"access_token": "t", "expires_in": 600}, {})
                return
            seen.append(dict(self.headers))
            self._say(*left.pop(0))

        def _say(self, status: int, said: Any, headers: dict[str, str]) -> None:
            text = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(text)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_what_did_not_get_through_is_sent_again_under_the_same_key() -> None:
    waited: list[float] = []
    busy = (503, {"title": "not just now", "detail": "busy", "hint": "Wait."}, {"Retry-After": "7"})
    with answering(busy, (502, b"<html>", {}), (503, {}, {"Retry-After": "9999"}), busy) as (at, seen):
        with pytest.raises(TryLater, match=r"busy\. Wait\.") as gone:
            Hub(at, "a", "b", wait=waited.append).check(body())
        assert (gone.value.status, gone.value.after_seconds) == (503, 7.0)
    assert waited == [7.0, 2.0, 30.0], "as the hub says, else longer each time, and never for ever"
    assert len({one["Idempotency-Key"] for one in seen}) == 1
    with pytest.raises(TryLater, match="not reached"):
        Hub(at, "a", "b", wait=waited.append).check(body())


def test_whatever_a_false_hub_answers_is_an_error_of_ours(hub: Hub, asker: Asker) -> None:
    good = hub.check(body(credential={"number": "404"})).document
    forged = {**good, "answer": {**good["answer"], "outcome": "match"}}
    keys = asker.get("/v1/keys").json()
    unread = [{}, [], {"answer": 1}, {"receipt": 1}, {**good, "receipt": {"jws": "a.b.c", "salt": "x"}}, forged]
    for said in unread:
        with answering((200, said, {})) as (at, _), pytest.raises(HubProblem):
            Hub(at, "a", "b", keys=keys).check(body())
    with (
        answering((302, b"", {"Location": "http://127.0.0.1:1/"})) as (at, _),
        pytest.raises(NotProven, match="address"),
    ):
        Hub(at, "a", "b").check(body())
    with answering((200, good, {})) as (at, _), pytest.raises(NotProven, match="none of the published"):
        Hub(at, "a", "b", keys={"keys": []}).check(body())


def test_the_folder_stands_alone(tmp_path: Path) -> None:
    shutil.copytree(Path(client.__file__).parent, tmp_path / "hub_client")
    code = (
        "import sys, hub_client; own = ('hub', 'verification', 'sharedrepo', 'pydantic', 'sqlalchemy');"
        "sys.exit(any(name.partition('.')[0] in own for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-Ic", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
                          cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
