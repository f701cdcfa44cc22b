"""The catalogue's tables read and written; every function works within the transaction that it is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from catalog.errors import ContentRefused, Fault, NoSuchItem, NumberTaken
from catalog.life import Doer, Proposal, State, Status
from hub.identifiers import credit_code, item_code
from hub.sentences import sentence
from sharedrepo.models import catalog_item, item_deed, item_number, item_version


@dataclass(frozen=True, slots=True)
class Standing:
    """How an item stands: what its newest published version says (None: none is), and which version is under way."""

    item_id: int
    code: str
    base_code: str | None
    latest: int
    status: Status | None
    effective_on: date | None
    content: dict[str, Any] | None
    under_way: int | None
    organ: str


@dataclass(frozen=True, slots=True)
class Version:
    """The version that is under way."""

    version_id: int
    state: State
    drafted_by: str
    successors: tuple[str, ...]
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """What an item says from one day until another, which is not included."""

    code: str
    base_code: str | None
    content: dict[str, Any]
    valid_from: date
    valid_to: date | None

    def holds_on(self, day: date) -> bool:
        """Say whether it holds on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


class Numbered(Protocol):
    """A new item with its numbers, organ and region."""

    @property
    def code(self) -> str:
        """Return its code."""

    @property
    def base_code(self) -> str | None:
        """Return its base code; None: as its code says."""

    @property
    def organ(self) -> str:
        """Return who carries it out."""

    @property
    def region(self) -> str | None:
        """Return where."""


LONGEST_NUMBER = 100
"""Characters of an item's number, of any scheme."""

_STANDINGS = """
SELECT i.item_id, i.code, i.base_code,
    (SELECT coalesce(max(version), 0) FROM catalog.item_version WHERE item_id = i.item_id) AS latest,
    p.status, p.effective_on, p.content,
    (SELECT version FROM catalog.item_version
     WHERE item_id = i.item_id AND state IN ('draft', 'in_review', 'to_publish')) AS under_way,
    i.organ
FROM catalog.item AS i
LEFT JOIN LATERAL (
    SELECT status, effective_on, content FROM catalog.item_version
    WHERE item_id = i.item_id AND state = 'published' ORDER BY effective_on DESC, version DESC LIMIT 1
) AS p ON TRUE
"""
_STANDING = f"""{_STANDINGS}
WHERE i.code = :code OR i.item_id = (SELECT item_id FROM catalog.item_number WHERE number = :code)
"""


