"""Sentences of refusals: worded in both languages, every one that pages can show, with its values in both."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.content import check
from catalog.errors import ContentRefused
from hub.errors import HubError
from hub.sentences import Code, Codes, Sentence, sentence, sentences, spoken
from hub.templating import told
from hub.words import catalogue

ROOT = Path(__file__).resolve().parents[2]
SHOWN = (
    "web", "hub/asking.py", "hub/visitor.py", "quality/pages", "quality/issues", "quality/worklist",
    "pipeline/afterwards/mending.py", "pipeline/afterwards/replay.py", "quality/running.py", "catalog/errors.py",
    "catalog/service.py", "catalog/life.py", "catalog/pages", "catalog/content.py", "catalog/store.py",
    "catalog/base_items.py",
    "hub/identifiers/credit_code.py", "hub/identifiers/item_code.py", "supervision/appraisal/objecting.py",
    "supervision/appraisal/routes.py", "supervision/appraisal/looking.py", "supervision/pages",
    "verification/checks/officers.py", "verification/pages",
)  # fmt: skip
"""Where that is worded which pages show to persons."""
PROGRAMS = {"cli.py", "knocks.py", "metrics.py", "health.py", "authentication.py", "accounts/service.py"}
"""Files below them that answer commands and programs only."""
REFUSING = {
    "NotDone", "NotFound", "DeedDoesNotFit", "Refusal", "DeedRefused", "NotAllowed", "NotSignedIn", "Forged",
    "Malformed", "TooMany", "TooLarge", "TooSlow", "UnsupportedForm", "Unavailable", "NotAuthenticated",
    "MethodNotAllowed", "RepositoryError", "AppraisalRefused", "Contradicted",
}  # fmt: skip


def files() -> Iterator[Path]:
    for one in SHOWN:
        place = ROOT / one
        found = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        yield from (file for file in found if not file.as_posix().endswith(tuple(f"/{name}" for name in PROGRAMS)))


def calls(file: Path, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(one.value for one in call.keywords)]


def places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_what_a_page_refuses_is_worded_in_both_languages() -> None:
    unworded, seen = [], 0
    for file in files():
        for call in calls(file, REFUSING | {"sentence"}):
            for said in arguments(call):
                if isinstance(said, ast.Constant) and isinstance(said.value, str) and " " in said.value:
                    seen += 1
                    if said.value not in sentences():
                        unworded.append((file.name, said.value))
    assert unworded == []
    assert seen > 100


def test_no_refusal_of_a_page_hides_its_words_behind_values() -> None:
    found = [
        (file.name, call.lineno)
        for file in files()
        for call in calls(file, REFUSING)
        if any(isinstance(one, ast.JoinedStr) for one in arguments(call))
    ]
    assert found == []


def test_what_is_wrong_with_an_item_is_worded_in_both_languages() -> None:
    """The third thing that a fault of an item says is its words: a sentence, or what another function words."""
    unworded, seen = [], 0
    for file in (ROOT / "catalog").glob("*.py"):
        for call in calls(file, {"Fault"}):
            words = call.args[2]
            seen += 1
            if isinstance(words, ast.JoinedStr) or (isinstance(words, ast.Constant) and words.value not in sentences()):
                unworded.append((file.name, call.lineno))
    assert unworded == []
    assert seen > 20


def test_both_languages_have_the_same_values() -> None:
    assert [one for one, zh in sentences().items() if places(one) != places(zh)] == []


def test_chinese_sentences_are_chinese() -> None:
    assert [one for one, zh in sentences().items() if not re.search(r"[一-鿿]", zh)] == []


def test_every_sentence_is_said_somewhere() -> None:
    said: set[str] = set()
    for folder in (
        *("web", "hub", "quality", "pipeline", "catalog"),
        *("supervision", "verification", "normalization", "validation"),
    ):
        for file in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            said |= {
                one.value for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    assert [one for one in sentences() if one not in said] == []


def test_every_code_within_a_sentence_is_of_a_family_that_has_words() -> None:
    families = set()
    for file in files():
        text = file.read_text(encoding="utf-8")
        families |= set(re.findall(r"""\bCodes?(?:\.of)?\(\s*["']([a-z_.]+)["']""", text))
    assert families >= {"right", "role", "status", "event", "deed"}
    known = {key.rpartition(".")[0] for key in catalogue()}
    assert families - known == set()


def test_a_sentence_is_plain_text_for_programs_and_another_language_for_readers() -> None:
    found = sentence(
        "it is {status}, so it cannot be {what}", status=Code("status", "fixed"), what=Code("event", "sent")
    )
    assert found == "it is fixed, so it cannot be sent"
    assert spoken(found, "zh").text == "问题状态为“已解决”，不能转部门整改"
    assert spoken(found, "en").text == str(found)


def test_a_sentence_within_a_sentence_and_a_list_are_put_in_the_same_language() -> None:
    inner = sentence("Accept at least {records}.", records=3)
    whole = sentence("issue {code}: {got}. {next_step}", code="Q-1", got="no reason was given", next_step=inner)
    assert str(spoken(whole, "zh")) == "问题 Q-1：没有填写理由。至少须接受 3 条。"
    having = sentence("These roles have it: {having}.", having=Codes.of("role", ["steward", "engineer"]))
    assert having == "These roles have it: steward, engineer."
    assert spoken(having, "zh").text == "具有此权限的角色：数据管理员、运维工程师。"


def test_an_error_keeps_its_sentence() -> None:
    error = HubError(sentence("Accept at least {records}.", records=3))
    assert isinstance(error.sentence, Sentence)
    assert str(error) == "Accept at least 3."
    assert spoken(error, "zh").text == "至少须接受 3 条。"


@pytest.mark.parametrize("said", ["nobody worded <this>", sentence("nobody <worded> {it}", it="<b>")])
def test_what_nobody_worded_is_shown_in_english_marked_as_such_and_handed_on(said: str) -> None:
    shown = told(said, "zh")
    assert shown.startswith('请将以下原文告知枢纽运维人员： <span lang="en">nobody ')
    assert "<b>" not in shown
    assert "<this>" not in shown


def test_what_is_wrong_with_an_items_content_is_told_in_the_readers_language() -> None:
    content = {
        "name": "n", "item_type": "01", "promised_limit": {"value": 30, "unit": "working_day"},
        "legal_limit": {"value": 20, "unit": "working_day"}, "fee": {"charged": True},
    }  # fmt: skip
    with pytest.raises(ContentRefused) as caught:
        check("A1", content)
    assert str(spoken(caught.value, "en")) == str(caught.value)
    assert str(spoken(caught.value, "zh")) == (
        "事项 A1：/promised_limit 处：承诺期限 30 个工作日 长于法定期限 20 个工作日；"
        "/fee/basis 处：收费事项未填写收费依据。请全部改正后重新提交。"
    )


def test_an_error_of_the_usual_shape_is_told_part_by_part() -> None:
    class Refused(HubError):
        def __init__(self, got: str, next_step: str) -> None:
            self.got, self.next_step = got, next_step
            super().__init__(f"GF-7: {got}. {next_step}")

    told_ = Refused("its withdrawal is asked for", "Grant or refuse that first.")
    assert str(spoken(told_, "zh")) == "关于 GF-7：该监察件已申请撤销。请先同意或驳回该申请。"
    assert str(spoken(told_, "en")) == "GF-7: its withdrawal is asked for. Grant or refuse that first."
