"""XML documents of departments: written case after case, cut short, or as a bomb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from demo.model import Defect, Department, UnitMark
from demo.shapes.folders import Files, FolderSystem, Found
from demo.shapes.record import Entry, Stream, Values
from demo.shapes.system import Delivery

_BOMB = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE {root} [
  <!ENTITY a "审批审批审批审批审批审批审批审批审批审批">
  <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
  <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
  <!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">
  <!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">
]>
<{root} sender="x" day="2026-01-01"><{record}><{field}>&e;</{field}></{record}></{root}>
"""


class XmlSystem(FolderSystem):
    """A system that writes one XML document a part; `root` and `stem` name element and file."""

    root = ""
    stem = ""

    def files(
        self, folder: Path, name: str, department: Department, day: date, plans: Mapping[str, Defect]
    ) -> AbstractContextManager[Files]:
        """Open the document of one part."""
        del plans
        return _Document(folder / f"{self.stem}_{name}.xml", self.root, department.code, day, self.streams)

    def cut_short(self, folder: Path, name: str) -> None:
        """Cut the document off in the middle of a character or an element."""
        file = folder / f"{self.stem}_{name}.xml"
        content = file.read_bytes()
        file.write_bytes(content[: len(content) * 3 // 5])

    def spoiled_file(
        self, kind: str, folder: Path, name: str, department: Department, copies: list[Delivery], *, dry: bool
    ) -> Found:
        """Deliver a document whose entities would fill the memory."""
        del copies
        file = folder / f"{self.stem}_{name}.xml"
        stream = next(iter(self.streams.values()))
        if not dry:
            bomb = _BOMB.format(root=self.root, record=stream.name, field=stream.key[0])
            file.write_text(bomb, encoding="utf-8")
        yield UnitMark(department.code, None, file.name, 1, "hostile_input", kind)


class _Document:
    """One document, opened with its first record; every field of a stream is an element, empty ones too."""

    def __init__(self, file: Path, root: str, sender: str, day: date, streams: Mapping[str, Stream]) -> None:
        self._file, self._root, self._streams = file, root, streams
        self._head = f"<{root} sender={quoteattr(sender)} day={quoteattr(day.isoformat())}>\n"
        self._handle: Any = None

    def __enter__(self) -> _Document:
        return self

    def put(self, entry: Entry, values: Values) -> None:
        """Write one record as an element."""
        if self._handle is None:
            self._handle = self._file.open("w", encoding="utf-8")
            self._handle.write(f'<?xml version="1.0" encoding="UTF-8"?>\n{self._head}')
        self._handle.write(element(entry.stream, self._streams[entry.stream].fields, values) + "\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.write(f"</{self._root}>\n")
            self._handle.close()


def element(name: str, fields: Sequence[str], values: Values) -> str:
    """Write one record as an element with a child for each field, empty ones too; `a/b` is a child b of its child a."""
    parts, group = [f"<{name}>"], ""
    for field in fields:
        parent, _, child = field.rpartition("/")
        if parent != group:
            parts.append((f"</{group}>" if group else "") + (f"<{parent}>" if parent else ""))
            group = parent
        value = values.get(field)
        parts.append(f"<{child}/>" if value is None else f"<{child}>{escape(str(value))}</{child}>")
    return "".join(parts) + (f"</{group}>" if group else "") + f"</{name}>"
