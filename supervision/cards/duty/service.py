"""The duty register kept: imports in one transaction, who is on duty on a day, and whom cards do not reach.

Names and phones are protected before they are written; what changed is logged with masks. A duty is never deleted: it
ends. Two sources of one truth there are not: the hub's register is what the offices last imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa

from hub.protect import Protector
from hub.remark import one_line
from supervision.cards.duty.files import Entry
from supervision.cards.errors import BadRegister

CONTEXT: Final = "duty"
"""What names and phones are sealed for: the table they stand in."""
LOCK: Final = "hashtext('supervision.duty')"

_TAKEN: Final = """
CREATE TEMP TABLE sup_duty ON COMMIT DROP AS
SELECT row, organ, unit, role, staff, decode(name_hash, 'hex') AS name_hash, name_mask,
    decode(phone_hash, 'hex') AS phone_hash, phone_mask, decode(sealed, 'hex') AS sealed, valid_from, valid_to,
    deputy_of, decode(content_hash, 'hex') AS content_hash
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (row int, organ text, unit text, role text, staff text,
    name_hash text, name_mask text, phone_hash text, phone_mask text, sealed text, valid_from date, valid_to date,
    deputy_of text, content_hash text)
"""
_SAME: Final = """(d.organ, d.unit, d.role, d.staff, d.deputy_of, d.valid_from)
    = (s.organ, s.unit, s.role, s.staff, s.deputy_of, s.valid_from)"""
_DETAIL: Final = """jsonb_strip_nulls(jsonb_build_object('organ', d.organ, 'unit', d.unit, 'role', d.role,
    'name', d.name_mask, 'phone', d.phone_mask, 'from', d.valid_from, 'to', d.valid_to))"""
_CHANGE: Final = f"""
WITH done AS (
    UPDATE supervision.duty AS d SET name_hash = s.name_hash, name_mask = s.name_mask, phone_hash = s.phone_hash,
        phone_mask = s.phone_mask, sealed = s.sealed, valid_to = s.valid_to, content_hash = s.content_hash
    FROM sup_duty AS s WHERE {_SAME} AND d.content_hash <> s.content_hash
    RETURNING d.*
)
INSERT INTO supervision.duty_deed (duty_id, actor, what, reason, detail)
SELECT d.duty_id, :actor, 'changed', :reason, {_DETAIL} FROM done AS d
"""
_ENTER: Final = f"""
WITH done AS (
    INSERT INTO supervision.duty AS d (organ, unit, role, staff, name_hash, name_mask, phone_hash, phone_mask, sealed,
        valid_from, valid_to, deputy_of, content_hash)
    SELECT organ, unit, role, staff, name_hash, name_mask, phone_hash, phone_mask, sealed, valid_from, valid_to,
        deputy_of, content_hash
    FROM sup_duty AS s WHERE NOT EXISTS (SELECT FROM supervision.duty AS d WHERE {_SAME}) ORDER BY row
    RETURNING d.*
)
INSERT INTO supervision.duty_deed (duty_id, actor, what, reason, detail)
SELECT d.duty_id, :actor, 'entered', :reason, {_DETAIL} FROM done AS d
"""
_END: Final = f"""
WITH done AS (
    UPDATE supervision.duty AS d SET valid_to = greatest(d.valid_from, CAST(:last AS date)), content_hash = '\\x00'
    WHERE d.organ IN (SELECT organ FROM sup_duty) AND d.valid_from <= :last
      AND (d.valid_to IS NULL OR d.valid_to > :last)
      AND NOT EXISTS (SELECT FROM sup_duty AS s WHERE {_SAME})
    RETURNING d.*
)
INSERT INTO supervision.duty_deed (duty_id, actor, what, reason, detail)
SELECT d.duty_id, :actor, 'ended', :reason, {_DETAIL} FROM done AS d
"""
_OVERLAPS: Final = f"""
SELECT s.row FROM sup_duty AS s JOIN supervision.duty AS d
    ON (d.organ, d.unit, d.role, d.staff, d.deputy_of) = (s.organ, s.unit, s.role, s.staff, s.deputy_of)
WHERE d.valid_from <> s.valid_from AND d.valid_from <= coalesce(s.valid_to, 'infinity')
  AND s.valid_from <= coalesce(d.valid_to, 'infinity')
  AND NOT EXISTS (SELECT FROM sup_duty AS o WHERE {_SAME.replace("s.", "o.")}) AND NOT :whole
ORDER BY s.row LIMIT 50
"""
_STRANGERS: Final = """
SELECT s.row FROM sup_duty AS s WHERE s.role = 'deputy'
  AND NOT EXISTS (SELECT FROM sup_duty AS o WHERE o.organ = s.organ AND o.staff = s.deputy_of AND o.role <> 'deputy')
  AND NOT EXISTS (SELECT FROM supervision.duty AS o
                  WHERE o.organ = s.organ AND o.staff = s.deputy_of AND o.role <> 'deputy')
ORDER BY s.row LIMIT 50
"""
_UNKNOWN: Final = """
SELECT DISTINCT s.organ FROM sup_duty AS s
WHERE NOT EXISTS (SELECT FROM core.approval_case AS a WHERE a.handling_organ = s.organ)
  AND NOT EXISTS (SELECT FROM core.organ AS g WHERE g.code = s.organ)
  AND NOT EXISTS (SELECT FROM core.source_system AS ss WHERE ss.organ = s.organ)
