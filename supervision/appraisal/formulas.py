"""Formulas as data files: read strictly, checked whole, and named by code, version and digest.

`formulas/<code>/v<version>.yml` are those that the hub brings; a place writes its own beside them, in a folder of its
own. A published version is never changed: another weight is another version.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from yaml import MappingNode, ScalarNode, SequenceNode

from hub.errors import ConfigError, Fault
from hub.yamlsafe import Node, YamlFault, compose
from supervision.appraisal.language import BadExpression, Expression, parse
from supervision.appraisal.terms import BONUS, DISCIPLINE, EVIDENT, MEASURES

FOLDER: Final = Path(__file__).resolve().parent / "formulas"
TOTALS: Final = ("heads", "entered_bonus")
"""What the score adds up beside its parts: the points of all heads, and the bonus that was entered by hand."""

_Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=400)]
_Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6})?$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Part):
    """A text in both languages."""

    zh: _Text
    en: _Text


class Deduction(_Part):
    """One deduction of a head: how many points it takes, and the measures whose rows show why."""

    code: _Name
    title: Words
    points: _Text
    evidence: tuple[_Name, ...] = ()
    ours: Annotated[str, StringConstraints(pattern="^(yes|no)$")] = "no"


class Head(_Part):
    """考核项: of so many points; either deductions are taken off it, or an expression says its points."""

    code: _Name
    title: Words
    of: _Number
    deductions: tuple[Deduction, ...] = ()
    points: _Text | None = None
    evidence: tuple[_Name, ...] = ()
    ours: Annotated[str, StringConstraints(pattern="^(yes|no)$")] = "no"


class Named(_Part):
    """A named part of the score beside the heads, such as a bonus or the coefficient of volume."""

    code: _Name
    title: Words
    points: _Text
    evidence: tuple[_Name, ...] = ()
    ours: Annotated[str, StringConstraints(pattern="^(yes|no)$")] = "no"


class Unranked(_Part):
    """A reason for which a unit is listed without a rank."""

    code: _Name
    title: Words
    when: _Text


class Formula(_Part):
    """A formula as its file says it."""

    formula: _Code
    version: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}$")]
    title: Words
    source: Words
    rounding: Annotated[str, StringConstraints(pattern="^half_up$")]
    places: Annotated[str, StringConstraints(pattern="^[0-6]$")]
    heads: tuple[Head, ...] = Field(min_length=1, max_length=30)
    parts: tuple[Named, ...] = Field(default=(), max_length=30)
    score: _Text
    unranked: tuple[Unranked, ...] = Field(default=(), max_length=10)

    @property
    def name(self) -> str:
        """Return the formula's name with its version."""
        return f"{self.formula}/v{self.version}"

    @property
    def categories(self) -> tuple[str, ...]:
        """Return what may be entered by hand: a head, a bonus, or discipline, which counts in the year."""
        return (*(one.code for one in self.heads), BONUS, *DISCIPLINE)


