"""`hub supervise export`, `map`, `load`, `trends` and `figures`: logs for process mining, and what is counted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hub.show import as_json, show_table
from hub.workdays import local_day
from supervision.opening import Json, open_engine, open_hub

if TYPE_CHECKING:
    from supervision.logs.scope import Scope

export = typer.Typer(
    help="Logs of cases as XES (IEEE 1849) and OCEL 2.0, for process-mining tools.", no_args_is_help=True
)

Item = Annotated[str | None, typer.Option(help="Only cases of this item: its code, or the base code of all organs'.")]
Organ = Annotated[str | None, typer.Option(help="Only cases that this department handles.")]
Since = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="From this day on.")]
Until = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="To this day.")]
Language = Annotated[str, typer.Option(help="The language of the activities: zh or en.")]
Sheet = Annotated[
    Path | None, typer.Option("--write", help="Write the list into this new file, as .csv, .xlsx or .pdf.")
]  # fmt: skip
Out = Annotated[Path, typer.Argument(help="The new file.")]


def _scope(item: str | None, organ: str | None, since: datetime | None, until: datetime | None) -> Scope:
    from supervision.logs.scope import Scope  # noqa: PLC0415  # only when a command runs

    return Scope(item, organ, _day(since), _day(until))


def _day(said: datetime | None) -> date | None:
    return None if said is None else said.date()


def _language(said: str) -> Literal["zh", "en"]:
    from supervision.logs.scope import BadScope  # noqa: PLC0415  # only when a command runs

    if said == "en":
        return "en"
    if said != "zh":
        raise BadScope(f"{said!r} is no language of the logs; there are zh and en.")
    return "zh"


@export.command("xes")
def xes_(
    to: Out, item: Item = None, organ: Organ = None, since: Since = None, until: Until = None,
    language: Language = "zh", json: Json = False,
) -> None:  # fmt: skip
    """Write a log as XES, a trace a case; a file whose name ends in .gz is packed."""
    from supervision.logs import xes  # noqa: PLC0415  # only when this command runs

    done = xes.write(*open_hub(), _scope(item, organ, since, until), to, language=_language(language))
    _told(to, done, json=json)


@export.command("ocel")
def ocel_(
    to: Out, item: Item = None, organ: Organ = None, since: Since = None, until: Until = None,
    language: Language = "zh", json: Json = False,
) -> None:  # fmt: skip
    """Write a log as OCEL 2.0: JSON, or the relational form where the file's name ends in .sqlite."""
    from supervision.logs import ocel  # noqa: PLC0415  # only when this command runs

    done = ocel.write(*open_hub(), _scope(item, organ, since, until), to, language=_language(language))
    _told(to, done, json=json)


def _told(to: Path, done: Any, *, json: bool) -> None:
    if json:
        as_json({"file": str(to), "written": done})
        return
    typer.echo(f"{to}: {done.cases:,} cases, {done.events:,} events.")
    if done.without_time:
        left = ", ".join(f"{count} {name}" for name, count in done.without_time.items())
        typer.echo(f"Not in the log, because they have no time: {left}.")


def map_(
    item: Annotated[str, typer.Argument(help="The item's code, or the base code of all organs' versions of it.")],
    organ: Organ = None, since: Since = None, until: Until = None,
    node: Annotated[bool, typer.Option("--node", help="By the department's own steps instead of the stages.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Write the picture into this new file.")] = None,
    least: Annotated[float, typer.Option(min=0, max=1, help="Ways of a smaller share of cases are not drawn.")] = 0.01,
    json: Json = False,
) -> None:  # fmt: skip
    """Show how cases of an item really go: ways between stages, how often, and how long is waited on them."""
    from supervision.logs import map_picture  # noqa: PLC0415  # only when this command runs
    from supervision.logs.files import whole_file  # noqa: PLC0415  # only when this command runs
    from supervision.logs.process_map import process_map  # noqa: PLC0415  # only when this command runs

    found = process_map(open_engine(), _scope(item, organ, since, until), by="node" if node else "stage")
    if svg is not None:
        with whole_file(svg) as out:
            out.write(map_picture.svg(found, least=least).encode())
    if json:
        as_json(found)
        return
    ways = [{"from": one.source, "to": one.target, "count": one.count, "cases": one.cases, "hours": one.hours,
             "hours_90": one.hours_90} for one in found.edges]  # fmt: skip
    show_table(("from", "to", "count", "cases", "hours", "hours_90"), ways, title=f"Ways of {found.cases} cases")
    paths = [{"cases": one.cases, "days": one.days, "path": " > ".join(one.steps)} for one in found.paths]
    show_table(("cases", "days", "path"), paths, title=f"The most frequent of {found.paths_in_all} paths")


