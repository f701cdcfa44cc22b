"""The `hub` commands that a text names, and those that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import typer

from hub.cli import build

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`(hub [^`\n]+)`")
_CALL = re.compile(r"(?:^|[\s(;&|\"])(?:\S*/)?(hub [^;&|)\"#]*)")
_PLACEHOLDER = re.compile(r"[A-Z_…<{|]|CODE")


@dataclass(frozen=True)
class Named:
    """A command as a text names it."""

    page: str
    text: str


@cache
def tree() -> Any:
    """The command tree of `hub`."""
    return typer.main.get_command(build())


def commands() -> Iterator[tuple[str, ...]]:
    """Every command that does something, as its words after `hub`."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield words
            return
        for name in sorted(inner):
            yield from walk(inner[name], (*words, name))

    return walk(tree(), ())


def pages() -> list[Path]:
    """README, changelog and every page below docs/."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shell_lines(text: str) -> Iterator[str]:
    """The lines that a reader types: `$ …` in blocks marked console, all lines of blocks marked sh."""
    for language, body in _FENCE.findall(text):
        for line in body.splitlines():
            if language == "console" and line.startswith("$ "):
                yield line[2:]
            elif language in ("sh", "bash"):
                yield line


def named_in_page(page: Path) -> Iterator[Named]:
    """Every `hub` command in a page: typed in a block, or named in a sentence."""
    text, name = page.read_text(encoding="utf-8"), page.relative_to(ROOT).as_posix()
    for line in shell_lines(text):
        yield from (Named(name, found) for found in _CALL.findall(line.partition(" #")[0]))
    yield from (Named(name, found) for found in _INLINE.findall(_FENCE.sub("", text)))


def named_in_messages(file: Path) -> Iterator[Named]:
    """Every `hub` command that a module's texts tell people to use."""
    for found in _INLINE.findall(file.read_text(encoding="utf-8")):
        yield Named(file.relative_to(ROOT).as_posix(), found)


def fault(text: str) -> str | None:
    """Say what is wrong with a named command; None where it exists with all its options."""
    command, seen = tree(), ["hub"]
    for word in text.split()[1:]:
        if word.startswith("-"):
            option = word.split("=")[0]
            known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
            if option not in known:
                return f"`{' '.join(seen)}` has no {option}; it has {', '.join(sorted(known))}"
        elif hasattr(command, "commands"):
            if word in command.commands:
                command = command.commands[word]
                seen.append(word)
            elif not _PLACEHOLDER.match(word):
                return f"`{' '.join(seen)}` has no {word!r}; it has {', '.join(sorted(command.commands))}"
            else:
                return None
    return None
