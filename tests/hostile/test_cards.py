"""Hostile feedback, registers and rules: refused in the one shape, in bounded memory, and nothing is written."""

from __future__ import annotations

import json
import resource
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests

from sharedrepo.keyring import signing
from supervision.cards import deeds, dossier, reading
from supervision.cards.duty import files
from supervision.cards.errors import BadRegister, CardRefuses, NoSuchCard
from tests.supervision.cards.conftest import desk
from tests.supervision.cards.test_api import OTHER, Program, cases, ours, service, theirs
from tests.supervision.conftest import stock, supervised, world
from tests.supervision.desk import Desk
from web.problems import Problem

__all__ = ["cases", "desk", "ours", "service", "stock", "supervised", "theirs", "world"]

HUGE = 100 << 20
SQL = ["'; DROP TABLE supervision.card; --", "' OR '1'='1", "1); DELETE FROM supervision.card_deed; --", "$$; $1",
       "%s %(x)s", ":organ", "\\'; SELECT pg_sleep(10); --"]  # fmt: skip


@pytest.fixture
def number(desk: Desk, cases: None) -> str:
    return str(desk.cards()[0]["number"])


def problem(answer: requests.Response) -> Problem:
    assert answer.headers["Content-Type"] == "application/problem+json"
    said = Problem.model_validate_json(answer.content)
    assert said.status == answer.status_code
    assert "Traceback" not in answer.text
    return said


def untouched(desk: Desk, number: str) -> None:
    assert [one["what"] for one in desk.card(number)["deeds"]] == ["sent", "unaddressed"]


def test_a_feedback_of_a_hundred_megabytes_is_refused_without_being_read(
    desk: Desk, ours: Program, number: str
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    parts = urlsplit(ours.at)
    head = (f"POST /v1/cards/{number}/feedback HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {ours.token}\r\nContent-Length: {HUGE}\r\n\r\n")  # fmt: skip
    with socket.create_connection((parts.hostname, parts.port), 30) as line:
        line.sendall(head.encode() + b'{"text": "')
        assert b" 413 " in line.recv(4096)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    untouched(desk, number)


def test_a_feedback_that_does_not_say_its_size_is_cut_off_at_the_limit(desk: Desk, ours: Program, number: str) -> None:
    def endless() -> Any:
        yield b'{"text": "'
        for _ in range(HUGE >> 16):
            yield b"x" * (1 << 16)

    try:
        answer = requests.post(
            f"{ours.at}/v1/cards/{number}/feedback", data=endless(), timeout=60,
            headers={**ours.head, "Content-Type": "application/json"},
        )  # fmt: skip
        assert answer.status_code == 413
    except requests.ConnectionError:
        pass  # the server closed the line while we still wrote, which is as good
    untouched(desk, number)


BODIES: dict[str, Any] = {
    "no JSON": b"{", "no UTF-8": b'{"text": "\xff"}', "a list": b"[]", "no text": b"{}",
    "an empty text": b'{"text": ""}',
    "blanks": b'{"text": "  "}', "NUL": b'{"text": "a\\u0000b"}', "half a surrogate": b'{"text": "\\ud800"}',
    "a number": b'{"text": 5}', "too long": json.dumps({"text": "x" * 2_001}).encode(),
    "an unknown kind": b'{"kind": "pardon", "text": "x"}', "an unknown field": b'{"text": "x", "state": "withdrawn"}',
    "deep nesting": b'{"text":' * 3_000 + b"1" + b"}" * 3_000,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BODIES))
def test_a_bad_feedback_is_refused_in_the_one_shape(desk: Desk, ours: Program, number: str, name: str) -> None:
    answer = requests.post(
        f"{ours.at}/v1/cards/{number}/feedback", data=BODIES[name], timeout=30,
        headers={**ours.head, "Content-Type": "application/json"},
    )  # fmt: skip
    assert problem(answer).status == 400
    untouched(desk, number)


@pytest.mark.parametrize("form", ["text/plain", "application/xml", "", "multipart/form-data"])
def test_another_form_of_body_is_not_read(desk: Desk, ours: Program, number: str, form: str) -> None:
    answer = requests.post(
        f"{ours.at}/v1/cards/{number}/feedback", data=b'{"text": "x"}', timeout=30,
        headers={**ours.head, "Content-Type": form},
    )  # fmt: skip
    assert problem(answer).status == 415
    untouched(desk, number)


@pytest.mark.parametrize("text", SQL)
def test_sql_in_a_field_is_a_text_like_any_other(desk: Desk, ours: Program, number: str, text: str) -> None:
    assert ours.post(number, {"text": text}).status_code == 200
    assert desk.card(number)["deeds"][-1]["reason"] == text
    assert len(desk.cards()) == 2


@pytest.mark.parametrize(
    "said", [*SQL, "..", "../..", "R-2026-000001\n", "\0", "Ｒ-2026-000001", "%", "_" * 40, "x" * 5_000]
)
def test_a_number_that_is_none_is_nowhere(desk: Desk, ours: Program, number: str, said: str) -> None:
    answer = ours.post(quote(said, safe=""), {"text": "x"})
    assert answer.status_code in (400, 404)
    assert len(desk.cards()) == 2
    with pytest.raises(NoSuchCard), desk.engine.begin() as connection:
        reading.found(connection, said)


def test_another_departments_card_is_not_there(desk: Desk, theirs: Program, number: str) -> None:
    unknown = theirs.post("R-2026-999999", {"text": "x"})
    foreign = theirs.post(number, {"text": "x"})
    assert (unknown.status_code, foreign.status_code) == (404, 404)
    assert problem(unknown).detail == problem(foreign).detail
    assert theirs.get(ended=True).json()["cards"] == []
    with pytest.raises(NoSuchCard), desk.engine.begin() as connection:
        deeds.appeal(connection, number, actor="client:theirs", reason="x", organ=OTHER)
    untouched(desk, number)


@pytest.mark.parametrize(
    "query", [{"level": "purple"}, {"state": "held"}, {"after": -1}, {"after": 2**64}, {"limit": 0}, {"limit": 10**9},
              {"level": "' OR 1=1 --"}, {"ended": "maybe"}],
)  # fmt: skip
def test_a_query_that_cannot_be_is_refused(ours: Program, number: str, query: dict[str, Any]) -> None:
    assert problem(ours.get(**query)).status == 400


def test_markup_in_words_stays_text_in_the_dossier(desk: Desk, number: str) -> None:

    desk.deed(deeds.answer, number, actor="account:x", text="<script>alert(1)</script>{{ 7*7 }}")
    page = dossier.page(desk.card(number), signing.published(desk.engine))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "49" not in page.split("{{ 7*7 }}")[0][-10:]


def test_an_actor_cannot_smuggle_another_line_into_the_log(desk: Desk, number: str) -> None:
    with pytest.raises(CardRefuses):
        desk.deed(deeds.answer, number, actor="account:x\naccount:chief", text="x")


def test_a_register_of_a_million_columns_or_a_bomb_is_refused(tmp_path: Path) -> None:
    wide = tmp_path / "wide.csv"
    wide.write_text(",".join(["x"] * 1_000_000) + "\n", encoding="utf-8")
    bomb = tmp_path / "bomb.xlsx"
    bomb.write_bytes(b"PK\x03\x04" + b"\0" * 1_000)
    for file in (wide, bomb):
        with pytest.raises(BadRegister):
            files.read(file)
