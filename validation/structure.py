"""Judges the shape of raw records against their stream's schema; meaning is not its business.

jsonschema-rs screens every record at once; only those that it refuses are explained by `jsonschema`, with all faults.
The two agree on the restricted vocabulary of `schema_lint`; a record that the screen refuses and `jsonschema` cannot
explain is refused all the same, with the screen's word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

import jsonschema_rs
import orjson

from hub.findings import UNIT, Finding
from hub.records import Record
from hub.table import Table
from validation.columnscreen import ColumnScreen
from validation.explain import Explainer, Fault, explain, show, unwritable
from validation.schema_lint import lint_schema

Contract = Literal["evolve", "freeze", "quarantine"]
"""What an undeclared field does: `evolve` and `freeze` flag it once a slice (in `evolve` the steward expects it to be
declared soon, in `freeze` the department is asked), `quarantine` refuses each record that has it."""

_CHUNK = 2000
_ANY = {"type": ["string", "number", "boolean", "null", "object", "array"]}
"""Everything but a NaN, which the screen takes for no number."""

ENOUGH = 1000
"""From so many records on, a field that none of them has is missed even where records leave out empty fields."""

_MOST_FIELDS = 50
_STRICT = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


class StructureJudge:
    """Judges slices of one stream against its schema, compiled once.

    `contract` says what an undeclared field does. `sparse` says that the source leaves out fields that are empty, so
    that the absence of a declared field means nothing; a schema says the same by `"x-sparse": true`. `shown` names the
    fields whose values may be shown in findings; all others count as personal, since the raw schema knows no classes.

    Raises:
        ValueError: the schema uses words outside the restricted vocabulary, or there is no such contract.
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        contract: str = "freeze",
        *,
        sparse: bool = False,
        shown: Collection[str] = (),
    ) -> None:
        faults = lint_schema(schema)
        if faults:
            raise ValueError("; ".join(faults))
        if contract not in get_args(Contract):
            raise ValueError(f"no contract {contract!r}; known: {', '.join(get_args(Contract))}")
        self._contract = contract
        self._sparse = sparse or bool(schema.get("x-sparse", False))
        self._shown = frozenset(shown)
        self._declared = frozenset(schema.get("properties", {}))
        # The contract, not the schema, decides about undeclared fields of the record itself.
        bare = {**schema, "type": "object"}
        bare.pop("additionalProperties", None)
        self._explainer = Explainer(bare)
        self._screen = jsonschema_rs.Draft202012Validator({**bare, "additionalProperties": _ANY})
        self._columns = ColumnScreen(bare) if ColumnScreen.fits(bare) else None

    def judge(self, records: Sequence[Record]) -> list[Finding]:
        """Return all findings on `records`: those on the slice first, then by record and place.

        Raises:
            InternalError: a record holds a value that JSON does not have, which is the reader's fault.
        """
        unwritten = {} if isinstance(records, Table) else dict(_unwritten(records))
        refused = self._refused(records, unwritten)
        findings = list(self._slice_findings(records))
        extra = self._extra(records)
        for index in sorted({*unwritten, *refused, *extra}):
            if index in unwritten:
                findings.append(self._finding(index, unwritten[index]))
                continue
            if index in refused:
                findings += [self._finding(index, fault) for fault in self._explain(records[index])]
            findings += [_unknown(index, name) for name in extra.get(index, ())]
        return findings

    def _refused(self, records: Sequence[Record], unwritten: Mapping[int, Fault]) -> set[int]:
        if isinstance(records, Table) and self._columns is not None:
            return self._columns.refused(records)
        fits = self._screen.is_valid
        if unwritten:
            return {index for index, record in enumerate(records) if index not in unwritten and not fits(record)}
        return {index for index, record in enumerate(records) if not fits(record)}

    def _explain(self, record: Any) -> list[Fault]:
        faults = explain(self._explainer, record)
        if not faults:
            # `jsonschema` takes a NaN for a number; the screen does not.
            faults = [fault for fault in (unwritable(record),) if fault is not None]
        if faults:
            return faults
        # The engines disagree: the screen's word stands, without its message, which would quote the value.
        error = next(iter(self._screen.iter_errors(record)))
        detail = {"keyword": error.kind.name, "expected": f"as the screen says: {error.kind.name}"}
        return [Fault(tuple(error.instance_path), error.kind.name, detail, None)]

    def _finding(self, index: int, fault: Fault) -> Finding:
        return Finding(
            record=index,
            rule="schema_violation",
            field=fault.field,
            pointer=fault.pointer,
            value=fault.value,
            personal=fault.field not in self._shown,
            detail=fault.detail,
        )

    def _slice_findings(self, records: Sequence[Record]) -> Iterator[Finding]:
        fields = _fields(records)
        if self._contract != "quarantine":
            yield from self._unknown_fields(records, sorted(fields - self._declared))
        if self._absence_counts(records, fields):
            count = {"records": str(len(records)), "count": str(len(records))}
            for name in sorted(self._declared - fields):
                yield Finding(UNIT, "missing_field", field=name, pointer=_pointer(name), detail=count)

    def _absence_counts(self, records: Sequence[Record], fields: Collection[str]) -> bool:
        """Say whether an absent field is missing, and not merely empty.

        In a table every record has every column, if only as null. Records that differ in their fields leave out what
        is empty, so that only many of them prove something; a mark of deletion names little more than its key.
        """
        if self._sparse or not records or 2 * len(self._declared & set(fields)) < len(self._declared):
            return False
        if isinstance(records, Table) or len(records) >= ENOUGH:
            return True
        return {len(record) for record in records if isinstance(record, dict)} == {len(fields)}

    def _unknown_fields(self, records: Sequence[Record], names: Sequence[str]) -> Iterator[Finding]:
        for name in names[:_MOST_FIELDS]:
            count = len(records) if isinstance(records, Table) else sum(name in record for record in records)
            detail = {"count": str(count), "records": str(len(records)), "contract": self._contract}
            yield Finding(UNIT, "unknown_field", field=show(name), pointer=_pointer(name), detail=detail)
        if len(names) > _MOST_FIELDS:
            detail = {"fields": str(len(names) - _MOST_FIELDS), "contract": self._contract}
            yield Finding(UNIT, "unknown_field", detail=detail)

    def _extra(self, records: Sequence[Record]) -> dict[int, list[str]]:
        declared = self._declared
        if self._contract != "quarantine" or (isinstance(records, Table) and set(records.names) <= declared):
            return {}
        return {
            index: sorted(record.keys() - declared)[:_MOST_FIELDS]
            for index, record in enumerate(records)
            if isinstance(record, dict) and not record.keys() <= declared
        }


def _fields(records: Sequence[Record]) -> set[str]:
    """Return the fields that occur."""
    if isinstance(records, Table):
        return set(records.names) if len(records) else set()
    return set().union(*(record for record in records if isinstance(record, dict)))


def _unknown(index: int, name: str) -> Finding:
    detail = {"expected": "no such field", "contract": "quarantine"}
    return Finding(index, "unknown_field", field=show(name), pointer=_pointer(name), detail=detail, refuse=True)


def _pointer(name: str) -> str:
    return Fault((show(name) or "",), "", {}, None).pointer


def _unwritten(records: Sequence[Record]) -> Iterator[tuple[int, Fault]]:
    """Find the records that cannot be written as JSON: chunks are tried, the records of a bad chunk looked at."""
    for start in range(0, len(records), _CHUNK):
        chunk = records[start : start + _CHUNK]
        try:
            orjson.dumps(chunk if isinstance(chunk, list) else list(chunk), option=_STRICT)
        except TypeError:
            # orjson names neither record nor place; the walk does, and lets long integers pass, which JSON has.
            for index, record in enumerate(chunk, start):
                fault = unwritable(record, nan=False)
                if fault is not None:
                    yield index, fault
