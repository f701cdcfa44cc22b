"""Files on an SFTP server: a real OpenSSH server, which is known by its key, read whole or not at all, and tidied."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.kinds.files.locations.address import address_of
from connectors.kinds.files.locations.hostkeys import declared, from_known_hosts
from connectors.loading import load_sources
from connectors.source import Source, StreamSpec
from hub.errors import (
    HostileInput,
    RetrySource,
    SourceUnreachable,
    StopSource,
    StreamMissing,
    WrongCredentials,
    WrongEncoding,
)
from hub.records import Record
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime
from tests.connectors.parts import opened, pull, records, stream
from tests.connectors.sshd import Sshd, free_port, keygen, running
from tests.departments import GOOD, Department

OLD = (1_700_000_000, 1_700_000_000)


@pytest.fixture(scope="module")
def openssh() -> Iterator[Sshd]:
    with tempfile.TemporaryDirectory(prefix="hub-sshd-") as home, running(Path(home)) as started:
        yield started


@pytest.fixture
def sshd(openssh: Sshd) -> Sshd:
    """The server with an empty drop."""
    shutil.rmtree(openssh.drop)
    openssh.drop.mkdir()
    return openssh


def csv(path: str = "*.csv", **options: Any) -> StreamSpec:
    return stream("s", path=path, format="csv", **options)


def put(sshd: Sshd, name: str, text: str | bytes = "n\n1\n", times: tuple[int, int] | None = OLD) -> Path:
    file = sshd.drop / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    if times:
        os.utime(file, times)
    return file


def values(sshd: Sshd, one: StreamSpec, state: Record | None = None, **parameters: str) -> tuple[list[Any], Record]:
    slices = pull("files", sshd.url(**parameters), one, state)
    return [record["n"] for record in records(slices)], slices[-1].state


def names(sshd: Sshd) -> list[str]:
    return sorted(path.relative_to(sshd.drop).as_posix() for path in sshd.drop.rglob("*") if path.is_file())


# --- reading


def test_files_are_read_in_natural_order_and_once(sshd: Sshd) -> None:
    for number in (10, 2, 1):
        put(sshd, f"in/part{number}.csv", f"n\n{number}\n")
    for name in ("in/x.csv.part", "in/.y.csv", "in/deep/z.csv"):
        put(sshd, name)
    (sshd.drop / "in/folder.csv").mkdir()
    found, state = values(sshd, csv("in/*.csv"))
    assert found == ["1", "2", "10"], "a folder named like a file is none, and unfinished ones wait"
    assert values(sshd, csv("in/*.csv"), state) == ([], state)
    assert values(sshd, csv("**/*.csv"))[0] == ["1", "1", "2", "10"]
    assert values(sshd, csv("in/deep/z.csv"))[0] == ["1"]


def test_new_changed_and_resent_are_told_apart(sshd: Sshd) -> None:
    put(sshd, "a.csv", "n\n1\n")
    put(sshd, "b.csv", "n\n2\n")
    _, state = values(sshd, csv())
    put(sshd, "a.csv", "n\n3\n", None)
    put(sshd, "b.csv", "n\n2\n", None)
    put(sshd, "c.csv", "n\n2\n")
    found, state = values(sshd, csv(), state)
    assert found == ["3", "2"]
    assert {name: entry["is"] for name, entry in state["files"].items()} == {
        "a.csv": "changed", "b.csv": "new", "c.csv": "resent",
    }  # fmt: skip


def test_a_file_rewritten_within_the_same_second_is_noticed(sshd: Sshd) -> None:
    """SFTP tells whole seconds: size and time of the second file are those of the first."""
    now = int(time.time())
    put(sshd, "a.csv", "n\n1\n", (now, now))
    _, state = values(sshd, csv())
    put(sshd, "a.csv", "n\n2\n", (now, now))
    assert values(sshd, csv(), state)[0] == ["2"]


def test_a_large_file_is_fetched_in_blocks_and_comes_whole(sshd: Sshd) -> None:
    rows = 200_000
    put(sshd, "a.csv", "n,m\n" + "".join(f"{number},{'x' * 20}\n" for number in range(rows)))
    slices = pull("files", sshd.url(), csv(), size=50_000)
    assert [record["n"] for record in records(slices)] == [str(number) for number in range(rows)]


def test_names_of_any_bytes_are_read_put_away_and_shown_in_one_line(sshd: Sshd) -> None:
    for name in (
        "办件.csv".encode("gb18030"),
        b"two\nlines.csv",
        b"back\\slash.csv",
        "名 %.csv".encode(),
        b"-rf *.csv",
    ):
        (sshd.drop / os.fsdecode(name)).write_text("n\n1\n")
    one = csv(afterwards="move")
    slices = pull("files", sshd.url(), one)
    assert {piece.unit.name for piece in slices if piece.unit} == {
        "\\xb0\\xec\\xbc\\xfe.csv", "two\\x0alines.csv", "back\\\\slash.csv", "名 %.csv", "-rf *.csv",
    }  # fmt: skip
    opened("files", sshd.url(), one).tidy(one, slices[-1].state)  # type: ignore[attr-defined]  # Tidies
    assert len(list((sshd.drop / "done").iterdir())) == 5
    assert not [path for path in sshd.drop.iterdir() if path.is_file()]


def test_links_inside_are_files_and_links_outside_are_refused(sshd: Sshd) -> None:
    secret = put(sshd, "../secret.csv", "n\nsecret\n")
    put(sshd, "old/x.csv", "n\n1\n")
    (sshd.drop / "a.csv").symlink_to("old/x.csv")
    (sshd.drop / "gone.csv").symlink_to("nothing")
    assert values(sshd, csv())[0] == ["1"]
    (sshd.drop / "b.csv").symlink_to(secret)
    (sshd.drop / "sub").symlink_to(secret.parent)
    for one, unit in ((csv("b.csv"), "b.csv"), (csv("sub/*.csv"), "sub/secret.csv")):
        connector: Any = opened("files", sshd.url(), one)
        with pytest.raises(HostileInput, match="leads out of the folder") as caught:
            list(connector.read(one, {}, slice_size=10, full=False))
        assert caught.value.unit == unit
        assert b"".join(connector.raw(one, unit)) == b"", "not a byte of it is archived"
        assert values(sshd, one, connector.skip(one, {}, unit))[0] == []


def test_what_is_no_plain_file_is_refused_without_waiting(sshd: Sshd) -> None:
    os.mkfifo(sshd.drop / "a.csv")
    with pytest.raises(HostileInput, match="no plain file"):
        values(sshd, csv())


def test_a_file_beyond_the_limit_is_not_even_fetched(sshd: Sshd) -> None:
    file = put(sshd, "a.csv")
    os.truncate(file, 1 << 40)
    with pytest.raises(HostileInput, match="the file has 1,099,511,627,776 bytes"):
        values(sshd, csv())


def test_a_refused_file_is_skipped_until_it_changes(sshd: Sshd) -> None:
    put(sshd, "a.csv", b"n\n\xff\n")
    put(sshd, "b.csv", "n\n2\n")
    one = csv(afterwards="move", refused_into="bad")
    connector: Any = opened("files", sshd.url(), one)
    with pytest.raises(WrongEncoding):
        list(connector.read(one, {}, slice_size=10, full=False))
    assert b"".join(connector.raw(one, "a.csv")) == b"n\n\xff\n"
    found, state = values(sshd, one, connector.skip(one, {}, "a.csv"))
    assert found == ["2"]
    connector.tidy(one, state)
    assert names(sshd) == ["bad/a.csv", "done/b.csv"]


def test_a_file_that_grows_while_it_is_fetched_waits(sshd: Sshd) -> None:
    file = put(sshd, "a.csv", "n\n" + "1\n" * 5_000_000, None)
    stop = threading.Event()

    def grow() -> None:
        with file.open("a") as more:
            while not stop.wait(0.005):
                more.write("2\n")
                more.flush()

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(RetrySource, match="written to while it was fetched"):
            values(sshd, csv())
    finally:
        stop.set()
        writer.join()


def test_a_file_may_have_to_settle_first(sshd: Sshd) -> None:
    put(sshd, "a.csv", times=None)
    put(sshd, "b.csv", "n\n2\n")
    assert values(sshd, csv(settle=60))[0] == ["2"]


# --- who answers, and who we are


@pytest.mark.parametrize("form", ["fingerprint", "typed fingerprint", "key", "one of two", "known_hosts"])
def test_a_known_key_is_accepted_in_each_form(sshd: Sshd, tmp_path: Path, form: str) -> None:
    put(sshd, "a.csv")
    hosts = tmp_path / "known_hosts"
    hosts.write_text(f"# ours\n[127.0.0.1]:{sshd.port} {sshd.public.replace(':', ' ')}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(hosts)], check=True, capture_output=True, timeout=30)
    assert "127.0.0.1" not in hosts.read_text(), "the name is hashed"
    given = {
        "fingerprint": {"host_key": sshd.fingerprint},
        "typed fingerprint": {"host_key": f"ssh-ed25519:{sshd.fingerprint}"},
        "key": {"host_key": sshd.public},
        "one of two": {"host_key": f"SHA256:{'A' * 43}&host_key={sshd.public}"},
        "known_hosts": {"host_key": "", "known_hosts": str(hosts)},
    }[form]
    url = sshd.url(**given).replace("%26", "&")
    assert len(records(pull("files", url, csv()))) == 1


def test_an_unknown_key_stops_and_shows_it(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text(f"elsewhere {sshd.public.replace(':', ' ')}\n")
    for given in ({"host_key": ""}, {"host_key": "", "known_hosts": str(tmp_path / "known_hosts")}):
        with pytest.raises(StopSource, match=r"is unknown \(known: none\)") as caught:
            values(sshd, csv(), **given)
        assert sshd.fingerprint in str(caught.value)
    assert (tmp_path / "known_hosts").read_text().count("\n") == 1, "nothing is added"


def test_a_changed_key_stops_and_shows_both(sshd: Sshd, tmp_path: Path) -> None:
    other = "SHA256:" + "B" * 43
    with pytest.raises(StopSource, match="another than the known one") as caught:
        values(sshd, csv(), host_key=other)
    assert sshd.fingerprint in str(caught.value)
    assert other in str(caught.value)


def test_a_revoked_key_is_never_accepted(sshd: Sshd, tmp_path: Path) -> None:
    line = f"[127.0.0.1]:{sshd.port} {sshd.public.replace(':', ' ')}\n"
    (tmp_path / "known_hosts").write_text(line + "@revoked " + line)
    with pytest.raises(StopSource, match="is marked as revoked"):
        values(sshd, csv(), host_key="", known_hosts=str(tmp_path / "known_hosts"))


def test_a_wrong_key_of_ours_is_told_as_such(sshd: Sshd, tmp_path: Path) -> None:
    keygen(tmp_path / "other_key")
    with pytest.raises(WrongCredentials, match="refuses our name, password or key"):
        values(sshd, csv(), key_file=str(tmp_path / "other_key"))
    url = sshd.url(key_file="").replace("@127", ":not%20it@127")
    with pytest.raises(WrongCredentials, match=r"way to log in \(known: publickey\)") as caught:
        pull("files", url, csv())
    assert "not it" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


def test_a_locked_key_is_opened_by_the_password(sshd: Sshd, tmp_path: Path) -> None:
    put(sshd, "a.csv")
    locked = tmp_path / "locked"
    locked.write_bytes((sshd.home / "user_key").read_bytes())
    locked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "geheim 1", "-f", str(locked)], check=True, timeout=30)
    good = sshd.url(key_file=str(locked)).replace("@127", ":geheim%201@127")
    assert len(records(pull("files", good, csv()))) == 1
    for url in (good.replace("geheim%201", "wrong"), sshd.url(key_file=str(locked))):
        with pytest.raises(WrongCredentials, match="cannot be read"):
            pull("files", url, csv())


def test_a_key_that_others_may_read_is_not_used(sshd: Sshd, tmp_path: Path) -> None:
    keygen(tmp_path / "open_key")
    (tmp_path / "open_key").chmod(0o644)
    with pytest.raises(StopSource, match="chmod 600"):
        values(sshd, csv(), key_file=str(tmp_path / "open_key"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sftp://host/x", "names no user"),
        ("sftp://me@host/x", "neither a password nor `key_file`"),
        ("sftp:///x", "names no host"),
        ("sftp://me:pw@host/x?hostkey=1", "unknown parameter .known: host_key"),
        ("sftp://me:pw@host/x?host_key=nothing", "a host key is `TYPE:BASE64`"),
        ("sftp://me:pw@host/x?host_key=SHA256:abc", "43 signs"),
        ("sftp://me:pw@host/x?host_key=ssh-rsa:AAAAC3Nza", "a host key is `TYPE:BASE64`"),
        ("sftp://me:pw@host/x?known_hosts=/gone", "known_hosts file cannot be read"),
        ("sftp://me:pw@host/x?key_file=/gone", "names no file"),
        ("sftp://me:pw@host/x?timeout=-1", "`timeout` is no number"),
        ("sftp://me:pw@host:99999/x", "it is no URL"),
    ],
)
def test_faults_of_the_address_are_named_without_their_values(url: str, words: str) -> None:
    with pytest.raises(StopSource, match=words) as caught:
        address_of(url, "probe")
    assert "pw" not in str(caught.value).replace("password", "")


def test_nothing_answers(sshd: Sshd) -> None:
    url = sshd.url().replace(f":{sshd.port}/", f":{free_port()}/")
    with pytest.raises(SourceUnreachable, match=r"no SFTP server answers \(ConnectionRefusedError\)"):
        pull("files", url, csv())


def test_folders_and_files_that_are_not_there(sshd: Sshd) -> None:
    put(sshd, "other.csv")
    with pytest.raises(SourceUnreachable, match="the connection's folder is not there"):
        pull("files", sshd.url("/gone"), csv())
    with pytest.raises(SourceUnreachable):
        pull("files", sshd.url(str(sshd.drop / "other.csv")), csv())
    with pytest.raises(StreamMissing, match=r"'day\.csv' \(known: other\.csv\)"):
        values(sshd, csv("day.csv"))
    assert values(sshd, csv("gone/*.csv"))[0] == [], "a pattern may find nothing yet"


def test_the_folder_may_be_named_from_the_home_on(sshd: Sshd) -> None:
    put(sshd, "a.csv")
    relative = os.path.relpath(sshd.drop, Path.home())
    assert len(records(pull("files", sshd.url(f"/~/{relative}"), csv()))) == 1


def test_check_says_which_key_was_verified_and_how_many_files_there_are(sshd: Sshd) -> None:
    put(sshd, "a1.csv", "n,m\n1,2\n")
    put(sshd, "a2.csv", "n,m\n1,2\n")
    put(sshd, "deep/left.txt", "x")
    connector = opened("files", sshd.url(), csv("a*.csv"), stream("t", path="t.csv", format="csv"))
    first, second, third = connector.check().items
    assert (first.ok, first.message) == (
        True, f"the folder is there; host key ssh-ed25519 {sshd.fingerprint} as declared in the connection",
    )  # fmt: skip
    assert (second.ok, second.message) == (True, "2 files; a2.csv has 2 fields")
    assert (third.ok, third.message) == (False, "there is no file 't.csv'")


def test_discover_lists_the_files(sshd: Sshd) -> None:
    put(sshd, "a1.csv", "n,m\n1,2\n")
    put(sshd, "deep/left.txt", "x")
    listed = {one.name: [field.name for field in one.fields] for one in opened("files", sshd.url(), csv()).discover()}
    assert listed == {"s": ["n", "m"], "deep/left.txt": []}


def test_a_failed_check_is_an_item_of_the_report(sshd: Sshd) -> None:
    report = opened("files", sshd.url(host_key=""), csv()).check()
    assert not report.ok
    assert sshd.fingerprint in report.items[0].message


def test_known_hosts_speak_about_their_host_only(tmp_path: Path) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2LBCLdkKFJu2PTZbiCQIIbJAmOTVpSHVpSS4xZQhdW"
    (tmp_path / "known").write_text(
        f"\nbroken line\none,two {key} comment\n[two]:2222 {key}\n@cert-authority three {key}\n"
    )
    known = {
        (host, port): len(from_known_hosts(tmp_path / "known", host, port).known)
        for host in ("one", "two", "three") for port in (22, 2222)
    }  # fmt: skip
    assert known == {("one", 22): 1, ("one", 2222): 0, ("two", 22): 1, ("two", 2222): 1, ("three", 22): 0,
                     ("three", 2222): 0}  # fmt: skip
    assert declared([key.replace(" ", ":")]).accept(
        "ssh-ed25519", from_known_hosts(tmp_path / "known", "one", 22).known[0][1]
    )


# --- the whole way


class Feed:
    """A department that drops its case rows as JSON lines on the server."""

    def __init__(self, sshd: Sshd, sources: Path, runtime: Runtime) -> None:
        self.sshd, self.runtime = sshd, runtime
        self.department = Department(sources)
        self.department.declare(
            kind="files",
            streams=["PRE_APASINFO"],
            each={
                "cursor": None,
                "options": {"path": "*.jsonl", "format": "jsonl", "afterwards": "move", "refused_into": "bad"},
            },
        )

    def put(self, name: str, *numbers: str) -> None:
        fields = self.department.fields("PRE_APASINFO")
        rows = [{**dict.fromkeys(fields), **GOOD["PRE_APASINFO"], "PROJID": number} for number in numbers]
        put(self.sshd, name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    def source(self) -> Source:
        return load_sources([self.department.folder.parent])[0]

    def pull(self) -> dict[str, Any]:
        report = exchange(self.source(), runtime=self.runtime, connections=lambda _: self.sshd.url())
        assert report.balanced
        (counts,) = report.as_dict()["streams"]
        return dict(counts)


@pytest.fixture
def feed(sshd: Sshd, tmp_path: Path, runtime: Runtime) -> Feed:
    return Feed(sshd, tmp_path / "sources", runtime)


def test_dropped_files_are_loaded_then_moved_and_never_read_twice(feed: Feed) -> None:
    feed.put("1.jsonl", "A1", "A2")
    feed.put("2.jsonl", "A3")
    put(feed.sshd, "3.jsonl", '{"a": ')
    first = feed.pull()
    assert (first["read"], first["new"], first["refused_units"]) == (3, 3, ["3.jsonl"])
    assert names(feed.sshd) == ["bad/3.jsonl", "done/1.jsonl", "done/2.jsonl"]
    second = feed.pull()
    assert (second["read"], second["refused_units"]) == (0, [])
    feed.put("1.jsonl", "A1", "A4")
    third = feed.pull()
    assert (third["read"], third["new"], third["unchanged"]) == (2, 1, 1)
    assert len([name for name in names(feed.sshd) if name.startswith("done/1.jsonl")]) == 2


def test_a_dry_run_leaves_the_server_as_it_is(feed: Feed) -> None:
    feed.put("1.jsonl", "A1")
    exchange(feed.source(), runtime=feed.runtime, connections=lambda _: feed.sshd.url(), dry_run=True)
    assert names(feed.sshd) == ["1.jsonl"]


def test_a_pull_that_is_killed_before_it_tidies_repeats_nothing(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.put("1.jsonl", "A1")
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.pulls.exchange._tidy", lambda *_: None)
        assert feed.pull()["new"] == 1
    assert names(feed.sshd) == ["1.jsonl"], "committed, and the process was gone"
    feed.put("2.jsonl", "A2")
    second = feed.pull()
    assert (second["read"], second["new"]) == (1, 1)
    assert names(feed.sshd) == ["done/1.jsonl", "done/2.jsonl"]
