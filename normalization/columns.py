"""Reading of one yield of a mapping: its table, its condition and how each canonical column is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hub.documents import Column, Document, Documents
from normalization.codelists import CodeLine, read_code_list
from normalization.marked import Faults, Mark, suggestion
from normalization.model import CodeList, ColumnMap, Field, When, Yield
from normalization.rawschema import RawSchema, unreadable_types
from normalization.values import kinds
from normalization.values.code import key_of
from normalization.values.common import Unreadable, text_of

_MAKERS = ("from", "const", "source", "value")
_PARTS = (*_MAKERS, "join", "first", "slice", "formats", "precision", "codes", "map", "unlisted")
_OF_SOURCE = {"organ": ("organ", "credit_code", "text"), "region": ("region", "text")}
_TIMES = ("instant", "date")


@dataclass(slots=True)
class Reading:
    """What reading one stream needs at hand: the faults, the raw schema, the documents, the code lists read so far."""

    faults: Faults
    schema: RawSchema
    documents: Documents
    folder: Path
    lists: dict[str, tuple[CodeLine, ...]] = field(default_factory=dict)
    case: Field | None = None

    def field(self, mark: Mark, what: str) -> Field | None:
        """Return the raw field that `mark` names."""
        name = self.faults.text(mark, what)
        return None if name is None else self.schema.field(name, mark.line, self.faults)


def read_yield(mark: Mark, reading: Reading) -> Yield | None:
    """Read one member of `yields`; None and faults where it names no table."""
    faults = reading.faults
    parts = faults.table(mark, "a yield", known=("table", "when", "columns"), required=("table", "columns"))
    if "table" not in parts or "columns" not in parts:
        return None
    name = faults.text(parts["table"], "table") or ""
    document = reading.documents.get(name)
    if document is None:
        faults.add(parts["table"].line, f"there is no table {name!r}{suggestion(name, list(reading.documents))}")
        return None
    when = read_when(parts["when"], reading) if "when" in parts else ()
    columns = _columns(parts["columns"], document, reading)
    return Yield(name, when, columns, mark.line)


def _columns(mark: Mark, document: Document, reading: Reading) -> tuple[ColumnMap, ...]:
    named = reading.faults.table(mark, f"columns of {document.name}", known=tuple(document.columns))
    found = [made for name, member in named.items() if (made := read_column(member, document.columns[name], reading))]
    if "case_number" in document.columns and "case_number" not in named and reading.case is not None:
        found.insert(0, ColumnMap(document.columns["case_number"], mark.line, fields=(reading.case,)))
    missing = [
        column.name
        for column in document.columns.values()
        if column.required and column.name not in named and not (column.name == "case_number" and reading.case)
    ]
    for name in missing:
        hint = " (or name the stream's `case`)" if name == "case_number" else ""
        reading.faults.add(mark.line, f"{document.name}.{name} is required and not mapped{hint}")
    return tuple(found)


def read_when(mark: Mark, reading: Reading) -> tuple[When, ...]:
    """Read a condition, or a list of conditions that must all hold."""
    members = mark.value if isinstance(mark.value, list) else [mark]
    return tuple(made for member in members if (made := _condition(member, reading)) is not None)


def _condition(mark: Mark, reading: Reading) -> When | None:
    faults = reading.faults
    parts = faults.table(mark, "a condition", known=("field", "in", "present", "absent"))
    forms = [set(parts) == form for form in ({"field", "in"}, {"present"}, {"absent"})]
    if not any(forms):
        faults.add(mark.line, "a condition is {field: F, in: [A, B]}, {present: F} or {absent: F}")
        return None
    asked = reading.field(next(parts[name] for name in ("field", "present", "absent") if name in parts), "a field")
    if asked is None:
        return None
    if "in" not in parts:
        return When(asked, present="present" in parts)
    codes = frozenset(key for text in faults.texts(parts["in"], "`in`") if (key := key_of(text)) is not None)
    _check_enum(asked, codes, parts["in"].line, reading)
    return When(asked, among=codes)


def _check_enum(asked: Field, codes: frozenset[str], line: int, reading: Reading) -> None:
    """Note a code that the schema's own closed list does not have: the condition could never hold."""
    enum = reading.schema.enum(asked)
    if enum is None:
        return
    known = {key_of(text_of(value) or "") for value in enum}
    for code in sorted(codes - known):
        reading.faults.add(line, f"{reading.schema.path.name} does not allow {code!r} in {asked.name}")


