"""The catalogue of words: every key in every language, every key used, every used key there."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.words import LANGUAGES, Words, catalogue, chosen

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "web",
    ROOT / "quality" / "pages",
    ROOT / "catalog" / "pages",
    ROOT / "supervision",
    ROOT / "verification",
]
SAYING = [ROOT / "hub", ROOT / "web", ROOT / "quality", ROOT / "catalog"]
"""Where sentences are worded that hold codes (hub/sentences.py)."""
TEMPLATES = [file for folder in PAGES for file in folder.rglob("*.html")]
CODE = [*(file for folder in PAGES for file in folder.rglob("*.py")), ROOT / "hub" / "templating.py"]
_CALL = re.compile(r"""\bt\(\s*["']([a-z0-9_.]*[a-z0-9_])["']""")
_FAMILY = re.compile(r"""\bt(?:\.or_code)?\(\s*["']([a-z0-9_.]+?)\.?["']\s*[~,]""")
_CODED = re.compile(r"""\)\.or_code\(f?["']([a-z_]+)["'.]""")
_CODE = re.compile(r"""\bCodes?(?:\.of)?\(\s*["']([a-z_.]+)["']""")
_QUOTED = re.compile(r"""["']([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)["']""")


def text(paths: list[Path]) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def test_no_key_is_missing_in_either_language() -> None:
    empty = [
        (key, language) for key, said in catalogue().items() for language in LANGUAGES if not said[language].strip()
    ]
    assert empty == []


def test_both_languages_put_the_same_in_the_same_places() -> None:
    def places(said: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(said) if name}

    assert [key for key, said in catalogue().items() if places(said["zh"]) != places(said["en"])] == []


def test_every_key_of_a_template_is_in_the_catalogue() -> None:
    asked = set(_CALL.findall(text(TEMPLATES)))
    assert len(asked) > 20
    assert sorted(asked - set(catalogue())) == []


def test_every_key_is_used() -> None:
    used = set(_CALL.findall(text(TEMPLATES))) | set(_QUOTED.findall(text([*CODE, *TEMPLATES])))
    within = _CODE.findall(text([file for folder in SAYING for file in folder.rglob("*.py")]))
    within += _CODED.findall(text(CODE))
    families = tuple(f"{family}." for family in [*_FAMILY.findall(text(TEMPLATES)), *within])
    assert [key for key in catalogue() if key not in used and not key.startswith(families)] == []


def test_chinese_is_chinese_and_english_is_not() -> None:
    han = re.compile(r"[一-鿿]")
    assert [key for key, said in catalogue().items() if han.search(said["en"])] == []
    bare = [key for key, said in catalogue().items() if not han.search(said["zh"])]
    assert bare == [], "words that stand in Chinese pages are Chinese"


def test_an_unknown_key_is_a_fault_and_an_unknown_code_is_shown() -> None:
    with pytest.raises(KeyError):
        Words("en")("no.such.key")
    assert Words("zh").or_code("role", "steward") == "数据管理员"
    assert Words("zh").or_code("role", "emperor") == "emperor"


@pytest.mark.parametrize(
    ("accepted", "picked", "language"),
    [
        (None, None, "zh"),
        ("", None, "zh"),
        ("en", None, "en"),
        ("en-GB,en;q=0.9", None, "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", None, "zh"),
        ("fr,en;q=0.3,zh;q=0.7", None, "zh"),
        ("fr", None, "zh"),
        ("en;q=0,fr", None, "zh"),
        ("zh", "en", "en"),
        ("en", "fr", "en"),
    ],
)
def test_the_language_follows_what_the_reader_prefers(accepted: str | None, picked: str | None, language: str) -> None:
    assert chosen(accepted, picked) == language


@given(st.text(), st.one_of(st.none(), st.text()))
def test_any_preference_gives_a_language(accepted: str, picked: str | None) -> None:
    assert chosen(accepted, picked) in LANGUAGES
