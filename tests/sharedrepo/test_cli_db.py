"""`hub db` runs the database, `hub key` changes its keys without losing a value or a look-up."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from hub.documents import Documents
from hub.errors import HubError
from hub.protect import Protector, new_ring, store_ring
from hub.protect.keys import KeyTrouble
from hub.protect.protector import key_number
from hub.protect.text import NORMALIZERS
from hub.settings import Settings
from sharedrepo import cli, connect
from sharedrepo.archive import Archive
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.keyring import rekey
from sharedrepo.keyring.keys import check_fingerprints
from sharedrepo.migrate import upgrade
from sharedrepo.models import HISTORY, TABLES, finding, key_fingerprint, metadata, waiting

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PERSONS = [(f"张三{n}", f"3301061980010112{n:02d}") for n in range(40)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("cli") / "home"
    yield home
    EmbeddedServer(home / "pg").stop()


@pytest.fixture(autouse=True)
def _environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HUB_HOME", str(home))


def run(app: Any, *words: str, status: int = 0) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*words, "--json"])
    if isinstance(done.exception, HubError):
        raise done.exception
    assert done.exit_code == status, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def words(app: Any, *arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    if isinstance(done.exception, HubError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


# --- hub db ---


def test_start_status_url_stop(home: Path) -> None:
    assert run(cli.db, "status", status=cli.NOT_RUNNING)["running"] is False
    url = run(cli.db, "start")["url"]
    assert url.startswith("postgresql://postgres:x@localhost/hub?host=/")
    assert words(cli.db, "url").strip() == url
    found = run(cli.db, "status")
    assert (found["running"], found["embedded"], found["version"][:2]) == (True, True, "18")
    assert run(cli.db, "stop")["stopped"] is True
    assert run(cli.db, "stop")["stopped"] is False
    assert run(cli.db, "url", "--database", "airflow", "--driver", "psycopg2")["url"] == url.replace(
        "postgresql:", "postgresql+psycopg2:"
    ).replace("/hub?", "/airflow?")
    assert run(cli.db, "status")["running"] is True


def test_upgrade_twice_is_upgrade_once() -> None:
    first = run(cli.db, "upgrade")["revision"]
    assert run(cli.db, "upgrade")["revision"] == first
    assert first in words(cli.db, "upgrade")


def test_digest_names_each_table_and_the_whole_last() -> None:
    run(cli.db, "upgrade")
    found = run(cli.db, "digest")
    assert {"core.approval_case", "quality.finding"} < set(found)
    assert words(cli.db, "digest").splitlines()[-1] == f"{found['repository']}  repository"


def test_a_real_server_is_neither_started_nor_stopped(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = run(cli.db, "start")["url"]
    monkeypatch.setenv("HUB_DATABASE_URL", url.replace(":x@", ":topsecret@"))
    assert run(cli.db, "start") == {"embedded": False}
    assert run(cli.db, "stop") == {"embedded": False}
    assert "HUB_DATABASE_URL" in words(cli.db, "stop")
    found = run(cli.db, "status")
    assert (found["running"], found["embedded"]) == (True, False)
    assert "topsecret" not in found["url"]
    assert EmbeddedServer(home / "pg").status().running


def test_a_real_server_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", f"postgresql://u:topsecret@localhost/hub?host={tmp_path}")
    found = run(cli.db, "status", status=cli.NOT_RUNNING)
    assert found["running"] is False
    assert "topsecret" not in found["url"]


# --- hub key ---


def test_make_never_overwrites(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    assert "HUB_KEY_FILE" in words(cli.key, "make", str(file))
    made = file.read_text()
    with pytest.raises(KeyTrouble, match="never overwritten"):
        words(cli.key, "make", str(file))
    assert file.read_text() == made


def test_list_shows_no_key(home: Path) -> None:
    shown = words(cli.key, "list") + json.dumps(run(cli.key, "list"))
    said = json.loads((home / "keys" / "keys.json").read_text())
    for secret in (said["content"], *(root["key"] for root in said["roots"])):
        assert secret not in shown


def test_keys_of_a_secret_store_cannot_be_rotated_here(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load()
    Protector.from_settings(settings)
    monkeypatch.setenv("HUB_KEYS", settings.default_key_file.read_text())
    with pytest.raises(KeyTrouble, match="HUB_KEY_FILE"):
        run(cli.key, "rotate")


def test_other_keys_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(cli.key, "list", "--usage")
    store_ring(tmp_path / "other.json", new_ring(), replace_existing=False)
    monkeypatch.setenv("HUB_KEY_FILE", str(tmp_path / "other.json"))
    with pytest.raises(KeyTrouble, match="not the repository's keys"):
        run(cli.key, "rotate")


# --- re-keying ---


class Repository:
    """A repository that holds protected values in a core table, its history, the waiting records and the findings."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings.load(home=home)
        self.engine = connect.engine(self.settings)
        upgrade(self.engine)

    @property
    def protector(self) -> Protector:
        return Protector.from_settings(self.settings)

    def fill(self) -> None:
        protector = self.protector
        check_fingerprints(self.engine, protector)
        party, event = "case_party", "stage_event"
        rows = [party_row(protector, n, *PERSONS[n]) for n in range(len(PERSONS))]
        with self.engine.begin() as connection:
            connection.execute(
                sa.text("SET LOCAL session_replication_role = replica")
            )  # their cases do not matter here
            for table in (TABLES[party], HISTORY[party], TABLES[event], waiting, finding):
                connection.execute(sa.delete(table))
            connection.execute(sa.insert(TABLES[party]), rows)
            connection.execute(sa.insert(HISTORY[party]), [{**row, "closed_by": 2} for row in rows])
            connection.execute(sa.insert(TABLES[event]), [event_row(protector, n) for n in range(5)])
            payload = self.archive(protector).data_keys.locker("s", "2026-01")(b'{"NAME":"x"}')
            common = {"stream_id": 1, "batch_id": 1, "row": 1}
            connection.execute(
                sa.insert(waiting),
                {
                    **common,
                    "record_id": 1,
                    "kind": "parked",
                    "received_hash": b"h",
                    "rules": [],
                    "since": NOW,
                    "payload": payload,
                },
            )
            sealed = protector.seal(b"raw", context="finding")
            connection.execute(
                sa.insert(finding), [{**common, "rule": "r", "effect": "flag", "sealed": one} for one in (sealed, None)]
            )
        archive = self.archive(protector)
        archive.data_keys.reseal()  # what an earlier test left unfinished
        archive.put("s/1", {"source": "s", "month": "2026-01"}, [b"one"])

    def archive(self, protector: Protector) -> Archive:
        return Archive.from_settings(self.settings, protector)

    def values(self) -> dict[str, list[bytes]]:
        """Return every keyed value that is stored, by column."""
        found = {}
        with self.engine.connect() as connection:
            for keyed in rekey.keyed_tables():
                table = metadata.tables[f"{keyed.schema}.{keyed.table}"]
                for name in keyed.columns:
                    rows = connection.execute(sa.select(table.c[name]).where(table.c[name].is_not(None)))
                    found[f"{table.fullname}.{name}"] = [bytes(row[0]) for row in rows]
        return {name: values for name, values in found.items() if values}

    def numbers(self) -> set[int]:
        return {key_number(value) for values in self.values().values() for value in values}

    def find(self, protector: Protector, number: str) -> list[dict[str, str]]:
        table = TABLES["case_party"]
        with self.engine.connect() as connection:
            rows = connection.execute(
                sa.select(table.c.sealed).where(table.c.number_hash.in_(protector.lookup_hashes("number", number)))
            )
            return [protector.reveal(row[0], context="case_party") for row in rows]


