"""The embedded server starts, survives being killed, and is reached by everything that must reach it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy

from hub.protect import load_ring
from hub.settings import Settings, private_folder
from sharedrepo import connect
from sharedrepo.embedded import EmbeddedServer, EmbeddedTrouble
from sharedrepo.embedded.processes import alive, servers
from sharedrepo.embedded.user import binaries


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings.load(home=tmp_path_factory.mktemp("embedded") / "home")


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[EmbeddedServer]:
    load_ring(settings)
    private_folder(settings.home / "archive")
    server = EmbeddedServer.from_settings(settings)
    server.start()
    yield server
    server.stop()


def ask(url: str, sql: str) -> str:
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        found = cursor.fetchone()
    connection.close()
    return str(found[0]) if found else ""


def test_status_of_a_server_that_never_was(tmp_path: Path) -> None:
    status = EmbeddedServer(tmp_path / "none").status()
    assert (status.running, status.pid) == (False, None)
    assert not EmbeddedServer(tmp_path / "none").stop()


def test_it_starts_once_and_has_its_databases(server: EmbeddedServer) -> None:
    pid = server.status().pid
    server.start()
    status = server.status()
    assert (status.running, status.pid) == (True, pid)
    assert str(status.version).startswith("18")
    assert ask(server.url("airflow"), "SELECT current_database()") == "airflow"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("synchronous_commit", "on"), ("fsync", "on"), ("max_connections", "200"), ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"), ("listen_addresses", ""), ("log_min_error_statement", "panic"),
        ("log_min_messages", "log"), ("data_checksums", "on"),
    ],
)  # fmt: skip
def test_its_configuration(server: EmbeddedServer, setting: str, value: str) -> None:
    assert ask(server.url(), f"SELECT current_setting('{setting}')") == value


def test_text_sorts_by_code_point_and_folds_unicode(server: EmbeddedServer) -> None:
    assert ask(server.url(), "SELECT 'Z' < 'a' AND lower('Ä') = 'ä'") == "True"


def test_psql_accepts_the_url(server: EmbeddedServer) -> None:
    done = subprocess.run(
        [binaries() / "psql", server.url(), "-Atc", "SELECT 41 + 1"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "42"


def test_sqlalchemy_accepts_the_url(server: EmbeddedServer) -> None:
    engine = sqlalchemy.create_engine(server.url(driver="psycopg2"))
    with engine.connect() as connection:
        assert connection.scalar(sqlalchemy.text("SELECT 41 + 1")) == 42
    engine.dispose()


def test_great_expectations_accepts_the_url(server: EmbeddedServer) -> None:
    script = (
        "import sys, great_expectations as gx\n"
        "context = gx.get_context(mode='ephemeral')\n"
        "source = context.data_sources.add_postgres('hub', connection_string=sys.argv[1])\n"
        "asset = source.add_query_asset('one', query='SELECT 42 AS answer')\n"
        "batch = asset.add_batch_definition_whole_table('all').get_batch()\n"
        "expected = gx.expectations.ExpectColumnMaxToBeBetween(column='answer', min_value=42, max_value=42)\n"
        "print(batch.validate(expected).success)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, server.url()],
        capture_output=True, text=True, check=False, env={**os.environ, "GX_ANALYTICS_ENABLED": "false"},
    )  # fmt: skip
    assert done.stdout.strip().endswith("True"), done.stderr[-2000:]


def test_the_engine_is_named_bounded_and_in_utc(settings: Settings, server: EmbeddedServer) -> None:
    engine = connect.engine(settings, application="hub test", lock_seconds=7)
    with engine.connect() as connection:
        found = {
            name: connection.scalar(sqlalchemy.text(f"SELECT current_setting('{name}')"))
            for name in ("application_name", "TimeZone", "lock_timeout", "statement_timeout")
        }
    engine.dispose()
    assert found == {
        "application_name": "hub test",
        "TimeZone": "UTC",
        "lock_timeout": "7s",
        "statement_timeout": "30min",
    }


def test_an_old_server_is_refused() -> None:
    class Old:
        server_version = 140_010

    with pytest.raises(connect.ServerTooOld, match=r"14\.10.*15 or newer"):
        connect._check_version(Old(), None)


@pytest.mark.parametrize(
    "url", ["topsecret", "mysql://u:topsecret@h/d", "postgresql://u:topsecret@h", "postgresql://u:topsecret@h:x/d"]
)
def test_an_unreadable_url_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(connect.BadDatabaseUrl) as caught:
        connect.database_url(Settings.load(database_url=url))
    assert "topsecret" not in str(caught.value)


def test_a_real_servers_url_gets_our_driver() -> None:
    url = connect.database_url(Settings.load(database_url="postgres://u:p@h:6432/d"))
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg2://u:p@h:6432/d"


def test_keys_archive_and_server_stay_closed(settings: Settings, server: EmbeddedServer) -> None:
    closed = [settings.home / "keys", settings.home / "archive", server.folder, server.data, server.socket_folder()]
    assert {str(path): oct(stat.S_IMODE(path.stat().st_mode)) for path in closed} == {
        str(path): "0o700" for path in closed
    }
    assert not stat.S_IMODE(settings.home.stat().st_mode) & 0o066


def test_nothing_of_a_failed_statement_is_logged(server: EmbeddedServer) -> None:
    for sql in ("SELECT 'PERSON-张三'::int", "SELECT no_such_PERSON", "INSERT INTO nothing VALUES ('PERSON')"):
        with pytest.raises(psycopg2.Error):
            ask(server.url(), sql)
    assert "PERSON" not in server.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("busy", [False, True])
def test_it_starts_again_after_its_postmaster_was_killed(server: EmbeddedServer, busy: bool) -> None:
    ask_then_commit(server.url(), "CREATE TABLE IF NOT EXISTS kept(n int); INSERT INTO kept VALUES (1)")
    before = int(ask(server.url(), "SELECT count(*) FROM kept"))
    worker = threading.Thread(target=loop_for_ever, args=(server.url(),), daemon=True)
    if busy:
        worker.start()
        time.sleep(0.3)
    pid = server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    server.start()
    assert server.status().pid != pid
    assert int(ask(server.url(), "SELECT count(*) FROM kept")) == before
    if busy:
        worker.join(10)
        assert not worker.is_alive()


def ask_then_commit(url: str, sql: str) -> None:
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
    connection.close()


def loop_for_ever(url: str) -> None:
    try:
        ask(url, "DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$")
    except psycopg2.Error:
        return


def test_a_pid_file_of_another_program_does_not_stop_the_start(server: EmbeddedServer) -> None:
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n0\n5432\n\n\n\n\n")
    assert server.status().pid is None
    assert not server.stop()
    server.start()
    assert server.status().running
    assert alive(os.getpid())


def test_two_starts_at_once_make_one_server(server: EmbeddedServer) -> None:
    server.stop()
    with ThreadPoolExecutor(4) as pool:
        urls = set(pool.map(lambda _: EmbeddedServer(server.folder).start(), range(4)))
    assert urls == {server.url()}
    assert server.status().running


def test_it_outlives_the_process_that_started_it(server: EmbeddedServer) -> None:
    server.stop()
    script = (
        "import sys; from pathlib import Path; from sharedrepo.embedded import EmbeddedServer; "
        "EmbeddedServer(Path(sys.argv[1])).start()"
    )
    subprocess.run([sys.executable, "-c", script, str(server.folder)], check=True, timeout=60, capture_output=True)
    assert server.status().running


def test_stop_ends_all_its_processes(server: EmbeddedServer) -> None:
    server.start()
    assert server.stop()
    assert servers(server.data) == []
    assert not server.status().running


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("long-folder-name-" * 6) / "和" / "it's"
    server = EmbeddedServer(deep / "pg")
    try:
        assert len(os.fsencode(server.socket_folder())) < 60
        assert ask(server.start(), "SELECT 1") == "1"
        assert stat.S_IMODE(server.socket_folder().stat().st_mode) == 0o700
    finally:
        server.stop()
    server.socket_folder().rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / ("long-folder-name-" * 8) / "pg")
    server.socket_folder().mkdir()
    try:
        os.chown(server.socket_folder(), 65534, 65534)
        with pytest.raises(EmbeddedTrouble, match="65534"):
            server.start()
    finally:
        server.socket_folder().rmdir()


def test_an_initdb_that_was_killed_is_made_again(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "pg")
    (server.data / "base").mkdir(parents=True)
    try:
        assert ask(server.start(), "SELECT 1") == "1"
    finally:
        server.stop()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "pg")
    server.start()
    server.stop()
    with (server.data / "postgresql.auto.conf").open("a") as out:
        out.write("shared_buffers = 'nonsense'\n")
    with pytest.raises(EmbeddedTrouble, match="shared_buffers"):
        server.start()
