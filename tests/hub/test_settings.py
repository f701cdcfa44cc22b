"""Settings come from the environment, say what is wrong, and make closed folders."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hub.settings import SettingError, Settings, private_folder


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)


def test_defaults_are_the_embedded_demonstration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.load()
    assert settings.home == tmp_path / ".hub"
    assert settings.embedded
    assert settings.archive_location == str(tmp_path / ".hub" / "archive")
    assert settings.slice_size == 20_000
    assert [folder.name for folder in settings.sources] == ["sources"]


def test_sources_are_separated_like_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUB_SOURCES", os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b"), ""]))
    assert Settings.load().sources == (tmp_path / "a", tmp_path / "b")


def test_an_empty_variable_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", "")
    assert Settings.load().embedded


def test_unreadable_settings_are_all_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_SLICE_SIZE", "many-secret")
    with pytest.raises(SettingError, match="HUB_SLICE_SIZE") as caught:
        Settings.load()
    assert "many-secret" not in str(caught.value)


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", "postgresql://u:topsecret@h/d")
    assert "topsecret" not in repr(Settings.load())


@pytest.mark.parametrize("asked", ["zj_hrss", "zj-hrss", "ZJ.HRSS"])
def test_connection_resolves(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setenv("HUB_CONN_ZJ_HRSS", "postgresql://x")
    assert Settings.load().connection(asked) == "postgresql://x"


def test_missing_connection_says_what_was_looked_for_and_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_CONN_OTHER", "postgresql://u:topsecret@h/d")
    with pytest.raises(SettingError) as caught:
        Settings.load().connection("zj_hrss")
    assert "HUB_CONN_ZJ_HRSS" in str(caught.value)
    assert "HUB_CONN_OTHER" in str(caught.value)
    assert "topsecret" not in str(caught.value)


def test_folders_are_private(tmp_path: Path) -> None:
    home = Settings.load(home=tmp_path / "deep" / "home").make_home()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    opened = tmp_path / "open"
    opened.mkdir(mode=0o755)
    assert stat.S_IMODE(private_folder(opened).stat().st_mode) == 0o700