def party_row(protector: Protector, n: int, name: str, number: str) -> dict[str, Any]:
    person = protector.protect(context="case_party", name=name, number=number if n % 4 else None)
    return {
        "record_id": n, "part": 0, "case_id": 1, "role": "applicant", "name_hash": person.name_hash,
        "number_hash": person.number_hash, "sealed": person.sealed, "batch_id": 1, "content_hash": b"c",
    }  # fmt: skip


def event_row(protector: Protector, n: int) -> dict[str, Any]:
    handler = f"李{n}" if n else None
    sealed = protector.seal(json.dumps({"handler": handler}).encode(), context="stage_event") if handler else None
    hashed = protector.lookup_hash("name", handler) if handler else None
    return {
        "record_id": n, "part": 0, "case_id": 1, "stage": "accept", "handler_hash": hashed, "sealed": sealed,
        "batch_id": 1, "content_hash": b"c",
    }  # fmt: skip


@pytest.fixture
def repository(home: Path) -> Iterator[Repository]:
    made = Repository(home)
    made.fill()
    yield made
    made.engine.dispose()


def test_every_keyed_column_can_be_re_keyed() -> None:
    documents = {one.name: one for one in Documents.load().values()}
    keyed = rekey.keyed_tables()
    assert len(keyed) > 10
    for one in keyed:
        assert len(one.sealed) == 1, f"{one.table}: the parts of its hashes lie in one sealed column"
        for kind, part in one.hashes.values():
            assert kind in NORMALIZERS
            # Who is on duty and who is told stand in no document; tests/supervision/notices/test_whole_way.py
            assert one.schema == "supervision" or documents[one.table].columns[part].personal


