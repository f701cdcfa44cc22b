"""Items proposed, reviewed, published, suspended, devolved and abolished; each deed is kept with actor and reason.

All deeds of the catalogue come one after the other (a lock), so that no number is given twice and no two changes
together make a cycle of prerequisites. A deed is whole or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import orjson
import sqlalchemy as sa

from catalog import content as contents
from catalog import life, prerequisites, store
from catalog.errors import ContentRefused, DeedRefused, Fault
from catalog.life import Doer, Proposal
from catalog.store import Standing
from hub.remark import one_line
from hub.sentences import Code, sentence
from hub.workdays import local_day

LONGEST = 2000
"""Characters of a reason, an opinion, a comment or an answer."""


def propose(engine: sa.Engine, said: Proposal, doer: Doer) -> int:
    """Draft the next version of an item, or the first of a new one; return its number.

    Without a content the one in force is taken over: a suspension changes nothing else.

    Raises:
        ContentRefused: with everything that is wrong with the content.
        DeedRefused: the change does not fit, or a version is under way already.
        NumberTaken: one of the numbers of a new item stands for another one.
    """
    with store.deed(engine) as connection:
        item = store.standing(connection, said.code)
        status = life.status_after(said.code, item.status if item else None, said.change)
        if doer.seat != "department":
            raise DeedRefused(
                said.code,
                sentence("{seat!r} proposes nothing", seat=Code("desk.seat", doer.seat)),
                "It is a deed of department.",
            )
        if item is not None and item.under_way is not None:
            told = sentence("version {version} is under way", version=item.under_way)
            raise DeedRefused(said.code, told, "Have it published, or withdraw it, before the next is drafted.")
        said = replace(said, reason=_plain(said.code, said.reason, "reason"))
        if item is None:
            item = store.enter(connection, said)
        content = said.content if said.content is not None else item.content
        if content is None:
            raise DeedRefused(said.code, "a new item has no content", "Say what the item is.")
        # An item that ends or pauses says nothing new, so that a change of its base item never stands in the way.
        ends = said.content is None and said.change in ("suspend", "abolish", "devolve")
        contents.check(said.code, content, central=None if ends else store.central(connection, item.base_code))
        version = store.draft(connection, item, said, dict(content), status, doer.actor)
        _must_have_no_cycle(connection)
        store.note(connection, version, doer, "propose", said.reason, content)
        return item.latest + 1


def revise(engine: sa.Engine, code: str, content: Mapping[str, Any], doer: Doer, *, reason: str) -> None:
    """Change the content of the version that is drafted.

    Raises:
        ContentRefused, DeedRefused, Cycle: nothing was changed.
    """
    with store.deed(engine) as connection:
        item, version = _under_way(connection, code)
        life.fits(code, "revise", seat=doer.seat, state=version.state)
        reason = _plain(code, reason, "reason")
        contents.check(code, content, central=store.central(connection, item.base_code))
        store.change(connection, version.version_id, content=orjson.dumps(dict(content)).decode())
        _must_have_no_cycle(connection)
        store.note(connection, version.version_id, doer, "revise", reason, content)


def act(engine: sa.Engine, code: str, what: str, doer: Doer, *, opinion: str = "") -> str:
    """Do one step on the version that is under way: submit, agree, return or withdraw; return the state it leads to.

    Who drafted or revised a version cannot review it, nor act on it from two seats: other eyes must look.

    Raises:
        ContentRefused: what is submitted is not complete; everything that it lacks is told.
        DeedRefused: the step is another seat's, or does not fit now.
    """
    with store.deed(engine) as connection:
        _, version = _under_way(connection, code)
        deed = life.fits(code, what, seat=doer.seat, state=version.state)
        if what == "publish":
            raise DeedRefused(code, "publishing needs an effective day", "Use `publish`.")
        opinion = _plain(code, opinion, "opinion", must=what in ("return", "withdraw"))
        _must_be_other_eyes(connection, code, version, doer)
        store.note(connection, version.version_id, doer, what, opinion)
        if what == "submit" and (lacks := contents.missing(version.content)):
            raise ContentRefused(
                code, [Fault(f"/{name}", "missing", "it must be said before review") for name in lacks]
            )
        state = deed.leads_to or version.state
        if what == "agree" and store.agreed(connection, version.version_id).keys() >= set(life.REVIEWERS):
            state = "to_publish"
        store.change(connection, version.version_id, state=state)
        return state


def publish(
    engine: sa.Engine, code: str, effective_on: date, doer: Doer, *, opinion: str = "", today: date | None = None
) -> None:
    """Publish the version that was reviewed; from `effective_on` on it holds, which is no day before `today`.

    A day that is past would give cases that were accepted since another version than the one that they were accepted
    under. (Registers that were reviewed elsewhere are imported with their days as they are.)

    With a devolution the first versions of its successors are published too, on the same day or not at all.

    Raises:
        DeedRefused: it is not reviewed yet, the day is past, another version takes effect later, or a successor is
            not ready.
    """
    now = today or local_day(datetime.now(UTC))
    if effective_on < now:
        raise DeedRefused(
            code,
            sentence("{effective_on} is past", effective_on=effective_on),
            sentence("Publish it for {now} or a later day.", now=now),
        )
    with store.deed(engine) as connection:
        item, version = _under_way(connection, code)
        _publish_one(connection, item, version, effective_on, doer, opinion)
        for successor in version.successors:
            heir, first = _under_way(connection, successor)
            _publish_one(connection, heir, first, effective_on, doer, opinion)
        _must_have_no_cycle(connection)
        prerequisites.must_never_have_a_cycle(connection, effective_on)


def comment(engine: sa.Engine, code: str, said: str) -> int:
    """Take in what the public says to the version under way; return the comment's number.

    Raises:
        DeedRefused: no version is open to comments.
    """
    with store.deed(engine) as connection:
        _, version = _under_way(connection, code)
        if version.state == "draft":
            raise DeedRefused(code, "its draft is not open to comments yet", "Comment when it is under review.")
        return store.add_comment(connection, version.version_id, _plain(code, said, "comment"))


def answer(engine: sa.Engine, code: str, number: int, said: str, doer: Doer) -> None:
    """Answer a comment of the public; an answer is given once.

    Raises:
        DeedRefused: there is no such comment on this item, or it was answered.
    """
    with store.deed(engine) as connection:
        if not store.add_answer(connection, code, number, _plain(code, said, "answer"), doer.actor):
            raise DeedRefused(code, sentence("comment {number} is not open", number=number), "See `hub catalog show`.")


def _publish_one(
    connection: sa.Connection, item: Standing, version: store.Version, effective_on: date, doer: Doer, opinion: str
) -> None:
    life.fits(item.code, "publish", seat=doer.seat, state=version.state)
    _must_be_other_eyes(connection, item.code, version, doer)
    if item.effective_on is not None and effective_on < item.effective_on:
        told = sentence("its last version takes effect on {day}", day=item.effective_on)
        raise DeedRefused(item.code, told, "A version cannot take effect before the one that it follows.")
    opinion = _plain(item.code, opinion, "opinion", must=False)
    store.change(connection, version.version_id, state="published", effective_on=effective_on, published_by=doer.actor)
    store.note(connection, version.version_id, doer, "publish", opinion)


def _must_be_other_eyes(connection: sa.Connection, code: str, version: store.Version, doer: Doer) -> None:
    """Refuse a review or a publication by who worked on the version from another seat."""
    if doer.seat not in (*life.REVIEWERS, "supervision"):
        return
    before = {seat for seat, actor in store.hands(connection, version.version_id) if actor == doer.actor}
    if "department" in before:
        raise DeedRefused(
            code, sentence("{actor} drafted it", actor=doer.actor), "Somebody else must review and publish it."
        )
    if before - {doer.seat}:
        raise DeedRefused(
            code, sentence("{actor} acted on it from another seat", actor=doer.actor), "Each seat looks for itself."
        )


def _under_way(connection: sa.Connection, code: str) -> tuple[Standing, store.Version]:
    item = store.known(connection, code)
    version = store.under_way(connection, item.item_id)
    if version is None:
        raise DeedRefused(code, "no version is under way", "Propose a change first.")
    return item, version


def _must_have_no_cycle(connection: sa.Connection) -> None:
    """Judge the prerequisites of all items together, each with its newest content, published or not."""
    prerequisites.must_have_no_cycle(prerequisites.graph(store.newest(connection)))


def _plain(code: str, text: str, name: str, *, must: bool = True) -> str:
    words = one_line(text)
    if must and not words:
        raise DeedRefused(
            code, sentence("no {name} was given", name=Code("said", name)), "Say it: it is kept with the deed."
        )
    if len(words) > LONGEST:
        raise DeedRefused(
            code,
            sentence("the {name} has {count} characters", name=Code("said", name), count=len(words)),
            sentence("Say it in at most {longest}.", longest=LONGEST),
        )
    return words
