"""`hub envelope`: seal a delivery, prove one, and see which numbers have come."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from connectors.envelopes.document import ENVELOPE, MOST_BYTES
from connectors.loading import load_sources
from connectors.source import Source, StreamSpec
from hub.settings import Settings
from hub.show import as_json, show_table

envelope = typer.Typer(help="Numbered deliveries: seal one, prove one, see which have come.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Payload = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The delivered file.")]
Code = Annotated[str, typer.Option("--source", help="The source's code in the hub.")]
Stream = Annotated[str, typer.Option("--stream", help="The stream's name.")]


@envelope.command("seal")
def seal(
    payload: Payload,
    source: Code,
    stream: Stream,
    number: Annotated[int, typer.Option(min=1, help="The delivery's running number.")],
    records: Annotated[
        int | None, typer.Option(min=0, help="How many records the file holds; without it they are counted.")
    ] = None,
    organ: Annotated[
        list[str] | None, typer.Option(help="CODE=COUNT: how many of them an organ has; may be given several times.")
    ] = None,
    complete_through: Annotated[
        str | None, typer.Option(help="Up to when everything is sent, with zone: 2026-03-02T18:00:00+08:00.")
    ] = None,
    key: Annotated[Path | None, typer.Option(exists=True, help="Private key in PEM (Ed25519) to sign with.")] = None,
    key_name: Annotated[str | None, typer.Option(help="The key's name, as the hub knows it.")] = None,
    json: Json = False,
) -> None:
    """Write the envelope of a file beside it (FILE.envelope.json)."""
    from connectors.envelopes import sealing  # noqa: PLC0415  # readers of files come with it

    if (key is None) != (key_name is None):
        raise typer.BadParameter("--key and --key-name go together: the hub finds the public key by its name")
    said: dict[str, Any] = {"source": source, "stream": stream, "number": number}
    if records is None:
        declared = _declared(source, stream)
        if declared is None:
            raise typer.BadParameter(f"HUB_SOURCES has no source {source!r} with stream {stream!r}: give --records")
        tally = sealing.count(*declared, payload)
        organs = {} if tally.nameless else dict(tally.organs)
        said["records"] = tally.records
    else:
        said["records"], organs = records, _organs(organ or [])
    if organs:
        said["organs"] = [{"organ": name, "records": count} for name, count in sorted(organs.items())]
    if complete_through is not None:
        said["complete_through"] = complete_through
    made = sealing.seal(payload, said, key=None if key is None else (str(key_name), sealing.load_private(key)))
    _show(made, f"{payload.name}{ENVELOPE}", json=json)


def _organs(said: list[str]) -> dict[str, int]:
    pairs = [one.rpartition("=") for one in said]
    if not all(name and count.isascii() and count.isdigit() for name, _, count in pairs):
        raise typer.BadParameter("--organ is written CODE=COUNT")
    return {name: int(count) for name, _, count in pairs}


def _declared(code: str, stream: str) -> tuple[Source, StreamSpec] | None:
    found = next((one for one in load_sources(Settings.load().sources) if one.code == code), None)
    return None if found is None or stream not in found.streams else (found, found.streams[stream])


@envelope.command("verify")
def verify(payload: Payload, json: Json = False) -> None:
    """Prove a file and the envelope beside it as a pull would; exit status 1 where they do not belong together."""
    from connectors.envelopes import sealing  # noqa: PLC0415  # readers of files come with it
    from connectors.envelopes.document import EnvelopeFault, read_envelope  # noqa: PLC0415  # heavy
    from connectors.envelopes.judge import EnvelopeRefused  # noqa: PLC0415  # only when this command runs

    faults: list[dict[str, str]] = []
    try:
        said = read_envelope(sealing.read_beside(payload))
        declared = _declared(said.source, said.stream)
        if declared is None:
            raise typer.BadParameter(
                f"HUB_SOURCES has no source {said.source!r} with stream {said.stream!r}: "
                "without its declaration neither signature nor counts can be proven"
            )
        sealing.verify(*declared, payload)
    except FileNotFoundError:
        raise typer.BadParameter(f"there is no {payload.name}{ENVELOPE} beside the file") from None
    except EnvelopeFault as error:
        faults = sealing.faults_of(error.findings)
    except EnvelopeRefused as error:
        faults = sealing.faults_of(error.findings)
    if json:
        as_json({"file": payload.name, "ok": not faults, "faults": faults})
    elif faults:
        show_table(("rule", "got", "known"), faults, title=f"{payload.name}: refused")
    else:
        typer.echo(f"{payload.name} and its envelope belong together.")
    if faults:
        sys.exit(1)


@envelope.command("show")
def show(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)], json: Json = False) -> None:
    """Show an envelope or a receipt; nothing of it is proven."""
    with file.open("rb") as handle:
        data = handle.read(16 * MOST_BYTES + 1)
    try:
        said = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise typer.BadParameter(f"{file.name} is no JSON") from None
    if not isinstance(said, dict):
        raise typer.BadParameter(f"{file.name} is no envelope and no receipt")
    _show(said, file.name, json=json)


def _show(said: dict[str, Any], title: str, *, json: bool) -> None:
    if json:
        as_json(said)
        return
    rows = [{"field": name, "says": value if isinstance(value, str | int) else orjson.dumps(value).decode()}
            for name, value in said.items()]  # fmt: skip
    show_table(("field", "says"), rows, title=title)


@envelope.command("list")
def listed(
    code: Annotated[str, typer.Argument(help="The source's code (`hub source list`).")],
    most: Annotated[int, typer.Option(min=1, help="So many numbers of each stream, the newest.")] = 20,
    json: Json = False,
) -> None:
    """List which numbers of a source have come, and which are missing."""
    from pipeline.cli import find_source  # noqa: PLC0415  # the ledger comes with it
    from pipeline.runtime import Runtime  # noqa: PLC0415  # only when this command runs
    from sharedrepo.telling import numbers  # noqa: PLC0415  # only when this command runs

    settings = Settings.load()
    source = find_source(code, settings)
    firsts = {name: one.envelope.first for name, one in source.streams.items() if one.envelope is not None}
    found = numbers.listed(Runtime.open(settings).engine, code, firsts, most)
    if json:
        as_json({"source": code, "streams": found})
        return
    for one in found:
        title = f"{code} {one['stream']}: all up to {one['through']} received; missing: {one['missing'] or 'none'}"
        show_table(
            ("number", "status", "unit", "records", "complete_through", "recorded_at"), one["numbers"], title=title
        )


@envelope.command("key")
def key(json: Json = False) -> None:
    """Print the public key with which departments prove the hub's receipts."""
    from hub.protect import load_ring  # noqa: PLC0415  # keys are read only here

    ours = load_ring(Settings.load()).signing_key()
    found = {"algorithm": "ed25519", "name": ours.name, "public": ours.public}
    if json:
        as_json(found)
    else:
        typer.echo(f"{ours.name} {ours.public}")
