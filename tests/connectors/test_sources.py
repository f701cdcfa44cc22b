"""Source folders: every fault at once at its line; templates and instances; own mapping; own connector."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import connectors
from connectors.judging import SCHEMA
from connectors.loading import load_sources
from connectors.source import Cursor, Expect
from hub.contract import Contract
from hub.errors import ConfigError

ORGAN = "11330000002482285C"
GOOD = """\
version: 1
code: {code}
title: {{zh: 省人社厅, en: Human resources}}
owner: {{organ: 11330000002482285C, name: 省人力社保厅, contact: 信息中心}}
legal_basis: 浙江省公共数据条例
organ: 11330000002482285C
region: "330000"
kind: database
mapping: mapping.yml
connection: {code}
streams:
  CASE:
    cursor: {{field: CHANGED, lookback: PT10M}}
    expect: {{rows: {{min: 1}}}}
"""
MAPPING = """\
version: 1
streams:
  CASE: {schema: case.json, key: [ID], operation: {field: OP, delete: [D]}}
  NODE: {schema: node.json, key: {fingerprint: [ID, NAME]}, organ_from: ORG}
"""


def folder(root: Path, code: str, text: str = GOOD, mapping: str | None = MAPPING, **files: str) -> Path:
    place = root / code
    place.mkdir(parents=True)
    (place / "source.yml").write_text(text.format(code=code) if text is GOOD else text, encoding="utf-8")
    if mapping is not None:
        (place / "mapping.yml").write_text(mapping, encoding="utf-8")
    for name, content in files.items():
        (place / name.replace("_csv", ".csv").replace("_py", ".py")).write_text(content, encoding="utf-8")
    return place


def faults(root: Path) -> list[tuple[str, int, str]]:
    with pytest.raises(ConfigError) as caught:
        load_sources([root])
    return [(Path(fault.file).name, fault.line, fault.message) for fault in caught.value.faults]


def test_a_good_folder_gives_a_source(tmp_path: Path) -> None:
    folder(tmp_path, "hr")
    (one,) = load_sources([tmp_path])
    assert (one.code, one.kind, one.connection, one.organ) == ("hr", "database", "hr", ORGAN)
    assert one.title == {"zh": "省人社厅", "en": "Human resources"}
    stream = one.stream("CASE")
    assert stream.cursor == Cursor("CHANGED", timedelta(minutes=10))
    assert stream.key == ("ID",)
    assert stream.expect == Expect(1, None)
    assert (stream.contract, stream.deletion, stream.parking) == (Contract(), "none", timedelta(days=30))
    assert one.mapping == tmp_path / "hr" / "mapping.yml"
    with pytest.raises(KeyError, match="no stream 'X'; it has CASE"):
        one.stream("X")


def test_several_folders_are_read_and_sorted(tmp_path: Path) -> None:
    folder(tmp_path / "b", "zz")
    folder(tmp_path / "a", "mm")
    assert [one.code for one in load_sources([tmp_path / "b", tmp_path / "a"])] == ["mm", "zz"]
    assert [one.code for one in load_sources([tmp_path / "b" / "zz"])] == ["zz"], "a folder itself may be named"


def test_every_fault_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
version: 1
code: other
titel: {zh: 名}
owner: {organ: 1133, name: a}
legal_basis: x
region: 330000
kind: files
mapping: mapping.yml
time_zone: Asia/Shangai
schedule: "0 2 *"
connection: postgresql://user:secret@host/db
streams:
  CASE:
    options: {formatt: csv, path: ../x}
    cursor: {field: X, lookback: 10m}
    expect: {rows: {min: 5, max: 1}}
  GONE: {options: {path: "*.csv", format: csv, trailer: "("}}
"""
    folder(tmp_path, "hr", text)
    found = faults(tmp_path)
    lines = [(line, message.split(" (")[0]) for name, line, message in found if name == "source.yml"]
    assert [line for line, _ in lines] == sorted(line for line, _ in lines)
    expected = {
        (1, "'title' is missing"),
        (2, "code 'other' must be the folder's name 'hr'"),
        (3, "unknown key 'titel'; did you mean 'title'?"),
        (4, "'contact' is missing"),
        (4, "1133 is a number; write it in quotes"),
        (6, "330000 is a number; write it in quotes"),
        (9, "'Asia/Shangai' is no time zone; write one like Asia/Shanghai"),
        (10, "'0 2 *' is no cron expression of five fields, such as '0 2 * * *'"),
        (14, "unknown key 'formatt'; did you mean 'format'?"),
        (14, "option 'format' is missing: csv, xlsx, xml, jsonl, json, yaml or singer"),
        (14, "path '../x' must stay below the connection's folder"),
        (15, "'10m' is no duration like PT10M, PT2H or P30D"),
        (15, "kind files has no cursor: it reads each file when it is new or changed"),
        (16, "min 5 is more than max 1"),
    }
    assert expected <= set(lines)
    assert any("stream 'GONE' is not mapped by" in message for _, _, message in found)
    assert any("trailer is no regular expression" in message for _, _, message in found)
    assert not any("secret" in message for _, _, message in found), "an address may hold a password"


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("kind: database", "kind: carrier-pigeon"), 8, "'carrier-pigeon' is not one of"),
        (("mapping: mapping.yml", "mapping: other.yml"), 9, "no file .*other.yml .there are: mapping.yml, source.yml"),
        (("mapping: mapping.yml", "profile: zhejiang-prr"), 9, "no file .*zhejiang-pre"),
        (("mapping: mapping.yml", "profile: ../../x/y"), 9, "no file"),
        (("mapping: mapping.yml\n", ""), 1, "name either `profile` or `mapping`"),
        (("organ: 11330000002482285C\nregion", "region"), 11, "whose rows are these"),
        (("streams:", "code: twice\nstreams:"), 11, "'code' stands twice"),
        (("field: CHANGED, lookback: PT10M", "field: CHANGED, lookback: P1M"), 13, "is no duration"),
        (("    expect:", "    vanish: 5\n    expect:"), 14, "goes with deletion 'snapshot' only"),
        (("kind: database", "kind: own"), 8, "needs a connector.py"),
        (("legal_basis: 浙江省公共数据条例", "legal_basis: [1"), 6, "is not YAML"),
        (('region: "330000"', "extends: nobody"), 7, "extends 'nobody': no source.yml"),
        (('region: "330000"', "extends: hr"), 7, "goes round in a circle"),
    ],
)
def test_each_fault_has_its_words(tmp_path: Path, change: tuple[str, str], line: int, words: str) -> None:
    text = GOOD.format(code="hr")
    assert change[0] in text
    folder(tmp_path, "hr", text.replace(*change))
    found = faults(tmp_path)
    assert any(at == line and re.search(words, message) for _, at, message in found), found


