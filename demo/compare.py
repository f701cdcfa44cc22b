"""Compares what the hub says with the truth: a pure function from both to a list of differences."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from demo.model import KINDS

Row = Mapping[str, Any]

DAYS = (1, 2)
OUTCOMES = ("new", "updated", "unchanged", "stale", "deleted", "excluded", "quarantined", "parked")
EXACT = ("new", "updated", "stale", "deleted", "excluded", "quarantined", "parked")
"""Outcomes that must be as the truth says; `unchanged` depends on how often a source was read."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the hub's commands answered."""

    streams: Sequence[Row]
    records: Mapping[str, int]
    findings: Sequence[Row]
    quarantined: Sequence[Row]
    parked: Sequence[Row]
    disagreements: Sequence[Row] = ()
    sets: Sequence[Row] | None = None
    """What whole sets of records show and should not; None where no suite was run."""
    answers: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    """What departments found that they were told about their records: stream, row, failed, worded; by source."""


@dataclass(slots=True)
class RuleCount:
    """How one rule fared: expected, found, missing, and raised where the truth holds nothing."""

    expected: int = 0
    found: int = 0
    missing: int = 0
    unexpected: int = 0


@dataclass(slots=True)
class KindCount:
    """How one kind of defect fared: put in, found, and raised where nothing was put in (by any kind of its rule)."""

    rule: str
    injected: int = 0
    found: int = 0
    unexpected: int = 0

    @property
    def recall(self) -> float | None:
        """Return the share of those put in that was found; None where none stands any more."""
        return self.found / self.injected if self.injected else None

    @property
    def precision(self) -> float | None:
        """Return the share of true ones among what was raised."""
        raised = self.found + self.unexpected
        return self.found / raised if raised else None


@dataclass(slots=True)
class Verdict:
    """Every difference in words, and the counts behind the tables."""

    day: int
    problems: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of source and sentence."""
    rules: dict[str, RuleCount] = field(default_factory=lambda: defaultdict(RuleCount))
    by_source: dict[str, RuleCount] = field(default_factory=lambda: defaultdict(RuleCount))
    kinds: dict[str, KindCount] = field(
        default_factory=lambda: {kind.code: KindCount(kind.rule) for kind in KINDS.values()}
    )
    judged: bool = False
    """Whether sets were judged, so that signs of made-up data could be found."""

    @property
    def holds(self) -> bool:
        """Say whether the hub says exactly what the truth says."""
        return not self.problems

    def blame(self, source: str, sentence: str) -> None:
        """Write down one difference."""
        self.problems.append((source, sentence))

    def unexpected(self, rule: str) -> None:
        """Count what was raised without a reason, against every kind of its rule; a rule of no kind has its own."""
        kinds = [kind for kind in self.kinds.values() if kind.rule == rule]
        for kind in kinds or [self.kinds.setdefault(rule, KindCount(rule))]:
            kind.unexpected += 1


def compare(truth: Row, said: Said, day: int) -> Verdict:
    """Compare the hub's answers after `day` with the truth."""
    verdict = Verdict(day)
    _balances(truth, said, verdict)
    _counts(truth, said, verdict)
    _states(truth, said, verdict)
    _waiting(truth, said.quarantined, "quarantined", verdict)
    _waiting(truth, said.parked, "parked", verdict)
    _findings(truth, said.findings, verdict)
    if said.sets is not None:
        _sets(truth, said.sets, verdict)
    for source, rows in sorted(said.answers.items()):
        _answers(truth, source, rows, verdict)
    verdict.problems.sort()
    return verdict


def released(truth: Row, day: int) -> Counter[tuple[str, str]]:
    """Count the parked records that were released by `day`, by source and stream: all but the orphans', on day 2."""
    if day < 2:
        return Counter()
    return Counter((one["source"], one["stream"]) for one in truth["waiting"] if _is_parked(one) and not _orphan(one))


def _is_parked(placed: Row) -> bool:
    return bool(placed["outcome"] == "parked")


def _orphan(placed: Row) -> bool:
    return bool(placed["defect"] == "orphan")


def _balances(truth: Row, said: Said, verdict: Verdict) -> None:
    known = {(row["source"], row["stream"]) for row in said.streams}
    for row in said.streams:
        if not row["balanced"]:
            verdict.blame(row["source"], f"{row['stream']}: the balance does not hold")
    for row in said.disagreements:
        verdict.blame("", f"hub ledger --check: {row['check']}: {row['count']}")
    wanted = {(row["source"], row["stream"]) for row in truth["counts"] if row["day"] <= verdict.day}
    for source, stream in sorted(wanted - known):
        verdict.blame(source, f"{stream}: the hub has never read this stream")


