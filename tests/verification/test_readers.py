"""Departments that read by SQL: they log in by their own role, and see what was granted, whatever they try."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import psycopg2.errors
import pytest

from sharedrepo import migrate
from sharedrepo.access import readers
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.keyring.signing import Ed25519Signer
from tests.catalog import items
from tests.verification.conftest import Command
from tests.verification.registry import ASKER, FIRM_NAME, ISSUER, LICENCE, OTHER, PURPOSE, Registry
from verification.audit import sealing
from verification.rights import readers as verifying_readers

OUT = ("out.credential", "out.decision", "out.case_progress", "out.prerequisite_status", "out.item")
ITEM, OWN_ITEM = items.code(1, ISSUER), items.code(2, ASKER)


class Sql:
    """Somebody who is logged in."""

    def __init__(self, url: str, role: str, password: str | None = None) -> None:
        at = urlsplit(url)
        self.connection = psycopg2.connect(
            url, user=role, **({} if password is None else {"password": password}), application_name="department"
        )
        self.connection.autocommit = True
        assert at.path

    def all(self, query: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def seen(self) -> dict[str, int]:
        return {view: len(self.all(f"SELECT * FROM {view}")) for view in OUT}

    def refused(self, query: str) -> str:
        with pytest.raises(psycopg2.Error) as caught:
            self.all(query)
        return str(caught.value)


@pytest.fixture
def held(registry: Registry) -> Registry:
    """Two departments' credentials, cases and decisions; the asker has a case that rests on them."""
    needs = [
        {"name": "经营", "holder": "applicant", "valid_on": "decision", "any_of": [{"credential": LICENCE}]},
        {"name": "立项", "holder": "project", "valid_on": "decision", "any_of": [{"item": ITEM}]},
    ]
    items.published(registry.engine, ITEM, content=items.content(disclosure="public"))
    items.published(registry.engine, OWN_ITEM, content=items.content(requirements=needs, disclosure="internal"))
    registry.credential()
    registry.credential("P-9", source="planning", credential_type="建设工程规划许可证")
    registry.case("M-1", source="market", organ=ISSUER, item=ITEM, project="2026-330100-47-01-000001")
    registry.decision("M-1", source="market", on=date(2026, 5, 8))
    registry.case("A-1", item=OWN_ITEM, project="2026-330100-47-01-000001")
    return registry


@pytest.fixture
def logged(held: Registry, command: Command, database: str) -> Iterator[Any]:
    """A function that makes a role by the command and logs in with it."""
    made: list[str] = []

    def enter(organ: str = ASKER, purpose: str = PURPOSE) -> Sql:
        said = command("share", "role", "make", organ, "--purpose", purpose, "--json")
        made.append(said["role"])
        return Sql(database, said["role"])

    yield enter
    for role in made:  # roles belong to the whole server, and other tests share it
        if {"role": role, "state": "living"}.items() <= next(
            one for one in command("share", "role", "list", "--json")["roles"] if one["role"] == role
        ).items():
            command("share", "role", "end", role)


def test_a_department_sees_what_was_granted_and_its_own_and_no_more(held: Registry, logged: Any) -> None:
    reader = logged()
    own = {"out.credential": 0, "out.decision": 0, "out.case_progress": 1, "out.prerequisite_status": 2, "out.item": 2}
    assert reader.seen() == own, "its own case and item, what is public in the catalogue, and nothing else"
    assert {row[0] for row in reader.all("SELECT state FROM out.prerequisite_status")} == {"not_granted"}
    held.share()
    assert reader.seen() == own, "what is shared under conditions needs a grant"
    grant = held.grant()
    assert reader.all("SELECT number, status, complete_through IS NOT NULL FROM out.credential") == [
        ("JY-001", "valid", True)
    ]
    held.share(ITEM, "item", class_="unconditional")
    assert reader.seen() == {**own, "out.credential": 1, "out.decision": 1, "out.case_progress": 2}
    assert reader.all("SELECT requirement, state FROM out.prerequisite_status ORDER BY 1 DESC") == [
        ("经营", "held"), ("立项", "held")
    ]  # fmt: skip
    held.run("UPDATE access.\"grant\" SET state = 'ended', answered_by = 'x' WHERE grant_id = :n", n=grant)
    assert reader.seen()["out.credential"] == 0, "from the next statement on"
    held.share(ITEM, "item", class_="none")
    assert reader.seen() == own