def read_column(mark: Mark, column: Column, reading: Reading) -> ColumnMap | None:
    """Read how one canonical column is made; None and faults where that cannot be told."""
    faults = reading.faults
    if not isinstance(mark.value, dict):
        found = reading.field(mark, f"the field of {column.name}")
        return None if found is None else _of_fields(column, mark, {}, (found,), reading)
    parts = faults.table(mark, f"column {column.name}", known=_PARTS)
    makers = [name for name in _MAKERS if name in parts]
    if len(makers) != 1:
        faults.add(mark.line, f"column {column.name} is made by exactly one of {', '.join(_MAKERS)}")
        return None
    if makers[0] == "from":
        return _of_fields(column, mark, parts, _fields(parts["from"], reading), reading)
    for name in set(parts) - {makers[0]}:
        faults.add(parts[name].line, f"`{name}` goes with `from` only")
    makes: dict[str, Callable[[Column, Mark, Reading], ColumnMap | None]] = {
        "const": _const,
        "source": _of_source,
        "value": _record_key,
    }
    return makes[makers[0]](column, parts[makers[0]], reading)


def _fields(mark: Mark, reading: Reading) -> tuple[Field, ...]:
    members = mark.value if isinstance(mark.value, list) else [mark]
    return tuple(found for member in members if (found := reading.field(member, "a field")) is not None)


def _const(column: Column, mark: Mark, reading: Reading) -> ColumnMap | None:
    text = reading.faults.text(mark, f"the constant of {column.name}")
    if text is None or not _fits(column, text, mark.line, reading.faults):
        return None
    return ColumnMap(column, mark.line, how="const", const=text, codes=_vocabulary(column))


def _of_source(column: Column, mark: Mark, reading: Reading) -> ColumnMap | None:
    name = reading.faults.text(mark, "source") or ""
    if name not in _OF_SOURCE:
        reading.faults.add(mark.line, f"a source has no {name!r}{suggestion(name, list(_OF_SOURCE))}")
        return None
    if column.kind not in _OF_SOURCE[name]:
        reading.faults.add(mark.line, f"{column.name} is of kind {column.kind} and cannot hold the source's {name}")
    return ColumnMap(column, mark.line, how=name)


def _record_key(column: Column, mark: Mark, reading: Reading) -> ColumnMap | None:
    if reading.faults.text(mark, "value") != "record_key":
        reading.faults.add(mark.line, "the only value is record_key")
        return None
    if column.kind != "text":
        reading.faults.add(mark.line, f"{column.name} is of kind {column.kind} and cannot hold a record's key")
    return ColumnMap(column, mark.line, how="record_key")


def _of_fields(
    column: Column, mark: Mark, parts: dict[str, Mark], fields: tuple[Field, ...], reading: Reading
) -> ColumnMap | None:
    if not fields:
        return None
    faults = reading.faults
    listed = isinstance(parts["from"].value, list) if "from" in parts else False
    join = _join(parts, listed, mark, faults)
    codes = _codes(column, parts, reading)
    if codes is None and column.codes is not None:
        codes = _vocabulary(column)
    if "codes" not in parts and "map" not in parts and join is None:
        _check_types(column, fields, mark.line, reading)
    return ColumnMap(
        column,
        mark.line,
        fields=fields,
        join=join,
        cut=_cut(parts, faults),
        formats=_formats(column, parts, faults),
        precision=_precision(column, parts, faults),
        codes=codes,
        unlisted=_unlisted(column, parts, faults),
    )


def _join(parts: dict[str, Mark], listed: bool, mark: Mark, faults: Faults) -> str | None:
    chosen = [name for name in ("join", "first") if name in parts]
    if listed and len(chosen) != 1:
        faults.add(
            mark.line, "several fields need one of `join: TEXT` (put together) and `first: true` (the first filled)"
        )
    if not listed and chosen:
        faults.add(parts[chosen[0]].line, f"`{chosen[0]}` needs several fields: from: [A, B]")
    if "first" in parts and parts["first"].value is not True:
        faults.add(parts["first"].line, "`first` is true or absent")
    if "join" not in parts:
        return None
    if isinstance(parts["join"].value, dict | list):
        faults.add(parts["join"].line, "`join` is the text between the fields")
    return parts["join"].text


def _cut(parts: dict[str, Mark], faults: Faults) -> tuple[int, int] | None:
    if "slice" not in parts:
        return None
    mark = parts["slice"]
    ends = [member.value for member in mark.value] if isinstance(mark.value, list) else []
    if [type(end) for end in ends] != [int, int] or not 0 <= ends[0] < ends[1]:
        faults.add(mark.line, "`slice` is [first, after last], counted from 0, such as [0, 12]")
        return None
    return ends[0], ends[1]


