"""Envelopes and receipts where files do not lie on this machine: places of fsspec, SFTP servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest

import connectors
from connectors.envelopes import EnvelopePolicy
from connectors.seam import Acknowledges, Receipt
from connectors.source import StreamSpec
from hub.errors import RefuseUnit
from tests.connectors import sshd
from tests.connectors.parts import keyed, source, stream
from tests.envelopes import seal

PAYLOAD = b"a,b\n1,2\n3,4\n"


class Memory:
    """A place of fsspec: an in-memory file system."""

    def __init__(self) -> None:
        self.files = fsspec.filesystem("memory")
        self.url = "memory://drop"
        self.files.makedirs("/drop", exist_ok=True)

    def put(self, name: str, content: bytes) -> None:
        self.files.pipe_file(f"/drop/{name}", content)

    def read(self, name: str) -> bytes:
        return bytes(self.files.cat_file(f"/drop/{name}"))


@pytest.fixture
def memory() -> Iterator[Memory]:
    made = Memory()
    yield made
    made.files.rm("/drop", recursive=True)


class Server:
    """A folder on a real SFTP server."""

    def __init__(self, server: sshd.Sshd) -> None:
        self.url, self.folder = server.url(), server.drop

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


@pytest.fixture(params=["fsspec", "sftp"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Memory | Server]:
    """A place behind a wire of each sort in turn."""
    if request.param == "fsspec":
        yield request.getfixturevalue("memory")
        return
    with sshd.running(tmp_path) as server:
        yield Server(server)


def declared(**policy: Any) -> StreamSpec:
    return replace(
        stream("s", path="*.csv", format="csv"), envelope=EnvelopePolicy(receipts="回执/in", answers=True, **policy)
    )


def opened(place: Memory | Server, one: StreamSpec) -> Any:
    return connectors.open(replace(source("files", one), code="labour"), lambda _: place.url, keyed_hash=keyed)


def sealed(**said: Any) -> bytes:
    return json.dumps(seal(PAYLOAD, **{"stream": "s", **said})).encode()


def test_a_file_waits_for_its_envelope_and_is_proven(place: Memory | Server) -> None:
    one = declared()
    connector = opened(place, one)
    place.put("a.csv", PAYLOAD)
    assert [piece.read for piece in connector.read(one, {}, slice_size=10, full=False)] == [0]
    assert "1 wait for their envelope" in connector.check().items[1].message
    place.put("a.csv.envelope.json", sealed())
    (piece,) = connector.read(one, {}, slice_size=10, full=False)
    assert (piece.read, piece.unit.envelope.number, piece.unit.envelope.records) == (2, 1, 2)


def test_a_refused_file_is_read_again_when_its_envelope_is_mended(place: Memory | Server) -> None:
    one = declared()
    connector = opened(place, one)
    place.put("a.csv", PAYLOAD)
    place.put("a.csv.envelope.json", sealed(records=3))
    with pytest.raises(RefuseUnit) as caught:
        list(connector.read(one, {}, slice_size=10, full=False))
    assert [finding.rule for finding in caught.value.findings] == ["envelope_count"]
    state = connector.skip(one, {}, "a.csv")
    assert [piece.read for piece in connector.read(one, state, slice_size=10, full=False)] == [0]
    place.put("a.csv.envelope.json", sealed(complete_through="2026-03-02T00:00:00Z"))
    assert [piece.read for piece in connector.read(one, state, slice_size=10, full=False)] == [2]


def test_receipts_are_written_whole_and_over_earlier_ones(place: Memory | Server) -> None:
    one = declared()
    connector = opened(place, one)
    assert isinstance(connector, Acknowledges)
    for content in (b"first", b"second, which is longer"):
        connector.acknowledge(one, [Receipt("a.csv", "received", document=content)])
        assert place.read("回执/in/a.csv.receipt.json") == content
    connector.only_look()
    connector.acknowledge(one, [Receipt("b.csv", "received", document=b"x")])
    with pytest.raises(FileNotFoundError):
        place.read("回执/in/b.csv.receipt.json")


def test_receipts_are_no_deliveries(place: Memory | Server) -> None:
    one = replace(declared(), options={"path": "**/*", "format": "csv"})
    connector = opened(place, one)
    connector.acknowledge(one, [Receipt("a.csv", "received", document=b"x")])
    place.put("a.csv", PAYLOAD)
    place.put("a.csv.envelope.json", sealed())
    assert [piece.unit.name for piece in connector.read(one, {}, slice_size=10, full=False)] == ["a.csv"]