@dataclass(frozen=True, slots=True)
class Published:
    """A formula with its bytes, their digest, and each of its expressions read."""

    formula: Formula
    data: bytes
    expressions: Mapping[str, Expression]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the file."""
        return hashlib.sha256(self.data).hexdigest()

    def places(self) -> int:
        """Return how many decimal places scores have."""
        return int(self.formula.places)


def named(name: str) -> Published:
    """Return a formula that the hub brings, by `code/v1`, or the one in a file of this name.

    Raises:
        ConfigError: there is none, or it is wrong; every fault is listed with its line.
    """
    if re.fullmatch(r"[a-z][a-z0-9_-]{0,39}/v[1-9][0-9]{0,3}", name) and (FOLDER / f"{name}.yml").is_file():
        return brought()[name]
    file = Path(name)
    if file.suffix in (".yml", ".yaml") and file.is_file():
        return read(file.read_bytes(), file.name)
    known = ", ".join(sorted(brought()))
    raise ConfigError([Fault(name[:100], 1, f"there is no such formula; the hub brings {known}, others are files")])


@cache
def brought() -> Mapping[str, Published]:
    """Return the formulas that the hub brings, by name."""
    found = (read(file.read_bytes(), file.name) for file in sorted(FOLDER.glob("*/v*.yml")))
    return {one.formula.name: one for one in found}


def read(data: bytes, file: str) -> Published:
    """Read and check a formula.

    Raises:
        ConfigError: with every fault and its line.
    """
    try:
        root = compose(data, words=True)
    except YamlFault as error:
        raise ConfigError([Fault(file, error.line, str(error))]) from None
    lines: dict[tuple[str | int, ...], int] = {}
    try:
        formula = Formula.model_validate(plain(root, (), lines))
    except ValidationError as error:
        raise ConfigError([
            Fault(file, _line(lines, one["loc"]), f"{'.'.join(map(str, one['loc']))}: {one['msg']}")
            for one in error.errors(include_url=False, include_input=False)
        ]) from None  # fmt: skip
    faults: list[Fault] = []
    expressions = dict(_expressions(formula, file, lines, faults))
    faults += [Fault(file, 1, one) for one in _doubled(formula)]
    if faults:
        raise ConfigError(faults)
    return Published(formula, data, expressions)


def places_of(formula: Formula) -> Iterator[tuple[tuple[str | int, ...], str, str, Sequence[str]]]:
    """Yield each expression: where it stands, under which key it is kept, its text, and its evidence."""
    for place, head in enumerate(formula.heads):
        if head.points is not None:
            yield ("heads", place, "points"), head.code, head.points, head.evidence
        for number, one in enumerate(head.deductions):
            where = ("heads", place, "deductions", number, "points")
            yield where, f"{head.code}.{one.code}", one.points, one.evidence
    for place, part in enumerate(formula.parts):
        yield ("parts", place, "points"), f"part.{part.code}", part.points, part.evidence
    yield ("score",), "score", formula.score, ()
    for place, reason in enumerate(formula.unranked):
        yield ("unranked", place, "when"), f"unranked.{reason.code}", reason.when, ()


def lines(formula: Formula) -> Iterator[dict[str, str]]:
    """Yield a formula as people read it: each head, deduction, part and condition with its expression."""
    for head in formula.heads:
        yield {"part": head.code, "title": head.title.en, "title_zh": head.title.zh, "of": head.of, "ours": head.ours,
               "expression": head.points or ""}  # fmt: skip
        for one in head.deductions:
            yield {"part": f"{head.code}.{one.code}", "title": one.title.en, "title_zh": one.title.zh, "of": "",
                   "ours": one.ours, "expression": f"- ({one.points})"}  # fmt: skip
    for part in formula.parts:
        yield {"part": part.code, "title": part.title.en, "title_zh": part.title.zh, "of": "", "ours": part.ours,
               "expression": part.points}  # fmt: skip
    yield {"part": "score", "title": "score", "title_zh": "部门得分", "of": "", "ours": "", "expression": formula.score}
    for reason in formula.unranked:
        yield {"part": reason.code, "title": reason.title.en, "title_zh": reason.title.zh, "of": "", "ours": "",
               "expression": f"no rank if {reason.when}"}  # fmt: skip


def _expressions(
    formula: Formula, file: str, lines: Mapping[tuple[str | int, ...], int], faults: list[Fault]
) -> Iterator[tuple[str, Expression]]:
    known = set(MEASURES)
    for where, key, text, evidence in places_of(formula):
        allowed = known | set(TOTALS) if key == "score" else known
        try:
            yield key, _checked(parse(text), allowed, evidence, comparison=key.startswith("unranked."))
        except BadExpression as error:
            faults.append(Fault(file, _line(lines, where), f"{'.'.join(map(str, where))}: {error}"))
        if key.startswith("part."):
            known.add(key.removeprefix("part."))


def _checked(made: Expression, allowed: set[str], evidence: Sequence[str], *, comparison: bool) -> Expression:
    if unknown := sorted(set(made.names()) - allowed):
        raise BadExpression(f"there is no measure {', '.join(unknown)} here")
    if made.truth is not comparison:
        raise BadExpression("a comparison is needed" if comparison else "a number is needed")
    if odd := sorted({*evidence} - {*made.names()} | {*evidence} - {*EVIDENT}):
        raise BadExpression(f"its evidence {', '.join(odd)} is no measure with rows that it counts with")
    return made


def _doubled(formula: Formula) -> Iterator[str]:
    names = [head.code for head in formula.heads] + [part.code for part in formula.parts]
    taken = {*MEASURES, *TOTALS, BONUS, *DISCIPLINE}
    for name in sorted({one for one in names if names.count(one) > 1 or one in taken}):
        yield f"the name {name!r} is taken already"
    for head in formula.heads:
        codes = [one.code for one in head.deductions]
        if len(codes) != len(set(codes)):
            yield f"head {head.code}: a deduction stands twice"
        if bool(head.deductions) and head.points is not None:
            yield f"head {head.code}: it has either deductions or points"
        if Decimal(head.of) <= 0:
            yield f"head {head.code}: it is of no points"


def plain(node: Node | None, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]) -> Any:
    """Return a document as plain values, every scalar as text, and note the line of each."""
    if node is None:
        return None
    lines[path] = node.start_mark.line + 1
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [plain(one, (*path, place), lines) for place, one in enumerate(node.value)]
    assert isinstance(node, MappingNode)  # noqa: S101 - YAML has no fourth kind of node
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, ScalarNode) else "?"
        found[f"{name} (twice)" if name in found else name] = plain(value, (*path, name), lines)
    return found


def _line(lines: Mapping[tuple[str | int, ...], int], where: Sequence[str | int]) -> int:
    for length in range(len(where), -1, -1):
        if tuple(where[:length]) in lines:
            return lines[tuple(where[:length])]
    return 1