def test_rotation_re_keys_everything_and_loses_nothing(repository: Repository) -> None:
    digest = run(cli.db, "digest")
    before = {name: len(values) for name, values in repository.values().items()}
    assert len(before) == 9
    running = repository.protector
    done = run(cli.key, "rotate")
    newest = done["newest"]
    assert done["rows"] == 2 * len(PERSONS) + 4 + 1
    assert done["data_keys"] == 1
    assert {name: len(values) for name, values in repository.values().items()} == before
    assert repository.numbers() == {newest}
    assert run(cli.db, "digest") == digest
    for protector in (running, repository.protector):
        assert repository.find(protector, PERSONS[7][1]) == [{"name": PERSONS[7][0], "number": PERSONS[7][1]}]
    assert list(Archive.from_settings(repository.settings, running).open("s/1")[1]) == [b"one"]
    run(cli.key, "retire", str(newest - 1))
    run(cli.key, "list", "--usage")
    after = repository.protector
    assert repository.find(after, PERSONS[7][1]) == [{"name": PERSONS[7][0], "number": PERSONS[7][1]}]
    with repository.engine.connect() as connection:
        payload = bytes(connection.execute(sa.select(waiting.c.payload)).scalar_one())
    assert repository.archive(after).data_keys.unlock("s", payload) == b'{"NAME":"x"}'
    for sealed in repository.values()["core_history.case_party.sealed"]:
        assert after.reveal(sealed, context="case_party")["name"].startswith("张三")
    with repository.engine.connect() as connection:
        retired = connection.execute(
            sa.select(key_fingerprint.c.retired).where(key_fingerprint.c.key_number == newest - 1)
        ).scalar_one()
    assert retired is True


