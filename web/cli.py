"""`hub web`: serves the API, and prints its document."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hub.show import as_json

web = typer.Typer(help="The API and the pages over HTTP: serve them, print the API's document.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@web.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on; others than loopback need TLS in front.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8090,
    workers: Annotated[int, typer.Option(min=1, max=64, help="So many processes serve, each with its limits.")] = 1,
    json: Json = False,
) -> None:
    """Serve the API and the pages until it is told to stop; its address is printed when it is ready."""
    from web.app import create  # noqa: PLC0415  # the pipeline comes with it
    from web.server import serve as run  # noqa: PLC0415  # only when this command runs

    def ready(url: str) -> None:
        if json:
            as_json({"url": url})
        else:
            typer.echo(f"The hub answers at {url}")
        sys.stdout.flush()

    if not run(create(), host=host, port=port, ready=ready, workers=workers):
        sys.exit(1)


@web.command()
def openapi() -> None:
    """Print the API's document (OpenAPI), as docs/integrate/openapi.json holds it."""
    from web.document import text  # noqa: PLC0415  # only when this command runs

    sys.stdout.write(text())
