"""What of another program's words is shown: never a name, a number of a person, an address or a secret."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.words import _WORDS, code_or_plain, plain


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("case '张三' of 330185199003071223 fails", "case … of … fails"),
        ("证件 33018519900307122X 无效", "证件 … 无效"),
        ("tel 0571-8700 1234, see http://10.1.2.3/x?token=abc", "…, see …"),
        ("手机１３９５７１２６８４５不存在", "手机…不存在"),
        ("error 12345 in line 7", "error 12345 in line 7"),
        ("姓名【王晓岚】重复", "姓名…重复"),
        ("申请人王晓岚的证件不存在", "申请人…的证件不存在"),
        ("Wang Xiaolan does not exist", "… does not exist"),
        ("会话已过期，请重新登录", "会话已过期,请…登录"),
        ("The security token could not be authenticated", "The security token could not be authenticated"),
        ("王晓岚", ""),
        ("1 3 9 5 7 1 2 6 8 4 5", ""),
        ("", ""),
    ],
)
def test_words_of_interfaces_are_shown_and_no_others(said: str, shown: str) -> None:
    assert plain(said) == shown


@given(st.text())
@example("王" * 500 + "error")
@example("Ａｎｎａ error")
def test_every_word_that_is_shown_is_of_the_list(said: str) -> None:
    shown = plain(said)
    assert len(shown) <= 121
    assert re.search(r"\d{6}", shown) is None
    for word in re.findall(r"[^\W\d_]+", shown):
        rest = word.lower()
        for known in sorted(_WORDS, key=len, reverse=True):
            rest = rest.replace(known, "") if not known.isascii() else rest
        assert rest in _WORDS or rest == "" or len(shown) == 121, "the last word may be cut"


@given(st.text(), st.text(min_size=4), st.text())
def test_a_secret_is_not_shown_even_if_it_is_a_word(before: str, secret: str, after: str) -> None:
    assert secret not in plain(f"{before}{secret}{after}", [secret]) or set(secret) <= set("… ")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("-1", "-1"), ("E0012", "E0012"), ("false", "false"), ("失败", "失败"), ("", "nothing"),
        *((words, "words that are not shown") for words in ("13957126845", "王晓岚", "WANGXIAOLAN")),
    ],
)  # fmt: skip
def test_a_code_of_an_answer_is_shown_and_a_name_is_not(said: str, shown: str) -> None:
    assert code_or_plain(said) == shown
