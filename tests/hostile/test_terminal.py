"""What a department wrote is shown in a terminal as it is: not obeyed, not styled, not swallowed."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import cli
from hub.remark import visible
from hub.show import progress_bar, show_table

HOSTILE = {
    "markup that closes nothing": ("[/red].csv", "[/red].csv"),
    "markup": ("[bold]申请[/bold] [link=http://x]y[/link]", "[bold]申请[/bold] [link=http://x]y[/link]"),
    "the name of a picture": ("a:smile:b", "a:smile:b"),
    "an order to clear the screen": ("a\x1b[2Jb", r"a\x1b[2Jb"),
    "one of a single character": ("a\x9b2Jb", r"a\x9b2Jb"),
    "a title for the window": ("\x1b]0;root\x07", r"\x1b]0;root\x07"),
    "text turned round": ("abc\u202egpj.exe", r"abc\u202egpj.exe"),
    "a lone surrogate": ("a\ud800", r"a\ud800"),
    "a carriage return": ("good\rbad", r"good\rbad"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_value_in_a_table_is_shown_whole_and_orders_nothing(capsys: pytest.CaptureFixture[str], name: str) -> None:
    said, shown = HOSTILE[name]
    show_table(["what", "why"], [{"what": said, "why": [said]}], title=said)
    assert capsys.readouterr().out.count(shown) == 3


def test_what_is_under_work_is_no_order_either(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # a bar is drawn for a terminal only
    with progress_bar("pull") as bar:
        bar.advance(1, "[/red]\x07")
    assert r"[/red]\x07" in capsys.readouterr().err


def test_an_error_shows_what_it_got(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["hub", "source", "check", "\x1b[2J"])
    monkeypatch.setenv("HUB_SOURCES", "demo/sources")
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert r"\x1b[2J" in said
    assert "\x1b" not in said


@given(st.text())
def test_what_is_visible_stays_as_it_is_and_holds_nothing_that_is_obeyed(said: str) -> None:
    shown = visible(said)
    assert visible(shown) == shown
    assert not any(sign < " " and sign not in "\n\t" for sign in shown)
    shown.encode("utf-8")
