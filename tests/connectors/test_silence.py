"""A server that takes the connection and then says nothing is given up in time, with an error that says so."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from hub.errors import RetrySource
from tests.connectors.conftest import Department
from tests.connectors.parts import opened, pull, stream

PORTS = {"postgresql": 5432, "mysql": 3306}


class Stalling:
    """A proxy before a database server that stops handing over its answers after so many bytes, and hangs on."""

    def __init__(self, url: str, most: int) -> None:
        parsed = sa.make_url(url)
        host, port = parsed.query.get("host") or parsed.host, parsed.port or PORTS[parsed.get_backend_name()]
        self.far, self.most, self.said = (str(host), int(parsed.query.get("port", port))), most, 0  # type: ignore[arg-type]  # one port
        self.listener = socket.create_server(("127.0.0.1", 0))
        query = {name: value for name, value in parsed.query.items() if name not in {"host", "port"}}
        place = parsed.set(host="127.0.0.1", port=self.listener.getsockname()[1], query=query)
        self.url = place.render_as_string(hide_password=False)
        self.open = [self.listener]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                host, port = self.far
                if host.startswith("/"):
                    far = socket.socket(socket.AF_UNIX)
                    far.connect(f"{host}/.s.PGSQL.{port}")
                else:
                    far = socket.create_connection(self.far)
                self.open += [near, far]
                threading.Thread(target=self.pump, args=(near, far), daemon=True).start()
                threading.Thread(target=self.pump, args=(far, near), kwargs={"answers": True}, daemon=True).start()

    def pump(self, here: socket.socket, there: socket.socket, *, answers: bool = False) -> None:
        with contextlib.suppress(OSError):
            while chunk := here.recv(1 << 12):
                if answers:
                    self.said += len(chunk)
                    if self.said > self.most:
                        continue  # what comes is swallowed: the connection stays, and nothing is said
                there.sendall(chunk)

    def close(self) -> None:
        for one in self.open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # else a thread that reads from it keeps it open
            one.close()


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> Department:
    found: Department = request.getfixturevalue(request.param)
    found.run("CREATE TABLE cases (id integer PRIMARY KEY, name varchar(200))")
    rows = ", ".join(f"({number}, '{'x' * 200}')" for number in range(300))
    found.run(f"INSERT INTO cases VALUES {rows}")
    return found


@pytest.fixture
def stalled(server: Department) -> Iterator[Stalling]:
    whole = Stalling(server.url, most=1 << 30)
    one = stream("cases", key=("id",), table="cases", **server.options)
    pull("database", whole.url, one)
    whole.close()
    made = Stalling(server.url, most=whole.said - 20_000)
    yield made
    made.close()


def test_a_server_that_falls_silent_in_the_middle_is_given_up(server: Department, stalled: Stalling) -> None:
    one = stream("cases", key=("id",), table="cases", silence=1, **server.options)
    began = time.monotonic()
    with pytest.raises(RetrySource, match=r"said nothing for 1 s|timed out"):
        list(opened("database", stalled.url, one).read(one, {}, slice_size=50, full=False))
    assert time.monotonic() - began < 20


def test_a_server_that_is_silent_from_the_beginning_is_given_up(
    postgres: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.kinds.database.engine._WAIT", 1)
    listener = socket.create_server(("127.0.0.1", 0))
    url = sa.make_url(postgres.url).set(host="127.0.0.1", port=listener.getsockname()[1], query={})
    try:
        report = opened("database", url.render_as_string(hide_password=False), stream("cases")).check()
    finally:
        listener.close()
    assert not report.ok
    assert "timeout" in report.items[0].message


def test_a_slow_answer_within_the_time_is_waited_for(postgres: Department) -> None:
    postgres.run(
        "CREATE FUNCTION slowly(integer) RETURNS integer LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.4); RETURN $1; END $$",
        "CREATE TABLE few (id integer PRIMARY KEY)",
        "INSERT INTO few VALUES (1), (2), (3)",
        "CREATE VIEW cases AS SELECT slowly(id) AS id, 'x' AS name FROM few",
    )
    one = stream("cases", key=("id",), table="cases", silence=20, **postgres.options)
    assert sum(len(piece.records) for piece in pull("database", postgres.url, one)) == 3
