"""Rules as data: the defaults that a hub begins with, the version of each that holds, and changes with their reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson
import sqlalchemy as sa
import yaml

from hub.remark import one_line
from hub.workdays import local_day
from sharedrepo.models.cards import KINDS, LEVELS, ROLES, SCOPES
from supervision.rules.errors import BadRule, NoSuchRule
from supervision.rules.measures import MEASURES

LONGEST: Final = 500
"""Characters of a reason or a title."""
MOST_DAYS: Final = 250
_RECIPIENTS: Final = tuple(one for one in ROLES if one != "deputy")
_COLUMNS: Final = (
    "code", "version", "kind", "level", "scope", "basis", "recipients", "feedback_days", "repeat_days", "since",
    "enabled", "holds_from", "title_zh", "title_en", "source_zh", "source_en",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of one rule; `basis` names its measure and the measure's words.

    What was over before `holds_from` raises no card; None where it has held since supervision began.
    """

    code: str
    version: int
    kind: str
    level: str
    scope: str
    basis: Mapping[str, Any]
    recipients: Sequence[str]
    feedback_days: int
    repeat_days: int | None
    since: date | None
    enabled: bool
    holds_from: date | None
    title_zh: str
    title_en: str
    source_zh: str
    source_en: str

    @property
    def measure(self) -> str:
        """Return the word of its measure."""
        return str(self.basis.get("measure"))

    @property
    def statement(self) -> str:
        """Return the statement that judges it."""
        return MEASURES[self.measure].statements[self.scope]

    @property
    def lasting(self) -> bool:
        """Say whether what it found can vanish only by a correction of facts."""
        return MEASURES[self.measure].lasting

    def faults(self) -> list[str]:
        """Say everything that is wrong with it."""
        faults = [
            f"{name} is one of {', '.join(choices)}"
            for name, said, choices in (
                ("kind", self.kind, KINDS), ("level", self.level, LEVELS), ("scope", self.scope, SCOPES),
            ) if said not in choices
        ]  # fmt: skip
        measure = MEASURES.get(self.measure)
        if measure is None:
            faults.append(f"the measure {self.measure[:40]!r} is not known; there are: {', '.join(MEASURES)}")
        else:
            faults += measure.faults(self.basis)
            if self.scope in SCOPES and self.scope not in measure.statements:
                faults.append(f"{self.measure} judges {' or '.join(measure.statements)}, no {self.scope}")
        unknown = [one for one in self.recipients if one not in _RECIPIENTS]
        if unknown or not self.recipients or len(set(self.recipients)) != len(self.recipients):
            faults.append(f"recipients are some of {', '.join(_RECIPIENTS)}, each once; their deputies go with them")
        if not 1 <= self.feedback_days <= MOST_DAYS:
            faults.append(f"feedback is due within 1 to {MOST_DAYS} working days")
        if self.repeat_days is not None and not 1 <= self.repeat_days <= MOST_DAYS:
            faults.append(f"it is told again after 1 to {MOST_DAYS} working days, or never")
        return faults


@cache
def defaults() -> Mapping[str, Rule]:
    """Return the rules that a hub begins with, by code, as `defaults.yml` says them with their published sources."""
    said = yaml.safe_load((Path(__file__).with_name("defaults.yml")).read_text(encoding="utf-8"))
    return {one["code"]: _read(one) for one in said}


def _read(said: Mapping[str, Any]) -> Rule:
    return Rule(
        code=said["code"], version=1, kind=said["kind"], level=said["level"], scope=said["scope"],
        basis=said["basis"], recipients=tuple(said["recipients"]), feedback_days=said["feedback"],
        repeat_days=said.get("repeat"), since=None, enabled=said.get("enabled", True), holds_from=None,
        title_zh=said["title"]["zh"], title_en=said["title"]["en"], source_zh=said["source"]["zh"],
        source_en=said["source"]["en"],
    )  # fmt: skip


_WRITE: Final = sa.text(f"""
INSERT INTO supervision.rule ({", ".join(_COLUMNS)}, actor, reason)
SELECT {", ".join(_COLUMNS)}, :actor, :reason FROM jsonb_to_recordset(CAST(:rules AS jsonb)) AS r (
    code text, version int, kind text, level text, scope text, basis jsonb, recipients text[], feedback_days int,
    repeat_days int, since date, enabled boolean, holds_from date, title_zh text, title_en text, source_zh text,
    source_en text)
ON CONFLICT (code, version) DO NOTHING
""")
_NOW: Final = f"""
SELECT DISTINCT ON (code) {", ".join(_COLUMNS)} FROM supervision.rule ORDER BY code, version DESC
"""


