"""docs/integrate/add-a-source.md, followed to the letter; and every option of source.schema.json stands in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import connectors
from connectors.judging import SCHEMA
from connectors.limits import Limits
from connectors.loading import INSTANCE_COLUMNS, load_sources
from hub.documents import Documents
from normalization.mapping import load_mapping
from tests.connectors.parts import keyed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "integrate" / "add-a-source.md"
TEXT = PAGE.read_text(encoding="utf-8")


def written(name: str) -> str:
    found = re.search(rf"```\w+ {re.escape(name)}\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None, name
    return found.group(1)


def test_the_page_makes_a_source_that_can_be_read(tmp_path: Path) -> None:
    folder, drop = tmp_path / "my-sources" / "county-housing", tmp_path / "drop"
    (folder / "codes").mkdir(parents=True)
    drop.mkdir()
    for name in ("source.yml", "register.schema.json", "mapping.yml", "codes/kind.csv"):
        (folder / name).write_text(written(name), encoding="utf-8")
    file = "register_20260105.csv"
    (drop / file).write_text(written(file), encoding="gb18030")
    (one,) = load_sources([tmp_path / "my-sources"])
    assert list(load_mapping(one.mapping, Documents.load()).streams) == ["register"]
    connector = connectors.open(one, {"county_housing": str(drop)}.__getitem__, keyed_hash=keyed)
    assert connector.check().ok
    (piece,) = connector.read(one.stream("register"), {}, slice_size=100, full=False)
    assert [record["办件编号"] for record in piece.records] == ["2026-0001", "2026-0002", "2026-0003"]
    declared = json.loads(written("register.schema.json"))["properties"]
    assert all(set(record) == set(declared) for record in piece.records)


def test_every_option_limit_and_column_is_explained() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    kinds = ("database", "files", "rest", "xes", "limits")
    names = {name for kind in kinds for name in schema["$defs"][kind]["properties"]}
    names |= set(schema["properties"]["streams"]["additionalProperties"]["properties"])
    names |= set(INSTANCE_COLUMNS) | {"template", "extends", "own"}
    missing = sorted(name for name in names if not re.search(rf"`[^`]*\b{name}\b[^`]*`", TEXT))
    assert missing == []


def test_the_schema_knows_every_limit() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert set(schema["$defs"]["limits"]["properties"]) == set(Limits.__dataclass_fields__)
