"""`hub supervise`: the supervisor's commands; each part of this package brings its own."""

from __future__ import annotations

import typer

from supervision.appraisal.cli import appraisal
from supervision.calendar.cli import calendar
from supervision.cards import cli as cards
from supervision.cards.duty.cli import duty
from supervision.clock import cli as clock
from supervision.logs import cli as logs
from supervision.notices.cli import notices
from supervision.rules.cli import rules

supervise = typer.Typer(help="Every case against its legal clock; cards; the ranking.", no_args_is_help=True)


@supervise.callback()
def _root() -> None:
    """Every case against its legal clock; cards; the ranking."""


supervise.command("run")(clock.run)
supervise.command("explain")(clock.explain)
supervise.command("waiting")(clock.waiting)
supervise.command("uncomputable")(clock.uncomputable)
supervise.command("dossier")(cards.dossier)
supervise.add_typer(calendar, name="calendar")
supervise.add_typer(notices, name="notices")
supervise.add_typer(appraisal)
supervise.add_typer(logs.export, name="export")
supervise.command("map")(logs.map_)
supervise.command("load")(logs.load_)
supervise.command("trends")(logs.trends_)
supervise.command("figures")(logs.figures_)
supervise.add_typer(rules, name="rules")
supervise.add_typer(cards.cards, name="cards")
supervise.add_typer(cards.orders, name="orders")
supervise.add_typer(duty, name="duty")