def ensure(connection: sa.Connection) -> None:
    """Enter the defaults that the repository does not have yet; those it has stay as people changed them.

    Those that come with a newer hub, when supervision has begun long since, hold from this day on.
    """
    known = set(connection.execute(sa.text("SELECT code FROM supervision.rule")).scalars())
    missing = [one for code, one in defaults().items() if code not in known]
    if missing:
        day = local_day(instant_of(connection)) if known else None
        _write(connection, [replace(one, holds_from=day) for one in missing], actor="hub", reason="default")


def _write(connection: sa.Connection, rules: Sequence[Rule], *, actor: str, reason: str) -> int:
    said = orjson.dumps([asdict(one) for one in rules]).decode()
    return connection.execute(_WRITE, {"rules": said, "actor": actor, "reason": reason}).rowcount


def current(connection: sa.Connection) -> list[Rule]:
    """Return the version of each rule that holds, by code."""
    ensure(connection)
    return [Rule(**row) for row in connection.execute(sa.text(_NOW)).mappings()]


def found(connection: sa.Connection, code: str) -> Rule:
    """Return the version of one rule that holds.

    Raises:
        NoSuchRule: there is none of this code.
    """
    rules = {one.code: one for one in current(connection)}
    if code not in rules:
        raise NoSuchRule(code, sorted(rules))
    return rules[code]


def change(connection: sa.Connection, code: str, *, actor: str, reason: str, **changes: Any) -> Rule:
    """Write the next version of a rule, with what changes in it; return it.

    `basis` may name single words of the basis: the others stay. A rule that is enabled holds from this day on, where
    `holds_from` does not say another.

    Raises:
        NoSuchRule: there is none of this code.
        BadRule: it cannot be so, nothing is said to change, or no reason is given; all faults at once.
    """
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('supervision.rule'))"))
    before = found(connection, code)
    if "basis" in changes:
        changes["basis"] = {**before.basis, **changes["basis"]}
    if changes.get("enabled") and not before.enabled:
        changes.setdefault("holds_from", local_day(instant_of(connection)))
    after = replace(before, version=before.version + 1, **changes)
    said = one_line(reason)
    faults = after.faults()
    if not said or len(said) > LONGEST:
        faults.append(f"say why in 1 to {LONGEST} characters: it is kept with the version")
    if replace(after, version=before.version) == before:
        faults.append("nothing is said that would change it")
    if faults:
        raise BadRule(code, faults)
    if not _write(connection, [after], actor=actor, reason=said):
        raise BadRule(code, ["somebody else changed it this moment; look at it, then repeat"])
    return after


def history(connection: sa.Connection, code: str) -> list[dict[str, Any]]:
    """Return all versions of a rule, the newest first, each with who made it, when and why.

    Raises:
        NoSuchRule: there is none of this code.
    """
    found(connection, code)
    query = "SELECT * FROM supervision.rule WHERE code = :code ORDER BY version DESC"
    return [dict(row) for row in connection.execute(sa.text(query), {"code": code}).mappings()]


def runs(connection: sa.Connection, *, code: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """Return how often rules were judged, the latest first: over how many cases, what they found and raised."""
    query = """SELECT run, at, as_of, scope, code, version, cases, found, past, raised, held, milliseconds
               FROM supervision.rule_run WHERE CAST(:code AS text) IS NULL OR code = :code
               ORDER BY rule_run_id DESC LIMIT :limit"""
    return [dict(row) for row in connection.execute(sa.text(query), {"code": code, "limit": limit}).mappings()]


def began(connection: sa.Connection) -> date:
    """Return the day on which supervision began here: that of the first run, where nobody has said another.

    What was over before that day raises no card (`supervision.rules.measures`): a case that is closed cannot be put
    right, and it stands in the figures all the same.
    """
    query = "SELECT day FROM supervision.beginning ORDER BY beginning_id DESC LIMIT 1"
    day: date | None = connection.execute(sa.text(query)).scalar()
    if day is not None:
        return day
    return begin(connection, local_day(instant_of(connection)), actor="hub", reason="first run")


def begin(connection: sa.Connection, day: date, *, actor: str, reason: str) -> date:
    """Say on which day supervision began here; the next run judges by it.

    Raises:
        BadRule: no reason is given.
    """
    said = one_line(reason)
    if not said or len(said) > LONGEST:
        raise BadRule("begin", [f"say why in 1 to {LONGEST} characters: it is kept with the day"])
    query = "INSERT INTO supervision.beginning (day, actor, reason) VALUES (:day, :actor, :reason)"
    connection.execute(sa.text(query), {"day": day, "actor": actor, "reason": said})
    return day


def instant_of(connection: sa.Connection) -> datetime:
    """Return the moment that the clocks' views stand at."""
    at: datetime = connection.execute(sa.text("SELECT supervision.instant()")).scalar_one()
    return at