def test_a_code_is_declared_once(tmp_path: Path) -> None:
    folder(tmp_path / "a", "hr")
    folder(tmp_path / "b", "hr")
    with pytest.raises(ConfigError, match=r"source 'hr' is declared already at .*a/hr/source.yml"):
        load_sources([tmp_path / "a", tmp_path / "b"])


def test_missing_folders_and_forgotten_files_are_faults(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "mapping.yml").write_text("x: 1")
    (tmp_path / ".hidden").mkdir()
    with pytest.raises(ConfigError, match=r"(?s)nowhere:1: .*no such folder"):
        load_sources([tmp_path / "nowhere"])
    with pytest.raises(ConfigError, match=r"has no source.yml"):
        load_sources([tmp_path])


def test_instances_make_many_sources_of_one_folder(tmp_path: Path) -> None:
    text = GOOD.format(code="county").replace(
        "zh: 省人社厅, en: Human resources", "zh: '{title}社保系统', en: 'Of {title}'"
    )
    text = text.replace("code: county\n", "").replace("connection: county\n", "")
    rows = f"code,organ,region,connection,title\nc-330102,{ORGAN},330102,up,上城区\nc-330103,,330103,down,下城区\n"
    folder(tmp_path, "county", text, instances_csv=rows)
    up, down = load_sources([tmp_path])
    assert (up.code, up.organ, up.region, up.connection) == ("c-330102", ORGAN, "330102", "up")
    assert (down.code, down.organ, down.connection) == ("c-330103", ORGAN, "down"), "an empty cell overrides nothing"
    assert up.title == {"zh": "上城区社保系统", "en": "Of 上城区"}
    assert up.streams == down.streams


def test_faults_of_instances_stand_at_their_row(tmp_path: Path) -> None:
    rows = "code,organ,county\nC 1,short,x\nok,11330000002482285C,x\nok,11330000002482285C,x\n"
    folder(tmp_path, "county", GOOD.format(code="county"), instances_csv=rows)
    found = faults(tmp_path)
    assert ("instances.csv", 1) in {(name, line) for name, line, _ in found}
    assert {line for name, line, _ in found if name == "instances.csv"} >= {1, 2, 4}


def test_a_template_lends_its_words_and_is_no_source(tmp_path: Path) -> None:
    folder(tmp_path, "base", GOOD.format(code="base") + "template: true\n")
    over = "code: child\nextends: base\nregion: '330100'\nstreams:\n  NODE: {}\n  CASE: {expect: null}\n"
    folder(tmp_path, "child", over, mapping=None)
    (one,) = load_sources([tmp_path])
    assert one.code == "child"
    assert one.region == "330100"
    assert list(one.streams) == ["CASE", "NODE"]
    assert one.streams["CASE"].expect is None
    assert one.mapping == tmp_path / "base" / "mapping.yml", "a path stays relative to the file that wrote it"
    assert one.streams["NODE"].key == ("ID", "NAME")


def test_faults_in_what_is_lent_name_the_lender(tmp_path: Path) -> None:
    base = GOOD.format(code="base").replace('region: "330000"', "region: 330000") + "template: true\n"
    folder(tmp_path, "base", base)
    folder(tmp_path, "child", "code: child\nextends: base\n", mapping=None)
    with pytest.raises(ConfigError, match=r"base/source\.yml:7: 330000 is a number"):
        load_sources([tmp_path])


