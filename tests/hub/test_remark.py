"""What a person says is kept on one line and cannot steer a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.remark import one_line


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("依法暂停", "依法暂停"),
        ("  第一行\r\n第二行\t末 ", "第一行 第二行 末"),
        ("\x1b[31m红色\x07", "[31m红色"),
        ("右\u202e左", "右 左"),
        ("\n \x00", ""),
    ],
)
def test_words_stand_on_one_line(said: str, kept: str) -> None:
    assert one_line(said) == kept


@given(st.text())
def test_what_stands_on_one_line_stays_as_it_is(said: str) -> None:
    kept = one_line(said)
    assert one_line(kept) == kept
    assert all(character.isprintable() for character in kept)