ORDER BY 1 LIMIT 50
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did; `unknown_organs` are in no case, source or register of organs: perhaps mistyped."""

    rows: int
    entered: int
    changed: int
    ended: int
    without_phone: int
    unknown_organs: tuple[str, ...]


def take_in(
    connection: sa.Connection, protector: Protector, entries: Sequence[Entry], *, file: str, actor: str, reason: str,
    today: date, whole: bool = False,
) -> Imported:  # fmt: skip
    """Enter the rows of a register, change those that are there, and with `whole` end what it no longer has.

    `whole` says that the file has all duties of its organs: their others end on the day before today.

    Raises:
        BadRegister: a row contradicts the register, or no reason is given; nothing was entered.
    """
    said = one_line(reason)
    if not said:
        raise BadRegister(file, ["say why: it is kept with every change"])
    connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    connection.execute(sa.text("DROP TABLE IF EXISTS pg_temp.sup_duty"))
    connection.execute(sa.text(_TAKEN), {"rows": orjson.dumps(_protected(protector, entries)).decode()})
    told = {"overlaps a duty that stands in the register; end that one first, or import the whole register": _OVERLAPS,
            "nobody of the organ has the staff number of deputy_of": _STRANGERS}  # fmt: skip
    faults = [
        f"row {row}: {words}" for words, query in told.items()
        for row in connection.execute(sa.text(query), {"whole": whole} if ":whole" in query else {}).scalars()
    ]  # fmt: skip
    if faults:
        raise BadRegister(file, faults)
    values = {"actor": actor, "reason": said}
    ended = connection.execute(sa.text(_END), {**values, "last": today - timedelta(days=1)}).rowcount if whole else 0
    changed = connection.execute(sa.text(_CHANGE), values).rowcount
    entered = connection.execute(sa.text(_ENTER), values).rowcount
    unknown = tuple(connection.execute(sa.text(_UNKNOWN)).scalars())
    return Imported(len(entries), entered, changed, ended, sum(one.phone is None for one in entries), unknown)


def _protected(protector: Protector, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    persons = protector.protect_many([(one.name, None, one.phone, None) for one in entries], context=CONTEXT)
    hashes = protector.lookup_many("phone", [one.phone for one in entries])
    contents = protector.content_hashes(
        orjson.dumps([one.name, one.phone, one.valid_to and one.valid_to.isoformat()]) for one in entries
    )
    return [
        {
            "row": one.row, "organ": one.organ, "unit": one.unit, "role": one.role, "staff": one.staff,
            "name_hash": made.name_hash and made.name_hash.hex(), "name_mask": made.name_mask,
            "phone_hash": phone and phone.hex(),
            "phone_mask": None if one.phone is None else protector.mask_phone(one.phone),
            "sealed": made.sealed.hex(), "valid_from": one.valid_from, "valid_to": one.valid_to,
            "deputy_of": one.deputy_of, "content_hash": content.hex(),
        }
        for one, made, phone, content in zip(entries, persons, hashes, contents, strict=True)
    ]  # fmt: skip


def on(connection: sa.Connection, day: date, *, organ: str | None = None) -> list[dict[str, Any]]:
    """Return who holds which duty on a day, names and phones masked."""
    query = """SELECT duty_id, organ, unit, role, staff, name_mask, phone_mask, valid_from, valid_to, deputy_of
               FROM supervision.duty
               WHERE valid_from <= :day AND (valid_to IS NULL OR valid_to >= :day)
                 AND (CAST(:organ AS text) IS NULL OR organ = :organ)
               ORDER BY organ, unit, array_position(ARRAY['handler', 'division_head', 'discipline_officer',
                   'leader_in_charge', 'deputy'], role), staff"""
    return [dict(row) for row in connection.execute(sa.text(query), {"day": day, "organ": organ}).mappings()]


def gaps(connection: sa.Connection, day: date) -> list[dict[str, Any]]:
    """Return the duties that enabled rules tell and nobody holds on a day, by organ that has open cases or cards."""
    query = """
        WITH told AS (
            SELECT DISTINCT role FROM (
                SELECT DISTINCT ON (code) code, enabled, recipients FROM supervision.rule ORDER BY code, version DESC
            ) AS r CROSS JOIN LATERAL unnest(r.recipients) AS u (role) WHERE r.enabled
        ),
        organs AS (
            SELECT organ FROM supervision.clock WHERE closed_at IS NULL AND organ IS NOT NULL
            UNION SELECT organ FROM supervision.card WHERE ended_at IS NULL AND organ IS NOT NULL
        )
        SELECT o.organ, t.role,
            (SELECT count(*) FROM supervision.card_unaddressed AS c WHERE c.organ = o.organ) AS cards
        FROM organs AS o CROSS JOIN told AS t
        WHERE NOT EXISTS (
            SELECT FROM supervision.duty AS d WHERE d.organ = o.organ AND d.role = t.role
              AND d.valid_from <= :day AND (d.valid_to IS NULL OR d.valid_to >= :day))
        ORDER BY cards DESC, o.organ, t.role"""
    return [dict(row) for row in connection.execute(sa.text(query), {"day": day}).mappings()]
