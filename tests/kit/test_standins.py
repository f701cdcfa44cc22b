"""Systems made of examples: each form that a stream may declare is really served, and the checks run on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.settings import Settings
from kit.scaffold import write
from kit.suite import Outcome, Status, run

READING = {"check-succeeds", "full-reads-equal", "paging-stops", "resume-from-each-state"}
TROUBLE = {"wrong-password", "slow-server", "cut-server", "lying-length", "half-document"}


def made(kind: str, place: Path, options: Mapping[str, Any], **stream: Any) -> Path:
    """Write a source of a kind whose only stream has these options, with eight examples."""
    folder = write("county-new", kind, None, place).folder
    file = folder / "source.yml"
    said = yaml.safe_load(file.read_text(encoding="utf-8"))
    said["streams"] = {"cases": {"options": dict(options), **stream}}
    file.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    (first,) = [
        json.loads(one) for one in (folder / "samples/valid/cases.jsonl").read_text(encoding="utf-8").splitlines()
    ][:1]
    lines = [
        {
            **first,
            "record": {**first["record"], "case_number": f"C-{number}", "changed_at": f"2026-03-0{number} 09:00:00"},
        }
        for number in range(1, 9)
    ]
    (folder / "samples/valid/cases.jsonl").write_text(
        "".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8"
    )
    return folder


def suite(folder: Path) -> dict[str, Outcome]:
    done = {one.check: one for one in run(folder.name, Settings.load(sources=(folder.parent,)))}
    assert {name: one.message for name, one in done.items() if one.status is Status.FAILED} == {}
    return done


def passed(done: Mapping[str, Outcome]) -> set[str]:
    return {name for name, one in done.items() if one.status is Status.PASSED}


PATH = {"path": "cases_*"}


@pytest.mark.parametrize(
    "options",
    [
        {"format": "xml", "record": "case"},
        {"format": "xml", "record": "/Cases/body/case"},
        {
            "format": "xml", "record": "n:case", "namespaces": {"n": "urn:example:n"},
            "fields": {
                "case_number": "@no", "item_name": "n:item/n:name", "applicant": "n:who", "kind": "n:item/@kind",
                "applied_at": "n:at/text()", "changed_at": "n:changed", "remark": "n:remark",
            },
        },
        {"format": "yaml", "record": "/register/cases"},
        {"format": "json", "record": "/data"},
        {"format": "singer", "stream_name": "public-cases"},
    ],
    ids=["xml", "xml from the root", "xml by xpaths", "yaml", "json", "singer"],
)  # fmt: skip
def test_files_are_written_in_every_form(options: dict[str, Any], tmp_path: Path) -> None:
    done = suite(made("files", tmp_path, {**PATH, **options}))
    assert passed(done) >= {*READING, "nothing-before-cursor", "cut-file", "discover-matches"}


PAGES = {"style": "page", "param": "query/page", "size_param": "query/size", "size": 3}
SINCE = {"param": "query/since", "format": "iso"}


@pytest.mark.parametrize(
    ("options", "more"),
    [
        (
            {"records": "cases/case", "total": "cases/@total", "paging": PAGES, "since": SINCE,
             "security": "username_token", "success": {"path": "code", "values": [0]}},
            {"repeated-page", "endless-page", "discover-matches", "nothing-before-cursor", "future-state"},
        ),
        (
            {"records": "row", "paging": {"style": "cursor", "param": "after", "next": "next"},
             "security": "username_token_digest", "auth": {"style": "basic"}},
            {"repeated-page", "endless-page", "discover-matches"},
        ),
        (
            {"records": "body/row", "document": "return", "since": {"param": "from", "format": "local"},
             "paging": {"style": "page", "param": "page"}, "auth": {"style": "bearer"},
             "params": {"request": "<r><from>{from}</from><page>{page}</page></r>", "from": "2020-01-01 00:00:00"}},
            {"repeated-page", "endless-page", "nothing-before-cursor"},
        ),
    ],
    ids=["message and token", "digest and cursor", "one text in, one text out"],
)  # fmt: skip
def test_a_soap_service_is_served_as_it_is_declared(options: dict[str, Any], more: set[str], tmp_path: Path) -> None:
    cursor = {"cursor": {"field": "changed_at"}} if "since" in options else {}
    done = suite(made("soap", tmp_path, options, **cursor))
    assert passed(done) >= READING | TROUBLE | more


def test_streams_that_call_one_operation_are_told_apart_by_their_parameters(tmp_path: Path) -> None:
    folder = made("soap", tmp_path, {"operation": "query", "records": "row", "params": {"kind": "case"}})
    done = suite(folder)
    assert passed(done) >= READING


@pytest.mark.parametrize(
    "options", [{}, {"body": "records"}, {"receipts": "answers", "stay": 600}], ids=["one", "many", "answered"]
)
def test_queues_are_served_and_their_lines_break(options: dict[str, Any], tmp_path: Path) -> None:
    done = suite(made("queue", tmp_path, {"queue": "cases.out", "linger": 0.02, **options}))
    assert passed(done) >= READING | TROUBLE | {"discover-matches"}
    assert "county" not in done["wrong-password"].message


def test_a_queue_whose_messages_bear_envelopes(tmp_path: Path) -> None:
    done = suite(made("queue", tmp_path, {"linger": 0.02}, envelope={"use": "required"}))
    assert passed(done) >= READING | TROUBLE
