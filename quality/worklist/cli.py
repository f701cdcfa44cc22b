"""`hub quarantine`: the work list of records that were refused, or kept with a flag."""

from __future__ import annotations

import dataclasses
import getpass
import json as plain_json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.show import as_json, show_table
from pipeline.runtime import Runtime
from quality.worklist.errors import NotDone
from sharedrepo.models import OUTCOMES

if TYPE_CHECKING:
    from quality.worklist.entries import Entry, Kind

quarantine = typer.Typer(
    help="Records that were refused, or kept with a flag, and what is done with them.", no_args_is_help=True
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
MaybeCode = Annotated[str | None, typer.Argument(help="The source's code; all sources without it.")]
Number = Annotated[int, typer.Argument(help="The entry's number (`hub quarantine list`).")]
Proposal = Annotated[int, typer.Argument(help="The proposal's number (`hub quarantine proposals`).")]
Reason = Annotated[str, typer.Option(help="Why; it is kept. Name nobody and no value of a person.")]
Flagged = Annotated[bool, typer.Option("--flagged", help="The record is kept, with a flag.")]
Parked = Annotated[bool, typer.Option("--parked", help="The record waits for its case.")]


def actor() -> str:
    """Return who types: the user of the operating system."""
    return f"cli:{getpass.getuser()}"


def _kind(*, flagged: bool, parked: bool) -> Kind:
    if flagged and parked:
        raise NotDone("a record is either flagged or parked: name one of the two.")
    return "flagged" if flagged else "parked" if parked else "quarantined"


@quarantine.command("list")
def list_entries(
    code: MaybeCode = None,
    parked: Annotated[bool, typer.Option("--parked", help="Those that wait for their case instead.")] = False,
    flagged: Annotated[bool, typer.Option("--flagged", help="Those that are kept, with a flag, instead.")] = False,
    organ: Annotated[str | None, typer.Option(help="Only records that this organ answers for.")] = None,
    stream: Annotated[str | None, typer.Option(help="Only this stream.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only what this rule found.")] = None,
    field: Annotated[str | None, typer.Option(help="Only what is wrong with this field.")] = None,
    older_than: Annotated[float | None, typer.Option(min=0, help="Only what came so many days ago, or before.")] = None,
    after: Annotated[int | None, typer.Option(help="Begin after this number.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many at most; all of them without it.")] = None,
    json: Json = False,
) -> None:
    """List the records that wait, or that are kept with a flag."""
    asked = {"organ": organ, "source": code, "stream": stream, "rule": rule, "field": field, "older_than": older_than}
    found = _entries(_kind(flagged=flagged, parked=parked), after, limit, asked)
    rows = [{"id": one.number, **dataclasses.asdict(one)} for one in found]
    if json:
        as_json({"entries": rows})
        return
    columns = ("id", "source", "stream", "key", "version", "rules", "fields", "unit", "row", "since", "proposals")
    show_table(columns, rows, title="Flagged" if flagged else "Waiting")


def _entries(kind: Kind, after: int | None, limit: int | None, asked: dict[str, Any]) -> Iterator[Entry]:
    from quality.worklist.entries import MOST, entries  # noqa: PLC0415  # only when this command runs

    runtime, left = Runtime.open(), limit
    while left is None or left > 0:
        size = MOST if left is None else min(left, MOST)
        page = entries(runtime, kind=kind, after=after, limit=size, **asked)
        yield from page
        if len(page) < size:
            return
        after, left = page[-1].number, None if left is None else left - size


@quarantine.command()
def show(
    number: Number,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the values too, with --reason; it is logged who saw them.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why the values are looked at; it is kept.")] = None,
    flagged: Flagged = False,
    parked: Parked = False,
    json: Json = False,
) -> None:
    """Show one record: raw beside mapped, what is wrong with it, proposals and history."""
    from quality.worklist.opened import opened  # noqa: PLC0415  # pandas comes with it

    kind = _kind(flagged=flagged, parked=parked)
    found = opened(Runtime.open(), number, reveal=reveal, actor=actor(), reason=reason, kind=kind)
    if json:
        as_json(found)
        return
    rows = [
        {
            "field": one.pointer, "wrong": ", ".join(one.rules), "raw": one.raw, "was": one.was,
            "becomes": ", ".join(f"{to.table}.{to.column} = {to.value}" for to in one.becomes)
            or (f"ignored: {one.ignored}" if one.ignored else ""),
        }
        for one in found.fields
    ]  # fmt: skip
    title = f"{found.kind} {number}: {found.source}/{found.stream} {found.key}, {found.state}"
    show_table(("field", "wrong", "raw", "was", "becomes"), rows, title=title)
    if found.text is not None:
        typer.echo(found.text)
    show_table(("rule", "field", "pointer", "shown", "title", "hint"), found.findings, title="Findings")
    columns = ("id", "status", "changes", "reason", "proposed_by", "decided_by", "decision")
    show_table(columns, found.proposals, title="Proposals")
    show_table(("at", "actor", "what", "reason", "batch"), found.history, title="History")


@quarantine.command()
def propose(
    number: Number,
    reason: Reason,
    change: Annotated[list[str] | None, typer.Option("--set", help="FIELD=VALUE; may stand again.")] = None,
    clear: Annotated[list[str] | None, typer.Option(help="A field to empty; may stand again.")] = None,
    changes: Annotated[
        Path | None,
        typer.Option(help="A JSON file {field: value}, - for standard input: nothing stands in the shell's history."),
    ] = None,
    flagged: Flagged = False,
    parked: Parked = False,
    json: Json = False,
) -> None:
    """Propose other values for fields of a record; a second person approves them."""
    from quality.worklist.corrections import propose as deed  # noqa: PLC0415  # pandas comes with it

    wanted = _changes(change or [], clear or [], changes)
    kind = _kind(flagged=flagged, parked=parked)
    done = deed(Runtime.open(), number, wanted, actor=actor(), reason=reason, kind=kind)
    if json:
        as_json({"proposal": done})
    else:
        typer.echo(f"Proposed as {done}. Another person applies it: hub quarantine approve {done}")


def _changes(change: list[str], clear: list[str], file: Path | None) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    if file is not None:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        try:
            said = plain_json.loads(text)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise NotDone("the changes are no JSON object {field: value}.")
        wanted |= said
    for one in change:
        name, found, value = one.partition("=")
        if not found or not name:
            raise NotDone("--set is written FIELD=VALUE.")
        wanted[name] = value
    return wanted | dict.fromkeys(clear)


@quarantine.command()
def proposals(
    code: MaybeCode = None,
    organ: Annotated[str | None, typer.Option(help="Only records that this organ answers for.")] = None,
    json: Json = False,
) -> None:
    """List the corrections that wait for a second person."""
    from quality.worklist.proposed import proposals as listed  # noqa: PLC0415  # only when this command runs

    rows = [dataclasses.asdict(one) for one in listed(Runtime.open(), organ=organ, source=code, limit=10_000)]
    if json:
        as_json({"proposals": rows})
    else:
        columns = ("id", "kind", "entry", "source", "stream", "key", "fields", "reason", "proposed_by", "proposed_at")
        show_table(columns, rows, title="Proposals")


@quarantine.command("log")
def show_log(
    code: MaybeCode = None,
    what: Annotated[str | None, typer.Option(help="Only this deed, for example reveal.")] = None,
    who: Annotated[str | None, typer.Option(help="Only this actor, for example account:li.")] = None,
    limit: Annotated[int, typer.Option(help="So many lines at most.", min=1, max=10_000)] = 100,
    json: Json = False,
) -> None:
    """Read the log, the newest line first: who saw, changed or returned what, when and why."""
    from quality.worklist.told import lines  # noqa: PLC0415  # only when this command runs

    found = lines(Runtime.open().engine, what=what, actor=who, source=code, limit=limit)
    rows = [dataclasses.asdict(one) for one in found]
    if json:
        as_json({"log": rows})
    else:
        show_table(("at", "actor", "what", "source", "stream", "key", "reason", "detail"), rows, title="Log of deeds")


@quarantine.command()
def approve(proposal: Proposal, json: Json = False) -> None:
    """Approve and apply a correction that another person proposed."""
    from quality.worklist.corrections import approve as deed  # noqa: PLC0415  # pandas comes with it

    _done(deed(Runtime.open(), proposal, actor=actor()), f"Correction {proposal} is applied", json=json)


@quarantine.command()
def reject(proposal: Proposal, reason: Reason, json: Json = False) -> None:
    """Turn a proposal down; nothing is changed."""
    from quality.worklist.corrections import reject as deed  # noqa: PLC0415  # pandas comes with it

    deed(Runtime.open(), proposal, actor=actor(), reason=reason)
    _done({"proposal": proposal, "status": "rejected"}, f"Proposal {proposal} is turned down", json=json)


@quarantine.command()
def waive(number: Number, reason: Reason, json: Json = False) -> None:
    """Let a refused record go with a reason: nobody waits for it any more."""
    from quality.worklist.deeds import waive as deed  # noqa: PLC0415  # pandas comes with it

    deed(Runtime.open(), number, actor=actor(), reason=reason)
    _done({"excluded": 1}, f"Record {number} is waived", json=json)


@quarantine.command()
def replay(
    code: Annotated[str, typer.Argument(help="The source's code (`hub source list`).")],
    ids: Annotated[
        list[int] | None, typer.Option("--id", help="Only these entries (needed for version conflicts).")
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Only what this rule refused.")] = None,
    json: Json = False,
) -> None:
    """Judge waiting records again with the present mapping; those that pass are kept."""
    from quality.worklist.deeds import replay as deed  # noqa: PLC0415  # pandas comes with it

    counts = deed(Runtime.open(), code, ids=ids or (), rule=rule, actor=actor())
    _done({"source": code, **counts}, "Taken in again", json=json)


def _done(counts: dict[str, Any], sentence: str, *, json: bool) -> None:
    if json:
        as_json(counts)
        return
    told = ", ".join(f"{counts[one]} {one}" for one in OUTCOMES if counts.get(one))
    typer.echo(sentence + (f": {told}." if told else "."))
