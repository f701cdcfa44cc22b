"""The examples of docs/verify are typed as they stand there, by a program of a department."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from hub.workdays import local_day
from sharedrepo.access import clients
from sharedrepo.keyring.signing import Ed25519Signer
from tests.catalog import items
from tests.verification.conftest import Asker
from tests.verification.registry import ASKER, ISSUER, LICENCE, Registry, body
from tests.verification.test_notices import Office, recalled
from verification.audit import balances, sealing
from verification.client import Hub
from verification.notices import subscriptions

DOCS = Path(__file__).resolve().parents[2] / "docs" / "verify"
_SQL = re.compile(r"^```sql\n(.*?)^```", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_the_receiver_of_notices_runs_as_it_stands(registry: Registry, asker: Asker, tmp_path: Path) -> None:
    page = (DOCS / "notices.md").read_text(encoding="utf-8")
    (code,) = (text for language, text in _BLOCK.findall(page) if language == "python")
    registry.case()
    office = Office(registry)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    number = office.subscribe(f"http://127.0.0.1:{port}/")
    env = {"HUB": asker.at, "CLIENT": asker.code, "SECRET": asker.secret, "PORT": str(port),
           "AUDIENCE": subscriptions.audience(number), "HOME": str(tmp_path)}  # fmt: skip
    recalled(registry, asker)
    office.queue()
    with subprocess.Popen(
        [sys.executable, "-c", code], env=env, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        assert office.send() == {"delivered": 1}
        said, _ = run.communicate(timeout=60)
    assert said == "recall A-1 revoked\n"


def test_the_examples_run_as_they_stand(
    registry: Registry, asker: Asker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = [{"name": "经营", "holder": "applicant", "valid_on": "acceptance", "any_of": [{"credential": LICENCE}]}]
    items.published(registry.engine, items.code(1), content=items.content(requirements=needs))
    registry.share()
    registry.grant()
    registry.case()
    registry.credential(valid_from=date(2025, 1, 1))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # No database: `hub verify receipt --keys` asks nobody.
    portal, _ = clients.make(
        registry.engine, registry.protector, code="portal", organ=ISSUER, rights=("usage",), days=1
    )  # fmt: skip
    env = {"PATH": path, "HUB": asker.at, "CLIENT": asker.code, "SECRET": asker.secret, "ITEM": items.code(1),
           "PORTAL": portal, "COUNTED": "1", "HUB_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
           "HOME": str(tmp_path)}  # fmt: skip
    said = []
    key = OKPKey.generate_key("Ed25519")
    balances.enter_key(registry.engine, organ=ASKER, jwk=key.as_dict(private=False), actor="office")
    (tmp_path / "organ-key.json").write_text(json.dumps(key.as_dict(private=True)), encoding="utf-8")
    asker.check(body())
    yesterday = datetime.now(UTC) - timedelta(days=1)
    sealing.seal(registry.engine, Ed25519Signer.of(registry.protector.ring), clock=lambda: yesterday)
    for page in ("checks.md", "receipts.md", "client.md", "who-checked-me.md"):
        for language, text in _BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
            command = ["bash", "-euc", text] if language == "sh" else [sys.executable, "-c", text]
            done = subprocess.run(
                command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, (text, done.stdout, done.stderr)
            said.append(done.stdout)
    assert said[1].splitlines() == ["met", "经营 met"]
    assert "Proven: check" in said[2]
    assert said[3].startswith(f"{local_day(yesterday)} total ")
    assert [one.countersigned for one in Hub(asker.at, asker.code, asker.secret).balances()] == ["agrees"]
    assert said[4].splitlines() == ["match True 2035-12-31"]
    assert said[5].splitlines() == ["match not_found", '{"recalls":[],"next":null}']
    person, firm = (json.loads(one) for one in said[6].replace("}{", "}\n{").splitlines())
    assert (person["totalUsages"], firm["totalUsages"]) == (0, 6)
    for text in _SQL.findall((DOCS / "client.md").read_text(encoding="utf-8")):
        with registry.engine.connect() as connection:
            assert connection.exec_driver_sql(text.replace("%", "%%")).fetchall(), text
    changed = (tmp_path / "check.json").read_text(encoding="utf-8").replace('"match"', '"not_found"')
    (tmp_path / "check.json").write_text(changed, encoding="utf-8")
    done = subprocess.run(
        ["hub", "verify", "receipt", "check.json", "--keys", "keys.json"], cwd=tmp_path, env=env, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, "not those that were signed" in done.stderr) == (65, True)
