"""A batch of an exchange table that is left at its department: told once, in nobody's way, settled when it is taken."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.afterwards.rebuild import rebuild
from pipeline.runtime import Runtime
from sharedrepo.telling.digest import digest
from tests.journeys.conftest import Hub
from tests.pipeline.test_receipts import FrontEnd

REGISTER = {
    "column": "BATCHNO", "table": "ex_batch", "rows": "row_count",
    "checksum": {"column": "checksum", "algorithm": "sha256", "over": ["DATAVERSION"]},
}  # fmt: skip
RIGHT = hashlib.sha256(b"1").hexdigest()


@pytest.fixture
def front(tmp_path: Path) -> Iterator[FrontEnd]:
    file = tmp_path / "front.sqlite"
    file.touch()
    made = FrontEnd(tmp_path / "sources", f"sqlite:///{file}")
    made.declare(batches=REGISTER)
    made._run("CREATE TABLE ex_batch (batchno varchar(20), row_count integer, checksum varchar(64))")
    yield made
    made.close()


def declare(front: FrontEnd, batch: str, checksum: str) -> None:
    front._run("DELETE FROM ex_batch WHERE batchno = :batch", batch=batch)
    front._run("INSERT INTO ex_batch VALUES (:batch, 1, :checksum)", batch=batch, checksum=checksum)


def test_a_batch_with_a_wrong_checksum_is_told_once_and_settled_when_it_is_taken(
    runtime: Runtime, front: FrontEnd, empty_runtime: Runtime
) -> None:
    hub = Hub(runtime, front)  # type: ignore[arg-type]  # it has what the hub asks of a department
    front.put("PRE_APASINFO", PROJID="C1", BATCHNO="A")
    front.put("PRE_APASINFO", PROJID="C2", BATCHNO="B")
    front.put("PRE_NODE", UNID="N1", PROJID="C1", BATCHNO="C")
    for batch, checksum in (("A", RIGHT), ("B", "0" * 64), ("C", RIGHT)):
        declare(front, batch, checksum)

    for _ in range(3):
        done = hub.pull()
        assert done["PRE_APASINFO"]["refused_units"] == ["pre_apasinfo/B"]
        assert done["PRE_NODE"]["refused_units"] == [], "other streams are pulled"
    assert front.flags("PRE_APASINFO") == {"C1": "1", "C2": "0"}
    assert front.flags() == {"N1": "1"}
    assert hub.findings() == {("total_mismatch", "pre_apasinfo/B")}
    assert hub.one("SELECT count(*) FROM ledger.batch WHERE status = 'held'") == 1, "told once, not at every pull"

    declare(front, "B", RIGHT)
    assert hub.pull()["PRE_APASINFO"]["new"] == 1
    assert front.flags("PRE_APASINFO") == {"C1": "1", "C2": "1"}
    assert hub.findings() == set()
    assert hub.one("SELECT count(*) FROM ledger.batch WHERE status = 'held'") == 0
    rebuild(empty_runtime)
    assert digest(runtime.engine) == digest(empty_runtime.engine)
