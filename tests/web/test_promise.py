"""The API keeps its document: schemathesis asks every operation by it, with right data and wrong, all checks on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr, TypeAdapter, ValidationError

from hub.settings import Settings
from pipeline.runtime import Runtime
from tests.posters import Poster
from tests.verification.conftest import asker_of
from tests.verification.registry import Registry
from tests.web.earlier import SYSTEM, behind, system
from tests.web.serving import serving
from verification.questions import Text
from web.document import document

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "integrate" / "openapi.json"
OPERATIONS = sum(map(len, json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"].values()))
TOKENS = "HUB_TEST_TOKENS"
"""Where the hooks read the token of each security scheme; importing them here would load schemathesis."""
GATEWAY = "the-gateways-password"
RIGHTS = ("push:labour", "metrics", "quality", "usage", "cards", "confirm")
ADDRESS = "HUB_TEST_ADDRESS"
EARLIER = "earlier-it"
"""The client that asks what must have been asked before; what it reached is not what schemathesis reached."""
BATCHES = "SELECT count(*) FROM ledger.batch JOIN ledger.stream USING (stream_id) WHERE name ="
MINE = f"client_id <> (SELECT client_id FROM access.client WHERE code = '{EARLIER}')"
REACHED = {
    "posts reach a stream": f"{BATCHES} 'PRE_APASINFO'",
    "posts of XML reach a stream": f"{BATCHES} 'PRE_NODE'",
    "checks are answered": f"SELECT count(*) FROM audit.entry WHERE kind IN ('credential', 'prerequisites') AND {MINE}",
    "officers are asked": f"SELECT count(*) FROM audit.inquiry WHERE {MINE}",
    "officers are asked about options": f"SELECT count(*) FROM audit.inquiry WHERE option_place IS NOT NULL AND {MINE}",
    "systems are asked live": f"SELECT count(*) FROM audit.entry WHERE answer LIKE '%\"live\":{{%' AND {MINE}",
    "systems are asked for options": f"SELECT count(*) FROM audit.entry WHERE answer LIKE '%\"live\":[%' AND {MINE}",
    "officers answer": "SELECT count(*) FROM audit.inquiry WHERE state = 'answered'",
}
"""What the requests of a campaign come to, and how often they did."""

Promise = Callable[..., str]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody waits for others, nothing is too often, and a token lasts as long as a campaign."""
    free = {"check_rate": 0, "push_rate": 0, "push_linger": 0.0, "check_token_minutes": 60,
            "check_live_a_minute": 1_000_000}  # fmt: skip
    return settings.model_copy(update={**free, "sms_receipt_secret": SecretStr(GATEWAY)})


@pytest.fixture
def promise(
    settings: Settings, runtime: Runtime, place: Path, token_for: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Promise]:
    """A function that lets schemathesis ask a hub with something in it, and returns what it found; nothing is good."""
    Poster(place / "sources", each={"options": {"record": "//ROW"}})
    registry = Registry(runtime)
    registry.share()
    registry.grant()
    registry.case()
    registry.credential()
    behind(registry)
    monkeypatch.setenv(f"HUB_CONN_{SYSTEM.upper()}", system(registry, settings, place).database.url)
    with serving(lambda: runtime) as url:
        asker = asker_of(runtime, url)
        earlier = asker_of(runtime, url, code=EARLIER)
        tokens = {
            "client": token_for(*RIGHTS), "checks": asker.authorise(), "earlier": earlier.authorise(),
            "gateway": GATEWAY,
        }  # fmt: skip

        def run(*words: str) -> str:
            done = subprocess.run(
                [Path(sys.executable).with_name("schemathesis"), "run", DOCUMENT, "--url", url, "--checks", "all",
                 "--mode", "all", "--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off",
                 "--generation-database", "none", "--no-color", *words],
                env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.web.schemathesis_hooks", "PYTHONPATH": str(ROOT),
                     TOKENS: json.dumps(tokens), ADDRESS: url},
                cwd=place, capture_output=True, text=True, timeout=1500, check=False,
            )  # fmt: skip
            assert f"{OPERATIONS} selected / {OPERATIONS} total" in done.stdout, done.stdout + done.stderr
            return "" if done.returncode == 0 else done.stdout + done.stderr

        yield run


def test_whatever_the_document_refers_to_stands_in_it() -> None:
    said = document()
    named = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(said)))
    assert sorted(named - set(said["components"]["schemas"])) == []


def test_what_the_document_calls_a_printable_text_is_what_is_read() -> None:
    said = re.compile(document()["components"]["schemas"]["CredentialAsked"]["properties"]["number"]["pattern"])
    read = TypeAdapter(Text)

    def taken(text: str) -> bool:
        try:
            return bool(read.validate_python(text))
        except ValidationError:
            return False

    characters = [chr(point) for point in range(0x10000) if not 0xD800 <= point < 0xE000]
    assert [one for one in characters if (said.search(one) is not None) is not taken(one)] == []


def reached(runtime: Runtime) -> dict[str, int]:
    with runtime.engine.connect() as connection:
        return {name: int(connection.scalar(sa.text(query)) or 0) for name, query in REACHED.items()}


def test_every_operation_keeps_the_document(promise: Promise, runtime: Runtime) -> None:
    found = promise("--phases", "fuzzing", "--max-examples", "3", "--seed", "1")
    assert not found, found
    assert {"checks are answered", "officers are asked", "officers answer", "systems are asked live"} <= {
        name for name, times in reached(runtime).items() if times
    }


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_operation_keeps_the_document_whatever_comes(promise: Promise, runtime: Runtime, seed: int) -> None:
    found = promise("--max-examples", "300", "--seed", str(seed))
    assert not found, found
    often = {"posts of XML reach a stream": 20}  # one of three forms that a post may have
    assert {name: times for name, times in reached(runtime).items() if times <= often.get(name, 50)} == {}
