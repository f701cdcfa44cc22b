"""Checks of databases and files that break off: in a typed error, and nothing is lost."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path

from sqlalchemy.exc import ArgumentError

from connectors.envelopes import ENVELOPE
from connectors.source import StreamSpec
from hub.errors import SourceTrouble
from kit.suite import tcpproxy
from kit.suite.httptrouble import judge
from kit.suite.pulls import each, guarded, pull, with_options
from kit.suite.result import Check, Result, cannot, failed, passed, together
from kit.suite.stand import Stand
from kit.wire import engine_of

_TEXT = frozenset({"csv", "jsonl"})
_PATIENCE = 1
"""Seconds for which a server that falls silent is borne."""
_FEW = 6
"""A file of fewer lines is cut in its last one: its middle may be nothing but its header."""


def cut_database(stand: Stand) -> Result:
    """Cut the connection to the database server in the middle of its answers."""
    return _database(stand, silent=False)


def silent_database(stand: Stand) -> Result:
    """Let the database server say nothing more in the middle of its answers, and keep the line."""
    return _database(stand, silent=True)


def _database(stand: Stand, *, silent: bool) -> Result:
    if engine_of(stand.connect()) is None:
        return cannot("this kind is no database")
    try:
        if not tcpproxy.can_stand_before(stand.there.url):
            return cannot("a database that is a file has no server to be cut off from")
    except ArgumentError:
        return failed("the connection's address cannot be read")
    return together(each(stand, lambda spec: _broken_off(stand, spec, silent=silent)))


def _broken_off(stand: Stand, spec: StreamSpec, *, silent: bool) -> Result:
    truth = pull(stand, stand.connect(), spec, {}, size=stand.most, full=True)
    if not truth.count:
        return cannot("it holds no record")
    whole = tcpproxy.Cutter()
    with tcpproxy.proxied(stand.there.url, whole) as url:
        guarded(stand, stand.connect(url=url), spec, size=max(1, truth.count // 4))
    cutter = tcpproxy.Cutter(after=whole.said * 2 // 3, silent=silent)
    hasty = with_options(spec, silence=_PATIENCE) if silent else spec
    with tcpproxy.proxied(stand.there.url, cutter) as url:
        got = guarded(stand, stand.connect(url=url), hasty, size=max(1, truth.count // 4))
    if got.error is None and not got.hung and cutter.said <= (cutter.after or 0):
        return cannot("the answers were too short to be cut")
    return judge(stand, truth, got, spec)


def cut_file(stand: Stand) -> Result:
    """Cut the newest file of each stream in its middle: the cut is noticed."""
    if stand.there.source.kind not in {"files", "workbook", "xes"}:
        return cannot("this kind reads no files")
    return together(each(stand, lambda spec: _cut_file(stand, spec)))


def _cut_file(stand: Stand, spec: StreamSpec) -> Result:
    root = Path(stand.there.url.removeprefix("file://"))
    if not root.is_dir():
        return cannot("its folder is not on this machine")
    files = sorted(one for one in root.glob(str(spec.options["path"])) if one.is_file() and one.name[0] not in ".~")
    if not files:
        return cannot("there is no file yet")
    with tempfile.TemporaryDirectory(prefix="hub-kit-") as place:
        target = Path(place) / files[-1].relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        content = files[-1].read_bytes()
        target.write_bytes(content[: middle(content, as_lines=spec.options.get("format") in _TEXT)])
        envelope = files[-1].with_name(files[-1].name + ENVELOPE)
        if envelope.is_file():
            shutil.copyfile(envelope, target.with_name(envelope.name))
        got = guarded(stand, stand.connect(url=place), settled(spec), size=stand.most)
    if got.hung:
        return failed("reading a cut file hangs")
    if got.error is not None and not isinstance(got.error, SourceTrouble):
        return failed(f"a cut file ends in {type(got.error).__name__}, which says nobody what to do")
    if got.error is None and not (got.refused or got.broken or got.short):
        return failed(
            "a file cut in the middle is taken for whole: ask the department for a last line with a count (`trailer`), "
            "or set `expect`"
        )
    what = type(got.error).__name__ if got.error is not None else (got.refused or [got.short or "a broken record"])[0]
    return passed(f"noticed: {what}")


def settled(spec: StreamSpec) -> StreamSpec:
    """Return the stream so that a file that was written just now is read, and is not put away."""
    options = {name: value for name, value in spec.options.items() if name not in {"done", "afterwards", "into"}}
    return dataclasses.replace(spec, options={**options, "settle": 0})


def middle(content: bytes, *, as_lines: bool) -> int:
    """Return where to cut: half-way, in a text inside of a record."""
    if not as_lines:
        return len(content) // 2
    lines = content.splitlines(keepends=True)
    chosen = len(lines) - 1 if len(lines) < _FEW else len(lines) // 2
    return sum(map(len, lines[:chosen])) + max(1, len(lines[chosen]) // 3) if lines else 0


CHECKS = (
    Check("cut-database", "a database server that breaks off ends in a typed error, and nothing is lost", "system",
          cut_database),
    Check("silent-database", "a database server that falls silent ends in a typed error, and nothing is lost", "system",
          silent_database),
    Check("cut-file", "a file that was cut in the middle is noticed", "system", cut_file),
)  # fmt: skip
