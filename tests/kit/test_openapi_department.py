"""A department known by nothing but its published OpenAPI document, connected by the kit's verbs.

Prism answers as the document says, refuses what the document does not allow, and makes up any answer it does allow.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.errors import HubError, SourceTrouble, StopSource
from pipeline.runtime import Runtime
from sharedrepo.telling.ledger import check
from tests.kit.prism import installed, playing, raw_schema
from tests.kit.test_cli import run

MAPPING = """
version: 1
streams:
  bills:
    schema: bills.schema.json
    key: [billId]
    case: billId
    reported_at: lastUpdate
    yields:
      - table: approval_case
        columns:
          reporting_organ: {source: organ}
          handling_organ: {source: organ}
          region: {source: region}
          item_name: shortTitle
    ignore:
      billTypeId: "the register's own number of a sort of bill"
      billWithdrawn: "said again by the stage"
      currentHouse: "a chamber is no organ of ours"
      currentStage: "stages come by a stream of their own"
      includedSessionIds: "sessions are no part of a case"
      introducedSessionId: "as above"
      isAct: "follows from the last stage"
      isDefeated: "as above"
      originatingHouse: "a chamber is no organ of ours"
"""
OPTIONS = {
    "path": "api/v1/Bills", "records": "/items",
    "paging": {"style": "offset", "param": "Skip", "size_param": "Take", "size": 20, "stop": "short"},
}  # fmt: skip


@pytest.fixture(scope="module")
def parliament() -> Iterator[tuple[str, Path]]:
    prism, document = installed()
    with playing(prism, document) as address:
        yield address, document


@pytest.fixture
def folder(
    parliament: tuple[str, Path], tmp_path: Path, database: str, key_ring: str, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A source folder that the scaffold made, filled in from the document."""
    address, document = parliament
    for name, value in {
        "HUB_SOURCES": str(tmp_path / "sources"), "HUB_CONN_BILLS": address, "HUB_HOME": str(tmp_path / "home"),
        "HUB_DATABASE_URL": database, "HUB_KEYS": key_ring,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert run("new", "bills", "--kind", "rest")[0] == 0
    made = tmp_path / "sources" / "bills"
    for sample in made.glob("samples/*/*"):
        sample.unlink()
    (made / "codes" / "kind.csv").unlink()
    (made / "cases.schema.json").unlink()
    (made / "bills.schema.json").write_text(json.dumps(raw_schema(document, "BillSummary")), encoding="utf-8")
    (made / "mapping.yml").write_text(MAPPING, encoding="utf-8")
    declare(made)
    return made


def declare(folder: Path, **options: Any) -> None:
    file = folder / "source.yml"
    body = yaml.safe_load(file.read_text(encoding="utf-8"))
    body["options"], body["streams"] = {}, {"bills": {"options": {**OPTIONS, **options}}}
    file.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")


def verb(name: str, *words: str) -> tuple[int, Any]:
    """Run one of the kit's verbs on the department; give its exit status and what it says to programs."""
    status, said = run(name, "bills", *words, "--json")
    return status, json.loads(said)


def test_the_document_is_checked_discovered_followed_proven_and_pulled(folder: Path) -> None:
    status, checked = verb("check")
    assert (status, checked["ok"]) == (0, True), checked
    status, found = verb("discover")
    [stream] = found["found"]
    assert (status, stream["stream"], stream["unknown"], len(stream["fields"])) == (0, "bills", [], 12)

    status, seen = verb("preview", "1", "--trace")
    [stream] = seen["streams"]
    assert stream["exchanges"][0]["asked"] == "GET /api/v1/Bills?Take=20&Skip=0"
    assert stream["exchanges"][0]["answered"] == "200 application/json"
    [record] = stream["records"]
    assert (status, record["fate"], record["findings"]) == (0, "kept", [])
    title = next(one for one in record["rows"][0]["columns"] if one["name"] == "item_name")
    assert (title["made_from"], title["line"].rsplit("/", 1)[-1]) == ("shortTitle", "mapping.yml:15")

    status, pulled = verb("run")
    assert (status, pulled["balanced"], pulled["streams"][0]["new"]) == (0, True, 1)
    status, again = verb("run")
    assert (status, again["streams"][0]["unchanged"]) == (0, 1)

    # Prism's pages never hold more than one record, which is fewer than were asked for: none can be endless.
    waiver = "endless-page: Prism 每页只给一条，少于所要条数，按 stop short 即为末页\n"
    (folder / "suite.yml").write_text(waiver, encoding="utf-8")
    status, proven = verb("test")
    assert (status, proven["ok"]) == (0, True), [one for one in proven["checks"] if one["status"] == "failed"]
    assert proven["counts"]["passed"] >= 15
    assert proven["counts"]["waived"] == 1


def test_a_page_that_comes_again_is_told_where_an_empty_page_should_end_the_pull(folder: Path) -> None:
    declare(folder, paging={"style": "offset", "param": "Skip", "size_param": "Take", "size": 1})
    with pytest.raises(SourceTrouble, match="page 2 repeats an earlier page"):
        run("run", "bills")


def test_a_question_that_the_document_does_not_allow_is_refused_and_told(folder: Path) -> None:
    declare(folder, params={"Session": "the present one"})
    with pytest.raises(StopSource) as told:
        run("run", "bills")
    assert "422" in str(told.value) or "400" in str(told.value)


def test_whatever_the_document_allows_ends_in_a_balanced_pull_or_a_typed_error(folder: Path) -> None:
    """Prism makes answers up anew each time: empty lists, no list at all, absurd numbers and texts."""
    declare(folder, headers={"Prefer": "dynamic=true"})
    ends: Counter[str] = Counter()
    for _ in range(12):
        try:
            status, pulled = verb("run")
        except HubError as error:
            ends[type(error).__name__] += 1
        else:
            assert (status, pulled["balanced"]) == (0, True)
            ends["balanced"] += 1
    assert ends["balanced"], ends
    assert verb("health")[0] == 0
    assert check(Runtime.open().engine) == []
