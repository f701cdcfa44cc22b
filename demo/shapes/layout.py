"""Where the demonstration's departments keep what they deliver."""

from __future__ import annotations

from pathlib import Path


def department_place(home: Path, code: str) -> Path:
    """Return where the folder of one department's system is, whether it is there or not."""
    return home / "demo" / "departments" / code


def department_folder(home: Path, code: str) -> Path:
    """Return the folder of one department's system, made when it is not there."""
    folder = department_place(home, code)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
