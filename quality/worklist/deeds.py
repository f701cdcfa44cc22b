"""Deeds on records that wait which change nothing in them: waive, and judge again."""

from __future__ import annotations

from collections.abc import Sequence

from hub.findings import RULES
from hub.sentences import Code, sentence
from pipeline.afterwards import deeds, waiving
from pipeline.afterwards import replay as taken_again
from pipeline.afterwards.deeds import Deed
from pipeline.pulls import snapshots
from pipeline.pulls.exchange import opened
from pipeline.pulls.mapped import mapping_of
from pipeline.runtime import Runtime
from pipeline.work import transaction
from quality.worklist import log
from quality.worklist.base import base_of, source_of
from quality.worklist.corrections import WAIT
from quality.worklist.errors import NotDone
from quality.worklist.opened import names_of
from sharedrepo.worklist import waiting


def waive(runtime: Runtime, number: int, *, actor: str, reason: str) -> None:
    """Let a refused record go with a reason: it leaves quarantine as excluded, and its findings close.

    Sent once more as it was, it stays waived; a newer version of it is judged as always.

    Raises:
        NotFound: there is no such entry.
        NotDone: it does not wait in quarantine.
        SourceBusy: a pull of the source runs and did not end in time.
    """
    who, why = log.known(actor), log.reasoned(reason)
    base = base_of(runtime, number)
    if base.kind != "quarantined" or not base.is_open:
        raise NotDone(
            sentence(
                "record {number} is {state}: only what waits in quarantine is waived.",
                number=number,
                state=Code("record_state", base.state) if base.kind == "quarantined" else Code("kind", base.kind),
            )
        )
    source = source_of(runtime, base.source)
    mapping = mapping_of(runtime, source)
    snapshots.keep(runtime, mapping, source.mapping)
    with opened(runtime, source, mapping, wait=WAIT) as work, transaction(work) as cursor:
        entries = waiting.open_entries(cursor, [number])
        if not entries:
            raise NotDone(sentence("record {number} waits no longer; look at it anew.", number=number))
        waiving.waive(cursor, work, work.lines[base.stream], entries, reason=f"{why} ({who})")
        deeds.within(cursor, runtime, [Deed(who, "waive", **names_of(base), reason=why)])


def replay(
    runtime: Runtime, source: str, *, ids: Sequence[int] = (), rule: str | None = None, actor: str
) -> dict[str, int]:
    """Judge a source's quarantined records again, one, several, or all (of a rule); return the counts by outcome.

    Those that pass are kept, the others go on waiting. Conflicting versions are judged only by their number.

    Raises:
        NotFound: the source is not declared.
        NotDone: there is no such rule.
        SourceBusy: a pull of the source is running.
    """
    who = log.known(actor)
    if rule is not None and rule not in RULES:
        raise NotDone(sentence("there is no rule {rule!r}; known: {known}.", rule=rule, known=", ".join(sorted(RULES))))
    done = taken_again.replay(runtime, source_of(runtime, source), ids, rule=rule, wait=WAIT)
    detail = {"source": source, "ids": list(ids), "rule": rule, "counts": done.counts}
    deeds.write(runtime, Deed(who, "replay", source=source, detail=detail))
    return done.counts
