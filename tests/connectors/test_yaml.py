"""YAML files: every value is text, each record knows its line, and what no honest file holds is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.source import StreamSpec
from hub.errors import HostileInput, RefuseUnit, TruncatedUnit
from tests.connectors.parts import pull, records, stream


def take(folder: Path, text: str, **options: Any) -> Any:
    (folder / "a.yml").write_text(text, encoding="utf-8")
    one: StreamSpec = stream("s", path="*.yml", format="yaml", **options)
    return pull("files", str(folder), one)


def test_every_value_is_text_and_each_record_has_its_line(tmp_path: Path) -> None:
    text = "- {code: no, days: 056, since: 2026-01-01}\n- code: b\n  list: [1, ~, '~']\n  of: {x: yes}\n  none:\n"
    slices = take(tmp_path, text)
    assert records(slices) == [
        {"code": "no", "days": "056", "since": "2026-01-01"},
        {"code": "b", "list": ["1", None, "~"], "of": {"x": "yes"}, "none": None},
    ]
    assert [row for piece in slices for row in piece.rows] == [1, 2]


def test_the_list_of_records_may_lie_within(tmp_path: Path) -> None:
    assert records(take(tmp_path, "a:\n  types:\n  - {code: x}\n", record="/a/types")) == [{"code": "x"}]
    with pytest.raises(RefuseUnit, match="nothing at"):
        take(tmp_path, "a: 1\n", record="/b")
    with pytest.raises(RefuseUnit, match="no list"):
        take(tmp_path, "a: 1\n")


def test_a_record_that_is_none_is_told_with_its_line_and_the_others_are_read(tmp_path: Path) -> None:
    slices = take(tmp_path, "- {code: a}\n- text\n- {code: b, code: c}\n- {[x]: 1}\n- {in: [{d: 1, d: 2}]}\n")
    assert records(slices) == [{"code": "a"}]
    broken = [one for piece in slices for one in piece.broken]
    assert [(one.rule, one.row) for one in broken] == [("unreadable_record", row) for row in (2, 3, 4, 5)]
    assert [one.raw for one in broken][:2] == ["- text", "- {code: b, code: c}"], "what was sent waits in quarantine"


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("a: [1", RefuseUnit, "line 1"),
        ("", TruncatedUnit, "empty"),
        ("- &a [x]\n- &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n" + "".join(
            f"- &c{n} [{', '.join(['*b' if not n else f'*c{n - 1}'] * 9)}]\n" for n in range(8)
        ), HostileInput, "more than"),
        ("[" * 200 + "]" * 200, HostileInput, "deeper than"),
        ("- &a [*a]\n", HostileInput, "alias"),
        ("- x\n" * 300_000, HostileInput, "more than"),
        ("- !!python/object:os.system {}\n- 1\n--- \n- 2\n", RefuseUnit, "document"),
    ],
    ids=["cut off", "empty", "a billion laughs", "deep", "endless", "large", "two documents"],
)  # fmt: skip
def test_what_no_honest_file_holds_is_refused(text: str, error: type[RefuseUnit], words: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=words):
        take(tmp_path, text)


def test_a_tag_builds_nothing(tmp_path: Path) -> None:
    assert records(take(tmp_path, "- {code: !!python/name:os.system x}\n")) == [{"code": "x"}]
