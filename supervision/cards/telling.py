"""Cards as data for departments' programs: what a signed notice (webhook) and the API say of one, never a person.

Each deed on a card is put into the hub's queue of notices by the database itself, in the transaction of the deed, for
whoever subscribed (`hub verify subscribe --cards`); here it gets its words when it is posted. A held card is told to
the organ that keeps the feed, all others to the organ of the card.
"""

from __future__ import annotations

from typing import Any, Final

from hub.protect import Protector
from sharedrepo.access.topics import Topic

EVENT: Final = "urn:approval-exchange-hub:card"

_DEED: Final = """
SELECT d.deed_id, d.what, d.at, c.number, c.level, c.kind, c.rule, c.rule_version, c.state, a.case_number, c.item_code,
    c.stage, c.round, c.raised_at, c.due_at, d.detail ->> 'needed_through', d.detail ->> 'source'
FROM supervision.card_deed AS d
JOIN supervision.card AS c ON c.card_id = d.card_id
LEFT JOIN core.approval_case AS a ON a.record_id = c.case_id
WHERE d.deed_id = %(deed)s
  AND %(organ)s = CASE WHEN d.what = 'held' THEN d.detail ->> 'feed_organ' ELSE c.organ END
"""


def worded(cursor: Any, _protector: Protector, organ: str, subject_id: int) -> dict[str, Any] | None:
    """Return what a notice of a deed says; None where it is not this organ's to know."""
    cursor.execute(_DEED, {"deed": subject_id, "organ": organ})
    row = cursor.fetchone()
    if row is None:
        return None
    (number, what, at, card, level, kind, rule, version, state, case, item, stage, round_, raised, due, needed,
     source) = row  # fmt: skip
    said = {
        "number": number, "deed": what, "at": _instant(at), "card": card, "level": level, "kind": kind, "rule": rule,
        "rule_version": version, "state": state, "case": case, "item": item, "stage": stage, "round": round_,
        "raised_at": _instant(raised), "due_at": _instant(due),
    }  # fmt: skip
    return said if what != "held" else {**said, "source": source, "needed_through": needed}


TOPIC: Final = Topic(EVENT, worded)


def _instant(at: Any) -> str | None:
    return None if at is None else str(at.isoformat())
