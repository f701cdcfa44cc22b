"""Hostile SFTP servers: each lie ends in a typed error, soon, with nothing of a file handed over or left behind."""

from __future__ import annotations

import contextlib
import gc
import socket
import stat
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest

from connectors.kinds.files.locations.hostkeys import fingerprint_of
from connectors.source import StreamSpec
from hub.errors import (
    HostileInput,
    RetrySource,
    SourceTrouble,
    StopSource,
    StreamMissing,
    TruncatedUnit,
    WrongCredentials,
)
from hub.records import Slice
from tests.connectors.parts import opened, pull, records, stream
from tests.hostile.liar import CONTENT, Liar, attributes, lying

SECONDS = 40.0
"""What a refusal may take at most, time-outs included."""
MIB = 1 << 20


def csv(path: str = "*.csv", **options: Any) -> StreamSpec:
    return stream("s", path=path, format="csv", **options)


@pytest.fixture(autouse=True)
def tidy_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Whatever a server does, no thread stays and no file is left where temporary ones are made."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    before = threading.active_count()
    yield place
    gc.collect()
    until = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.05)
    assert threading.active_count() <= before, threading.enumerate()
    assert list(place.iterdir()) == []


def take(liar: Liar, one: StreamSpec | None = None) -> list[Slice]:
    """Pull, and hold the time that it takes against what is allowed."""
    began = time.monotonic()
    try:
        return pull("files", liar.url, one or csv(), size=1_000_000)
    finally:
        assert time.monotonic() - began < SECONDS


def fails(error: type[SourceTrouble], words: str, liar: Liar, one: StreamSpec | None = None) -> SourceTrouble:
    with pytest.raises(error, match=words) as caught:
        take(liar, one)
    told = str(caught.value)
    assert "127.0.0.1" not in told
    assert "pa55word" not in told
    return caught.value


def test_an_honest_server_of_this_sort_is_read() -> None:
    with lying() as liar:
        assert len(records(take(liar))) == 200_000
        assert liar.passwords == ["pa55word"]


def test_a_server_that_says_neither_time_nor_rights_is_read() -> None:
    bare = attributes("a.csv", mode=None)
    bare.st_mtime = bare.st_atime = None
    with lying(files=[bare]) as liar:
        slices = take(liar)
        assert slices[-1].state["files"]["a.csv"]["mtime"] == ""
        assert pull("files", liar.url, csv(), slices[-1].state)[0].read == 0


# --- files


def endless(liar: Liar, offset: int, length: int) -> Any:
    return b"1" * length


def test_a_file_that_never_ends_stops_at_the_size_that_was_said() -> None:
    with lying(files=[attributes("a.csv", 100)], read=endless) as liar:
        assert fails(HostileInput, "more bytes than it says", liar).unit == "a.csv"
        connector: Any = opened("files", liar.url, csv())
        assert list(connector.raw(csv(), "a.csv")) == [], "it is set aside without its bytes"
        assert connector.skip(csv(), {}, "a.csv")["files"]["a.csv"]["is"] == "refused"


def test_a_file_without_a_size_that_never_ends_stops_at_the_limit_in_bounded_memory() -> None:
    with lying(files=[attributes("a.csv", None)], read=endless) as liar:
        tracemalloc.start()
        try:
            fails(HostileInput, "does not end within the limit", liar, csv(limits={"file_bytes": 4 * MIB}))
            assert tracemalloc.get_traced_memory()[1] < 3 * MIB, "both sides of the wire"
        finally:
            tracemalloc.stop()


def test_a_file_that_is_said_to_be_enormous_is_not_fetched() -> None:
    asked: list[int] = []
    with lying(files=[attributes("a.csv", 1 << 60)], read=lambda _liar, offset, _: asked.append(offset)) as liar:
        fails(HostileInput, "the file has 1,152,921,504,606,846,976 bytes", liar)
    assert asked == []


def test_a_file_shorter_than_it_says_is_refused_as_cut_off() -> None:
    with lying(files=[attributes("a.csv", len(CONTENT) + 5)]) as liar:
        fails(TruncatedUnit, "400,002 of the 400,007 bytes", liar)


def test_a_server_that_hands_over_less_than_asked_at_a_time_is_read_whole() -> None:
    def sparing(liar: Liar, offset: int, length: int) -> Any:
        return CONTENT[offset : offset + min(length, 10_000)] or paramiko.SFTP_EOF

    with lying(read=sparing) as liar:
        assert len(records(take(liar))) == 200_000


def test_a_server_that_hangs_up_in_the_middle() -> None:
    def cutting(liar: Liar, offset: int, length: int) -> Any:
        if offset >= 100_000:
            liar.cut()
        return CONTENT[offset : offset + length]

    with lying(read=cutting) as liar:
        fails(RetrySource, "the SFTP server broke off", liar)


def test_a_server_that_falls_silent_in_the_middle() -> None:
    def stalling(liar: Liar, offset: int, length: int) -> Any:
        liar.over.wait(4 if offset else 0)
        return CONTENT[offset : offset + length]

    with lying(read=stalling, timeout=0.4) as liar:
        fails(RetrySource, r"no answer within 0\.4 seconds", liar)


def test_a_server_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.kinds.files.locations.sftp._GRACE", 0.5)
    monkeypatch.setattr("connectors.kinds.files.locations.sftp._SLOWEST", 1 << 20)

    def dripping(liar: Liar, offset: int, length: int) -> Any:
        liar.over.wait(0.2)
        return CONTENT[offset : offset + length]

    with lying(read=dripping) as liar:
        fails(RetrySource, r"broke off \(too slow\)", liar)


def test_a_server_that_answers_an_error_in_the_middle() -> None:
    with lying(read=lambda _liar, offset, length: paramiko.SFTP_FAILURE if offset else b"n" * length) as liar:
        fails(RetrySource, "broke off", liar)