def test_a_rotation_after_the_cipher_was_changed_leaves_only_the_new_one(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run(cli.key, "list", "--usage")
    assert before["cipher"] == "aes-256-gcm"
    assert (before["sealed"]["aes-256-gcm"] > len(PERSONS), before["sealed"]["sm4-gcm"]) == (True, 0)
    digest = run(cli.db, "digest")
    payload = repository.archive(repository.protector).data_keys.locker("s", "2026-01")(b"waits")
    monkeypatch.setenv("HUB_CIPHER", "sm4-gcm")
    repository.settings = Settings.load()
    assert repository.find(repository.protector, PERSONS[7][1]) == [{"name": PERSONS[7][0], "number": PERSONS[7][1]}]
    newest = run(cli.key, "rotate")["newest"]
    after = run(cli.key, "list", "--usage")
    assert (after["cipher"], after["sealed"]) == (
        "sm4-gcm",
        {"aes-256-gcm": 0, "sm4-gcm": sum(before["sealed"].values())},
    )
    assert f"sealed with sm4-gcm; sealed are 0 with aes-256-gcm, {after['sealed']['sm4-gcm']} with sm4-gcm" in words(
        cli.key, "list", "--usage"
    )
    assert run(cli.db, "digest") == digest
    run(cli.key, "retire", str(newest - 1))
    here = repository.protector
    assert repository.find(here, PERSONS[7][1]) == [{"name": PERSONS[7][0], "number": PERSONS[7][1]}]
    assert list(repository.archive(here).open("s/1")[1]) == [b"one"]
    assert repository.archive(here).data_keys.unlock("s", payload) == b"waits"


class Killed(BaseException):
    """Stands for a SIGKILL between two transactions."""


def test_a_rotation_that_was_cut_off_is_finished_not_begun_again(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rekey, "BLOCKS", 1)
    old = repository.protector.ring.newest.number
    run(cli.key, "rotate", "--make-only")
    told: list[str] = []

    def kill(table: str, _done: int, _total: int) -> None:
        told.append(table)
        if table == "core_history.case_party":
            raise Killed

    with pytest.raises(Killed):
        rekey.rekey(repository.engine, repository.protector, kill)
    assert repository.numbers() == {old, old + 1}
    for name, number in PERSONS[1:4]:
        assert repository.find(repository.protector, number) == [{"name": name, "number": number}]
    with pytest.raises(KeyTrouble, match=r"still in use: .*data keys of the archive"):
        run(cli.key, "retire", str(old))
    done = run(cli.key, "rotate")
    assert (done["newest"], done["resumed"]) == (old + 1, True)
    assert 0 < done["rows"] < 2 * len(PERSONS) + 6
    assert repository.numbers() == {old + 1}
    run(cli.key, "retire", str(old))


@contextmanager
def held(engine: sa.Engine, table: sa.Table) -> Iterator[None]:
    with engine.begin() as connection:
        connection.execute(sa.select(table.c.record_id).where(table.c.record_id == 3).with_for_update())
        yield


def test_re_keying_never_waits_for_a_pull(repository: Repository) -> None:
    run(cli.key, "rotate", "--make-only")
    protector = repository.protector
    with held(repository.engine, TABLES["case_party"]), pytest.raises(rekey.StillInUse, match=r"core\.case_party"):
        rekey.rekey(repository.engine, protector)
    left = [v for v in repository.values()["core.case_party.sealed"] if key_number(v) != protector.ring.newest.number]
    assert len(left) == 1
    rekey.rekey(repository.engine, protector)
    assert repository.numbers() == {protector.ring.newest.number}


def test_a_value_that_does_not_open_stops_it_and_leaves_the_range(repository: Repository) -> None:
    party = TABLES["case_party"]
    with repository.engine.begin() as connection:
        broken = repository.protector.seal(b"{}", context="elsewhere")
        connection.execute(sa.update(party).where(party.c.record_id == 5).values(sealed=broken))
    run(cli.key, "rotate", "--make-only")
    before = repository.values()["core.case_party.sealed"]
    with pytest.raises(KeyTrouble, match="another place"):
        run(cli.key, "rotate")
    assert repository.values()["core.case_party.sealed"] == before


def test_a_hash_without_its_value_stops_it(repository: Repository) -> None:
    party = TABLES["case_party"]
    with repository.engine.begin() as connection:
        connection.execute(sa.update(party).where(party.c.record_id == 5).values(sealed=None))
    run(cli.key, "rotate", "--make-only")
    with pytest.raises(HubError, match="name_hash: a hash stands beside no sealed 'name'"):
        run(cli.key, "rotate")