def test_what_the_hub_put_right_says_so_to_who_may_see_the_record(held: Registry, logged: Any) -> None:
    held.run(
        """INSERT INTO quality.finding (stream_id, record_id, rule, effect, field, pointer, state, batch_id)
           SELECT stream_id, record_id, 'value_mended', 'flag', 'f', '/' || source_key, 'open', batch_id
           FROM ledger.source_record WHERE record_id IN (
               SELECT record_id FROM core.credential UNION SELECT record_id FROM core.decision
               UNION SELECT record_id FROM core.approval_case)"""
    )
    reader = logged()
    assert len(reader.all("SELECT * FROM out.mended()")) == 1, "that of the own case; what is not seen is not told"
    held.share()
    held.grant()
    ((mended, evidence),) = reader.all("SELECT mended, evidence FROM out.credential")
    assert reader.all(f"SELECT fields FROM out.mended() WHERE record_id = {evidence}") == [(mended,)]
    assert len(mended) == 1
    held.share(ITEM, "item", class_="unconditional")
    for view in ("out.decision", "out.case_progress"):
        assert reader.all(f"SELECT count(*) FROM {view} WHERE mended IS NULL") == [(0,)], view
    held.run("UPDATE quality.finding SET state = 'closed'")
    assert reader.all("SELECT mended FROM out.credential") == [(None,)]


def test_a_grant_for_another_purpose_or_organ_or_day_opens_nothing(held: Registry, logged: Any) -> None:
    held.share()
    held.grant(purpose="执法检查")
    held.grant(organ=OTHER)
    held.grant(valid_from=date(2020, 1, 1), valid_to=date(2020, 12, 31))
    assert logged().seen()["out.credential"] == 0
    assert logged(purpose="执法检查").seen()["out.credential"] == 1
    assert logged(OTHER).seen() == {
        "out.credential": 1, "out.decision": 0, "out.case_progress": 0, "out.prerequisite_status": 0, "out.item": 1,
    }  # fmt: skip


def test_persons_are_masked_and_no_other_way_leads_to_them(held: Registry, logged: Any) -> None:
    held.share(class_="unconditional")
    reader = logged()
    ((name, number),) = reader.all("SELECT holder_name, holder_number FROM out.credential")
    assert name != FIRM_NAME
    assert "*" in name + number
    for query in (
        "SELECT holder_number_hash FROM core.credential", "SELECT sealed FROM core.credential",
        "SELECT * FROM core.credential", "SELECT * FROM core.case_party", "SELECT * FROM core_history.credential",
        "SELECT * FROM audit.entry", "SELECT * FROM access.reader", 'SELECT * FROM access."grant"',
        "SELECT * FROM ledger.source_record", "TABLE quality.finding", "SELECT reason FROM core.decision",
    ):  # fmt: skip
        assert "permission denied" in reader.refused(query), query


def test_the_tables_below_the_views_show_no_more_than_the_views(held: Registry, logged: Any) -> None:
    held.share()
    held.grant()
    reader = logged()
    assert reader.all("SELECT number FROM core.credential") == [("JY-001",)]
    assert reader.all("SELECT count(*) FROM core.decision") == [(0,)]
    assert reader.all("SELECT case_number FROM core.approval_case") == [("A-1",)]
    assert reader.all("SELECT count(*) FROM core.case_overview") == [(1,)]
    assert reader.all("SELECT count(*) FROM core.case_identifier") == [(1,)]
    assert reader.all("SELECT count(*) FROM catalog.item_version WHERE state <> 'published'") == [(0,)]
    assert reader.all("SELECT * FROM out.organ()") == [(ASKER,)]


