"""`hub airflow`: Airflow on this machine, its pools, and runs of the sources' DAGs."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from dags.headers import Header, read_headers
from hub.settings import Settings

airflow = typer.Typer(
    help="Airflow on this machine: start it, make the sources' pools, run the sources.", no_args_is_help=True
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

SOME_FAILED = 3
"""Exit status when all runs ended and some of them failed: Airflow did its part, a source did not."""


@airflow.command()
def start(
    while_running: Annotated[
        int | None, typer.Option(metavar="PID", help="End Airflow when this process has ended, however it ended.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Start Airflow (scheduler, DAG processor, API server) and wait until it is healthy."""
    from dags.ops import control  # noqa: PLC0415  # each command loads only what it needs

    found, fresh = control.start(Settings.load(), while_running=while_running, progress=_progress)
    if as_json:
        _print({"url": found.url, "pid": found.pid, "started": fresh})
    else:
        typer.echo(f"Airflow {'runs' if fresh else 'was running already'} at {found.url}; see `hub airflow status`.")


@airflow.command()
def stop(as_json: Json = False) -> None:
    """Stop Airflow and every process that it started; what a task had not committed is read again next time."""
    from dags.ops import control  # noqa: PLC0415  # a command loads only what it needs

    stopped = control.stop(Settings.load())
    if as_json:
        _print({"stopped": stopped})
    else:
        typer.echo("Airflow is stopped." if stopped else "Airflow was not running.")


@airflow.command()
def status(as_json: Json = False) -> None:
    """Say whether Airflow runs, where, how to sign in, and whether its components are healthy."""
    from dags.ops import control  # noqa: PLC0415  # a command loads only what it needs
    from dags.ops.home import USER, Home  # noqa: PLC0415  # a command loads only what it needs

    settings = Settings.load()
    home = Home.of(settings)
    found = control.running(home)
    facts: dict[str, Any] = {"running": found is not None, "home": str(home.path)}
    if found is not None:
        missing = control.client(settings).unhealthy(control.NEEDED)
        facts |= {"url": found.url, "pid": found.pid, "user": USER, "password_file": str(home.passwords)}
        facts |= {"healthy": not missing, "missing": missing, "log": str(home.components_log)}
    if as_json:
        _print(facts)
    else:
        typer.echo("\n".join(f"{name}: {value}" for name, value in facts.items()))
    raise typer.Exit(0 if facts.get("healthy") else 1)


@airflow.command()
def sync(as_json: Json = False) -> None:
    """Make Airflow's pools as the source folders ask for: one for each source system. Safe to repeat.

    Works on the Airflow that AIRFLOW_HOME names, else on the one of `hub airflow start`.
    """
    from dags.ops import pools  # noqa: PLC0415  # a command loads only what it needs

    settings = Settings.load()
    with contextlib.redirect_stdout(sys.stderr):  # Airflow's import and its log write where our answer belongs
        pools.configure(settings)
        made = pools.sync(settings)
    if as_json:
        _print(made)
    else:
        typer.echo(", ".join(f"{name}: {len(pools_)}" for name, pools_ in made.items()))


@airflow.command()
def run(
    codes: Annotated[list[str] | None, typer.Argument(metavar="CODE...", help="Sources to run.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Run every source.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the runs have ended; show progress.")] = False,
    seconds: Annotated[float, typer.Option("--timeout", help="How many seconds to wait at most.")] = 3600.0,
    as_json: Json = False,
) -> None:
    """Run sources' DAGs now. Ends with status 3 when runs failed; each is listed with its reason."""
    from dags.ops import control, runs  # noqa: PLC0415  # a command loads only what it needs
    from dags.ops.progress import Bar  # noqa: PLC0415  # a command loads only what it needs

    if bool(codes) == everything:
        raise typer.BadParameter("name the sources to run, or --all")
    settings = Settings.load()
    confs = _runs(codes or [], read_headers(settings.sources))
    ids = list(confs)
    client = control.client(settings)
    run_id = runs.new_run_id()
    with Bar(len(ids), quiet=as_json) as bar:
        runs.await_dags(client, ids, 120.0)
        runs.trigger(client, ids, run_id, confs)
        if not wait:
            outcome = runs.Outcome(run_id, 0.0, dict.fromkeys(ids, "queued"))
        else:
            outcome = runs.wait(client, ids, run_id, seconds=seconds, watcher=bar)
    if as_json:
        _print(outcome.as_dict())
    elif not wait:
        typer.echo(f"{len(ids)} runs {run_id} are queued; see {client.url}.")
    else:
        good = sum(state == "success" for state in outcome.states.values())
        typer.echo(f"{good} of {len(ids)} runs succeeded in {outcome.seconds:.0f} seconds.")
        for failure in outcome.failures:
            typer.echo(f"failed: {failure.dag_id}.{failure.task}: {failure.reason}", err=True)
    raise typer.Exit(SOME_FAILED if outcome.failures else 0)


def _runs(codes: list[str], headers: Sequence[Header]) -> dict[str, dict[str, list[str]]]:
    """Return the DAGs to run with the configuration of each: where some sources of a shared DAG are asked for, they."""
    from dags.ops import runs  # noqa: PLC0415  # a command loads only what it needs

    owners = {one.code: header for header in headers for one in (header, *header.members)}
    confs: dict[str, dict[str, list[str]]] = {}
    for code in runs.chosen(codes, list(owners)) if codes else [header.code for header in headers]:
        header = owners[code]
        conf = confs.setdefault(header.dag_id, {"sources": []} if header.code != code else {})
        if header.code == code:
            conf.pop("sources", None)
        elif "sources" in conf:
            conf["sources"].append(code)
    return confs


def _print(facts: dict[str, Any]) -> None:
    typer.echo(json.dumps(facts, ensure_ascii=False, indent=2))


def _progress(said: str) -> None:
    """Say what is waited for, on one line of a terminal; say nothing to a file."""
    if os.isatty(sys.stderr.fileno()):
        sys.stderr.write(f"\r\x1b[KAirflow: {said}…")
        sys.stderr.flush()
