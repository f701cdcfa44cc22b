"""The table: medians, ratios between contenders of this one run, and whether each target is met."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.flatness import Flatness, flatness
from bench.measure import Measure
from bench.suite import Results

MEMORY_MIB = 700.0
FLAT = 1.3
RATIOS = (
    ("hub", "dlt", 3.5, "hub against dlt's default merge"),
    ("hub", "dlt-fastest", None, "hub against dlt's fastest way (the aim: 1)"),
    ("hub", "merge", 0.5, "hub against the same merge by hand of ready rows"),
    ("merge", "copy", 0.2, "that merge against plain COPY without indexes"),
    ("again", "hub", 3.0, "hub with nothing changed against its first load"),
)
"""Who, against whom, at least how many times as fast (None: printed, not judged), in words."""

NOTES = Path(__file__).with_name("notes.txt")
"""What a reader must know to read the figures fairly; printed below them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judged figure: `met` is None where it was not measured or has no target."""

    words: str
    value: float | None
    shown: str
    target: str
    met: bool | None
    work: float | None = None
    """The same without the start of the processes."""
    cpu: float | None = None
    """The same of processor time, program and server together: what a busy machine disturbs least."""


def middle(measures: list[Measure]) -> Measure:
    """Return the run of the median wall time (the faster of two)."""
    return sorted(measures, key=lambda one: one.seconds)[(len(measures) - 1) // 2]


def verdicts(results: Results) -> list[Verdict]:
    """Judge every target."""
    made = [_ratio(results, *one) for one in RATIOS]
    return [*made, _memory(results), *_flat(results)]


def _ratio(results: Results, mine: str, other: str, target: float | None, words: str) -> Verdict:
    wanted = "" if target is None else f">= {target:g}"
    if mine not in results.measures or other not in results.measures:
        return Verdict(words, None, "not measured", wanted, None)
    ours, theirs = results.measures[mine], results.measures[other]
    value = _times(ours, theirs, lambda one: one.seconds)
    met = None if target is None else value >= target
    work = _times(ours, theirs, lambda one: one.work)
    cpu = _times(ours, theirs, lambda one: one.cpu + one.server_cpu)
    return Verdict(words, value, f"{value:.2f}", wanted, met, work, cpu)


def _times(ours: list[Measure], theirs: list[Measure], figure: Callable[[Measure], float]) -> float:
    return median(map(figure, theirs)) / median(map(figure, ours))


def _memory(results: Results) -> Verdict:
    runs = [*results.measures.get("hub", ()), *results.measures.get("again", ())]
    runs += [results.flat] if results.flat else []
    words, wanted = "peak memory of the hub's process, all its runs", f"< {MEMORY_MIB:.0f} MiB"
    if not runs:
        return Verdict(words, None, "not measured", wanted, None)
    peak = max(one.peak_mib for one in runs)
    return Verdict(words, peak, f"{peak:.0f} MiB", wanted, peak < MEMORY_MIB)


def _flat(results: Results) -> list[Verdict]:
    size = results.plan.slice_size
    found: list[Flatness] = []
    if results.flat is not None:
        found = flatness([(stream, at, read) for stream, at, read in results.flat.said["slices"]], size)
    if not found:
        why = "not measured" if results.flat is None else "too few slices"
        return [Verdict("slices of the last fifth against the first fifth's", None, why, f"<= {FLAT:g}", None)]
    return [
        Verdict(
            f"{one.stream}: last fifth of {one.slices} slices against the first",
            one.ratio,
            f"{one.ratio:.2f} ({one.last:.2f} s / {one.first:.2f} s)",
            f"<= {FLAT:g}",
            one.ratio <= FLAT,
        )
        for one in found
    ]


def as_text(results: Results) -> str:
    """Write the report for people."""
    plan = results.plan
    size = f"{plan.size.cases:,} cases + {plan.size.events:,} stage events, slices of {plan.slice_size:,}"
    lines = [
        f"{size}, medians of {plan.runs} run(s); load average before: {results.load_before:.1f}",
        "server: " + ", ".join(f"{name} {value}" for name, value in results.settings.items()),
        "",
    ]
    rows: list[tuple[str, ...]] = [
        ("contender", "records/s", "seconds", "work s", "cpu s", "server cpu s", "peak MiB", "all runs, s")
    ]
    for name, title in results.titles.items():
        rows.append(_row(title, results.measures.get(name), results.missing.get(name, "not measured")))
    if results.flat is not None and plan.flat is not None:
        rows.append(_row(f"hub: {plan.flat.records:,} records, for flatness", [results.flat], ""))
    lines += table(rows)
    lines.append("")
    judged: list[tuple[str, ...]] = [("ratio", "value", "target", "", "without start", "of cpu")]
    judged += [
        (one.words, one.shown, one.target, _word(one), _number(one.work), _number(one.cpu)) for one in verdicts(results)
    ]
    lines += table(judged)
    return "\n".join([*lines, "", NOTES.read_text(encoding="utf-8").rstrip()])


def _row(title: str, measures: list[Measure] | None, why: str) -> tuple[str, ...]:
    if not measures:
        return (title, why, "", "", "", "", "", "")
    one = middle(measures)
    every = " ".join(f"{run.seconds:.1f}" for run in measures)
    return (
        title, f"{one.rate:,.0f}", f"{one.seconds:.1f}", f"{one.work:.1f}", f"{one.cpu:.1f}", f"{one.server_cpu:.1f}",
        f"{max(run.peak_mib for run in measures):.0f}", every,
    )  # fmt: skip


def _word(one: Verdict) -> str:
    return "" if one.met is None else "pass" if one.met else "FAIL"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
        if number == 0:
            lines.append("-" * len(lines[0]))
    return lines


def as_dict(results: Results) -> dict[str, Any]:
    """Return the report for programs."""
    plan = results.plan
    return {
        "size": asdict(plan.size),
        "runs": plan.runs,
        "slice_size": plan.slice_size,
        "load_before": results.load_before,
        "server": results.settings,
        "contenders": {name: [one.as_dict() for one in runs] for name, runs in results.measures.items()},
        "not_measured": results.missing,
        "flat": results.flat.as_dict() if results.flat else None,
        "ratios": [asdict(one) for one in verdicts(results)],
    }