def test_a_thread_that_asks_ahead_ends_quietly_with_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would end on what nobody can catch, in a page of traceback beside what is told."""
    asks: Any = paramiko.SFTPClient._async_request  # type: ignore[attr-defined]  # the stubs do not know it
    late: list[int] = []

    def after_the_end(self: Any, *what: Any) -> Any:
        if threading.current_thread().name.endswith(("(_prefetch_thread)", "(quietly)")):
            deadline = time.monotonic() + SECONDS
            while self.sock.get_transport().is_active() and len(late) > 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            late.append(len(late))
        return asks(self, *what)

    monkeypatch.setattr(paramiko.SFTPClient, "_async_request", after_the_end)
    with lying(read=lambda _liar, offset, length: paramiko.SFTP_FAILURE if offset else b"n" * length) as liar:
        fails(RetrySource, "broke off", liar)
    assert len(late) > 3


def test_a_file_that_may_not_be_read_needs_a_person() -> None:
    with lying(read=lambda *_: paramiko.SFTP_PERMISSION_DENIED) as liar:
        fails(StopSource, "permission denied", liar)


def test_a_file_that_grows_while_it_is_fetched() -> None:
    sizes = iter(range(len(CONTENT), len(CONTENT) + 100))
    with lying(look=lambda _: attributes("a.csv", next(sizes))) as liar:
        fails(RetrySource, "written to while it was fetched", liar)


def test_a_file_that_vanishes_while_it_is_fetched() -> None:
    looks = iter([attributes("a.csv"), paramiko.SFTP_NO_SUCH_FILE])
    with lying(look=lambda _: next(looks)) as liar:
        fails(RetrySource, "vanished while it was fetched", liar)


# --- names and folders


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "sub/a.csv", "a\0.csv", "x" * 5_000 + ".csv"])
def test_names_that_are_paths_stop_the_stream(name: str) -> None:
    with lying(files=[attributes("a.csv"), attributes(name)]) as liar:
        error = fails(HostileInput, "a folder's listing holds a name", liar)
        assert error.unit is None, "no file could be set aside: the server lies"


def test_dots_are_no_files() -> None:
    files = [attributes(".", mode=stat.S_IFDIR), attributes("..", mode=stat.S_IFDIR), attributes("a.csv")]
    with lying(files=files) as liar:
        assert len(records(take(liar, csv("*")))) == 200_000


def test_a_name_that_really_lies_elsewhere_is_refused() -> None:
    with lying(real=lambda path: "/etc/passwd" if path.endswith(".csv") else path) as liar:
        assert fails(HostileInput, "leads out of the folder", liar).unit == "a.csv"
    with lying(real=lambda path: "/dropped/a.csv" if path.endswith(".csv") else path) as liar:
        assert fails(HostileInput, "leads out of the folder", liar).unit == "a.csv"


def test_a_hundred_thousand_files_stop_at_the_limit() -> None:
    with lying(files=[attributes(f"{number}.csv", 4) for number in range(100_000)]) as liar:
        assert fails(HostileInput, "more than 20000 files", liar).unit is None


class Endless(list[Any]):
    """A folder without an end."""

    def __getitem__(self, part: Any) -> Any:
        return self if part.stop is None else [attributes("x.txt")] * 16


def test_a_listing_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.kinds.files.locations.fetched._LISTED", 20_000)
    with lying(files=Endless()) as liar:
        fails(HostileInput, "listing goes on beyond 20,000 names", liar)


def test_a_folder_named_like_a_file_is_none() -> None:
    with lying(files=[attributes("a.csv", 0, stat.S_IFDIR | 0o755)]) as liar:
        assert take(liar)[0].read == 0
        fails(StreamMissing, "there is no file 'a.csv'", liar, csv("a.csv"))


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK])
def test_what_is_no_plain_file_is_refused(kind: int) -> None:
    with lying(files=[attributes("a.csv", 1, kind | 0o644)]) as liar:
        fails(HostileInput, "no plain file", liar)


# --- who answers


def test_no_password_goes_to_a_server_whose_key_changed() -> None:
    with lying(keys=[paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()]) as liar:
        take(liar)
        error = fails(StopSource, "another than the known one", liar)
        assert all(fingerprint_of(key.asbytes()) in str(error) for key in liar.keys)
        assert liar.passwords == ["pa55word"], "the second server never saw it"


def test_a_wrong_password_is_told_as_such() -> None:
    with lying(password="another") as liar:
        fails(WrongCredentials, "refuses our name, password or key", liar)


def test_a_server_that_never_answers_a_login() -> None:
    with lying(slow_login=4, timeout=0.4) as liar:
        fails(RetrySource, "broke off at log-in", liar)


def test_a_server_without_sftp_needs_a_person() -> None:
    with lying(subsystem=False) as liar:
        fails(StopSource, "offers no SFTP", liar)


@pytest.mark.parametrize(
    "greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200, b"SSH-2.0-liar\r\n", b"x" * 100_000]
)
def test_who_is_no_ssh_server_at_all(greeting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        callers: list[socket.socket] = []

        def greet() -> None:
            caller, _ = door.accept()
            callers.append(caller)
            with contextlib.suppress(OSError):
                caller.sendall(greeting)

        keeper = threading.Thread(target=greet)
        keeper.start()
        url = f"sftp://me:pa55word@127.0.0.1:{door.getsockname()[1]}/drop?host_key=SHA256:{'A' * 43}&timeout=0.4"
        began = time.monotonic()
        with pytest.raises(RetrySource, match="broke off"):
            pull("files", url, csv())
        assert time.monotonic() - began < SECONDS
        keeper.join()
        callers[0].close()
