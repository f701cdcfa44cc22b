"""`hub supervise run`, `waiting`, `uncomputable`, `explain`: clocks computed, listed and explained."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.show import as_json, show_table
from hub.workdays import ZONE
from supervision.opening import Json, moment, open_engine, open_hub

AsOf = Annotated[str | None, typer.Option("--as-of", help="Speak for this day or instant instead of now.")]


def run(
    as_of: AsOf = None,
    full: Annotated[bool, typer.Option("--full", help="All cases, not only those that changed.")] = False,
    json: Json = False,
) -> None:
    """Bring supervision up to date: clocks first, then all that rests on them."""
    from supervision import running  # noqa: PLC0415  # only when this command runs

    engine, protector = open_hub()
    done = running.run(engine, as_of=moment(as_of), full=full, protector=protector)
    if json:
        as_json(done)
        return
    rows: list[dict[str, Any]] = [
        {"step": step, "what": what, "count": number} for step, counts in done.counts.items()
        for name, count in counts.items()
        for what, number in (
            ((f"{name}: {why}", of) for why, of in count.items()) if isinstance(count, dict) else ((name, count),)
        )
    ]  # fmt: skip
    show_table(("step", "what", "count"), rows, title=f"Run {done.run_id} ({done.kind})")


def waiting(as_of: AsOf = None, json: Json = False) -> None:
    """List the cases that wait for the applicant, the longest first, and how often each was reminded."""
    from supervision import running  # noqa: PLC0415  # only when this command runs
    from supervision.clock import reminders  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        running.at(connection, moment(as_of))
        rows = reminders.waiting(connection)
    if json:
        as_json({"waiting": rows})
    else:
        columns = ("case_number", "organ", "item_code", "waiting_since", "days", "reminders", "accepted")
        show_table(columns, rows, title="Waiting for the applicant")


def uncomputable(json: Json = False) -> None:
    """List the cases whose clock cannot be computed, by reason, and how many they are."""
    from supervision.clock import listing  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        counts, rows = listing.uncomputable(connection)
    if json:
        as_json({"counts": counts, "cases": rows})
        return
    show_table(("why", "cases", "says"), counts, title="Clock not computable")
    show_table(("case_number", "organ", "item_code", "why"), rows, title="Cases (the first 200)")


def explain(
    case: Annotated[str, typer.Argument(help="The case's number, or SOURCE:NUMBER.")],
    as_known_at: Annotated[
        str | None, typer.Option("--as-known-at", help="By what was known on this day or at this instant.")
    ] = None,
    json: Json = False,
) -> None:
    """Explain when a case is due: what its clock rests on, and each day one by one."""
    from supervision.clock import explaining  # noqa: PLC0415  # only when this command runs

    with open_engine().begin() as connection:
        told = explaining.explain(connection, case, moment(as_known_at))
    if json:
        as_json(told.as_dict())
        return
    for line in _head(told.as_dict()):
        typer.echo(line)
    rows = [
        {"day": one.day, "weekday": f"{one.day:%a}", "kind": one.kind + ("" if one.published else " (provisional)"),
         "used": one.used, "says": explaining.DOES[one.does][1]}
        for one in told.days
    ]  # fmt: skip
    if rows:
        show_table(("day", "weekday", "kind", "used", "says"), rows, title="Day by day")


def _head(told: dict[str, Any]) -> list[str]:
    """Word what a clock rests on."""
    facts, limit = told["case"], told["limit"]
    known = "" if told["as_known_at"] is None else f", as known at {_said(told['as_known_at'])}"
    item = f"item {facts['item_code'] or 'not said'}, version {facts['version'] or 'none'}"
    lines = [f"Case {facts['case_number']}{known}: {item}, calendar {facts['calendar'] or 'of the nation'}."]
    if not told["computable"]:
        return [*lines, f"The clock cannot be computed: {told['why_en']} ({told['why']}, {told['why_zh']})."]
    if told["started_at"] is None or limit is None:
        return [*lines, "The clock has not started: nothing was accepted."]
    lines.append(
        f"It starts on {told['start_day']}, by {told['basis']}{' (deemed, art. 32)' if told['deemed'] else ''}."
    )
    more = f" and {told['extended']} by extension" if told["extended"] else ""
    lines.append(f"The limit is {limit['value']} {limit['unit']}{more}; it ends {_said(told['due_at'])}.")
    if told["legal_due_at"] is not None:
        lines.append(f"The law's own limit ends {_said(told['stands_legal_due_at'])}.")
    for fault, words in _REMARKS.items():
        if told[fault]:
            lines.append(
                words.format(**{name: _said(told[name]) for name in ("paused_since", "stands_due_at", "verdict")})
            )
    if told["as_known_at"] is None and not told["agrees"]:
        lines.append("The stored clock says otherwise: the case changed since. Run `hub supervise run`.")
    return [*lines, *(f"Note: {one}." for one in told["notes"])]


_REMARKS = {
    "provisional": "It is provisional: it rests on days that are not published yet.",
    "paused_since": "It has been stopped since {paused_since}; the days since then come on top: now it would end "
    "{stands_due_at}.",
    "verdict": "The case is closed: {verdict}.",
}


def _said(value: Any) -> str:
    return f"{value.astimezone(ZONE):%Y-%m-%d %H:%M:%S}" if hasattr(value, "astimezone") else str(value)
