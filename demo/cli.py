"""`hub demo`: builds the simulated province, serves its REST system, lets day 2 come, verifies against the truth."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.errors import HubError
from hub.settings import Settings, private_folder
from hub.show import as_json, progress_bar

if TYPE_CHECKING:
    from demo.casework import Casework
    from demo.model import Shape

demo = typer.Typer(help="A simulated province of 43 departments, and the truth about it.", no_args_is_help=True)

_ENVIRONMENT = "connections.env"

Home = Annotated[Path | None, typer.Option(help="The hub's home (HUB_HOME); the departments live in its demo folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


class DemoTrouble(HubError):
    """The demonstration cannot go on; the message says what to do."""


def _home(home: Path | None) -> Path:
    if home is not None:
        os.environ["HUB_HOME"] = str(home.expanduser().absolute())
    return Settings.load().make_home()


def _shapes() -> Mapping[str, Shape]:
    from demo.shapes.registry import SHAPES  # noqa: PLC0415  # database drivers and XML come with it

    return SHAPES


@demo.command()
def build(
    seed: Annotated[int, typer.Option(help="Another seed, another province.")] = 1,
    cases: Annotated[int, typer.Option(min=1, help="How many cases there are in the year.")] = 5_000,
    home: Home = None,
    date_: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The day after day 2; today without it.")
    ] = None,
) -> None:
    """Build the province: its systems as they stand on day 1, and the truth of both days."""
    from demo.casework import build as build_work  # noqa: PLC0415  # only when this command runs
    from demo.duty import write_duty  # noqa: PLC0415  # only when this command runs
    from demo.truth import TruthError, build_truth, personal_writer, truth_file, write_truth  # noqa: PLC0415  # heavy

    place, shapes = _home(home), _shapes()
    today = date.today()  # noqa: DTZ011  # the day on the wall, as the user means it
    day = date_.date() if date_ else today
    if day > today:
        raise DemoTrouble(f"{day} lies in the future, and so would the cases: give today or an earlier day.")
    truth_file(place).unlink(missing_ok=True)
    private_folder(place / "demo")
    work = build_work(seed, cases, day, shapes)
    with (
        progress_bar("build", total=sum(one.cases for one in work.province.senders)) as bar,
        personal_writer(place) as personal,
    ):
        try:
            truth = build_truth(
                work, shapes, place, personal=personal, progress=lambda one, count: bar.advance(count, one.code)
            )
        except TruthError as error:
            raise DemoTrouble(str(error)) from error
        write_duty(work.province, place, personal)
    file = write_truth(truth, place)
    connections = _write_connections(place)
    records = sum(count for (_, _, on, _), count in truth.counts.items() if on == 1)
    kinds = len({one.kind for one in truth.defects})
    sys.stdout.write(
        f"{work.province.name}, seed {seed}: {len(truth.departments)} departments, {cases:,} cases, "
        f"{len(truth.localities)} cities and counties on a platform, "
        f"{records:,} records on day 1, {len(truth.defects)} defects of {kinds} kinds.\n"
        f"The truth is in {file}; the connections are in {connections} (set -a; . {connections}; set +a).\n"
    )


def _connections(home: Path) -> Mapping[str, str]:
    from demo.shapes.registry import connections  # noqa: PLC0415  # only when this command runs

    return connections(home)


def _write_connections(home: Path) -> Path:
    """Write how the hub reaches the departments' systems, as environment variables."""
    file = home / "demo" / _ENVIRONMENT
    lines = [
        f"HUB_CONN_{''.join(c if c.isalnum() else '_' for c in name.upper())}='{url}'\n"
        for name, url in sorted(_connections(home).items())
    ]
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text("".join(lines), encoding="utf-8")
    return file


@demo.command()
def serve(home: Home = None) -> None:
    """Run the services of the departments that have one (REST, SOAP, queues, SFTP), until it is stopped."""
    from demo.services.run import serve as run  # noqa: PLC0415  # only when this command runs

    run(_home(home))


@demo.command()
def phones(home: Home = None, json: Json = False) -> None:
    """Say where the fake SMS gateway shows its phones and how the hub sends there; `hub demo serve` runs it."""
    from demo.services.phonesetting import gateway_of  # noqa: PLC0415  # only when this command runs

    settings, file = gateway_of(_home(home))
    said = {
        "page": f"http://127.0.0.1:{settings.port}/",
        "HUB_SMS_GATEWAY": str(file),
        "HUB_SMS_SECRET": settings.secret,
    }
    if json:
        as_json(said)
        return
    sys.stdout.write(
        f"The phones are at {said['page']} (a fake: nothing is sent to anybody).\n"
        f"export HUB_SMS_GATEWAY={file} HUB_SMS_SECRET={settings.secret}\n"
    )


