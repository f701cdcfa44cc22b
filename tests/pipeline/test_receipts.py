"""Receipts, from the department's table to the hub and back: every outcome, every kind of death in between."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pymysql
import pytest
import sqlalchemy as sa
import yaml

from connectors.kinds.exchange_table.connector import ExchangeTableConnector
from connectors.seam import Receipt
from connectors.source import StreamSpec
from hub.errors import RetrySource
from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from tests.crash.campaign import KILLED, Driver, Site, difference, execute
from tests.departments import GOOD, ORGAN, Department
from tests.journeys.conftest import Hub
from tests.servers import mariadb_port

STREAMS = {"PRE_APASINFO": "PROJID", "PRE_NODE": "UNID"}
OURS = ("REC_FLAG", "CLAIM_ID", "RECEIPT_TIME", "ERR_MSG")


class FrontEnd:
    """A department's front-end machine: tables in `zhejiang-pre` shape, with a flag and columns for receipts."""

    def __init__(self, sources: Path, url: str) -> None:
        self.code, self.folder, self.url = "front", sources / "front", url
        self.folder.mkdir(parents=True)
        self._engine = sa.create_engine(url.replace("mysql:", "mysql+pymysql:"), poolclass=sa.NullPool)
        mark = self._engine.dialect.identifier_preparer.quote_identifier
        for stream, key in STREAMS.items():
            names = [name for name in (*Department.fields(stream), *OURS[:-1]) if name != "DATAVERSION"]
            columns = [*(f"{mark(name)} varchar(200)" for name in names), f"{mark('DATAVERSION')} integer"]
            columns += [f"{mark('ERR_MSG')} varchar(400)", f"PRIMARY KEY ({mark(key)}, {mark('DATAVERSION')})"]
            self._run(f"CREATE TABLE {stream.lower()} ({', '.join(columns)})")
        self.declare()

    def declare(self, **options: Any) -> None:
        """Write source.yml; `options` replaces parts of every stream's."""
        agreed = {
            "flag": {"column": "REC_FLAG", "waiting": ["0"], "claimed": "9", "done": "1", "failed": "2"},
            "claim": {"id": "CLAIM_ID"}, "receipt": {"time": "RECEIPT_TIME", "error": "ERR_MSG"},
            "version": "DATAVERSION", "order": ["CREATE_TIME"], "leave_out": list(OURS), **options,
        }  # fmt: skip
        streams = {
            name: {
                "options": {"table": name.lower(), "key": [key, "DATAVERSION"], **agreed},
                "deletion": "operation",
            }
            for name, key in STREAMS.items()
        }
        body = {
            "version": 1, "code": self.code, "title": {"zh": "前置机"}, "legal_basis": "a test",
            "owner": {"organ": ORGAN, "name": "测试部门", "contact": "office 0571-0000"}, "organ": ORGAN,
            "region": "330000", "kind": "exchange_table", "profile": "zhejiang-pre", "connection": "front",
            "streams": streams,
        }  # fmt: skip
        (self.folder / "source.yml").write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")

    def _run(self, statement: str, **values: Any) -> Sequence[Any]:
        with self._engine.begin() as connection:
            found = connection.execute(sa.text(statement), values)
            return found.all() if found.returns_rows else ()

    def _names(self, row: dict[str, Any]) -> dict[str, str]:
        return {name: self._engine.dialect.identifier_preparer.quote_identifier(name) for name in row}

    def put(self, stream: str, **fields: Any) -> None:
        """Write one row that waits; what is not said has a good value."""
        row = {**GOOD[stream], "REC_FLAG": "0", **fields}
        values = ", ".join(f":{name}" for name in row)
        self._run(f"INSERT INTO {stream.lower()} ({', '.join(self._names(row).values())}) VALUES ({values})", **row)

    def change(self, stream: str, key: str, **fields: Any) -> None:
        """Change a row in place and let it wait again, as departments do when they correct it."""
        row = {"REC_FLAG": "0", **fields}
        sets = ", ".join(f"{mark} = :{name}" for name, mark in self._names(row).items())
        where = self._engine.dialect.identifier_preparer.quote_identifier(STREAMS[stream])
        self._run(f"UPDATE {stream.lower()} SET {sets} WHERE {where} = :key_", key_=key, **row)

    def rows(self, stream: str) -> list[dict[str, Any]]:
        """Return a table's rows as they lie there."""
        with self._engine.connect() as connection:
            found = connection.execute(sa.text(f"SELECT * FROM {stream.lower()}")).mappings()
            return sorted((dict(row) for row in found), key=lambda row: (row[STREAMS[stream]], row["DATAVERSION"]))

    def flags(self, stream: str = "PRE_NODE") -> dict[str, str]:
        """Return the flag of each row; a further version of a key bears its number."""
        return {
            row[STREAMS[stream]] + ("" if row["DATAVERSION"] == 1 else f"/{row['DATAVERSION']}"): row["REC_FLAG"]
            for row in self.rows(stream)
        }

    def error(self, key: str) -> str | None:
        """Return the error text of a node."""
        return next(row["ERR_MSG"] for row in self.rows("PRE_NODE") if row["UNID"] == key)

    def close(self) -> None:
        self._engine.dispose()


