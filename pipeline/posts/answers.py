"""The answer to a post: what became of each record, what is wrong with it, and how that is mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hub import jsontext
from hub.findings import RULES, Finding
from pipeline.writing.receipts import Told
from sharedrepo.models import OUTCOMES

Body = dict[str, Any]


def answer(*, source: str, stream: str, batch_id: int, told: Sequence[Told], numbered: Body | None = None) -> str:
    """Write the answer to one post as JSON; no value that was sent stands in it.

    Records are numbered from 1 in the order in which they were sent; `counts` balances over them. The words of each
    rule stand once, under `rules`. `numbered` is what is said of the post's envelope, where it came with one.
    """
    counts = Counter(outcome for outcome, _ in told)
    named = sorted({one.rule for _, found in told for one in found})
    body: Body = {
        "source": source,
        "stream": stream,
        "batch": batch_id,
        "counts": {"read": len(told), **{outcome: counts[outcome] for outcome in OUTCOMES}},
        "records": [
            {"record": place, "outcome": outcome, "errors": [_error(one) for one in found]}
            for place, (outcome, found) in enumerate(told, 1)
        ],
        "rules": {code: _rule(code) for code in named},
    }
    if numbered is not None:
        body["envelope"] = numbered
    return jsontext.dumps(body).decode()


def _error(finding: Finding) -> Body:
    pointer = finding.pointer or finding.field
    if pointer is not None and pointer.startswith("row "):
        pointer = None  # the receipt has its place already
    return {
        "rule": finding.rule,
        "effect": "refuse" if finding.refuses else "flag",
        "pointer": pointer,
        "detail": dict(finding.detail),
    }


def _rule(code: str) -> Body:
    rule = RULES[code]
    return {"title": rule.title, "title_zh": rule.title_zh, "hint": rule.hint}
