"""Files in an object store, over HTTP to a real server process: read whole, put away, and what goes wrong."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.seam import Tidies
from hub.errors import HostileInput, RetrySource, SourceTrouble, SourceUnreachable, StopSource
from kit.suite.tcpproxy import Cutter, piped
from tests.connectors import s3
from tests.connectors.parts import opened, pull, records
from tests.connectors.test_locations import csv, tidy

pytestmark = [
    # Sessions of the package's own background loop are closed by the collector, whenever that comes.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning",
                               "ignore::DeprecationWarning"),
]  # fmt: skip

SHORTLY = 8.0
"""Seconds on a busy machine."""


@pytest.fixture(scope="module")
def store() -> Iterator[s3.ObjectStore]:
    packages = s3.environment()
    sys.path.append(str(packages))
    try:
        with s3.running(packages) as made:
            yield made
    finally:
        sys.path.remove(str(packages))


class Bucket:
    """A department's bucket with a folder in it."""

    def __init__(self, store: s3.ObjectStore) -> None:
        self.store, self.name = store, f"drop-{uuid.uuid4().hex[:12]}"
        self.files = store.files()
        self.files.mkdir(self.name)
        self.put(".keep", b"")

    def url(self, **over: Any) -> str:
        return self.store.url(f"{self.name}/out", **over)

    def put(self, name: str, text: bytes = b"n\n1\n") -> None:
        self.files.pipe_file(f"{self.name}/out/{name}", text)

    def names(self) -> list[str]:
        self.files.invalidate_cache()
        found = self.files.find(f"{self.name}/out")
        return sorted(one.removeprefix(f"{self.name}/out/") for one in found if not one.endswith(".keep"))


@pytest.fixture
def bucket(store: s3.ObjectStore) -> Bucket:
    return Bucket(store)


def test_check_and_discover_tell_what_lies_there(bucket: Bucket) -> None:
    bucket.put("a1.csv", b"n,m\n1,2\n")
    bucket.put("deep/left.txt", b"x")
    connector = opened("files", bucket.url(), csv("a*.csv"))
    report = connector.check()
    assert report.ok
    assert [item.message for item in report.items] == ["the folder is there", "1 files; a1.csv has 2 fields"]
    assert [one.name for one in connector.discover()] == ["s", ".keep", "deep/left.txt"]


def test_objects_are_read_whole_and_only_once(bucket: Bucket) -> None:
    for number in range(3):
        bucket.put(f"a{number}.csv", b"n\n" + b"".join(b"%d\n" % (number * 1000 + one) for one in range(1000)))
    slices = pull("files", bucket.url(), csv("a*.csv"), size=700)
    assert [int(one["n"]) for one in records(slices)] == list(range(3000))
    state = slices[-1].state
    assert records(pull("files", bucket.url(), csv("a*.csv"), state)) == []
    bucket.put("a9.csv", b"n\n7\n")
    assert records(pull("files", bucket.url(), csv("a*.csv"), state)) == [{"n": "7"}]


def test_an_object_waits_for_its_sign(bucket: Bucket) -> None:
    one = csv("*.csv", done=".ok")
    bucket.put("a.csv")
    assert records(pull("files", bucket.url(), one)) == []
    bucket.put("a.csv.ok", b"")
    assert records(pull("files", bucket.url(), one)) == [{"n": "1"}]


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"afterwards": "move"}, ["done/a.csv"]),
        ({"afterwards": "mark"}, ["a.csv", "a.csv.taken"]),
        ({"afterwards": "delete"}, []),
        ({}, ["a.csv"]),
    ],
)
def test_what_was_committed_is_put_away_and_not_before(
    bucket: Bucket, options: dict[str, Any], left: list[str]
) -> None:
    bucket.put("a.csv")
    one = csv("*.csv", **options)
    slices = pull("files", bucket.url(), one)
    assert bucket.names() == ["a.csv"], "nothing is touched before the commit"
    if options:
        connector = opened("files", bucket.url(), one)
        assert isinstance(connector, Tidies)
        tidy(bucket.url(), one, slices[-1].state)
    assert bucket.names() == left
    assert records(pull("files", bucket.url(), one, slices[-1].state)) == []


def test_an_object_that_changed_after_it_was_read_stays_and_is_read(bucket: Bucket) -> None:
    bucket.put("a.csv")
    one = csv("*.csv", afterwards="move")
    state = pull("files", bucket.url(), one)[-1].state
    bucket.put("a.csv", b"n\n1\n2\n")
    tidy(bucket.url(), one, state)
    assert bucket.names() == ["a.csv"]
    assert records(pull("files", bucket.url(), one, state)) == [{"n": "1"}, {"n": "2"}]


@pytest.mark.parametrize(
    "wrong", [{"key": "AKIAIOSFODNN7EXAMPLE"}, {"secret": "wrong-secret-that-nobody-gave"}], ids=["key", "secret"]
)
def test_a_wrong_key_needs_a_person_and_is_told_without_it(bucket: Bucket, wrong: dict[str, str]) -> None:
    bucket.put("a.csv")
    with pytest.raises(StopSource) as caught:
        pull("files", bucket.url(**wrong), csv())
    told = str(caught.value)
    assert next(iter(wrong.values())) not in told
    assert bucket.store.secret not in told
    assert not opened("files", bucket.url(**wrong), csv()).check().ok


def test_a_bucket_that_is_not_there_needs_a_person(bucket: Bucket) -> None:
    with pytest.raises((SourceUnreachable, StopSource), match=r"not there|permission denied"):
        pull("files", bucket.store.url("no-such-bucket/out"), csv())
    with pytest.raises(SourceUnreachable, match="the connection's folder is not there"):
        pull("files", bucket.store.url(f"{bucket.name}/nothing"), csv())


def test_nobody_who_answers_is_told_shortly(bucket: Bucket) -> None:
    began = time.monotonic()
    with pytest.raises(SourceTrouble):
        pull("files", bucket.url(port=1), csv())
    assert time.monotonic() - began < SHORTLY


def test_a_transfer_that_is_cut_brings_nothing_and_the_next_pull_all(bucket: Bucket) -> None:
    big = b"n\n" + b"".join(b"%d\n" % one for one in range(60_000))
    bucket.put("a.csv", big)
    cutter = Cutter()
    with piped("127.0.0.1", bucket.store.port, cutter) as port:
        assert len(records(pull("files", bucket.url(port=port), csv(), size=20_000))) == 60_000
        cutter.after, began = cutter.said + len(big) // 2, time.monotonic()
        with pytest.raises(RetrySource) as caught:
            pull("files", bucket.url(port=port), csv(), size=20_000)
        assert time.monotonic() - began < SHORTLY, "the client tries again and again before anybody is told"
        assert bucket.store.secret not in str(caught.value)
    assert len(records(pull("files", bucket.url(), csv(), size=20_000))) == 60_000


def test_an_object_beyond_its_limit_is_refused_before_it_is_fetched(bucket: Bucket) -> None:
    bucket.put("a.csv", b"n\n" + b"1\n" * 100_000)
    with pytest.raises(HostileInput):
        pull("files", bucket.url(), csv(limits={"file_bytes": 1000}))
