"""What the commands of verification have in common: the open hub, documents from files, and who does it."""

from __future__ import annotations

import getpass
import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.errors import HubError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from hub.protect import Protector

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Actor = Annotated[str | None, typer.Option("--by", help="Who does it; without it, who is signed in here.")]
_LARGEST = 4 << 20


class CannotVerify(HubError):
    """A file is no receipt, or does not prove what it says."""

    exit_status = 65


def open_hub() -> tuple[sa.Engine, Protector]:
    """Open the repository, at its present revision, and its keys."""
    from hub.protect import Protector  # noqa: PLC0415  # opening a hub takes long
    from hub.settings import Settings  # noqa: PLC0415  # only when a command runs
    from sharedrepo.connect import engine as make_engine  # noqa: PLC0415  # only when a command runs
    from sharedrepo.keyring.keys import check_fingerprints  # noqa: PLC0415  # only when a command runs
    from sharedrepo.migrate import upgrade  # noqa: PLC0415  # only when a command runs

    settings = Settings.load()
    engine = make_engine(settings)
    upgrade(engine)
    protector = Protector.from_settings(settings)
    check_fingerprints(engine, protector)
    return engine, protector


def read_document(file: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        CannotVerify: the file is too large, or holds none.
    """
    try:
        if file.stat().st_size > _LARGEST:
            raise CannotVerify(f"{file.name} is larger than {_LARGEST >> 20} MiB: no receipt or head is.")
        said = jsonlib.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise CannotVerify(f"{file.name} cannot be read ({type(error).__name__}). Give the JSON as it came.") from None
    if not isinstance(said, dict):
        raise CannotVerify(f"{file.name} is no JSON object. Give the JSON as it came.")
    return said


def actor_of(by: str | None) -> str:
    """Return who does it."""
    return by or f"cli:{getpass.getuser()}"