def load_(
    organ: Organ = None, since: Since = None, until: Until = None,
    post: Annotated[bool, typer.Option("--post", help="By post and stage instead of by handler.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many at most, those with most open first.")] = 200,
    to: Sheet = None, json: Json = False,
) -> None:  # fmt: skip
    """Show what each handler or post finished, how much of the limits it took, and what lies there open.

    Without days: the thirty days up to today.
    """
    from supervision.logs import lists  # noqa: PLC0415  # only when this command runs
    from supervision.logs.load import load  # noqa: PLC0415  # only when this command runs

    today = local_day(datetime.now(UTC))
    last = _day(until) or today
    engine, protector = open_hub()
    with engine.begin() as connection:
        rows = load(
            connection, protector, since=_day(since) or last - timedelta(days=30), until=last, organ=organ,
            by="post" if post else "staff", limit=limit,
        )  # fmt: skip
    if to is not None:
        lists.write_list(lists.load_sheet(rows, "post" if post else "staff"), to)
    if json:
        as_json({"load": [one.as_values() for one in rows]})
        return
    shown = [
        {**one.as_values(), "time_used": one.time_used.percent, "in_time": one.stage_on_time.percent} for one in rows
    ]  # fmt: skip
    columns = ("organ", *(("stage", "name") if post else ("who", "name")), "finished", "early", "on_time", "late",
               "time_used", "in_time", "open", "overdue")  # fmt: skip
    show_table(columns, shown, title="Load (time_used: days used in % of the limits; in_time: stages in %)")


def trends_(
    since: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m"], help="From this month on.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m"], help="To this month.")] = None,
    organ: Organ = None, item: Item = None,
    region: Annotated[str | None, typer.Option(help="Only this region, with those below it.")] = None,
    to: Sheet = None, json: Json = False,
) -> None:  # fmt: skip
    """Show volumes and rates month by month; without months: the last twelve."""
    from supervision.logs import lists  # noqa: PLC0415  # only when this command runs
    from supervision.logs.trends import trends  # noqa: PLC0415  # only when this command runs

    last = _day(until) or local_day(datetime.now(UTC)).replace(day=1)
    first = _day(since) or date(last.year - (last.month < 12), last.month % 12 + 1, 1)  # noqa: PLR2004  # months
    with open_engine().begin() as connection:
        months = trends(connection, since=first, until=last, organ=organ, item=item, region=region)
    if to is not None:
        lists.write_list(lists.trends_sheet(months), to)
    if json:
        as_json({"months": [one.as_values() for one in months]})
        return
    shown = [
        {"month": f"{one.month:%Y-%m}", **one.volumes, **{rate.code: rate.percent for rate in one.rates}}
        for one in months
    ]
    columns = ("month", "received", "accepted", "closed", "completion_a", "early_a", "on_time_a", "overdue_a",
               "immediate_a", "speed_up_a")  # fmt: skip
    show_table(columns, shown, title="Trends (rates in %; --json tells both counts and the definition of each)")


def figures_(
    since: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m"], help="From this month on.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m"], help="To this month.")] = None,
    organ: Organ = None, json: Json = False,
    region: Annotated[str | None, typer.Option(help="Only this region, with those below it.")] = None,
) -> None:  # fmt: skip
    """Show a period at a glance: its rates, how open cases stand, cards by level; without months the last thirteen."""
    from supervision.logs.figures import figures  # noqa: PLC0415  # only when this command runs

    last = _day(until) or local_day(datetime.now(UTC)).replace(day=1)
    first = _day(since) or last.replace(year=last.year - 1)
    with open_engine().begin() as connection:
        found = figures(connection, since=first, until=last, organ=organ, region=region)
    if json:
        as_json(found.as_values())
        return
    rows = [
        {"rate": f"{one.definition.zh} {one.definition.en}", "percent": one.percent, "counts": f"{one.numerator} / "
         f"{one.denominator}", "definition": f"{one.definition.formula_en}: {one.definition.cohort_en}"}
        for one in found.rates
    ]  # fmt: skip
    period = f"{found.first:%Y-%m} to {found.last:%Y-%m}"
    show_table(("rate", "percent", "counts", "definition"), rows, title=f"Figures, {period}")
    stands = [{"open cases": word, "count": count} for word, count in sorted(found.open.items())]
    show_table(("open cases", "count"), stands, title="Open cases now")
    cards = [{"level": level, "state": state, "cards": count} for level, state, count in found.cards]
    show_table(("level", "state", "cards"), cards, title="Cards 预警 黄牌 红牌")