@contextmanager
def deed(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give the transaction of one deed; deeds come one after the other."""
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('hub.catalog'))"))
        yield connection


def standing(connection: sa.Connection, code: str) -> Standing | None:
    """Return how the item of a code or other number stands; None where no item has it."""
    row = connection.execute(sa.text(_STANDING), {"code": code}).mappings().first()
    return None if row is None else Standing(**row)


def known(connection: sa.Connection, code: str) -> Standing:
    """Return how an item stands.

    Raises:
        NoSuchItem: there is none of this number.
    """
    found = standing(connection, code)
    if found is None:
        raise NoSuchItem(code)
    return found


def all_standing(connection: sa.Connection) -> dict[str, Standing]:
    """Return how every item stands, by each of its numbers."""
    found = {row["code"]: Standing(**row) for row in connection.execute(sa.text(_STANDINGS)).mappings()}
    by_id = {one.item_id: one for one in found.values()}
    others = connection.execute(sa.text("SELECT number, item_id FROM catalog.item_number"))
    return {**{row.number: by_id[row.item_id] for row in others}, **found}


def enter(connection: sa.Connection, said: Proposal) -> Standing:
    """Enter a new item with all its numbers.

    Raises:
        ContentRefused: a number of the standard is not formed as it must be, or they do not belong together.
        NumberTaken: a number stands for another item.
    """
    if faults := number_faults(said.code, said.organ, said.base_code):
        raise ContentRefused(said.code, faults)
    for number in (said.code, *(said.numbers or {}).values()):
        taken = standing(connection, number)
        if taken is not None:
            raise NumberTaken(number, taken.code)
    base = said.base_code or base_of(said.code)
    item_id = connection.execute(
        sa.text("""INSERT INTO catalog.item (code, base_code, organ, region) VALUES (:code, :base, :organ, :region)
                   RETURNING item_id"""),
        {"code": said.code, "base": base, "organ": said.organ, "region": said.region},
    ).scalar_one()
    add_numbers(connection, [(item_id, scheme, number) for scheme, number in (said.numbers or {}).items()])
    return known(connection, said.code)


def enter_all(connection: sa.Connection, said: Sequence[Numbered]) -> list[tuple[str, int]]:
    """Enter new items whose numbers were judged before; return the id of each by its code."""
    rows = [
        {"code": one.code, "base_code": one.base_code or base_of(one.code), "organ": one.organ, "region": one.region}
        for one in said
    ]
    if not rows:
        return []
    made = connection.execute(sa.insert(catalog_item).returning(catalog_item.c.code, catalog_item.c.item_id), rows)
    return [(row.code, row.item_id) for row in made]


def add_numbers(connection: sa.Connection, numbers: Sequence[tuple[int, str, str]]) -> None:
    """Give items other numbers (item, scheme, number); one that an item has already stays as it is."""
    rows = [{"item_id": item, "scheme": scheme, "number": number} for item, scheme, number in numbers]
    if rows:
        connection.execute(postgresql.insert(item_number).on_conflict_do_nothing(index_elements=["number"]), rows)


def publish_all(connection: sa.Connection, versions: Sequence[Mapping[str, Any]], doer: Doer, reason: str) -> None:
    """Write published versions of an import, each with a deed that says who brought it and why."""
    if not versions:
        return
    insert = sa.insert(item_version).values(published_at=sa.func.now()).returning(item_version.c.version_id)
    made = connection.execute(insert, [dict(one) for one in versions])
    said = {"actor": doer.actor, "seat": doer.seat, "what": "import", "opinion": reason}
    connection.execute(sa.insert(item_deed), [{"version_id": row.version_id, **said} for row in made])


def base_of(code: str) -> str | None:
    """Return the base code that an implementation code holds; None where it is no such code."""
    return code[19:31] if item_code.fault(code, expected="implementation") is None else None


def number_faults(code: str, organ: str, base_code: str | None) -> list[Fault]:
    """Say what is wrong with an item's numbers: each by itself, and with each other."""
    found = []
    if not code or len(code) > LONGEST_NUMBER or not code.isprintable():
        found.append(
            Fault("/code", "number_unreadable", sentence("a code of 1 to {most} characters", most=LONGEST_NUMBER))
        )
    if item_code.claims_standard(code) and (why := item_code.fault(code)):
        found.append(Fault("/code", "number_unreadable", why))
    if base_code and (why := item_code.fault(base_code, expected="base")):
        found.append(Fault("/base_code", "number_unreadable", why))
    if why := credit_code.fault(organ):
        found.append(Fault("/organ", "organ_unreadable", why))
    held = base_of(code)
    if held is not None and organ != code[:18]:
        found.append(Fault("/organ", "numbers_differ", "the code begins with another organ"))
    if held is not None and base_code not in (None, held):
        found.append(Fault("/base_code", "numbers_differ", "the code holds another base code"))
    return found


def central(connection: sa.Connection, base_code: str | None) -> Mapping[str, Any] | None:
    """Return what the base item fixes for all levels; None where it fixes nothing."""
    found: Mapping[str, Any] | None = connection.scalar(
        sa.text("SELECT content FROM catalog.base_item WHERE base_code = :base"), {"base": base_code}
    )
    return found


def all_central(connection: sa.Connection) -> dict[str, Mapping[str, Any]]:
    """Return what each base item fixes, by its base code."""
    return {row.base_code: row.content for row in connection.execute(sa.text("SELECT * FROM catalog.base_item"))}


def draft(
    connection: sa.Connection, item: Standing, said: Proposal, content: dict[str, Any], status: Status, actor: str
) -> int:
    """Write the next version as a draft; return its id."""
    made: int = connection.execute(
        sa.text("""INSERT INTO catalog.item_version
                       (item_id, version, status, change, reason, content, successors, drafted_by)
                   VALUES (:item, :version, :status, :change, :reason, CAST(:content AS jsonb), :successors, :actor)
                   RETURNING version_id"""),
        {"item": item.item_id, "version": item.latest + 1, "status": status, "change": said.change,
         "reason": said.reason, "content": orjson.dumps(content).decode(), "successors": list(said.successors),
         "actor": actor},
    ).scalar_one()  # fmt: skip
    return made


def under_way(connection: sa.Connection, item_id: int) -> Version | None:
    """Return the version that is under way; None where there is none."""
    row = connection.execute(
        sa.text("""SELECT version_id, state, drafted_by, successors, content FROM catalog.item_version
                   WHERE item_id = :item AND state IN ('draft', 'in_review', 'to_publish')"""),
        {"item": item_id},
    ).first()
    return (
        None if row is None else Version(row.version_id, row.state, row.drafted_by, tuple(row.successors), row.content)
    )


def change(connection: sa.Connection, version_id: int, **values: Any) -> None:
    """Change columns of a version that is under way; what is published stays for ever."""
    sets = [f"{name} = {f'CAST(:{name} AS jsonb)' if name == 'content' else f':{name}'}" for name in values]
    if values.get("state") == "published":
        sets.append("published_at = now()")
    connection.execute(
        sa.text(f"UPDATE catalog.item_version SET {', '.join(sets)} WHERE version_id = :id AND state <> 'published'"),
        {**values, "id": version_id},
    )


def note(
    connection: sa.Connection, version_id: int, doer: Doer, what: str, opinion: str,
    content: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Log a deed on a version; with `content`, what its draft says from then on."""
    said = None if content is None else orjson.dumps(dict(content)).decode()
    connection.execute(
        sa.text("""INSERT INTO catalog.item_deed (version_id, actor, seat, what, opinion, content)
                   VALUES (:version, :actor, :seat, :what, :opinion, CAST(:content AS jsonb))"""),
        {"version": version_id, "actor": doer.actor, "seat": doer.seat, "what": what, "opinion": opinion or None,
         "content": said},
    )  # fmt: skip


def agreed(connection: sa.Connection, version_id: int) -> dict[str, str]:
    """Return the seats that have agreed to a version since it was last submitted, each with who sat there."""
    found = connection.execute(
        sa.text("""SELECT seat, actor FROM catalog.item_deed WHERE version_id = :version AND what = 'agree'
                   AND deed_id > (SELECT max(deed_id) FROM catalog.item_deed
                                  WHERE version_id = :version AND what = 'submit')"""),
        {"version": version_id},
    )
    return {row.seat: row.actor for row in found}


def hands(connection: sa.Connection, version_id: int) -> set[tuple[str, str]]:
    """Return from which seats who has acted on a version."""
    found = connection.execute(
        sa.text("SELECT DISTINCT seat, actor FROM catalog.item_deed WHERE version_id = :version"),
        {"version": version_id},
    )
    return {(row.seat, row.actor) for row in found}


def newest(connection: sa.Connection) -> list[tuple[str, str | None, dict[str, Any]]]:
    """Return code, base code and newest content of every item that is or may come into force."""
    found = connection.execute(
        sa.text("""SELECT DISTINCT ON (i.item_id) i.code, i.base_code, v.content, v.status
                   FROM catalog.item AS i JOIN catalog.item_version AS v ON v.item_id = i.item_id
                   WHERE v.state <> 'withdrawn' ORDER BY i.item_id, v.version DESC""")
    )
    return [(row.code, row.base_code, row.content) for row in found if row.status in ("in_force", "suspended")]


def held_from(connection: sa.Connection, since: date) -> list[Held]:
    """Return what holds on a day or begins to hold later, of items that may be granted."""
    found = connection.execute(
        sa.text("""SELECT code, base_code, content, valid_from, valid_to FROM catalog.in_force
                   WHERE status IN ('in_force', 'suspended') AND (valid_to IS NULL OR valid_to > :since)"""),
        {"since": since},
    )
    return [Held(*row) for row in found]


def add_comment(connection: sa.Connection, version_id: int, said: str) -> int:
    """Keep a comment of the public; return its number."""
    made: int = connection.execute(
        sa.text("INSERT INTO catalog.item_comment (version_id, said) VALUES (:version, :said) RETURNING comment_id"),
        {"version": version_id, "said": said},
    ).scalar_one()
    return made


def add_answer(connection: sa.Connection, code: str, number: int, said: str, actor: str) -> bool:
    """Answer a comment on an item; say whether there was one without an answer."""
    done = connection.execute(
        sa.text("""UPDATE catalog.item_comment AS c SET answer = :said, answered_by = :actor, answered_at = now()
                   FROM catalog.item_version AS v JOIN catalog.item AS i ON i.item_id = v.item_id
                   WHERE c.version_id = v.version_id AND i.code = :code AND c.comment_id = :number
                     AND c.answer IS NULL"""),
        {"code": code, "number": number, "said": said, "actor": actor},
    )
    return bool(done.rowcount)