def _counts(truth: Row, said: Said, verdict: Verdict) -> None:
    """Compare what pulls made of the records, stream by stream."""
    wanted: Counter[tuple[str, str, str]] = Counter()
    for row in truth["counts"]:
        if row["day"] <= verdict.day:
            wanted[row["source"], row["stream"], row["outcome"]] += row["records"]
    got: Counter[tuple[str, str, str]] = Counter()
    for row in said.streams:
        for outcome in OUTCOMES:
            got[row["source"], row["stream"], outcome] += row[outcome]
    for source, stream, outcome in sorted({*wanted, *got}):
        expected, found = wanted[source, stream, outcome], got[source, stream, outcome]
        if outcome in EXACT and expected != found:
            verdict.blame(source, f"{stream}: {found} records {outcome}, the truth says {expected}")


def _states(truth: Row, said: Said, verdict: Verdict) -> None:
    """Prove that nothing is lost: the register holds as many kept and deleted records as the truth says."""
    total: Counter[str] = Counter()
    for row in truth["counts"]:
        if row["day"] <= verdict.day:
            total[row["outcome"]] += row["records"]
    back = sum(released(truth, verdict.day).values())
    wanted = {
        "kept": total["new"] + back - total["deleted"],
        "deleted": total["deleted"],
        "parked": total["parked"] - back,
    }
    for state, expected in wanted.items():
        if said.records.get(state, 0) != expected:
            verdict.blame("", f"the register holds {said.records.get(state, 0)} records {state}, not {expected}")


def _waiting(truth: Row, entries: Sequence[Row], outcome: str, verdict: Verdict) -> None:
    """Compare the records that wait with those that must, by key; where a key is not known, by their number."""
    wanted = [one for one in truth["waiting"] if one["outcome"] == outcome and one["day"] <= verdict.day]
    if outcome == "parked" and verdict.day > 1:
        wanted = [one for one in wanted if _orphan(one)]
    keyed = Counter((one["source"], one["stream"], one["key"]) for one in wanted if one["key"] is not None)
    loose = Counter((one["source"], one["stream"]) for one in wanted if one["key"] is None)
    for entry in entries:
        place = (entry["source"], entry["stream"], entry["key"])
        if keyed[place] > 0:
            keyed[place] -= 1
        elif loose[place[:2]] > 0:
            loose[place[:2]] -= 1
        else:
            rules = ", ".join(entry.get("rules") or ()) or "no rule"
            verdict.blame(
                place[0], f"{place[1]}: record {place[2]} is {outcome} ({rules}) without a reason in the truth"
            )
    for (source, stream, key), count in sorted(keyed.items()):
        if count > 0:
            verdict.blame(source, f"{stream}: record {key} should be {outcome} and is not")
    for (source, stream), count in sorted(loose.items()):
        if count > 0:
            verdict.blame(source, f"{stream}: {count} more records should be {outcome}")


def _findings(truth: Row, actual: Sequence[Row], verdict: Verdict) -> None:
    wanted = [one for one in truth["findings"] if one["day"] <= verdict.day]
    left = _Left(actual)
    # A fault of an element is told by its rule alone: the defect of its case says which kind it is.
    given = {(one["department"], one["case"]): one["kind"] for one in truth["defects"] if one["case"] is not None}
    for one in sorted(wanted, key=_most_exact_first):
        count = verdict.rules[one["rule"]], verdict.by_source[one["source"]]
        hits = left.take(one)
        settled = one["until"] is not None and verdict.day > one["until"]
        if not hits and (settled or verdict.day < one["due"]):
            continue
        for tally in count:
            tally.expected += 1
            tally.found += bool(hits)
            tally.missing += not hits
        kind = verdict.kinds.get(one["defect"] or given.get((one["source"], one["case"]), ""))
        if kind is not None and kind.rule == one["rule"]:
            kind.injected += 1
            kind.found += bool(hits)
        if not hits:
            verdict.blame(one["source"], f"missing finding {one['rule']} on {_place(one)} (defect {one['defect']})")
    waits = {(one["source"], one["stream"], one["key"]) for one in truth["waiting"] if _is_parked(one)}
    for row in left.rest():
        if row["rule"] == "parent_missing" and (row["source"], row["stream"], row["key"]) in waits:
            continue  # read twice on one day, a record whose case is late has waited too long already
        for tally in (verdict.rules[row["rule"]], verdict.by_source[row["source"]]):
            tally.unexpected += 1
        verdict.unexpected(row["rule"])
        verdict.blame(row["source"], f"unexpected finding {row['rule']} on {_place(row)}")