def test_organs_may_stand_in_the_rows(tmp_path: Path) -> None:
    text = GOOD.format(code="hr").replace("organ: 11330000002482285C\nregion", "region").replace("CASE:", "NODE:")
    folder(tmp_path, "hr", text)
    (one,) = load_sources([tmp_path])
    assert one.organ is None


def test_an_own_connector_is_one_class(tmp_path: Path) -> None:
    code = """
from connectors.seam import CheckReport
from hub.records import Slice

class Pigeon:
    def __init__(self, source, url, keyed_hash):
        self.source, self.url = source, url

    def check(self):
        return CheckReport(self.source.code, ())

    def discover(self):
        return []

    def read(self, stream, state, *, slice_size, full):
        yield Slice(stream.name, [{"from": self.url}], [1], {}, last=True)
"""
    folder(tmp_path, "hr", GOOD.format(code="hr").replace("kind: database", "kind: own"), connector_py=code)
    (one,) = load_sources([tmp_path])
    connector = connectors.open(one, lambda name: f"coop:{name}")
    assert isinstance(connector, connectors.Connector)
    (piece,) = connector.read(one.stream("CASE"), {}, slice_size=1, full=False)
    assert piece.records == [{"from": "coop:hr"}]
    (tmp_path / "hr" / "connector.py").write_text("x = 1\n")
    with pytest.raises(ConfigError, match="must hold one class"):
        connectors.open(one, str)


def test_secrets_do_not_belong_into_parameters(tmp_path: Path) -> None:
    text = GOOD.format(code="hr").replace("kind: database", "kind: rest\noptions: {params: {access_token: abc}}")
    folder(tmp_path, "hr", text)
    assert any("looks like a secret" in message for _, _, message in faults(tmp_path))


def test_xpaths_are_tried_when_the_source_is_loaded(tmp_path: Path) -> None:
    options = 'options: {path: "*.xml", format: xml, record: "/x:a", fields: {N: "a["}}'
    text = GOOD.format(code="hr").replace("kind: database", f"kind: files\n{options}")
    folder(tmp_path, "hr", text.replace("    cursor: {field: CHANGED, lookback: PT10M}\n", ""))
    found = [message for _, _, message in faults(tmp_path)]
    assert any("prefix 'x' is not declared" in message for message in found)
    assert any("is no XPath" in message for message in found)


def properties(schema: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every property that the schema of source.yml names, wherever."""
    if isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            yield f"{at}/{name}", inner
        for word, inner in schema.items():
            if word not in ("if", "then"):
                yield from properties(inner, f"{at}/{word}")
    elif isinstance(schema, list):
        for inner in schema:
            yield from properties(inner, at)


def test_editors_can_tell_what_each_word_of_source_yml_means() -> None:
    found = dict(properties(json.loads(SCHEMA.read_text(encoding="utf-8"))))
    assert len(found) > 150
    assert [at for at, inner in found.items() if not inner.get("description")] == []


def test_a_file_of_version_1_is_read_as_it_was_meant(tmp_path: Path) -> None:
    for word, new in (("freeze", "evolve"), ("evolve", "evolve"), ("quarantine", "quarantine")):
        home = written(tmp_path / word, f"version: 1\n{HALL}    contract: {word}\n")
        assert load_sources([home])[0].streams["PRE_APASINFO"].contract == Contract(new=new)
        home = written(tmp_path / f"{word}2", f"version: 2\n{HALL}    contract: {word}\n")
        assert load_sources([home])[0].streams["PRE_APASINFO"].contract == Contract(word, word, word)


def test_a_file_that_extends_one_of_version_1_is_of_that_version_unless_it_says_so(tmp_path: Path) -> None:
    written(tmp_path / "old", f"version: 1\n{HALL}    contract: freeze\n", code="old")
    said = "extends: old\ncode: hall\nstreams: {PRE_APASINFO: {contract: freeze}}\n"
    home = written(tmp_path, said)
    assert load_sources([home])[0].streams["PRE_APASINFO"].contract == Contract()
    home = written(tmp_path, f"version: 2\n{said}")
    assert load_sources([home])[0].streams["PRE_APASINFO"].contract == Contract("freeze", "freeze", "freeze")


def test_a_file_of_a_newer_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    home = written(tmp_path, f"version: 3\n{HALL}")
    with pytest.raises(ConfigError, match=r"source.yml:1: this hub reads source files of version 1 or 2, not 3"):
        load_sources([home])


HALL = (
    "code: hall\ntitle: {zh: 厅}\nowner: {organ: 11330000002482285J, name: o, contact: c}\nlegal_basis: l\n"
    "organ: 11330000002482285J\nkind: database\nprofile: zhejiang-pre\nconnection: hall\nstreams:\n  PRE_APASINFO:\n"
    "    options: {table: cases}\n"
)


def written(folder: Path, words: str, code: str = "hall") -> Path:
    home = folder / code if folder.name != code else folder
    home.mkdir(parents=True, exist_ok=True)
    (home / "source.yml").write_text(words.replace("code: hall", f"code: {code}"), encoding="utf-8")
    return home