@pytest.fixture
def front(tmp_path: Path) -> Iterator[FrontEnd]:
    """A front-end machine in a file."""
    file = tmp_path / "front.sqlite"
    file.touch()
    made = FrontEnd(tmp_path / "sources", f"sqlite:///{file}")
    yield made
    made.close()


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def any_front(request: pytest.FixtureRequest, server: EmbeddedServer, tmp_path: Path) -> Iterator[FrontEnd]:
    """A front-end machine of each sort in turn."""
    if request.param == "sqlite":
        yield request.getfixturevalue("front")
        return
    execute_, url = _place(request.param, server)
    execute_("CREATE DATABASE front")
    made = FrontEnd(tmp_path / "sources", url)
    yield made
    made.close()
    execute_("DROP DATABASE front")


def _place(sort: str, server: EmbeddedServer) -> tuple[Callable[[str], Any], str]:
    if sort == "postgresql":
        return lambda statement: execute(server, statement), server.url("front", driver="psycopg2")
    port = mariadb_port()
    connection = pymysql.connect(host="127.0.0.1", port=port, user="root", connect_timeout=3)
    connection.cursor().execute("DROP DATABASE IF EXISTS front")
    return lambda statement: connection.cursor().execute(
        statement
    ), f"mysql://root@127.0.0.1:{port}/front?charset=utf8mb4"


def owed(hub: Hub) -> int:
    return int(hub.one("SELECT count(*) FROM ledger.receipt"))


def balance(counts: dict[str, Any]) -> dict[str, int]:
    """The outcomes that occurred."""
    names = ("new", "updated", "unchanged", "stale", "deleted", "excluded", "quarantined", "parked")
    return {name: counts[name] for name in names if counts[name]}


def test_every_outcome_gets_its_receipt(runtime: Runtime, any_front: FrontEnd) -> None:
    front, hub = any_front, Hub(runtime, any_front)  # type: ignore[arg-type]  # it has what the hub asks of a department
    front.put("PRE_APASINFO", PROJID="C1")
    front.put("PRE_NODE", UNID="good", PROJID="C1")
    front.put("PRE_NODE", UNID="gone", PROJID="C1", PHASE_CODE="REVIEW")
    front.put("PRE_NODE", UNID="wrong", PROJID="C1", PHASE_CODE="SIGNED")
    front.put("PRE_NODE", UNID="early", PROJID="C2")
    done = hub.pull()
    assert balance(done["PRE_NODE"]) == {"new": 2, "quarantined": 1, "parked": 1}
    assert front.flags("PRE_APASINFO") == {"C1": "1"}
    assert front.flags() == {"good": "1", "gone": "1", "wrong": "2", "early": "1"}
    told = front.error("wrong") or ""
    assert told.startswith("拒收 refused: /PHASE_CODE ")
    assert "unknown_code" in told
    assert "code list" in told, "it says how to mend it"
    assert "SIGNED" not in told, "and never a value"
    assert front.error("good") is None

    front.change("PRE_NODE", "wrong", PHASE_CODE="APPROVE", DATAVERSION=2)
    front.put("PRE_NODE", UNID="gone", PROJID="C1", SYNC_STATUS="D", DATAVERSION=3)
    front.put(
        "PRE_NODE", UNID="gone", PROJID="C1", PHASE_CODE="REVIEW", DATAVERSION=2, CREATE_TIME="2026-03-09 10:00:00"
    )
    front.change("PRE_NODE", "good", OPINION="改", DATAVERSION=2)
    front.change("PRE_NODE", "early")
    done = hub.pull()
    assert balance(done["PRE_NODE"]) == {"new": 1, "updated": 1, "unchanged": 1, "stale": 1, "deleted": 1}
    assert set(front.flags().values()) == {"1"}
    assert front.error("wrong") is None, "what was wrong is mended, and the text goes"
    assert hub.rows("SELECT source_key, r.state FROM ledger.source_record AS r JOIN ledger.stream USING (stream_id)"
                    " WHERE stream.name = 'PRE_NODE' ORDER BY 1") == [
        ("early", "parked"), ("gone", "deleted"), ("good", "kept"), ("wrong", "kept"),
    ]  # fmt: skip
    assert owed(hub) == 0
    assert all(row["RECEIPT_TIME"] for row in front.rows("PRE_NODE"))
    assert balance(hub.pull()["PRE_NODE"]) == {}


