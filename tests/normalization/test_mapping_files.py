"""A mapping is read strictly: every fault at once, each with its file and line."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.documents import Documents
from hub.errors import ConfigError
from hub.findings import RULES
from normalization import codelists, columns, mapping, marked, rawschema, streams
from normalization.mapping import Field, load_mapping
from tests.normalization.build import CODES, folder_of, load, schema_of

PROFILES = sorted(Path("connectors/profiles").glob("*/mapping.yml"))
PAGE = Path("docs/integrate/mapping-language.md")

SCHEMA = schema_of("ID", "CASE", "PHASE", "T", "WHO", OP={"type": "string", "enum": ["I", "U", "D"]})
GOOD = """\
version: 1
streams:
  NODE:
    schema: s.json
    key: [ID]
    case: CASE
    order: {time: T}
    operation: {field: OP, delete: [D]}
    reported_at: T
    organ_from: WHO
    process: five_stages
    yields:
      - table: stage_event
        columns:
          stage: {from: PHASE, codes: phase}
          started_at: T
"""


def faults_of(folder: Path, text: str, schema: Any = SCHEMA, codes: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, schema, codes)
    return [f"{Path(fault.file).name}:{fault.line}: {fault.message}" for fault in caught.value.faults]


def test_a_good_mapping(tmp_path: Path) -> None:
    read = load(tmp_path, GOOD, SCHEMA)
    stream = read.streams["NODE"]
    assert [part.field.name for part in stream.key.parts] == ["ID"]
    assert (stream.case, stream.organ_from, stream.process) == (Field.of("CASE"), Field.of("WHO"), "five_stages")
    assert stream.operation is not None
    assert (stream.operation.delete, stream.operation.keep) == ({"D"}, {"I", "U"})
    assert [column.column.name for column in stream.yields[0].columns] == ["case_number", "stage", "started_at"]
    assert read.line_of("NODE", 0, "stage") == 15
    assert stream.tables == ("stage_event",)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_profiles_load(path: Path) -> None:
    assert load_mapping(path, Documents.load()).streams


def test_the_version_changes_with_all_that_decides(tmp_path: Path) -> None:
    first = load(tmp_path, GOOD, SCHEMA).version
    assert re.fullmatch("[0-9a-f]{16}", first)
    assert load(tmp_path, GOOD, SCHEMA).version == first
    others = {
        load(tmp_path, GOOD + "\n# a comment\n", SCHEMA).version,
        load(tmp_path, GOOD, SCHEMA, {"phase": CODES["phase"] + "X,other,其他\n"}).version,
        load(tmp_path, GOOD, SCHEMA | {"title": "changed"}).version,
    }
    assert len(others | {first}) == 4


def replaced(old: str, new: str) -> str:
    assert old in GOOD, old
    return GOOD.replace(old, new)


def _case(found: dict[str, Any]) -> tuple[str, Any, dict[str, str] | None, str]:
    text = found.get("text", GOOD)
    if "replace" in found:
        text = replaced(*found["replace"])
    return (
        text + found.get("append", ""),
        found.get("schema", SCHEMA),
        {"phase": found["phase"]} if "phase" in found else None,
        found["fault"],
    )


FAULTS = [_case(found) for found in yaml.safe_load(Path(__file__).with_name("faults.yml").read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("text", "schema", "codes", "message"), FAULTS, ids=[fault[3] for fault in FAULTS])
def test_each_fault_is_told_at_its_line(
    tmp_path: Path, text: str, schema: Any, codes: dict[str, str] | None, message: str
) -> None:
    found = faults_of(tmp_path, text, schema, codes)
    assert [fault for fault in found if fault.startswith(message)], found


def test_every_fault_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("key: [ID]", "key: [X]").replace("five_stages", "six").replace("codes: phase", "codes: none")
    found = faults_of(tmp_path, text)
    assert [fault.split(": ")[0] for fault in found] == [f"mapping.yml:{line}" for line in (3, 5, 11, 15)]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load_mapping(tmp_path / "none.yml", Documents.load())
    path = folder_of(tmp_path, GOOD, {"s.json": SCHEMA})
    (tmp_path / "codes" / "phase.csv").write_bytes("code,value,label_zh\nA,accept,受理\n".encode("gb18030"))
    with pytest.raises(ConfigError, match="this code list cannot be read as UTF-8 text"):
        load_mapping(path, Documents.load())
    path.write_bytes("version: 1 # 映射".encode("gb18030"))
    with pytest.raises(ConfigError, match="this file is not UTF-8 text"):
        load_mapping(path, Documents.load())
    with pytest.raises(ConfigError, match="this file cannot be read: Is a directory"):
        load_mapping(tmp_path, Documents.load())


def test_words_stay_words(tmp_path: Path) -> None:
    """YAML 1.1 would read these codes as true, false, 83 and a date."""
    text = replaced("codes: phase", "map: {on: accept, NO: review, 0123: approve, 2026-01-05: complete, 1: undertake}")
    stage = load(tmp_path, text, SCHEMA).streams["NODE"].yields[0].columns[1]
    assert stage.codes is not None
    assert list(stage.codes.values) == ["on", "NO", "0123", "2026-01-05", "1"]


def test_nested_fields(tmp_path: Path) -> None:
    schema = schema_of(
        "ID",
        applicant={"type": "object", "properties": {"name": {"type": "string"}, "a/b": {"type": "string"}}},
        tags={"type": "array", "items": {"type": "string"}},
        extra={"type": "object", "properties": {"one": {}, "two": {"type": "object", "properties": {"three": {}}}}},
    )
    text = """\
