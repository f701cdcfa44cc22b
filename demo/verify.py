"""Asks the hub's own commands what it made of the province, and compares the answers with the truth.

Nothing of the product is imported: what is verified is what anyone can see through `hub … --json`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from demo.compare import OUTCOMES, RuleCount, Said, Verdict
from demo.model import KINDS
from hub.errors import HubError
from hub.show import show_table

_SHOWN = 25
"""Problems shown as words; --json gives them all."""


class NoAnswer(HubError):
    """A command of the hub gave no answer that can be read."""

    exit_status = 70


def ask(home: Path) -> Said:
    """Ask the hub for its ledger, findings and waiting records.

    Raises:
        NoAnswer: a command failed without JSON on its standard output.
    """
    ledger = _answer(home, "ledger", "--check", "--json")
    sets = _answer(home, "quality", "sets", "--json")
    return Said(
        streams=ledger["streams"],
        records=ledger["records"],
        disagreements=ledger.get("disagreements", ()),
        sets=sets["results"] if sets["held"] or sets["failed"] else None,
        findings=_answer(home, "finding", "list", "--each", "--json")["findings"],
        quarantined=_answer(home, "quarantine", "list", "--json")["entries"],
        parked=_answer(home, "quarantine", "list", "--parked", "--json")["entries"],
    )


def _answer(home: Path, *words: str) -> dict[str, Any]:
    beside = Path(sys.executable).with_name("hub")
    program = str(beside) if beside.is_file() else shutil.which("hub") or "hub"
    environment = {**os.environ, "HUB_HOME": str(home)}
    done = subprocess.run([program, *words], env=environment, capture_output=True, text=True, check=False)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()
        raise NoAnswer(f"hub {' '.join(words)} ended with {done.returncode} and said: {said[-1]}") from None
    return found


def department_rows(truth: Mapping[str, Any], said: Said, verdict: Verdict) -> list[dict[str, Any]]:
    """Return one row a department, and one for all cities and counties: what was read, what became of it, findings."""
    sums: dict[str, Counter[str]] = {}
    unbalanced: set[str] = set()
    for row in said.streams:
        sums.setdefault(row["source"], Counter()).update({name: row[name] for name in ("read", *OUTCOMES)})
        if not row["balanced"]:
            unbalanced.add(row["source"])
    wrong = {source for source, _ in verdict.problems}
    right = sums.keys() - unbalanced
    rows = [_row(one["code"], one["shape"], [one["code"]], sums, verdict, right, wrong) for one in truth["departments"]]
    if places := [one["code"] for one in truth["localities"]]:
        rows.append(
            _row(f"{len(places)} localities", truth["localities"][0]["shape"], places, sums, verdict, right, wrong)
        )
    return rows


def _row(
    name: str, shape: str, codes: Sequence[str], sums: Mapping[str, Counter[str]], verdict: Verdict,
    right: Collection[str], wrong: Collection[str],
) -> dict[str, Any]:  # fmt: skip
    """Return the row of one department, or of several sources together."""
    found: Counter[str] = sum((sums.get(code, Counter()) for code in codes), Counter())
    tallies = [verdict.by_source.get(code, RuleCount()) for code in codes]
    expected, met, unexpected = (
        sum(getattr(one, name) for one in tallies) for name in ("expected", "found", "unexpected")
    )
    return {
        "department": name,
        "shape": shape,
        "read": found["read"],
        **{outcome: found[outcome] for outcome in OUTCOMES},
        "balance": all(code in right for code in codes),
        "findings": f"{met}/{expected}" + (f" +{unexpected}" if unexpected else ""),
        "true": not any(code in wrong for code in codes),
    }


def rule_rows(verdict: Verdict) -> list[dict[str, Any]]:
    """Return one row a rule: expected, found, missing, not expected."""
    return [
        {
            "rule": rule,
            "expected": count.expected,
            "found": count.found,
            "missing": count.missing,
            "not expected": count.unexpected,
        }
        for rule, count in sorted(verdict.rules.items())
    ]


def kind_rows(verdict: Verdict) -> list[dict[str, Any]]:
    """Return one row a kind of defect: how many were put in and found, recall and precision in per cent.

    What was mended by this day is put in no more. Without a run of the suites, signs of made-up data are left out.
    """
    return [
        {
            "defect": kind,
            "rule": count.rule,
            "sign": kind in KINDS and KINDS[kind].level == "set",
            "injected": count.injected,
            "found": count.found,
            "not injected": count.unexpected,
            "recall %": _percent(count.recall),
            "precision %": _percent(count.precision),
        }
        for kind, count in verdict.kinds.items()
        if verdict.judged or kind not in KINDS or KINDS[kind].level != "set"
    ]


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def show(truth: Mapping[str, Any], said: Said, verdict: Verdict) -> None:
    """Print the tables, the problems in words, and where to look next."""
    columns = ("department", "shape", "read", *OUTCOMES, "balance", "findings", "true")
    rows = department_rows(truth, said, verdict)
    show_table(columns, rows, title=f"Day {verdict.day}: what became of every record (findings: found/expected)")
    rules = rule_rows(verdict)
    show_table(("rule", "expected", "found", "missing", "not expected"), rules, title="Findings against the truth")
    shown = ("defect", "rule", "injected", "found", "not injected", "recall %", "precision %")
    show_table(shown, kind_rows(verdict), title="Recall and precision of each kind of defect")
    if not verdict.judged:
        _say("No suite was run (`hub quality check`): signs of made-up data are not verified.")
    _say(f"Records: {', '.join(f'{count:,} {state}' for state, count in said.records.items() if count)}.")
    for source, sentence in verdict.problems[:_SHOWN]:
        _say(f"  {source or 'hub'}: {sentence}")
    if len(verdict.problems) > _SHOWN:
        _say(f"  … and {len(verdict.problems) - _SHOWN} more (hub demo verify --json).")
    _say(_conclusion(truth, verdict))


def _conclusion(truth: Mapping[str, Any], verdict: Verdict) -> str:
    if verdict.holds:
        found = sum(count.found for count in verdict.rules.values())
        senders = f"{len(truth['departments'])} departments"
        if truth["localities"]:
            senders += f" and {len(truth['localities'])} cities and counties"
        return (
            f"All {senders} balance, all {found} expected findings stand and no other, nothing is lost.\n"
            "Where to look next: hub finding list; hub quarantine list; hub trace approval_case CASE; hub ledger"
        )
    worst = next((source for source, _ in verdict.problems if source), "")
    return (
        f"{len(verdict.problems)} differences from the truth. Where to look next: hub ledger {worst}; "
        f"hub finding list {worst} --each; hub batch list {worst}"
    )


def as_values(truth: Mapping[str, Any], said: Said, verdict: Verdict) -> dict[str, Any]:
    """Return the verdict as JSON values."""
    return {
        "ok": verdict.holds,
        "day": verdict.day,
        "seed": truth["seed"],
        "cases": truth["cases"],
        "records": dict(said.records),
        "departments": department_rows(truth, said, verdict),
        "rules": rule_rows(verdict),
        "kinds": kind_rows(verdict),
        "sets_judged": verdict.judged,
        "problems": [{"source": source, "problem": sentence} for source, sentence in verdict.problems],
    }


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
