"""What the archive keeps of a state leads back to it, and takes little room however many files a folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub import jsontext
from pipeline.afterwards.rebuild import rebuild
from pipeline.runtime import Runtime
from pipeline.writing.states import MOST_WHOLE, change, changed, kept, restored
from sharedrepo.telling import digest
from tests.complaints.test_signals import Dropping, rows
from tests.journeys.conftest import Hub

VALUES = st.none() | st.integers(-9, 9) | st.text(max_size=3) | st.lists(st.integers(0, 3), max_size=2)
INNER = st.dictionaries(
    st.text(max_size=2), VALUES | st.dictionaries(st.text(max_size=1), VALUES, max_size=2), max_size=4
)
STATES = st.dictionaries(st.sampled_from(["files", "part", "cursor", "tie"]), VALUES | INNER, max_size=4)


@given(STATES, STATES)
def test_a_change_makes_the_state_after_of_the_state_before(before: dict[str, Any], after: dict[str, Any]) -> None:
    said = jsontext.loads(jsontext.dumps(change(before, after)))
    assert changed(before, said) == after
    assert changed(after, said) == after, "made twice, it stays"


def folder(count: int) -> dict[str, Any]:
    return {"files": {f"m{number:05}.csv": {"fingerprint": "0" * 32, "size": 700} for number in range(count)}}


def test_the_state_of_a_large_folder_is_kept_as_what_was_added() -> None:
    before, after = folder(5000), folder(5001)
    header = kept(before, after)
    assert len(jsontext.dumps(header)) < 300
    assert restored(before, header) == after
    header = kept(folder(2), folder(3))
    assert (header, restored({}, header)) == ({"state_after": folder(3)}, folder(3)), "a small one tells by itself"


def test_a_folder_whose_states_are_kept_as_changes_is_rebuilt(hub: Hub, empty_runtime: Runtime, tmp_path: Path) -> None:
    dropping = Dropping(tmp_path / "dropping", tmp_path / "drop")
    hub = Hub(hub.runtime, dropping)
    names = dropping.fields("PRE_APASINFO")
    for number in range(30):
        dropping.write(f"m{number:03}.csv", rows(number), names)
    (dropping.drop / "m099.csv").write_bytes(b"\xff\xfe\x00 no text")
    hub.pull()
    (dropping.drop / "m003.csv").unlink()
    dropping.write("m004.csv", rows(4, 104), names)
    hub.pull()
    assert hub.one("SELECT octet_length(state::text) FROM ledger.stream") > MOST_WHOLE
    assert rebuild(empty_runtime).batches == 33, "one of them is a refused file"
    assert digest.digest(empty_runtime.engine) == digest.digest(hub.runtime.engine)
    state = "SELECT state FROM ledger.stream"
    assert Hub(empty_runtime, dropping).one(state) == hub.one(state)
