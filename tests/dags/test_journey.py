"""The ground on which `make demo` walks: its home, its environment, the connections that the build wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.journey import Halted, fresh_home, own_environment, read_connections


def test_a_home_that_no_demonstration_made_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "hub" / "keys" / "keys.json"
    precious.parent.mkdir(parents=True)
    precious.write_text("{}")
    with pytest.raises(Halted, match="Name another folder"):
        fresh_home(tmp_path / "hub", "1", "50", {})
    assert precious.exists()


def test_an_earlier_demonstration_is_made_anew(tmp_path: Path) -> None:
    home = tmp_path / "hub"
    environment = own_environment(home)
    fresh_home(home, "1", "50", environment)
    (home / "archive").mkdir()
    fresh_home(home, "2", "50", environment)
    assert sorted(path.name for path in home.iterdir()) == ["demo"]
    assert home.stat().st_mode & 0o777 == 0o700


def test_an_empty_folder_is_a_good_home(tmp_path: Path) -> None:
    fresh_home(tmp_path, "1", "50", {})
    assert (tmp_path / "demo" / "journey.json").is_file()


def test_connections_are_read_as_a_shell_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "connections.env"
    file.write_text("HUB_CONN_A='sqlite:////tmp/a b.db?x=1'\n# a comment\n\nHUB_CONN_B='http://127.0.0.1:8001'\n")
    assert read_connections(file) == {"HUB_CONN_A": "sqlite:////tmp/a b.db?x=1", "HUB_CONN_B": "http://127.0.0.1:8001"}


def test_no_setting_of_another_deployment_reaches_the_demonstration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HUB_DATABASE_URL", "HUB_KEYS", "AIRFLOW_HOME", "AIRFLOW__CORE__EXECUTOR"):
        monkeypatch.setenv(name, "another's")
    environment = own_environment(tmp_path)
    assert "another's" not in environment.values()
    assert (environment["HUB_HOME"], environment["HUB_SCHEDULES"]) == (str(tmp_path), "off")
