"""Where files lie, and what becomes of them once they are committed: in local folders and in a place of fsspec's."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.judging import judge
from connectors.kinds.files.locations.place import fits, real, shown
from connectors.kinds.files.options import option_faults, shared_faults
from connectors.seam import Tidies
from connectors.source import StreamSpec
from connectors.yamlmarks import read_marked
from hub.errors import HostileInput, RetrySource, SourceUnreachable, StopSource, StreamMissing, WrongEncoding
from hub.records import Record
from tests.connectors.parts import opened, pull, records, stream

OLD = 1_700_000_000


class Drop(Protocol):
    """A place that a test writes files to, as a department would."""

    url: str

    def put(self, name: str, text: str | bytes = "n\n1\n") -> None: ...

    def names(self) -> list[str]: ...

    def read(self, name: str) -> str: ...

    def remove(self, name: str) -> None: ...


@dataclass
class LocalDrop:
    root: Path

    @property
    def url(self) -> str:
        return str(self.root)

    def put(self, name: str, text: str | bytes = "n\n1\n") -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def names(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def remove(self, name: str) -> None:
        (self.root / name).unlink()


class MemoryDrop:
    def __init__(self) -> None:
        self.files = fsspec.filesystem("memory")
        self.root = f"/drop-{uuid.uuid4().hex}"
        self.url = f"memory:/{self.root}"
        self.files.makedirs(self.root)

    def put(self, name: str, text: str | bytes = "n\n1\n") -> None:
        path = PurePosixPath(self.root) / name
        self.files.makedirs(str(path.parent), exist_ok=True)
        self.files.pipe_file(str(path), text if isinstance(text, bytes) else text.encode())

    def names(self) -> list[str]:
        return sorted(str(PurePosixPath(name).relative_to(self.root)) for name in self.files.find(self.root))

    def read(self, name: str) -> str:
        return bytes(self.files.cat_file(f"{self.root}/{name}")).decode()

    def remove(self, name: str) -> None:
        self.files.rm_file(f"{self.root}/{name}")


@pytest.fixture(params=["local", "memory"])
def drop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Drop]:
    """Each sort of place in turn."""
    if request.param == "local":
        (tmp_path / "drop").mkdir()
        yield LocalDrop(tmp_path / "drop")
        return
    memory = MemoryDrop()
    yield memory
    memory.files.rm(memory.root, recursive=True)


@pytest.fixture
def memory() -> Iterator[MemoryDrop]:
    made = MemoryDrop()
    yield made
    if made.files.exists(made.root):
        made.files.rm(made.root, recursive=True)


def csv(path: str = "*.csv", **options: Any) -> StreamSpec:
    return stream("s", path=path, format="csv", **options)


def tidy(url: str, one: StreamSpec, state: Record) -> None:
    connector = opened("files", url, one)
    assert isinstance(connector, Tidies)
    connector.tidy(one, state)


def values(url: str, one: StreamSpec, state: Record | None = None) -> tuple[list[Any], Record]:
    """Pull, and return the values of field n and the state afterwards."""
    slices = pull("files", url, one, state)
    return [record["n"] for record in records(slices)], slices[-1].state


# --- names


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30) | st.binary(min_size=1, max_size=30).map(
    lambda name: name.decode("utf-8", "surrogateescape")
)


@given(NAMES, NAMES)
def test_every_name_is_written_as_plain_text_and_found_again(one: str, other: str) -> None:
    assert real(shown(one)) == one
    assert (shown(one) == shown(other)) == (one == other)
    assert shown(one).encode("utf-8")
    assert shown(one).isprintable() or not any(sign < " " or sign in "\x7f\x85\u2028\u2029" for sign in shown(one))


PARTS = st.lists(st.sampled_from(["a", "b.csv", "2026"]), min_size=1, max_size=4)
GLOBS = st.lists(st.sampled_from(["a", "*", "**", "*.csv", "20[0-9]*"]), max_size=3).map(lambda steps: [*steps, "*"])


@given(GLOBS, PARTS)
def test_a_glob_fits_what_the_folder_finds_by_it(glob: list[str], parts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, *parts)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        found = file in {path for path in Path(folder).glob("/".join(glob)) if path.is_file()}
        assert fits("/".join(glob), "/".join(parts)) == found


def test_names_of_another_encoding_and_with_line_ends_are_read(tmp_path: Path) -> None:
    for name in ("办件.csv".encode("gb18030"), b"two\nlines.csv", b"back\\slash.csv", "名.csv".encode()):
        (tmp_path / os.fsdecode(name)).write_text("n\n1\n")
    slices = pull("files", str(tmp_path), csv())
    units = {piece.unit.name for piece in slices if piece.unit}
    assert units == {"\\xb0\\xec\\xbc\\xfe.csv", "two\\x0alines.csv", "back\\\\slash.csv", "名.csv"}
    assert pull("files", str(tmp_path), csv(), slices[-1].state)[0].read == 0


# --- a place of fsspec's


def test_a_place_of_fsspecs_is_read_as_a_folder_is(memory: MemoryDrop) -> None:
    for number in (10, 2, 1):
        memory.put(f"in/part{number}.csv", f"n\n{number}\n")
    memory.put("in/left.csv.part")
    memory.put("in/deep/other.csv", "n\n99\n")
    found, state = values(memory.url, csv("in/*.csv"))
    assert found == ["1", "2", "10"]
    assert values(memory.url, csv("in/*.csv"), state)[0] == []
    assert values(memory.url, csv("**/*.csv"))[0] == ["99", "1", "2", "10"]
    assert values(memory.url, csv("in/part2.csv"))[0] == ["2"]


def test_new_changed_and_resent_are_told_apart_there_too(memory: MemoryDrop) -> None:
    memory.put("a.csv", "n\n1\n")
    memory.put("b.csv", "n\n2\n")
    _, state = values(memory.url, csv())
    memory.put("a.csv", "n\n3\n")
    memory.put("c.csv", "n\n2\n")
    memory.put("b.csv", "n\n2\n")
    slices = pull("files", memory.url, csv(), state)
    assert [piece.unit.name for piece in slices if piece.unit] == ["a.csv", "c.csv"], "b has the same bytes"
    assert {name: entry["is"] for name, entry in slices[-1].state["files"].items()} == {
        "a.csv": "changed", "b.csv": "new", "c.csv": "resent",
    }  # fmt: skip


def test_a_file_known_by_size_and_time_is_not_fetched_again(
    memory: MemoryDrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.put("a.csv")
    _, state = values(memory.url, csv())
    assert state["files"]["a.csv"]["mtime"] == "", "it was just written: the next pull looks once more"
    monkeypatch.setattr("connectors.kinds.files.folder._YOUNG", 0.0)
    _, state = values(memory.url, csv(), state)
    assert state["files"]["a.csv"]["mtime"] != ""
    monkeypatch.setattr("connectors.kinds.files.locations.fetched.FetchingPlace.hold", None)
    assert values(memory.url, csv(), state)[0] == []


def test_a_pull_that_broke_off_goes_on_inside_a_fetched_file(memory: MemoryDrop) -> None:
    memory.put("a.csv", "n\n" + "".join(f"{number}\n" for number in range(10)))
    one = csv()
    running = opened("files", memory.url, one).read(one, {}, slice_size=4, full=False)
    first = next(running)
    running.close()
    rest = pull("files", memory.url, one, first.state, size=4)
    assert [record["n"] for record in records([first, *rest])] == [str(number) for number in range(10)]


def test_a_refused_file_is_skipped_there_too(memory: MemoryDrop) -> None:
    memory.put("a.csv", b"n\n\xff\n")
    memory.put("b.csv", "n\n2\n")
    one = csv()
    connector: Any = opened("files", memory.url, one)
    with pytest.raises(WrongEncoding):
        list(connector.read(one, {}, slice_size=10, full=False))
    assert b"".join(connector.raw(one, "a.csv")) == b"n\n\xff\n"
    assert values(memory.url, one, connector.skip(one, {}, "a.csv"))[0] == ["2"]


def test_check_and_discover_tell_what_lies_there(memory: MemoryDrop) -> None:
    memory.put("a1.csv", "n,m\n1,2\n")
    memory.put("deep/left.txt", "x")
    connector = opened("files", memory.url, csv("a*.csv"))
    report = connector.check()
    assert [item.message for item in report.items] == ["the folder is there", "1 files; a1.csv has 2 fields"]
    assert [one.name for one in connector.discover()] == ["s", "deep/left.txt"]


def test_places_that_are_not_there_or_not_entered(memory: MemoryDrop) -> None:
    with pytest.raises(SourceUnreachable, match="the connection's folder is not there"):
        pull("files", memory.url + "/gone", csv())
    memory.put("other.csv")
    with pytest.raises(StreamMissing, match=r"'day\.csv' \(known: other\.csv\)"):
        pull("files", memory.url, csv("day.csv"))
    for url in ("ftp://host/x", "ssh://host/x", "zip::memory://x", "nothing://x", "local:///etc"):
        with pytest.raises(StopSource, match="names no folder"):
            pull("files", url, csv())


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)  # where an earlier test used it
    with pytest.raises(StopSource, match=r"s3:// needs the Python package 's3fs'\. Install .* pip install s3fs"):
        pull("files", "s3://bucket/folder?key=K&secret=SECRET", csv())


def test_storage_options_come_from_the_query_and_no_secret_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: dict[str, Any] = {}

    class Store(fsspec.implementations.memory.MemoryFileSystem):  # type: ignore[misc,name-defined]  # without types
        protocol = "store"

        def __init__(self, **options: Any) -> None:
            taken.update(options)
            super().__init__()

        def isdir(self, path: str) -> bool:
            raise RuntimeError(f"no entry for {taken['secret']}")

    monkeypatch.setitem(sys.modules["fsspec.registry"]._registry, "store", Store)
    with pytest.raises(RetrySource, match=r"cannot be read \(RuntimeError\)") as caught:
        pull("files", 'store://x?secret=a%2Bb+c&client={"region": "cn-1"}&anon=false', csv())
    assert (taken["secret"], taken["client"], taken["anon"]) == ("a+b+c", {"region": "cn-1"}, False)
    assert "a+b" not in str(caught.value)


def test_an_object_stores_client_gives_up_shortly_unless_it_is_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Store(fsspec.implementations.memory.MemoryFileSystem):  # type: ignore[misc,name-defined]  # without types
        protocol, retries = "s3", 5

        def __init__(self, **options: Any) -> None:
            self.told = options
            made.append(self)
            super().__init__()

        def isdir(self, path: str) -> bool:
            return False

    monkeypatch.setitem(sys.modules["fsspec.registry"]._registry, "s3", Store)
    monkeypatch.setitem(fsspec.config.conf, "s3", {"config_kwargs": {"connect_timeout": 3}})
    ours = {"retries": {"max_attempts": 1}, "connect_timeout": 3, "read_timeout": 60}
    asked = {"": ours, '?config_kwargs={"read_timeout": 5}': {**ours, "connect_timeout": 10, "read_timeout": 5}}
    for more, told in asked.items():
        with pytest.raises(SourceUnreachable):
            pull("files", f"s3://bucket{more}", csv())
        assert (made[-1].told["config_kwargs"], made[-1].retries) == (told, 2)


def test_nothing_of_a_fetched_file_stays_behind(
    memory: MemoryDrop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy has no name: not even while it is read, and not if the process is killed then."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    memory.put("a.csv", "n\n" + "1\n" * 10)
    one = csv()
    running = opened("files", memory.url, one).read(one, {}, slice_size=2, full=False)
    next(running)
    assert list(tmp_path.iterdir()) == []
    running.close()
    memory.put("b.csv", b"n\n\xff\n")
    with pytest.raises(WrongEncoding):
        pull("files", memory.url, csv("b.csv"))
    assert list(tmp_path.iterdir()) == []


# --- whole files only


def test_a_file_waits_for_the_sign_that_it_is_whole(drop: Drop) -> None:
    drop.put("a.csv", "n\n1\n")
    drop.put("b.csv", "n\n2\n")
    drop.put("b.csv.ok", "")
    one = csv("*", done=".ok")
    found, state = values(drop.url, one)
    assert found == ["2"], "and the sign itself is no file to read"
    drop.put("a.csv.ok", "")
    assert values(drop.url, one, state)[0] == ["1"]


def test_settle_counts_from_the_last_change(drop: Drop) -> None:
    drop.put("a.csv")
    assert values(drop.url, csv(settle=60))[0] == []
    assert values(drop.url, csv(settle=0))[0] == ["1"]


# --- putting away


@pytest.mark.parametrize("into", [None, "archive/2026"])
def test_what_is_committed_is_moved_and_not_read_again(drop: Drop, into: str | None) -> None:
    drop.put("in/a.csv", "n\n1\n")
    one = csv("**/*.csv", afterwards="move", **({"into": into} if into else {}))
    found, state = values(drop.url, one)
    assert (found, drop.names()) == (["1"], ["in/a.csv"]), "reading alone puts nothing away"
    tidy(drop.url, one, state)
    assert drop.names() == [f"{into or 'done'}/in/a.csv"]
    found, state = values(drop.url, one, state)
    assert (found, state) == ([], {"files": {}}), "entries of files that are gone leave the state"
    tidy(drop.url, one, state)


def test_a_kill_between_commit_and_tidy_loses_and_repeats_nothing(drop: Drop) -> None:
    """The process dies after the commit: the next pull puts the file away first, and reads nothing twice."""
    drop.put("a.csv", "n\n1\n")
    drop.put("b.csv", "n\n2\n")
    one = csv(afterwards="move", done=".ok")
    drop.put("a.csv.ok", "")
    _, committed = values(drop.url, one)
    drop.put("b.csv.ok", "")
    tidy(drop.url, one, committed)
    assert drop.names() == ["b.csv", "b.csv.ok", "done/a.csv"]
    found, state = values(drop.url, one, committed)
    assert (found, list(state["files"])) == (["2"], ["b.csv"])


def test_a_kill_between_the_sign_and_the_file_is_mended(drop: Drop) -> None:
    drop.put("a.csv")
    drop.put("a.csv.ok", "")
    one = csv(afterwards="move", done=".ok")
    _, committed = values(drop.url, one)
    drop.remove("a.csv.ok")
    tidy(drop.url, one, committed)
    assert drop.names() == ["done/a.csv"]


@pytest.mark.parametrize("way", ["move", "mark", "delete"])
def test_a_file_that_changed_since_stays_and_is_read(drop: Drop, way: str) -> None:
    drop.put("a.csv", "n\n1\n")
    one = csv(afterwards=way)
    _, state = values(drop.url, one)
    drop.put("a.csv", "n\n2\n")
    drop.put("new.csv", "n\n3\n")
    tidy(drop.url, one, state)
    assert drop.names() == ["a.csv", "new.csv"]
    assert values(drop.url, one, state)[0] == ["2", "3"]


def test_marks_stand_beside_what_was_taken_only(drop: Drop) -> None:
    drop.put("a.csv", "n\n1\n")
    one = csv("*", afterwards="mark")
    _, state = values(drop.url, one)
    tidy(drop.url, one, state)
    tidy(drop.url, one, state)
    assert drop.names() == ["a.csv", "a.csv.taken"]
    found, state = values(drop.url, one, state)
    assert found == [], "neither the file nor its mark"
    drop.put("a.csv", "n\n22\n")
    tidy(drop.url, one, state)
    assert drop.names() == ["a.csv"], "or its department would take away what was not read"
    found, state = values(drop.url, one, state)
    tidy(drop.url, one, state)
    assert (found, drop.names()) == (["22"], ["a.csv", "a.csv.taken"])


def test_delete_takes_the_sign_along(drop: Drop) -> None:
    drop.put("a.csv")
    drop.put("a.csv.done", "")
    drop.put("b.txt", "x")
    one = csv(afterwards="delete", done=".done")
    _, state = values(drop.url, one)
    tidy(drop.url, one, state)
    assert drop.names() == ["b.txt"]


def test_files_of_one_name_never_overwrite_each_other(drop: Drop) -> None:
    one = csv("day.csv", afterwards="move")
    state: Record = {}
    for number in range(4):
        drop.put("day.csv", f"n\n{number}\n")
        found, state = values(drop.url, one, state)
        assert found == [str(number)]
        tidy(drop.url, one, state)
    moved = drop.names()
    assert (len(moved), moved[0]) == (4, "done/day.csv")
    assert sorted(drop.read(name) for name in moved) == [f"n\n{number}\n" for number in range(4)]
    assert values(drop.url, one, state)[0] == [], "a name that was put away is not missed"


@pytest.mark.parametrize(("options", "lies"), [({}, "a.csv"), ({"refused_into": "bad"}, "bad/a.csv")])
@pytest.mark.parametrize("way", ["leave", "move", "mark", "delete"])
def test_refused_files_stay_or_are_set_aside(drop: Drop, way: str, options: dict[str, Any], lies: str) -> None:
    drop.put("a.csv", b"n\n\xff\n")
    one = csv("**/*.csv", afterwards=way, **options)
    state = opened("files", drop.url, one).skip(one, {}, "a.csv")  # type: ignore[attr-defined]  # KeepsUnits
    tidy(drop.url, one, state)
    assert drop.names() == [lies]
    assert values(drop.url, one, state)[0] == []


def test_a_file_that_two_streams_read_waits_for_both(drop: Drop) -> None:
    drop.put("a.csv")
    first, second = (stream(name, path="*.csv", format="csv", afterwards="delete") for name in ("one", "two"))
    connector: Any = opened("files", drop.url, first, second)
    states: dict[str, Record] = {"one": {}, "two": {}}
    for one in (first, second):
        connector.tidy(one, states[one.name])
        assert drop.names() == ["a.csv"]
        states[one.name] = list(connector.read(one, states[one.name], slice_size=10, full=False))[-1].state
        connector.tidy(one, states[one.name])
    assert drop.names() == []


def test_a_file_that_came_between_two_streams_waits_for_the_first(drop: Drop) -> None:
    first, second = (stream(name, path="*.csv", format="csv", afterwards="delete") for name in ("one", "two"))
    connector: Any = opened("files", drop.url, first, second)
    connector.tidy(first, list(connector.read(first, {}, slice_size=10, full=False))[-1].state)
    drop.put("late.csv")
    connector.tidy(second, list(connector.read(second, {}, slice_size=10, full=False))[-1].state)
    assert drop.names() == ["late.csv"], "or the first stream would never see it"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_streams_whose_globs_overlap_wait_for_each_other_in_any_order(drop: Drop, order: tuple[int, int]) -> None:
    """One moves its files and the other, which reads them too, says nothing; and it never reads what was moved."""
    drop.put("a.csv", "n\n1\n")
    drop.put("b.csv", "n\n2\n")
    pair = (
        stream("some", path="a*.csv", format="csv", afterwards="move"),
        stream("all", path="**/*.csv", format="csv"),
    )
    streams = [pair[place] for place in order]
    states: dict[str, Record] = {"some": {}, "all": {}}
    counts = []
    for _ in range(2):
        connector: Any = opened("files", drop.url, *streams)
        for one in streams:
            connector.tidy(one, states[one.name])
            slices = list(connector.read(one, states[one.name], slice_size=10, full=False))
            states[one.name] = slices[-1].state
            connector.tidy(one, states[one.name])
            counts.append(len(records(slices)))
    assert sorted(counts) == [0, 0, 1, 2]
    assert drop.names() == ["b.csv", "done/a.csv"]


def test_leave_is_the_default_and_looks_at_nothing(drop: Drop) -> None:
    drop.put("a.csv")
    _, state = values(drop.url, csv())
    tidy(drop.url + "-gone", csv(), state)
    assert drop.names() == ["a.csv"]


def test_a_folder_that_may_not_be_written_to_stops() -> None:
    """In a process of its own, which is no root while it tries: root may write everywhere."""
    program = (
        "import os, sys; from tests.connectors.test_locations import csv, values, tidy\n"
        "url = sys.argv[1]; one = csv(afterwards='move'); state = values(url, one)[1]\n"
        "os.geteuid() == 0 and os.seteuid(65534); tidy(url, one, state)"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.csv").write_text("n\n1\n")
        Path(folder).chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", program, folder], cwd=Path(__file__).parents[2], capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        Path(folder).chmod(0o755)
    assert "StopSource" in done.stderr
    assert "set `afterwards: leave`" in done.stderr


def test_the_folder_for_moved_files_may_not_lead_out(tmp_path: Path) -> None:
    folder, outside = tmp_path / "in", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "a.csv").write_text("n\n1\n")
    (folder / "done").symlink_to(outside)
    one = csv(afterwards="move")
    _, state = values(str(folder), one)
    with pytest.raises(StopSource, match="leads out of the connection's folder"):
        tidy(str(folder), one, state)
    assert list(outside.iterdir()) == []


# --- declarations


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"into": "x"}, "is for `afterwards: move`"),
        ({"into": "a/../..", "afterwards": "move"}, "must stay below"),
        ({"into": "x", "refused_into": "x", "afterwards": "move"}, "must not lie among"),
        ({"stream_name": "x", "format": "csv"}, "is for the format singer"),
    ],
)
def test_options_that_do_not_fit_are_told(options: dict[str, Any], words: str) -> None:
    assert [message for _, message in option_faults(options) if words in message]


def test_streams_of_one_file_put_it_away_in_one_way() -> None:
    streams = {"a": {"options": {"path": "x"}}, "b": {"options": {"path": "x", "afterwards": "move"}}, "c": None}
    assert [list(shared_faults(name, streams, {"path": "y"})) for name in streams] == [
        [], ["reads the same files as 'a': afterwards, into, refused_into, done must be the same"], [],
    ]  # fmt: skip


def test_faults_stand_at_their_line(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    file = tmp_path / "s" / "source.yml"
    file.write_text(
        "version: 1\nkind: files\nstreams:\n  a:\n    options:\n      path: x\n      into: /etc\n      done: ok\n"
    )
    marked = read_marked(file)
    judge(marked, file.parent, instance=False)
    told = {(fault.line, fault.message.split(" (")[0]) for fault in marked.faults}
    assert (7, "option 'into' is for `afterwards: move`") in told
    assert any(line == 7 and "'/etc' is not of the form" in words for line, words in told)
    assert any(line == 8 and "'ok' is not of the form" in words for line, words in told)


def test_a_folder_with_too_many_files_names_no_unit(tmp_path: Path) -> None:
    """Else the pipeline would set that unit aside and look again for ever."""
    for number in range(3):
        (tmp_path / f"{number}.csv").touch()
    with pytest.raises(HostileInput, match="more than 2 files") as caught:
        pull("files", str(tmp_path), csv(limits={"files": 2}))
    assert caught.value.unit is None