version: 1
streams:
  CASE:
    schema: s.json
    key: [ID]
    case: ID
    yields:
      - table: case_party
        columns: {role: {const: applicant}, name: /applicant/name, address: /applicant/a~1b}
      - table: material
        columns: {name: /tags/0}
    ignore: {extra: not ours}
"""
    columns_of = load(tmp_path, text, schema).streams["CASE"].yields[0].columns
    assert [column.fields[0].pointer for column in columns_of[2:]] == ["/applicant/name", "/applicant/a~1b"]
    assert any(
        "neither uses nor ignores the field '/extra/two/three'" in fault
        for fault in faults_of(tmp_path, text.replace("{extra: not ours}", "{/extra/one: not ours}"), schema)
    )


_RULE = re.compile(r'"([a-z_]+)"')

READERS = (codelists, columns, mapping, marked, rawschema, streams)


def places_of_faults() -> set[tuple[str, int]]:
    """Find every call in the readers that notes a fault."""
    places = set()
    for module in READERS:
        tree = ast.parse(inspect.getsource(module))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add":
                owner = ast.unparse(node.func.value)
                if owner in {"faults", "reading.faults", "self"}:
                    places.add((Path(module.__file__ or "").name, node.lineno))
    return places


def test_each_place_that_can_note_a_fault_does_so_in_these_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: set[tuple[str, int]] = set()
    original = marked.Faults.add

    def noting(self: marked.Faults, line: int, message: str, *, file: Path | None = None) -> None:
        frame = inspect.currentframe()
        assert frame is not None
        assert frame.f_back is not None
        reached.add((Path(frame.f_back.f_code.co_filename).name, frame.f_back.f_lineno))
        original(self, line, message, file=file)

    monkeypatch.setattr(marked.Faults, "add", noting)
    for number, (text, schema, codes, _) in enumerate(FAULTS):
        (tmp_path / str(number)).mkdir()
        faults_of(tmp_path / str(number), text, schema, codes)
    (tmp_path / "last").mkdir()
    test_files_that_cannot_be_read(tmp_path / "last")
    assert places_of_faults() - reached == set()


def patterns_of_page() -> dict[str, re.Pattern[str]]:
    """Read the faults that the page lists; `‹…›` stands for any text."""
    cells = re.findall(r"^\| `` (.+?) `` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {cell: re.compile(re.sub("‹.+?›", "(?s:.+)", re.escape(cell).replace("\\ ", " "))) for cell in cells}


def test_the_page_lists_every_fault_and_no_other() -> None:
    """A fault of the tests matches a line of the page, and each line of the page a fault of the tests."""
    messages = [fault[3].split(": ", 1)[1] for fault in FAULTS]
    messages += ["this file is not UTF-8 text", "this file cannot be read: "]
    messages.append("this code list cannot be read as UTF-8 text: ")
    messages.append("there is no such file")
    complete = [message + "why" if message.endswith(": ") else message for message in messages]
    patterns = patterns_of_page()
    matched = {message: [cell for cell, one in patterns.items() if one.fullmatch(message)] for message in complete}
    assert [message for message, cells in matched.items() if not cells] == []
    assert set(patterns) - {cell for cells in matched.values() for cell in cells} == set()


def test_the_page_names_every_rule_that_translating_can_raise() -> None:
    said = {
        name for file in Path(mapping.__file__).parent.rglob("*.py") for name in _RULE.findall(file.read_text("utf-8"))
    }
    raised = said & set(RULES)
    assert len(raised) >= 5
    page = PAGE.read_text(encoding="utf-8")
    assert [rule for rule in sorted(raised) if f"`{rule}`" not in page] == []