def test_no_trick_of_sql_widens_what_a_reader_sees(held: Registry, logged: Any) -> None:
    held.share()
    held.grant()
    reader = logged()
    other = logged(OTHER)
    (them,) = other.all("SELECT session_user")[0]
    # That it only reads is a default, which it may change itself; what it may not write, it has no right to.
    reader.all("SELECT set_config('default_transaction_read_only', 'off', false)")
    for query in (
        f'SET ROLE "{them}"', "SET ROLE postgres", "SET SESSION AUTHORIZATION postgres",
        f'ALTER ROLE "{them}" PASSWORD NULL', "ALTER TABLE core.credential DISABLE ROW LEVEL SECURITY",
        "DROP POLICY reader ON core.credential", "CREATE POLICY mine ON core.credential USING (true)",
        "GRANT SELECT ON core.credential TO PUBLIC", "COPY core.credential TO STDOUT",
        "CREATE FUNCTION out.organ2() RETURNS text LANGUAGE sql AS 'SELECT 1::text'", "SELECT pg_read_file('hub.conf')",
    ):  # fmt: skip
        assert re.search("permission denied|must be owner|must be able", reader.refused(query)), query
    # A cheap function of the reader's own runs on no row that it may not see: policies are judged first.
    for words in ("row_security = off", "search_path = pg_temp, core", f"application_name = '{them}'"):
        with reader.connection.cursor() as cursor:
            cursor.execute(f"SET {words}")
    assert "would be affected by row-level security" in reader.refused("SELECT number FROM core.credential")
    with reader.connection.cursor() as cursor:
        cursor.execute("SET row_security = on")
        cursor.execute(
            """CREATE FUNCTION pg_temp.tell(t text) RETURNS boolean LANGUAGE plpgsql COST 0.0001
               AS 'BEGIN RAISE NOTICE ''saw %'', t; RETURN true; END'"""
        )
        cursor.execute("CREATE TEMP TABLE reader (role text, organ text, purpose text, ended_at timestamptz)")
        cursor.execute(f"INSERT INTO reader VALUES (session_user, '{ISSUER}', '{PURPOSE}', NULL)")
        cursor.execute("SELECT number FROM out.credential WHERE pg_temp.tell(number)")
        assert cursor.fetchall() == [("JY-001",)]
    assert [one.strip() for one in reader.connection.notices] == ["NOTICE:  saw JY-001"]


def test_the_hub_itself_sees_nothing_through_the_views(held: Registry, logged: Any, database: str) -> None:
    held.share(class_="unconditional")
    held.share(ITEM, "item", class_="unconditional")
    reader = logged()
    (role,) = reader.all("SELECT session_user")[0]
    superuser = Sql(database, "postgres")
    assert set(superuser.seen().values()) == {0}, "a superuser reads tables, but is no reader"
    superuser.all(f'SET ROLE "{role}"; SELECT 1')
    assert set(superuser.seen().values()) == {0}, "who logged in counts, not who one pretends to be"
    assert superuser.all(
        f"SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit FROM pg_roles WHERE rolname = '{role}'"
    ) == [(False,) * 5]
    assert superuser.all(f"SELECT count(*) FROM pg_auth_members WHERE member = '{role}'::regrole") == [(0,)]


def test_every_table_that_a_reader_may_ask_has_forced_row_security_and_every_view_the_askers_rights(
    held: Registry, logged: Any
) -> None:
    reader = logged()
    asked = """SELECT n.nspname || '.' || c.relname, c.relkind = 'v', c.relrowsecurity AND c.relforcerowsecurity,
                   coalesce('security_invoker=true' = ANY (c.reloptions), false)
               FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
                   AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))"""
    found = reader.all(asked)
    assert {name for name, view, *_ in found if not view} == set(readers.COLUMNS)
    assert {name for name, view, *_ in found if view} == set(readers.VIEWS)
    assert [name for name, view, forced, invoker in found if not (invoker if view else forced)] == []


