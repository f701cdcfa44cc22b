"""`hub catalog base`: what a base item fixes for every level that carries it out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalog.cli_shared import Json, Opinion, content_of, doer_of, opened, told
from hub.show import as_json, show_table

base = typer.Typer(help="Base items: what no level below can change.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="The base code: 12 digits.")]


@base.command("list")
def list_(json: Json = False) -> None:
    """List the base items with what each fixes, and how many items say otherwise."""
    from catalog import base_items  # noqa: PLC0415  # only when this command runs

    rows = base_items.listed(opened())
    if json:
        as_json({"base_items": rows})
    else:
        show_table(("base_code", "name", "fixes", "items", "differing", "set_by", "set_at"), rows, title="Base items")


@base.command()
def show(code: Code, json: Json = False) -> None:
    """Show one base item: what it fixes, each change of that, and the items that say otherwise."""
    from catalog import base_items  # noqa: PLC0415  # only when this command runs

    found = base_items.shown(opened(), code)
    if json:
        as_json(found)
        return
    fixes = [{"field": name, "is": value} for name, value in found["content"].items()]
    show_table(("field", "is"), fixes, title=f"Base item {code}")
    show_table(("at", "actor", "reason"), found["changes"], title="Who set it and why")
    show_table(("code", "organ", "fields"), found["differing"], title="Items that say otherwise")


@base.command("set")
def set_(
    code: Code,
    file: Annotated[Path, typer.Argument(help="What it fixes as JSON (name, item_type, …); - reads standard input.")],
    reason: Opinion,
    json: Json = False,
) -> None:
    """Fix fields for every level; items that say otherwise are told, and their next version must follow."""
    from catalog import base_items  # noqa: PLC0415  # only when this command runs

    differing = base_items.fix(opened(), code, content_of(file), doer_of("hub"), reason=reason)
    told({"base_code": code, "differing": [one["code"] for one in differing]}, json=json)
