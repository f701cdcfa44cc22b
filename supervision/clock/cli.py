"""`hub supervise run`, `waiting`, `uncomputable`, `explain`: clocks computed, listed and explained."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.show import as_json, show_table
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
        {"step": step, "what": name, "count": count} for step, counts in done.counts.items()
        for name, count in counts.items()
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
