"""Hostile source folders: each is refused by a fault with file and line, quickly, before anything is built from it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
import yaml

from connectors.loading import load_sources
from connectors.yamlmarks import read_marked
from hub import yamlsafe
from hub.documents import Documents
from hub.errors import ConfigError
from hub.yamlsafe import MAX_BYTES, MAX_DEPTH
from normalization.mapping import load_mapping

REST = Path(__file__).resolve().parents[2] / "demo" / "sources" / "hall-rest-service"
LAUGHS = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
CASES: dict[str, tuple[str | bytes, int, str]] = {
    "brackets_without_end": ("[" * 200_000, 1, "nests deeper than"),
    "maps_without_end": ("{a: " * 5_000, 1, "nests deeper than"),
    "a_step_deeper_a_line": ("".join(f"{' ' * depth}a:\n" for depth in range(500)), MAX_DEPTH + 1, "nests deeper than"),
    "aliases_of_aliases": (LAUGHS, 1, "stands for more than 100,000 values"),
    "an_alias_for_itself": ("a: &a\n  - *a\n", 1, "an alias for something that it stands in"),
    "a_file_of_2_mb": ("# \n" * 700_000, 1, f"has more than {MAX_BYTES:,} bytes"),
    "a_number_of_5000_digits": (f"code: x\ntitle: {'9' * 5_000}\n", 2, "cannot be read as tag:yaml.org,2002:int"),
    "an_object_of_python": ("code: x\ntitle: !!python/object/apply:os.getcwd []\n", 2, "is no tag that is known here"),
    "two_documents": ("code: x\n---\ncode: y\n", 2, "another document"),
    "a_null_character": ("code: \x00\n", 1, "a character that no text has"),
    "bytes_of_gbk": ("标题: 测试".encode("gbk"), 1, "is not UTF-8 text"),
}


@pytest.fixture(params=["as it is installed", "without libyaml"])
def either_reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without libyaml":
        monkeypatch.setattr(yamlsafe, "_TYPED", yaml.SafeLoader)


@pytest.mark.usefixtures("either_reader")
@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_is_one_fault_with_its_line(tmp_path: Path, name: str) -> None:
    text, line, words = CASES[name]
    file = tmp_path / "source.yml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    begun = time.process_time()
    marked = read_marked(file)
    assert time.process_time() - begun < 5
    assert [(fault.line, words in fault.message) for fault in marked.faults] == [(line, True)]
    assert len(str(marked.faults)) < 2_000


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_folder_stops_the_loading_with_a_fault_that_names_its_file(tmp_path: Path, name: str) -> None:
    text = CASES[name][0]
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "source.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=r"x/source\.yml:\d+: "):
        load_sources([tmp_path])


def test_a_schema_that_nests_without_end_is_a_fault_of_that_file(tmp_path: Path) -> None:
    shutil.copytree(REST, tmp_path / "hall")
    schema = tmp_path / "hall" / "steps.schema.json"
    schema.write_text('{"properties": ' + '{"a":' * 100_000 + "1" + "}" * 100_001)
    [source] = load_sources([tmp_path])[:1]
    assert source.mapping is not None
    with pytest.raises(ConfigError, match=r"steps\.schema\.json:1: this schema cannot be read"):
        load_mapping(source.mapping, Documents.load())
