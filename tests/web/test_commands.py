"""`hub web` and `hub client` as people and programs use them, and the API's document against the code."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from hub.settings import Settings
from tests.departments import ORGAN
from tests.web.processes import hub, serving
from tests.web.test_door import CHECKED, OPEN, OWN_DOOR
from web import protocol
from web.document import text
from web.server import CannotListen, _listen

ROOT = Path(__file__).resolve().parents[2]
SETTLED = """
import gc
from fastapi import FastAPI
from web import server
server.Server.run = lambda own, sockets: print(gc.get_freeze_count())
server.serve(FastAPI(), host="127.0.0.1", port=0, ready=print)
"""
DOCUMENT = ROOT / "docs" / "integrate" / "openapi.json"


def test_the_document_is_committed_as_the_code_makes_it() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), (
        "the API changed: run `python -m tests.docs.generated` and look at the difference"
    )


def test_every_operation_of_the_document_says_its_refusals() -> None:
    said: dict[str, Any] = json.loads(text())
    for path, methods in said["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            if path in CHECKED:
                assert operation["security"] == [{"checks": []}]
                assert "401" in operation["responses"], path
            elif path in OWN_DOOR:
                assert operation["security"] == [{"gateway": []}]
                assert "401" in operation["responses"], path
            elif path not in OPEN:
                assert operation["security"] == [{"client": []}]
                assert {"401", "403"} <= set(operation["responses"]), path


def test_a_client_is_made_listed_and_revoked(settings: Settings, runtime: Any) -> None:
    made = hub(settings, "client", "new", "labour-it", "--organ", ORGAN, "--metrics", "--json")
    assert made.returncode == 0, made.stderr
    token = json.loads(made.stdout)["token"]
    listed = hub(settings, "client", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    (one,) = json.loads(listed.stdout)["clients"]
    assert (one["code"], one["rights"], one["state"]) == ("labour-it", ["metrics"], "valid")
    assert token not in listed.stdout
    again = hub(settings, "client", "new", "labour-it", "--organ", ORGAN, "--metrics")
    assert again.returncode == 1
    assert "there is a client 'labour-it' already" in again.stderr
    assert hub(settings, "client", "revoke", "labour-it").returncode == 0
    assert json.loads(hub(settings, "client", "list", "--json").stdout)["clients"][0]["state"] == "revoked"
    unknown = hub(settings, "client", "revoke", "nobody")
    assert "no client 'nobody'; known: labour-it" in unknown.stderr


def test_a_client_that_cannot_be_is_told_all_its_faults(settings: Settings) -> None:
    told = hub(settings, "client", "new", "Labour IT", "--organ", "123")
    assert told.returncode == 2
    assert all(words in told.stderr for words in ("write small letters", "no unified social credit code", "no right"))


def test_a_server_of_its_own_answers_and_ends_when_it_is_told(settings: Settings, runtime: Any) -> None:
    with serving(settings) as (url, process):
        assert requests.get(f"{url}/health", timeout=10).json() == {"status": "ok"}
        assert "<form" in requests.get(f"{url}/quality", headers={"Accept": "text/html"}, timeout=30).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)


def test_an_address_that_is_taken_is_said() -> None:
    with closing(_listen("127.0.0.1", 0)) as taken:
        taken.listen()
        with pytest.raises(CannotListen, match="Choose another --port"):
            _listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(CannotListen, match="no address of this machine"):
        _listen("nowhere.invalid", 0)


def test_a_head_that_is_dribbled_is_hung_up_on(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
    host, port = service.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=10)) as caller:
        caller.sendall(b"GET /health HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert caller.recv(4096).startswith(b"HTTP/1.1 200"), "the first request is answered"
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            _dribble(caller)
        assert time.monotonic() - began < 15
    with closing(socket.create_connection((host, int(port)), timeout=10)) as silent:
        silent.settimeout(5)
        assert _ended(silent), "a caller who says nothing at all is hung up on too"


def _dribble(caller: socket.socket) -> None:
    for _ in range(100):
        caller.sendall(b"G")
        time.sleep(0.05)


def _ended(caller: socket.socket) -> bool:
    try:
        return caller.recv(10) == b""
    except ConnectionResetError:
        return True


def test_a_head_beyond_the_limit_is_refused(service: str) -> None:
    host, port = service.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=10)) as caller:
        caller.sendall(b"GET /health HTTP/1.1\r\nHost: hub\r\nX-Long: " + b"x" * 100_000)
        assert b" 400 " in caller.recv(4096) or _ended(caller)


def test_what_a_serving_process_loaded_is_searched_for_circles_no_more() -> None:
    said = subprocess.run(
        [sys.executable, "-c", SETTLED], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert int(said) > 10_000, "else a search of all that is loaded falls into somebody's request"
