"""A supervisors' desk for tests: rules judged at a moment, the feed moved on, and cards looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipeline.runtime import Runtime
from sharedrepo.keyring.signing import Ed25519Signer
from supervision.cards import deeds, evidence, raising, reading
from supervision.cards.duty import files, service
from supervision.cards.raising import Raised
from supervision.clock import service as clock
from supervision.rules import service as rules
from tests.supervision.world import ORGAN, World, at

REGISTER = f"""organ,unit,role,staff,name,phone,from,to,deputy_of
{ORGAN},审批处,handler,S001,周敏,13900001111,2026-01-01,,
{ORGAN},审批处,division_head,S002,吴国强,13900002222,2026-01-01,,
{ORGAN},监察室,discipline_officer,S003,郑立新,13900003333,2026-01-01,,
{ORGAN},,leader_in_charge,S004,陈卫东,13900004444,2026-01-01,,
{ORGAN},审批处,deputy,S005,李晓明,13900005555,2026-03-01,2026-03-31,S002
"""
"""Invented persons: one for each duty, and a deputy of the division head in March."""

_DISABLED = """
INSERT INTO supervision.rule
SELECT n.* FROM (SELECT DISTINCT ON (code) * FROM supervision.rule ORDER BY code, version DESC) AS r
CROSS JOIN LATERAL jsonb_populate_record(CAST(NULL AS supervision.rule), to_jsonb(r) || jsonb_build_object(
    'version', r.version + 1, 'enabled', false, 'actor', 'test', 'reason', 'a test')) AS n
WHERE r.enabled AND r.code <> ALL (:codes)"""


class Desk:
    """Judges rules over the cases of a world, and tells what became of cards."""

    def __init__(self, runtime: Runtime, world: World) -> None:
        self.runtime, self.engine, self.world = runtime, runtime.engine, world
        self.signer = Ed25519Signer.of(runtime.protector.ring)
        self.through("2027-01-01")
        with self.engine.begin() as connection:
            rules.begin(connection, date(2020, 1, 1), actor="test", reason="all that tests write is judged")

    @contextmanager
    def at(self, now: str | None) -> Any:
        """A transaction whose views stand at a moment."""
        with self.engine.begin() as connection:
            if now:
                connection.execute(sa.text("SELECT set_config('hub.now', :now, true)"), {"now": str(at(now))})
            yield connection

    def run(self, now: str, cases: Iterable[int] | None = None) -> Raised:
        """Recount the clocks and judge all rules at a moment."""
        with self.at(now) as connection:
            listed = None if cases is None else list(cases)
            clock.recount(connection, listed)
            done = raising.run(connection, cases=listed)
            evidence.seal(connection, self.signer)
            return done

    def through(self, said: str | None) -> None:
        """Say up to when the feed is complete."""
        self.do("UPDATE ledger.stream SET complete_through = :at, complete_basis = 'declared'", at=at(said))

    def do(self, query: str, **values: Any) -> Any:
        with self.engine.begin() as connection:
            done = connection.execute(sa.text(query), values)
            return done.scalar() if done.returns_rows else None

    def deed(self, deed: Callable[..., Any], number: str, *, now: str = "2026-03-20 10:00", **said: Any) -> Any:
        """Do something to a card at a moment."""
        with self.at(now) as connection:
            return deed(connection, number, **said)

    def cards(self, **wanted: Any) -> list[dict[str, Any]]:
        """All cards, ended ones too, in the order in which they were made."""
        with self.engine.begin() as connection:
            return reading.listed(connection, **{"ended": True, "after": 0, **wanted})

    def card(self, number: str | None = None) -> dict[str, Any]:
        """One card with its life; without a number the only one."""
        with self.engine.begin() as connection:
            return reading.found(connection, number or self.only())

    def only(self, **wanted: Any) -> str:
        (one,) = self.cards(**wanted)
        return str(one["number"])

    def set(self, code: str, **changes: Any) -> None:
        """Change a rule."""
        with self.engine.begin() as connection:
            rules.change(connection, code, actor="cli:test", reason="a test", **changes)

    def only_rules(self, *codes: str) -> None:
        """Disable all other rules."""
        with self.engine.begin() as connection:
            for one in rules.current(connection):
                if one.code in codes and not one.enabled:
                    rules.change(connection, one.code, actor="cli:test", reason="a test", enabled=True)
            connection.execute(sa.text(_DISABLED), {"codes": list(codes)})  # in one: there are some thirty

    def register(
        self, folder: Path, text: str = REGISTER, *, today: date = date(2026, 3, 1), whole: bool = False
    ) -> Any:
        """Import a duty register."""
        file = folder / "duty.csv"
        file.write_text(text, encoding="utf-8")
        with self.engine.begin() as connection:
            return service.take_in(
                connection, self.runtime.protector, files.read(file), file=file.name, actor="cli:test",
                reason="a test", today=today, whole=whole,
            )  # fmt: skip

    def whats(self, number: str | None = None) -> list[str]:
        """What was done to a card, in order."""
        return [str(one["what"]) for one in self.card(number)["deeds"]]


__all__ = ["REGISTER", "Desk", "deeds"]
