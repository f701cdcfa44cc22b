"""What one person asks for and another answers: only somebody else than who asked moves it on, and says why."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from hub.errors import HubError


@dataclass(frozen=True, slots=True)
class Kind:
    """What is asked for: its name in messages, its table with the key, the command that lists it, its refusal."""

    name: str
    table: str
    key: str
    listing: str
    refusal: type[HubError]


def move(engine: sa.Engine, kind: Kind, number: int, before: str, state: str, reason: str, actor: str) -> None:
    """Move what was asked for from one state to the next.

    Raises:
        HubError: as `kind.refusal`: none of this number is in that state, the same person asked, or there is no reason.
    """
    if not reason.strip():
        raise kind.refusal(f"say why: it is kept with the {kind.name}.")
    with engine.begin() as connection:
        done = connection.execute(
            sa.text(f"""UPDATE {kind.table} SET state = :state, reason = :reason, answered_by = :actor,
                           answered_at = now()
                       WHERE {kind.key} = :number AND state = :before AND asked_by <> :actor"""),
            {"state": state, "reason": reason, "actor": actor, "number": number, "before": before},
        )
    if not done.rowcount:
        raise kind.refusal(
            f"no {kind.name} {number} is {before}, or you asked for it yourself. `{kind.listing}` lists them."
        )
