"""Checks of streams whose deliveries bear an envelope: what was changed on the way is noticed, what lacks one waits."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from connectors.envelopes import ENVELOPE
from connectors.source import StreamSpec
from kit.suite.pulls import Pulled, each, guarded
from kit.suite.result import Check, Result, cannot, failed, passed, together
from kit.suite.stand import Stand
from kit.suite.trouble import settled

Spoil = Callable[[Path, Path], None]
"""Spoils a delivered file or its envelope."""


def envelope_proven(stand: Stand) -> Result:
    """Change the newest delivery of each stream in ways that its envelope must bring to light."""
    if all(spec.envelope is None for spec in stand.there.source.streams.values()):
        return cannot("no stream declares envelopes")
    if stand.there.source.kind not in {"files", "xes"}:
        return cannot("only deliveries that are files are tried")
    return together(each(stand, lambda spec: _one(stand, spec)))


def _one(stand: Stand, spec: StreamSpec) -> Result:
    if spec.envelope is None:
        return cannot("it declares no envelope")
    root = Path(stand.there.url.removeprefix("file://"))
    if not root.is_dir():
        return cannot("its folder is not on this machine")
    files = sorted(
        one
        for one in root.glob(str(spec.options["path"]))
        if one.with_name(one.name + ENVELOPE).is_file() and one.is_file()
    )
    if not files:
        return cannot("there is no file with an envelope yet")
    wrong = _fault(stand, spec, root, files[-1])
    if wrong:
        return failed(wrong)
    waits = "; without its envelope it waits" if spec.envelope.required else ""
    return passed(f"{files[-1].name}: {', '.join(_SPOILED)} are refused{waits}")


def _fault(stand: Stand, spec: StreamSpec, root: Path, file: Path) -> str:
    """Say what of a delivery does not hold, or which change of it is not noticed; nothing where all is well."""
    whole = _read(stand, spec, root, file, lambda _file, _envelope: None)
    if whole.error is not None or whole.refused:
        return f"its newest delivery does not hold: {whole.error or whole.refused[0]}. See `hub envelope verify`."
    for what, spoil in _SPOILED.items():
        got = _read(stand, spec, root, file, spoil)
        if got.hung or got.error is not None:
            return f"{what} ends in {'a hang' if got.hung else type(got.error).__name__}"
        if not got.refused or got.count:
            return f"{what} is not noticed"
    lonely = _read(stand, spec, root, file, lambda _file, envelope: envelope.unlink())
    waits = spec.envelope is None or not spec.envelope.required or not (lonely.count or lonely.refused or lonely.error)
    return "" if waits else "a file without its envelope does not wait"


def _longer(file: Path, _envelope: Path) -> None:
    with file.open("ab") as out:
        out.write(b"\n")


def _counts(_file: Path, envelope: Path) -> None:
    said = json.loads(envelope.read_bytes())
    envelope.write_text(json.dumps({**said, "records": said["records"] + 1}), encoding="utf-8")


def _foreign(_file: Path, envelope: Path) -> None:
    said = json.loads(envelope.read_bytes())
    envelope.write_text(json.dumps({**said, "stream": f"{said['stream']}-other"}), encoding="utf-8")


_SPOILED: dict[str, Spoil] = {
    "another payload": _longer, "another count": _counts, "another stream's envelope": _foreign,
}  # fmt: skip


def _read(stand: Stand, spec: StreamSpec, root: Path, file: Path, spoil: Spoil) -> Pulled:
    """Read a copy of one delivery, after something was done to it."""
    with tempfile.TemporaryDirectory(prefix="hub-kit-") as place:
        target = Path(place) / file.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        envelope = target.with_name(target.name + ENVELOPE)
        shutil.copyfile(file, target)
        shutil.copyfile(file.with_name(envelope.name), envelope)
        spoil(target, envelope)
        return guarded(stand, stand.connect(url=place), settled(spec), size=stand.most)


CHECKS = (
    Check(
        "envelope-proven",
        "where deliveries bear an envelope, one that was changed is refused and one without it waits",
        "system",
        envelope_proven,
    ),
)
