"""The fingerprints of the keys that the repository was written with."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from hub.protect import Protector
from sharedrepo.models import key_fingerprint


def check_fingerprints(engine: sa.Engine, protector: Protector) -> None:
    """Compare the keys at hand with those the repository knows, and write down those that it does not know yet.

    Raises:
        RepositoryError: the repository was written with another key.
    """
    with engine.begin() as connection:
        live = key_fingerprint.c.retired.is_(False)
        rows = connection.execute(sa.select(key_fingerprint.c.key_number, key_fingerprint.c.fingerprint).where(live))
        stored = {number: text for number, text in rows}  # noqa: C416  # dict() of rows is not typed
        protector.verify_fingerprints(stored)
        missing = {number: text for number, text in protector.fingerprints().items() if number not in stored}
        if missing:
            values = [{"key_number": number, "fingerprint": text} for number, text in sorted(missing.items())]
            connection.execute(insert(key_fingerprint).on_conflict_do_nothing(), values)
