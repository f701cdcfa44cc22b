"""Prints a preview for people: the way of a record from top to bottom."""

from __future__ import annotations

from hub import jsontext
from hub.show import say, show_table
from kit.preview import Seen, StreamPreview, Told


def print_preview(one: StreamPreview, *, trace: bool) -> None:
    """Print one stream: requests, pages, then each record with its rows and findings."""
    say(f"\n═══ stream {one.stream}")
    for asked in one.exchanges:
        size = f", {asked.bytes:,} bytes" if asked.bytes else ""
        say(f"  → {asked.asked}\n  ← {asked.answered or 'no answer'}{size}, {asked.seconds:g} s")
    for page in one.pages:
        said = ", ".join(f"{name} {value}" for name, value in page.items() if value not in (None, {}, ""))
        say(f"  page: {said}")
    for unit in one.refused_units:
        say(f"  refused whole: {unit['message']}")
    for told in one.findings:
        say(f"  {_sentence(told)}")
    for seen in one.records:
        _print_record(seen, trace=trace)
    if not one.records:
        say("  (no record)")


def _print_record(seen: Seen, *, trace: bool) -> None:
    say(f"\n─── row {seen.row}  key {seen.key}  case {seen.case or '–'}  → {seen.fate}")
    say(f"  raw (masked): {jsontext.dumps(seen.raw).decode()}")
    for row in seen.rows:
        columns = ("column", "label", "value", "made from", "line") if trace else ("column", "label", "value")
        rows = [
            {
                "column": one.name,
                "label": one.label_zh,
                "value": one.value,
                "made from": one.made_from,
                "line": one.line,
            }
            for one in row.columns
            if trace or one.value is not None
        ]
        show_table(columns, rows, title=f"core.{row.table}")
    for told in seen.findings:
        say(f"  {_sentence(told)}")


def _sentence(told: Told) -> str:
    value = f" (said: {told.value})" if told.value is not None else ""
    detail = "".join(f"; {name}: {text}" for name, text in told.detail.items())
    return f"{told.effect}: {told.place} {told.title_zh} · {told.rule}: {told.title}{value}{detail}. {told.hint}"
