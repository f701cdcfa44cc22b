"""Checks of the examples: good ones raise nothing that refuses, bad ones raise what they say."""

from __future__ import annotations

from collections import Counter

from hub.findings import Finding
from hub.records import Slice
from kit.preview import NothingKnown
from kit.samples import Sample
from kit.suite.result import Check, Result, cannot, failed, passed
from kit.suite.stand import Stand
from pipeline.preparing.prepare import prepare

_SHOWN = 5


def judged(stand: Stand, sample: Sample) -> list[Finding]:
    """Return what the pipeline's own judges find on one example."""
    piece = Slice(sample.stream, [sample.record], [1], {}, last=True)
    done = prepare(stand.ready.desk(sample.stream), piece, NothingKnown(), drop_known=False)
    return done.incoming.findings


def valid_samples(stand: Stand) -> Result:
    """Judge every valid example."""
    if stand.samples.faults:
        return failed("; ".join(map(str, stand.samples.faults[:_SHOWN])))
    samples = [one for one in stand.samples.found if one.valid]
    if not samples:
        return cannot("no examples: put messages with invented people into samples/valid")
    wrong = []
    for sample in samples:
        rules = Counter(one.rule for one in judged(stand, sample) if one.refuses)
        if rules:
            wrong.append(f"{sample.place} is refused: {', '.join(rules)}")
    if wrong:
        return failed("; ".join(wrong[:_SHOWN]) + ". Mend the example, the schema or the mapping.")
    return passed(f"{len(samples)} valid examples are kept")


def invalid_samples(stand: Stand) -> Result:
    """Judge every invalid example: it raises exactly the rules that it names."""
    samples = [one for one in stand.samples.found if not one.valid]
    if not samples:
        return cannot("no bad examples: put some into samples/invalid, each with the rules that it must raise")
    wrong = []
    for sample in samples:
        found, said = {one.rule for one in judged(stand, sample)}, set(sample.raises)
        if found != said:
            wrong.append(f"{sample.place} must raise {_listed(said)} and raises {_listed(found)}")
    if wrong:
        return failed("; ".join(wrong[:_SHOWN]) + ". Mend the example, or what judges it.")
    return passed(f"{len(samples)} invalid examples raise what they say")


def _listed(rules: set[str]) -> str:
    return ", ".join(sorted(rules)) or "nothing"


CHECKS = (
    Check("valid-samples", "every message of samples/valid is kept", "samples", valid_samples),
    Check(
        "invalid-samples", "every message of samples/invalid raises the rules that it names", "samples", invalid_samples
    ),
)