@demo.command()
def post(
    department: Annotated[str, typer.Argument(help="The department that posts.")],
    url: Annotated[str, typer.Option(help="The hub's address, as `hub web serve` prints it.")],
    home: Home = None,
) -> None:
    """Let a department's own program post what is new to the hub; its token stands in HUB_DEMO_TOKEN."""
    from demo.services.poster import NotTaken, post_all  # noqa: PLC0415  # only when this command runs

    place, token = _home(home), os.environ.get("HUB_DEMO_TOKEN", "")
    if not token:
        raise DemoTrouble("HUB_DEMO_TOKEN is not set: `hub client new` prints the token.")
    try:
        with progress_bar("post") as bar:
            taken = 0
            for records in post_all(place, department, url, token):
                taken += records
                bar.advance(records, department)
    except NotTaken as refused:
        raise DemoTrouble(str(refused)) from refused
    sys.stdout.write(f"{department} posted {taken:,} records; each was answered.\n")


@demo.command()
def change(home: Home = None) -> None:
    """Let day 2 come: new cases, progress, corrections, late records, deletions, and what goes wrong on that day."""
    from demo.truth import DAYS, read_truth  # noqa: PLC0415  # only when this command runs

    place, shapes = _home(home), _shapes()
    truth = _read(lambda: read_truth(place))
    work = _work_of(truth, shapes)
    written: Counter[tuple[str, str, str]] = Counter()
    with progress_bar("day 2", total=len(truth["departments"]) + len(truth["localities"])) as bar:
        for source, stream, outcome in _second_day(work, shapes, place):
            if stream:
                written[source, stream, outcome] += 1
            else:
                bar.advance(1, source)
    expected: Counter[tuple[str, str, str]] = Counter()
    for row in truth["counts"]:
        if row["day"] == DAYS[-1]:
            expected[row["source"], row["stream"], row["outcome"]] += row["records"]
    if written != expected:
        raise DemoTrouble("day 2 was written otherwise than the truth foretold: build the province again.")
    sys.stdout.write(f"Day 2 has come: {sum(written.values()):,} records in {len(truth['departments'])} departments.\n")


def _second_day(work: Casework, shapes: Mapping[str, Shape], home: Path) -> Iterator[tuple[str, str, str]]:
    """Write day 2 and yield source, stream and outcome of each record; after each department, its code alone."""
    from demo.model import Placed  # noqa: PLC0415  # only when this command runs

    for department in work.province.senders:
        shape = shapes.get(department.shape)
        if shape is None:
            continue
        for said in shape.write(department, work, home, 2, dry=False):
            if isinstance(said, Placed):
                yield said.source, said.stream, said.outcome
        yield department.code, "", ""


def _work_of(truth: Mapping[str, Any], shapes: Mapping[str, Shape]) -> Casework:
    from demo.casework import build as build_work  # noqa: PLC0415  # only when this command runs

    return build_work(truth["seed"], truth["cases"], date.fromisoformat(truth["date"]), shapes)


def _answers(truth: Mapping[str, Any], home: Path) -> dict[str, list[dict[str, Any]]]:
    """Read back what the hub told the departments that it answers."""
    shapes = _shapes()
    return {
        one["code"]: [asdict(answer) for answer in shapes[one["shape"]].answers(one["code"], home)]
        for one in truth["departments"]
        if shapes[one["shape"]].answered
    }


def _read(read: Any) -> dict[str, Any]:
    from demo.truth import TruthError  # noqa: PLC0415  # only when this command runs

    try:
        found: dict[str, Any] = read()
    except TruthError as error:
        raise DemoTrouble(str(error)) from error
    return found


@demo.command()
def verify(
    day: Annotated[int, typer.Option(min=1, max=2, help="The day up to which the hub has pulled.")] = 2,
    home: Home = None,
    json: Json = False,
) -> None:
    """Compare what the hub made of the province with the truth; exit status 0 only if nothing differs."""
    from demo.compare import compare  # noqa: PLC0415  # only when this command runs
    from demo.truth import read_truth  # noqa: PLC0415  # only when this command runs
    from demo.verify import as_values, ask, show  # noqa: PLC0415  # only when this command runs

    place = _home(home)
    truth = _read(lambda: read_truth(place))
    said = replace(ask(place), answers=_answers(truth, place))
    verdict = compare(truth, said, day)
    if json:
        as_json(as_values(truth, said, verdict))
    else:
        show(truth, said, verdict)
    if not verdict.holds:
        raise typer.Exit(1)