def _sets(truth: Row, actual: Sequence[Row], verdict: Verdict) -> None:
    """Compare what sets show with the habits of departments, by organ and rule: a habit may show in several fields."""
    verdict.judged = True
    raised = {(row["source"], row["organ"], row["rule"]) for row in actual if not row["success"]}
    wanted = {(one["source"], one["organ"], one["rule"]): one for one in truth["sets"]}
    borne = {(one["source"], one["organ"], rule) for one in wanted.values() for rule in one["follows"]}
    for place, one in sorted(wanted.items()):
        kind = verdict.kinds[one["defect"]]
        kind.injected += 1
        kind.found += place in raised
        if place not in raised:
            verdict.blame(one["source"], f"{one['rule']} is not raised for {one['organ']} (defect {one['defect']})")
    for source, organ, rule in sorted(raised - wanted.keys() - borne):
        verdict.unexpected(rule)
        verdict.blame(source, f"{rule} is raised for the sets of {organ or 'no organ'} without a reason in the truth")


def _answers(truth: Row, source: str, rows: Sequence[Row], verdict: Verdict) -> None:
    """Compare what a department was told with the truth: each record once, refused where it had to be, with words."""
    due: Counter[str] = Counter()
    for one in truth["counts"]:
        if one["source"] == source and one["day"] <= verdict.day:
            due[one["stream"]] += one["records"]
    refused = {
        (one["stream"], one["row"])
        for one in truth["waiting"]
        if one["source"] == source and one["outcome"] == "quarantined" and one["day"] <= verdict.day
    }
    first = {(one["stream"], one["row"]): one for one in reversed(rows)}
    told = {place: one for place, one in first.items() if one["failed"] is not None}
    for stream, count in sorted(due.items()):
        found = sum(name == stream for name, _ in told)
        if found != count:
            verdict.blame(source, f"{stream}: the department was answered for {found} records, not for {count}")
    failed = {place for place, one in told.items() if one["failed"]}
    for stream, row in sorted(failed ^ refused):
        said = "refused" if (stream, row) in failed else "taken"
        verdict.blame(
            source, f"{stream}: the department was told that its record {row} was {said}; the truth is another"
        )
    for stream, row in sorted(place for place in failed if not told[place]["worded"]):
        verdict.blame(source, f"{stream}: the answer to record {row} does not say what is wrong")
    if verdict.day == DAYS[-1] and len(first) > len(told):
        verdict.blame(source, f"{len(first) - len(told)} records still wait for an answer")


def _most_exact_first(one: Row) -> tuple[int, str, str, str]:
    """Let findings with a known place choose before those that any finding of their stream would satisfy."""
    rank = 0 if one["scope"] == "case" or one["key"] is not None else 1 if one["scope"] == "unit" else 2
    return rank, one["source"], one["rule"], str(one["key"] or one["case"])


def _place(one: Row) -> str:
    parts = [str(one[name]) for name in ("stream", "unit", "key", "case") if one.get(name) is not None]
    return " ".join(parts) or "the source"


class _Left:
    """The hub's findings that no expectation has claimed yet, by the ways in which they are looked for."""

    def __init__(self, actual: Iterable[Row]) -> None:
        self._rows = list(actual)
        self._free = [True] * len(self._rows)
        self._keyed: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        self._cases: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        self._rules: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for place, row in enumerate(self._rows):
            self._keyed[row["source"], row["stream"], row["key"], row["rule"]].append(place)
            self._cases[row["source"], row["case"], row["rule"]].append(place)
            self._rules[row["source"], row["rule"]].append(place)

    def take(self, one: Row) -> int:
        """Claim the findings that meet an expectation and return how many there were."""
        if one["scope"] == "case":
            return self._claim(self._cases[one["source"], one["case"], one["rule"]])
        if one["key"] is not None:
            return self._claim(self._keyed[one["source"], one["stream"], one["key"], one["rule"]])
        same_rule = [place for place in self._rules[one["source"], one["rule"]] if self._fits(place, one)]
        return self._claim(same_rule if one["scope"] == "unit" else same_rule[:1])

    def _fits(self, place: int, one: Row) -> bool:
        row = self._rows[place]
        if not self._free[place] or one["stream"] not in (None, row["stream"]):
            return False
        return one["unit"] is None or row["unit"] is None or row["unit"] == one["unit"]

    def _claim(self, places: Sequence[int]) -> int:
        """Claim these findings; one that was claimed before still counts for a second expectation of its record."""
        for place in places:
            self._free[place] = False
        return len(places)

    def rest(self) -> Iterable[Row]:
        """Yield what nobody claimed."""
        return (row for row, free in zip(self._rows, self._free, strict=True) if free)
