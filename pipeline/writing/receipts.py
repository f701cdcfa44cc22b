"""Receipts: what became of each record, owed to the source from the commit on and handed over until it has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.envelopes.document import sign
from connectors.seam import Acknowledges, Connector, Receipt
from hub.findings import RULES, Finding
from hub.records import Slice
from hub.table import chosen, lines_of
from pipeline import fates
from pipeline.preparing.prepare import Prepared
from pipeline.work import Line, Work, transaction
from pipeline.writing import envelopes
from sharedrepo.feeds import receipts
from sharedrepo.feeds.receipts import Owed
from sharedrepo.staging import stage
from sharedrepo.writing import load

MOST_ERRORS = 20
"""So many faults of one record are told; the rest is counted."""
FEW_ERRORS = 5
"""So many in the receipt of a whole delivery, which tells of many records."""


Told = tuple[str, list[Finding]]
"""What became of one record, a term of the balance, and what was found on it."""


def owe(cursor: stage.Cursor, line: Line, piece: Slice, prepared: Prepared, loaded: load.Loaded) -> None:
    """Write down the receipts of a slice whose connector wants some, in the transaction of its batch."""
    enveloped = envelopes.said_by(line, piece) is not None
    if not piece.tokens and not enveloped:
        return
    became = told(cursor, line, piece, prepared, loaded)
    if piece.tokens:
        receipts.owe(
            cursor, stream_id=line.stream_id, batch_id=loaded.batch_id,
            receipts=[
                Owed(token, outcome, tuple(sentences(found)))
                for token, (outcome, found) in zip(piece.tokens, became, strict=True)
            ],
        )  # fmt: skip
    if enveloped:
        rows = [*piece.rows, *(one.row for one in piece.broken)]
        bad = [place for place, (outcome, found) in enumerate(became) if found or outcome == "quarantined"]
        listed = [
            {"row": rows[place], "outcome": became[place][0], "said": sentences(became[place][1], FEW_ERRORS)}
            for place in bad[: fates.MOST_ERRORS]
        ]
        outcomes = [outcome for outcome, _ in became]
        envelopes.take(cursor, line, piece, loaded.batch_id, outcomes, listed, len(bad) - len(listed))


def told(cursor: stage.Cursor, line: Line, piece: Slice, prepared: Prepared, loaded: load.Loaded) -> list[Told]:
    """Return what became of each record of a slice: those that were read, then the broken ones."""
    outcomes = ["unchanged"] * piece.read
    places = [*prepared.fresh, *range(len(piece.records), piece.read)]
    for place, outcome in zip(places, loaded.outcomes, strict=True):
        outcomes[place] = outcome
    errors: dict[int, list[Finding]] = {}
    for finding in loaded.told:
        if finding.record >= 0:
            errors.setdefault(places[finding.record], []).append(finding)
    for place, found in _refused_again(cursor, line, piece, outcomes).items():
        outcomes[place], errors[place] = "quarantined", found
    return [(outcome, errors.get(place, [])) for place, outcome in enumerate(outcomes)]


def owe_alike(
    cursor: stage.Cursor, line: Line, piece: Slice, batch_id: int, outcome: str, found: Iterable[Finding] = ()
) -> None:
    """Write down that all records of a slice met one outcome, since their delivery did as a whole."""
    told = tuple(sentences(found)) if piece.tokens else ()
    receipts.owe(
        cursor, stream_id=line.stream_id, batch_id=batch_id, receipts=[Owed(one, outcome, told) for one in piece.tokens]
    )


def _refused_again(
    cursor: stage.Cursor, line: Line, piece: Slice, outcomes: Sequence[str]
) -> dict[int, list[Finding]]:  # fmt: skip
    """Return what is open on the records that came again just as they wait in quarantine, by their place.

    The ledger counts them as unchanged; their department must not read that all is well.
    """
    again = [place for place, outcome in enumerate(outcomes) if outcome == "unchanged"]
    if not again or not receipts.any_refused(cursor, line.stream_id):
        return {}
    protector, whole = line.desk.protector, len(piece.records)
    read = [place for place in again if place < whole]
    hashes = dict(zip(read, protector.content_hashes(lines_of(chosen(piece.records, read))), strict=True))
    for place in again[len(read) :]:
        hashes[place] = protector.content_hash(piece.broken[place - whole].raw.encode("utf-8", "surrogatepass"))
    refused = receipts.refused(cursor, line.stream_id, list(hashes.values()))
    return {place: refused[mark] for place, mark in hashes.items() if mark in refused}


def sentences(found: Iterable[Finding], most: int = MOST_ERRORS) -> list[str]:
    """Say what is wrong with a record, a sentence a fault: where, what, and how to mend it; no values."""
    told = list(found)
    lines = [_sentence(one) for one in told[:most]]
    if len(told) > most:
        lines.append(f"另有 {len(told) - most} 处 (and {len(told) - most} more)")
    return lines


def _sentence(finding: Finding) -> str:
    rule = RULES[finding.rule]
    place = finding.pointer or finding.field or ""
    weight = "拒收 refused" if finding.refuses else "提示 flagged"
    return f"{weight}: {place + ' ' if place else ''}{rule.title_zh} ({rule.code}: {rule.title}). {rule.hint}"


def deliver(work: Work, line: Line, connector: Connector) -> None:
    """Hand over all receipts that are owed to a stream's source.

    Raises:
        SourceTrouble: the source could not be told; what it has not had stays owed, and the next pull begins with it.
    """
    if not isinstance(connector, Acknowledges):
        return
    while True:
        with transaction(work) as cursor:
            owed = receipts.owed(cursor, line.stream_id)
        if not owed:
            return
        connector.acknowledge(line.spec, [_receipt(work, line, one) for one in owed])
        with transaction(work) as cursor:
            receipts.confirm(cursor, owed)


def _receipt(work: Work, line: Line, one: Owed) -> Receipt:
    document = b"" if one.envelope is None else receipt_document(work, line.spec.name, one)
    return Receipt(one.token, one.outcome, one.errors, document)


def receipt_document(work: Work, stream: str, one: Owed) -> bytes:
    """Write and sign the receipt of an enveloped delivery (schemas/exchange/receipt)."""
    key = work.runtime.protector.ring.signing_key()
    said: dict[str, Any] = {
        "receipt": 1, "source": work.source.code, "stream": stream, "unit": one.token, **dict(one.envelope or {}),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    return sign(said, key.name, key.private)