def _formats(column: Column, parts: dict[str, Mark], faults: Faults) -> tuple[str, ...]:
    if "formats" not in parts:
        return ()
    if column.kind not in _TIMES:
        faults.add(
            parts["formats"].line, f"`formats` are for instants and dates; {column.name} is of kind {column.kind}"
        )
    return read_formats(parts["formats"], faults)


def read_formats(mark: Mark, faults: Faults) -> tuple[str, ...]:
    """Read a list of formats of times; note those that cannot say a day."""
    formats = tuple(faults.texts(mark, "`formats`"))
    for form in formats:
        if (fault := kinds.fault_of_format(form)) is not None:
            faults.add(mark.line, f"the format {form!r} {fault}")
    return formats


def _precision(column: Column, parts: dict[str, Mark], faults: Faults) -> str | None:
    if "precision" not in parts:
        return None
    mark = parts["precision"]
    if column.kind != "instant":
        faults.add(mark.line, f"`precision` is for instants; {column.name} is of kind {column.kind}")
    if mark.value not in {"d", "m"}:
        faults.add(mark.line, "`precision` is d (day) or m (minute)")
        return None
    return str(mark.value)


def _codes(column: Column, parts: dict[str, Mark], reading: Reading) -> CodeList | None:
    if "codes" in parts and "map" in parts:
        reading.faults.add(parts["map"].line, "`codes` and `map` exclude each other")
    if "codes" in parts:
        return _code_list(column, parts["codes"], reading)
    return _inline(column, parts["map"], reading) if "map" in parts else None


def _code_list(column: Column, mark: Mark, reading: Reading) -> CodeList | None:
    faults = reading.faults
    name = faults.text(mark, "codes")
    if name is None or not name.replace("_", "").replace("-", "").isalnum():
        faults.add(mark.line, "`codes` is the name of a file codes/NAME.csv: letters, digits, - and _")
        return None
    path = reading.folder / "codes" / f"{name}.csv"
    if name not in reading.lists:
        reading.lists[name] = read_code_list(path, faults, mark.line)
    for line in reading.lists[name]:
        if line.value is not None:
            _fits(column, line.value, line.line, faults, file=path)
        elif column.required:
            faults.add(line.line, f"the code {line.code!r} has no value, but {column.name} is required", file=path)
    lines = reading.lists[name]
    return CodeList(name, {line.code: line.value for line in lines}, {line.code: line.label for line in lines})


def _inline(column: Column, mark: Mark, reading: Reading) -> CodeList | None:
    faults = reading.faults
    if not isinstance(mark.value, dict) or not mark.value:
        faults.add(mark.line, "`map` is a mapping from the source's word to ours")
        return None
    values: dict[str, str | None] = {}
    for word, member in mark.items():
        key, text = key_of(word), faults.text(member, f"the meaning of {word!r}")
        if key is None or key in values:
            faults.add(member.line, f"{word!r} is empty or stands twice in `map`")
        elif text is not None and _fits(column, text, member.line, faults):
            values[key] = text
    return CodeList("map", values)


def _unlisted(column: Column, parts: dict[str, Mark], faults: Faults) -> str | None:
    if "unlisted" not in parts:
        return None
    mark = parts["unlisted"]
    if "codes" not in parts and "map" not in parts:
        faults.add(mark.line, "`unlisted` goes with `codes` or `map`")
    if mark.text != "other" or column.codes is None or "other" not in column.codes:
        faults.add(mark.line, f"`unlisted` can only be other, where the column has that word; {column.name} has not")
        return None
    return "other"


def _fits(column: Column, text: str, line: int, faults: Faults, *, file: Path | None = None) -> bool:
    """Say whether a constant or the value of a code list is a value of the column; note it where not."""
    if column.codes is not None:
        if text in column.codes:
            return True
        faults.add(line, f"{text!r} is no word of {column.name} (known: {', '.join(column.codes)})", file=file)
        return False
    try:
        kinds.read_scalar(column, text)
    except Unreadable as fault:
        faults.add(line, f"{text!r} is no value of {column.name} ({column.kind}): {fault.reason}", file=file)
        return False
    return True


def _vocabulary(column: Column) -> CodeList | None:
    return None if column.codes is None else CodeList("words", {word: word for word in column.codes})


def _check_types(column: Column, fields: tuple[Field, ...], line: int, reading: Reading) -> None:
    for asked in fields:
        wrong = unreadable_types(column.kind, reading.schema.types(asked))
        if wrong:
            reading.faults.add(
                line,
                f"{asked.name} may be {' or '.join(sorted(wrong))}, of which no {column.kind} is made ({column.name})",
            )
