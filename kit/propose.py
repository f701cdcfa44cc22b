"""Proposes canonical columns for fields that no mapping knows yet: by name, from what mappings and contracts say.

A proposal is a hint for a person. Nothing applies it.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.documents import Documents
from normalization.mapping import Mapping as FieldMapping

Target = tuple[str, str]
"""A canonical table and column."""

_NEAR = 0.72
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Proposal:
    """A canonical column that a field may mean, how near its name is (1 is equal), and where the name is known from."""

    field: str
    table: str
    column: str
    nearness: float
    because: str


@dataclass(slots=True)
class Dictionary:
    """Names that are known to mean a canonical column: its own, its Chinese label, the fields mapped to it so far."""

    names: dict[str, Counter[Target]] = field(default_factory=dict)
    said: dict[tuple[str, Target], str] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Documents, mappings: Iterable[tuple[str, FieldMapping]]) -> Dictionary:
        """Gather the names of the contracts and of mappings, each given with the name of what it belongs to."""
        made = cls()
        for document in documents.values():
            for column in document.columns.values():
                target = (document.name, column.name)
                made.add(column.name, target, "the column's name")
                made.add(column.label_zh, target, "the column's Chinese label")
        for owner, mapping in mappings:
            for stream in mapping.streams.values():
                for yielded in stream.yields:
                    for one in yielded.columns:
                        for read in one.fields if one.how == "field" else ():
                            made.add(read.path[-1], (yielded.table, one.column.name), f"{owner}, {stream.name}")
        return made

    def add(self, name: str, target: Target, because: str) -> None:
        """Take in one name."""
        key = plain(name)
        self.names.setdefault(key, Counter())[target] += 1
        self.said.setdefault((key, target), because)

    def near(self, name: str) -> list[Proposal]:
        """Return the nearest columns of a field's name, best first, each column once."""
        key, best = plain(name), dict[Target, Proposal]()
        for known in {key, *difflib.get_close_matches(key, self.names, 8, _NEAR), *self._inside(key)}:
            nearness = 1.0 if known == key else round(difflib.SequenceMatcher(None, key, known).ratio(), 2)
            for target, _count in self.names.get(known, Counter()).most_common(_SHOWN):
                because = f"{known} of {self.said[known, target]}"
                if target not in best or best[target].nearness < nearness:
                    best[target] = Proposal(name, *target, nearness, because)
        weight = {target: self.names.get(key, Counter())[target] for target in best}
        ranked = sorted(best.values(), key=lambda one: (-one.nearness, -weight[one.table, one.column], one.table))
        return ranked[:_SHOWN]

    def _inside(self, key: str) -> list[str]:
        """Return known Chinese names that the field's name contains or that contain it: 受理时间 and 实际受理时间."""
        if key.isascii() or len(key) < 2:  # noqa: PLR2004  # one character stands in half of all names
            return []
        return [one for one in self.names if not one.isascii() and len(one) > 1 and (one in key or key in one)][:8]


def plain(name: str) -> str:
    """Write a name so that APPLY_TIME, applyTime and apply-time are one."""
    return re.sub(r"[\s_\-./()（）:：]+", "", name).casefold()


def as_yaml(stream: str, fields: Sequence[str], dictionary: Dictionary, *, declared: bool) -> str:
    """Write a proposal as YAML that can be pasted into a mapping and then judged, line by line."""
    tables: dict[str, list[str]] = {}
    left: list[str] = []
    for name in fields:
        near = dictionary.near(name)
        if not near:
            left.append(name)
            continue
        best, *others = near
        also = "; or " + ", ".join(f"{one.table}.{one.column} {one.nearness:g}" for one in others) if others else ""
        line = f"{best.column}: {_quoted(name)}  # PROPOSED {best.nearness:g}: {best.because}{also}"
        tables.setdefault(best.table, []).append(line)
    pad = "        " if declared else "      "
    out = [f"# PROPOSED for stream {stream}, not applied: judge each line, then paste it."]
    if not declared:
        key = next(
            (name for name in fields if plain(name) in {"id", "unid", "key"} or plain(name).endswith("id")), None
        )
        out += [f"  {_quoted(stream)}:", f"    schema: {_quoted(stream + '.schema.json')}"]
        out += [f"    key: [{_quoted(key or fields[0])}]  # PROPOSED", "    yields:"]
    for table, lines in tables.items():
        out += [f"{pad}- table: {table}", f"{pad}  columns:", *(f"{pad}    {line}" for line in _once(lines))]
    if left:
        out += [f"{pad[:-2]}ignore:  # no column is near: say why each is not read, or map it"]
        out += [f'{pad}{_quoted(name)}: "〔why it is not read〕"' for name in left]
    return "\n".join(out) + "\n"


def _once(lines: Sequence[str]) -> list[str]:
    """Comment out every further field of one column: a column is made once in a row."""
    seen: set[str] = set()
    out = []
    for line in lines:
        column = line.partition(":")[0]
        out.append(f"# {line}" if column in seen else line)
        seen.add(column)
    return out


def _quoted(name: str) -> str:
    safe = re.fullmatch(r"[A-Za-z_\u4e00-\u9fff][\w\u4e00-\u9fff]*", name)
    words = {"on", "off", "yes", "no", "true", "false", "null", "y", "n"}
    return name if safe and name.lower() not in words else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def nearest(fields: Sequence[str], dictionary: Dictionary) -> Mapping[str, list[Proposal]]:
    """Return the nearest columns of each field."""
    return {name: dictionary.near(name) for name in fields}