def test_a_row_that_is_refused_again_as_it_was_is_not_told_to_be_done(runtime: Runtime, front: FrontEnd) -> None:
    hub = Hub(runtime, front)  # type: ignore[arg-type]  # see above
    front.put("PRE_APASINFO", PROJID="C1")
    front.put("PRE_NODE", UNID="wrong", PROJID="C1", PHASE_CODE="SIGNED")
    front.put("PRE_NODE", UNID="good", PROJID="C1")
    hub.pull()
    said = front.error("wrong")
    for key in ("wrong", "good"):
        front.change("PRE_NODE", key, ERR_MSG=None)
    assert balance(hub.pull()["PRE_NODE"]) == {"unchanged": 2}
    assert front.flags() == {"wrong": "2", "good": "1"}
    assert front.error("wrong") == said
    assert front.error("good") is None


def test_a_failed_row_is_taken_again_by_a_full_pull_once_the_hub_can_read_it(runtime: Runtime, front: FrontEnd) -> None:
    hub = Hub(runtime, front)  # type: ignore[arg-type]  # see above
    front.put("PRE_NODE", UNID="early", PROJID="C1")
    front.put("PRE_NODE", UNID="wrong", PROJID="C1", PHASE_CODE="SIGNED")
    hub.pull()
    front.put("PRE_APASINFO", PROJID="C1")
    done = hub.pull(full=True)
    assert done["PRE_NODE"]["read"] == 2
    assert front.flags() == {"early": "1", "wrong": "2"}
    assert owed(hub) == 0


def test_a_dry_run_changes_nothing_at_the_department(runtime: Runtime, any_front: FrontEnd) -> None:
    hub = Hub(runtime, any_front)  # type: ignore[arg-type]  # see above
    any_front.put("PRE_APASINFO", PROJID="C1")
    any_front.put("PRE_NODE", UNID="wrong", PROJID="C1", PHASE_CODE="SIGNED")
    before = [any_front.rows(stream) for stream in STREAMS]
    done = hub.pull(dry_run=True)
    assert (balance(done["PRE_APASINFO"]), done["PRE_NODE"]["read"]) == ({"new": 1}, 1)
    assert [any_front.rows(stream) for stream in STREAMS] == before
    assert owed(hub) == 0


def test_where_the_hub_may_not_write_it_keeps_the_receipts_itself(runtime: Runtime, front: FrontEnd) -> None:
    hub = Hub(runtime, front)  # type: ignore[arg-type]  # see above
    front.declare(write=False)
    front.put("PRE_APASINFO", PROJID="C1")
    front.put("PRE_NODE", UNID="wrong", PROJID="C1", PHASE_CODE="SIGNED")
    before = [front.rows(stream) for stream in STREAMS]
    assert balance(hub.pull()["PRE_NODE"]) == {"quarantined": 1}
    assert balance(hub.pull()["PRE_NODE"]) == {"unchanged": 1}
    assert [front.rows(stream) for stream in STREAMS] == before
    assert owed(hub) == 0
    assert ("unknown_code", "wrong") in hub.findings()