def test_the_example_of_the_page_runs_as_it_stands(held: Registry, logged: Any) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "verify" / "sql.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```sql\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    held.share()
    held.grant()
    assert [row[3] for row in logged().all(example)] == ["not_granted", "held"]


def test_every_column_of_the_views_is_explained(registry: Registry) -> None:
    missing = registry.run(
        """SELECT string_agg(c.relname || '.' || a.attname, ', ') FROM pg_class AS c
           JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
           WHERE c.relnamespace = 'out'::regnamespace AND c.relkind = 'v'
               AND col_description(c.oid, a.attnum) IS NULL"""
    )
    assert missing is None


def test_a_role_that_ended_sees_nothing_and_is_gone(held: Registry, logged: Any, command: Command) -> None:
    held.share(class_="unconditional")
    reader = logged()
    (role,) = reader.all("SELECT session_user")[0]
    assert reader.seen()["out.credential"] == 1
    command("share", "role", "end", role)
    with pytest.raises(psycopg2.Error):
        reader.all("SELECT * FROM out.credential")
    (row,) = [one for one in command("share", "role", "list", "--json")["roles"] if one["role"] == role]
    assert (row["state"], row["organ"], row["purpose"]) == ("ended", ASKER, PURPOSE)
    assert held.run("SELECT count(*) FROM pg_roles WHERE rolname = :role", role=role) == 0


def test_a_reader_that_keeps_a_transaction_open_holds_up_no_seal(held: Registry, logged: Any) -> None:
    reader = logged(ASKER)
    reader.connection.autocommit = False
    with reader.connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    reader.all("SELECT pg_current_xact_id()")  # the seal waits for this number
    held.run("INSERT INTO audit.entry (recorded_at, kind, outcome) VALUES (now(), 'read', 'x')")
    signer = Ed25519Signer.of(held.protector.ring)
    assert sealing.seal(held.engine, signer) == 0
    assert verifying_readers.end_overlong(held.engine) == 0, "it has its time"
    assert verifying_readers.end_overlong(held.engine, seconds=0) == 1
    with pytest.raises(psycopg2.OperationalError):
        reader.all("SELECT 1")
    deadline = time.monotonic() + 20
    while sealing.seal(held.engine, signer) == 0:
        assert time.monotonic() < deadline, "the ended session still holds the seal up"
        time.sleep(0.05)


def test_an_upgrade_that_makes_views_anew_keeps_what_readers_may_ask(held: Registry, logged: Any) -> None:
    reader = logged()
    held.run("DROP VIEW catalog.in_force CASCADE")
    migrate.upgrade(held.engine)
    assert reader.seen()["out.item"] == 2


def test_a_password_lets_in_and_a_former_one_does_not(
    held: Registry, command: Command, database: str, server: EmbeddedServer
) -> None:
    said = command("share", "role", "make", ASKER, "--purpose", PURPOSE, "--json")
    hba = Path(held.run("SHOW hba_file"))
    kept = hba.read_text(encoding="utf-8")
    hba.write_text(f"local all {said['role']} scram-sha-256\n{kept}", encoding="utf-8")
    try:
        held.run("SELECT pg_reload_conf()")
        with contextlib.suppress(psycopg2.OperationalError):  # the reload takes a moment
            Sql(database, said["role"], "wrong").all("SELECT pg_sleep(1)")
        assert Sql(database, said["role"], said["password"]).seen()["out.item"] == 2
        again = command("share", "role", "password", said["role"], "--json")["password"]
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            Sql(database, said["role"], said["password"])
        assert Sql(database, said["role"], again).seen()["out.item"] == 2
        assert said["password"] not in held.run("SELECT rolpassword FROM pg_authid WHERE rolname = :r", r=said["role"])
    finally:
        hba.write_text(kept, encoding="utf-8")
        held.run("SELECT pg_reload_conf()")
        command("share", "role", "end", said["role"])
