"""Base items (基本目录): the fields that are fixed for every level which carries an item out; each change is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from catalog import content as contents
from catalog import store
from catalog.content import CENTRAL
from catalog.errors import ContentRefused, DeedRefused, Fault, NoSuchItem
from catalog.life import Doer
from hub.identifiers import item_code
from hub.remark import one_line
from hub.sentences import sentence

_LONGEST = 2000

_LISTED = """
SELECT b.base_code, b.content ->> 'name' AS name, b.content, b.set_by, b.set_at,
    (SELECT count(*) FROM catalog.item AS i WHERE i.base_code = b.base_code) AS items
FROM catalog.base_item AS b ORDER BY b.base_code
"""
_CHANGES = """SELECT at, actor, reason, content FROM catalog.base_item_deed WHERE base_code = :base ORDER BY deed_id"""


def fix(
    engine: sa.Engine, base_code: str, fields: Mapping[str, Any], doer: Doer, *, reason: str
) -> list[dict[str, Any]]:
    """Fix fields for every level; return the items whose newest published version says otherwise.

    What is published stays as it is: the next version of such an item must follow (it may still be suspended or
    abolished before).

    Raises:
        ContentRefused: with everything that is wrong with the code or the fields.
        DeedRefused: no reason was given.
    """
    words = _reasoned(base_code, reason)
    with store.deed(engine) as connection:
        _write(connection, base_code, fields, doer, words)
        return _differing(connection, base_code, fields)


def take_in(
    connection: sa.Connection, bases: Mapping[str, Mapping[str, Any]], doer: Doer, *, reason: str
) -> dict[str, str]:
    """Fix what an import says of base items, within its transaction; return the fate of each: new, changed, unchanged.

    Raises:
        ContentRefused: with everything that is wrong with one of them.
        DeedRefused: no reason was given.
    """
    fates: dict[str, str] = {}
    for base_code, fields in bases.items():
        before = store.central(connection, base_code)
        if before is not None and dict(before) == dict(fields):
            fates[base_code] = "unchanged"
            continue
        _write(connection, base_code, fields, doer, _reasoned(base_code, reason))
        fates[base_code] = "new" if before is None else "changed"
    return fates


def _reasoned(base_code: str, reason: str) -> str:
    words = one_line(reason)
    if not words or len(words) > _LONGEST:
        raise DeedRefused(
            base_code,
            "no reason was given, or a very long one",
            sentence("Say it in at most {longest}.", longest=_LONGEST),
        )
    return words


def _write(connection: sa.Connection, base_code: str, fields: Mapping[str, Any], doer: Doer, words: str) -> None:
    if faults := _faults(base_code, fields):
        raise ContentRefused(base_code, faults)
    values = {"base": base_code, "content": orjson.dumps(dict(fields)).decode(), "actor": doer.actor, "reason": words}
    connection.execute(
        sa.text("""INSERT INTO catalog.base_item (base_code, content, set_by)
                   VALUES (:base, CAST(:content AS jsonb), :actor)
                   ON CONFLICT (base_code) DO UPDATE
                   SET content = excluded.content, set_by = excluded.set_by, set_at = now()"""),
        values,
    )
    connection.execute(
        sa.text("""INSERT INTO catalog.base_item_deed (base_code, content, actor, reason)
                   VALUES (:base, CAST(:content AS jsonb), :actor, :reason)"""),
        values,
    )


def listed(engine: sa.Engine) -> list[dict[str, Any]]:
    """Return every base item: what it fixes, and how many items have it and say otherwise."""
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(sa.text(_LISTED)).mappings()]
        standing = _by_base(connection)
    for row in rows:
        content = row.pop("content")
        row["fixes"] = sorted(content)
        row["differing"] = sum(bool(_fields(content, one)) for _, _, one in standing.get(row["base_code"], ()))
    return rows


def shown(engine: sa.Engine, base_code: str) -> dict[str, Any]:
    """Return a base item with each change of it, and the items that say otherwise.

    Raises:
        NoSuchItem: none has this code.
    """
    with engine.connect() as connection:
        content = store.central(connection, base_code)
        if content is None:
            raise NoSuchItem(base_code)
        changes = connection.execute(sa.text(_CHANGES), {"base": base_code}).mappings()
        return {
            "base_code": base_code,
            "content": dict(content),
            "changes": [dict(row) for row in changes],
            "differing": _differing(connection, base_code, content),
        }


def _faults(base_code: str, fields: Mapping[str, Any]) -> list[Fault]:
    if why := item_code.fault(base_code, expected="base"):
        return [Fault("/base_code", "number_unreadable", why)]
    known = ", ".join(CENTRAL)
    fixes = sentence("a base item fixes {known}", known=known)
    found = [Fault(f"/{name}", "unknown_field", fixes) for name in fields if name not in CENTRAL]
    if not fields:
        found.append(Fault("", "empty", sentence("nothing is fixed; a base item fixes some of {known}", known=known)))
    # What a content must say beside the fixed fields is each item's own.
    whole = {"name": "–", "item_type": base_code[2:4], **{name: fields[name] for name in CENTRAL if name in fields}}
    return found + contents.faults(base_code, whole)


def _by_base(connection: sa.Connection) -> dict[str, list[tuple[str, str, Mapping[str, Any]]]]:
    found: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    rows = connection.execute(
        sa.text("""SELECT DISTINCT ON (item_id) base_code, code, organ, content, status FROM catalog.in_force
                   WHERE base_code IS NOT NULL ORDER BY item_id, valid_from DESC, version DESC""")
    )
    for row in rows:
        if row.status in ("in_force", "suspended"):
            found.setdefault(row.base_code, []).append((row.code, row.organ, row.content))
    return found


def _differing(connection: sa.Connection, base_code: str, fixed: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"code": code, "organ": organ, "fields": fields}
        for code, organ, content in sorted(_by_base(connection).get(base_code, ()), key=lambda one: one[0])
        if (fields := _fields(fixed, content))
    ]


def _fields(fixed: Mapping[str, Any], content: Mapping[str, Any]) -> list[str]:
    return [name for name in CENTRAL if name in fixed and content.get(name) != fixed[name]]
