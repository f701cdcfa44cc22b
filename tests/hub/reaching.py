"""What the pages' routes reach in our code, found by reading it: nothing is imported and nothing runs.

A function is followed through the names that it uses: functions and classes of ours, values of modules, and methods by
their bare name, since what an object is cannot be read off. So more is reached here than ever runs, and nothing less.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
ALWAYS = {"__init__", "__post_init__", "__call__", "__enter__", "__exit__", "__iter__"}
"""Methods that run without being named."""


class Place(NamedTuple):
    """Something that a module defines: a function, a class, a value, or `Class.method`."""

    module: str
    name: str


class Module:
    """A module of ours as it is written: what it defines and what it imports."""

    def __init__(self, name: str) -> None:
        self.defined: dict[str, ast.AST] = {}
        self.imported: dict[str, str] = {}
        tree = ast.parse(_file(name).read_text(encoding="utf-8"))  # type: ignore[union-attr]  # asked of ours only
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                self.imported |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
            elif isinstance(node, ast.Import):
                self.imported |= {one.asname or one.name.split(".")[0]: one.name for one in node.names}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.defined[node.name] = node
                if isinstance(node, ast.ClassDef):
                    self.defined |= {f"{node.name}.{one.name}": one for one in methods(node)}
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                goals = node.targets if isinstance(node, ast.Assign) else [node.target]
                self.defined |= {one.id: node for goal in goals for one in ast.walk(goal) if isinstance(one, ast.Name)}


def methods(node: ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the methods of a class."""
    yield from (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def module(name: str) -> Module:
    """Read a module."""
    return Module(name)


@cache
def _file(name: str) -> Path | None:
    place = ROOT.joinpath(*name.split("."))
    found = (place / "__init__.py", place.with_suffix(".py"))
    return next((one for one in found if one.is_file()), None)


def names(node: ast.AST) -> Sequence[str]:
    """Return `a.b.c` as its parts; nothing where it begins with something else than a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else []


def meant(home: Module, name: str, parts: Sequence[str]) -> tuple[Place | None, Sequence[str]]:
    """Return what a dotted name of a module stands for, and the parts that are left over."""
    if parts[0] in home.defined:
        return Place(name, parts[0]), parts[1:]
    dotted, rest = home.imported.get(parts[0]), list(parts[1:])
    while dotted is not None:
        if (found := _defined(dotted)) is not None:
            return found, rest
        if not rest or _file(dotted) is None:
            break
        dotted = f"{dotted}.{rest.pop(0)}"
    return None, rest


@cache
def _defined(dotted: str) -> Place | None:
    """Return where a dotted name is defined, through whatever hands it on."""
    head, _, tail = dotted.rpartition(".")
    if not head or _file(dotted) is not None or _file(head) is None:
        return None
    if tail in module(head).defined:
        return Place(head, tail)
    onward = module(head).imported.get(tail)
    return None if onward is None else _defined(onward)


def reached(starts: Iterable[Place], *, but: tuple[str, ...] = ()) -> set[Place]:
    """Return all that is reached from these; into the packages of `but` nothing is followed."""
    seen: set[Place] = set()
    todo, called = list(starts), set[str]()
    read, known = set[str](), dict[str, list[Place]]()
    while todo:
        place = todo.pop()
        if place in seen or place.module.startswith(but or ("\0",)):
            continue
        if place.module not in read:
            read.add(place.module)
            for name in module(place.module).defined:
                if "." in name:
                    known.setdefault(name.partition(".")[2], []).append(Place(place.module, name))
                    todo += [Place(place.module, name)] if name.partition(".")[2] in called else []
        seen.add(place)
        for part in _parts(module(place.module).defined[place.name]):
            for found, left in _used(place.module, part):
                todo += [] if found is None else [found]
                for name in set(left) - called:
                    called.add(name)
                    todo += known.get(name, [])
    return seen


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs where a thing is used: of a class all but the methods that nobody named."""
    if isinstance(node, ast.ClassDef):
        yield from (one for one in (*node.bases, *node.decorator_list))
        yield from (one for one in node.body if getattr(one, "name", "__init__") in ALWAYS)
    else:
        yield node


def _used(home: str, node: ast.AST) -> Iterator[tuple[Place | None, Sequence[str]]]:
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute):
            parts = names(one)
            yield meant(module(home), home, parts) if parts else (None, [one.attr])
        elif isinstance(one, ast.Name):
            yield meant(module(home), home, [one.id])