def test_receipts_that_the_source_did_not_take_are_owed_until_it_does(
    runtime: Runtime, front: FrontEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(runtime, front)  # type: ignore[arg-type]  # see above
    front.put("PRE_APASINFO", PROJID="C1")
    front.put("PRE_NODE", UNID="good", PROJID="C1")
    write, broken = ExchangeTableConnector.acknowledge, [True]

    def acknowledge(self: ExchangeTableConnector, stream: StreamSpec, receipts: Sequence[Receipt]) -> None:
        if stream.name == "PRE_NODE" and broken:
            broken.pop()
            raise RetrySource(source="front", stream=stream.name, got="the line was cut")
        write(self, stream, receipts)

    monkeypatch.setattr(ExchangeTableConnector, "acknowledge", acknowledge)
    with pytest.raises(RetrySource, match="the line was cut"):
        hub.pull()
    assert (front.flags("PRE_APASINFO"), front.flags()) == ({"C1": "1"}, {"good": "9"})
    assert owed(hub) == 1
    done = hub.pull()
    assert front.flags() == {"good": "1"}
    assert owed(hub) == 0
    assert done["PRE_NODE"]["read"] == 0, "it was committed, so it is not read again"


def fill(front: FrontEnd) -> None:
    for number in range(1, 3):
        front.put("PRE_APASINFO", PROJID=f"C{number}")
        front.put("PRE_NODE", UNID=f"N{number}", PROJID=f"C{number}")
    front.put("PRE_NODE", UNID="wrong", PROJID="C1", PHASE_CODE="SIGNED")
    front.put("PRE_NODE", UNID="early", PROJID="C9")


BETWEEN = (
    {"only": "COPY ledger.receipt", "kill_at": 1},  # claimed, not committed
    {"only": "FROM ledger.receipt WHERE stream_id", "kill_at": 2},  # committed, not told
    {"only": "DELETE FROM ledger.receipt", "kill_at": 1},  # told, and not known to be
    {"only": "DELETE FROM ledger.receipt", "kill_at": 3},
)
"""Deaths between the commit of a batch and the receipts of its rows."""


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    started = Driver()
    yield started
    started.close()


def test_a_pull_may_be_killed_anywhere_and_every_row_still_gets_its_receipt(
    server: EmbeddedServer, template: str, driver: Driver, key_ring: str, tmp_path: Path, front: FrontEnd
) -> None:
    fill(front)
    file = Path(front.url.removeprefix("sqlite:///"))
    shutil.copy(file, tmp_path / "as-it-was")
    empty = Site(server, driver, template, tmp_path / "empty", key_ring, slice_size=2)
    calm = empty.copy("calm_receipts")
    done = calm.pull(front)  # type: ignore[arg-type]  # see above
    assert done["status"] == 0, done["error"]
    wanted, told = calm.digest(), _told(front)
    assert told["wrong"][0] == "2"
    assert {flag for key, (flag, _) in told.items() if key != "wrong"} == {"1"}
    anywhere = [{"kill_at": done["boundaries"] * part // 6} for part in range(1, 6)]
    for number, death in enumerate([*BETWEEN, *anywhere]):
        shutil.copy(tmp_path / "as-it-was", file)
        site = empty.copy(f"killed_{number}")
        assert site.pull(front, **death)["status"] == KILLED, death  # type: ignore[arg-type]  # see above
        again = site.pull(front)  # type: ignore[arg-type]  # see above
        assert again["status"] == 0, f"{death}: {again.get('error')}"
        assert _told(front) == told, death
        assert not difference(calm, site, known=wanted), death
        with site.engine() as engine, engine.connect() as connection:
            assert connection.execute(sa.text("SELECT count(*) FROM ledger.receipt")).scalar_one() == 0
        site.drop()
    calm.drop()


def _told(front: FrontEnd) -> dict[str, tuple[str, str | None]]:
    return {
        str(row[key]): (row["REC_FLAG"], row["ERR_MSG"])
        for stream, key in STREAMS.items()
        for row in front.rows(stream)
    }
