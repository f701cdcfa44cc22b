"""The services of the demonstration, asked by the libraries that the hub uses too, by honest and by rude clients."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import paramiko
import pika  # type: ignore[import-untyped]  # it has types, but does not say that it has
import pytest
import requests
from lxml import etree

from demo.services.run import serving
from demo.services.settings import USER, ServiceSettings, settings_of
from demo.shapes.queue import ANSWERS, QUEUES
from tests.demo.shape_rounds import departments, province, written


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("services")
    work = province(300)
    for shape in ("queue", "soap", "sftp"):
        written(work, departments(work)[shape], place, 1)
    with serving(place):
        yield place


@pytest.fixture
def known(home: Path) -> ServiceSettings:
    return settings_of(home)


# --- the broker


def channel(
    known: ServiceSettings,
) -> tuple[pika.BlockingConnection, pika.adapters.blocking_connection.BlockingChannel]:
    connection = pika.BlockingConnection(pika.URLParameters(known.amqp_url("film")))
    return connection, connection.channel()


def waiting(home: Path, queue: str) -> int:
    with closing(sqlite3.connect(home / "demo" / "departments" / "film" / QUEUES)) as store:
        return int(store.execute("SELECT count(*) FROM message WHERE queue = ?", (queue,)).fetchone()[0])


def test_a_message_is_gone_when_it_is_acknowledged_and_comes_again_when_it_is_not(
    home: Path, known: ServiceSettings
) -> None:
    lay = waiting(home, "decisions")
    connection, one = channel(known)
    one.basic_qos(prefetch_count=3)
    coming = one.consume("decisions", inactivity_timeout=5)
    taken = [next(coming) for _ in range(3)]
    one.basic_ack(taken[0][0].delivery_tag)
    assert one.queue_declare("decisions", passive=True).method.message_count >= lay - 4
    connection.close()
    assert waiting(home, "decisions") == lay - 1
    connection, one = channel(known)
    again = next(one.consume("decisions", inactivity_timeout=5))
    assert again[0].redelivered
    assert again[1].message_id == taken[1][1].message_id
    connection.close()


def test_a_published_message_is_kept_and_confirmed(home: Path, known: ServiceSettings) -> None:
    connection, one = channel(known)
    one.confirm_delivery()
    body = b'{"records": []}' + b" " * 300_000
    one.basic_publish("", ANSWERS, body, pika.BasicProperties(correlation_id="7"), mandatory=True)
    with pytest.raises(pika.exceptions.UnroutableError):
        one.basic_publish("", "nowhere", b"{}", mandatory=True)
    connection.close()
    assert waiting(home, ANSWERS) == 1


def test_the_broker_says_what_it_does_not_have(known: ServiceSettings) -> None:
    connection, one = channel(known)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="no queue 'nowhere'"):
        one.queue_declare("nowhere", passive=True)
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker, match="not implemented"):
        connection.channel().exchange_declare("new")
    with pytest.raises(pika.exceptions.ProbableAccessDeniedError):
        pika.BlockingConnection(pika.URLParameters(known.amqp_url("..")))
    with pytest.raises(pika.exceptions.ProbableAuthenticationError):
        pika.BlockingConnection(pika.URLParameters(known.amqp_url("film").replace(known.token, "wrong")))


# --- the SFTP server


def entered(known: ServiceSettings, password: str) -> paramiko.SFTPClient:
    transport = paramiko.Transport(("127.0.0.1", known.sftp))
    transport.connect(username=USER, password=password)
    client = paramiko.SFTPClient.from_transport(transport)
    assert client is not None
    return client


def test_only_the_hubs_account_may_enter(known: ServiceSettings) -> None:
    with pytest.raises(paramiko.AuthenticationException):
        entered(known, "wrong")


def test_files_are_read_and_moved_and_never_written_over(home: Path, known: ServiceSettings) -> None:
    with entered(known, known.token) as client:
        names = sorted(client.listdir("/archives/out"))
        first, second = names[:2]
        with client.open(f"/archives/out/{first}") as file:
            assert file.read() == (home / "demo" / "departments" / "archives" / "out" / first).read_bytes()
        client.mkdir("/archives/out/done")
        client.rename(f"/archives/out/{first}", f"/archives/out/done/{first}")
        with pytest.raises(OSError, match="Failure"):
            client.rename(f"/archives/out/{second}", f"/archives/out/done/{first}")
        with pytest.raises(PermissionError):
            client.open("/archives/out/new.csv", "w")


@pytest.mark.parametrize("path", ["/../../service.json", "/../truth.json", "/archives/../../host_key"])
def test_nothing_outside_of_the_departments_folders_can_be_seen(known: ServiceSettings, path: str) -> None:
    with entered(known, known.token) as client, pytest.raises(OSError):  # noqa: PT011  # refused or not there
        client.open(path)


# --- the SOAP service


def test_the_service_wants_its_token_and_says_in_faults_what_is_wrong(known: ServiceSettings) -> None:
    address = f"http://127.0.0.1:{known.soap}/statistics/services/approval"
    wsdl = etree.fromstring(requests.get(f"{address}?wsdl", timeout=10).content)
    assert "queryProcess" in {one.get("name") for one in wsdl.iter("{*}operation")}
    assert requests.get(f"http://127.0.0.1:{known.soap}/../x?wsdl", timeout=10).status_code == 404
    for body, code in ((b"<a", "soap:Client"), (b"<a/>", "wsse:FailedAuthentication")):
        answer = requests.post(address, data=body, timeout=10)
        assert answer.status_code == 500
        assert code in answer.text
