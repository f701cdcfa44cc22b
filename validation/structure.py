"""Judges the shape of raw records against their stream's schema; meaning is not its business.

jsonschema-rs screens every record at once; only those that it refuses are explained by `jsonschema`, with all faults.
The two agree on the restricted vocabulary of `schema_lint`; a record that the screen refuses and `jsonschema` cannot
explain is refused all the same, with the screen's word.

What differs from the declaration as a whole (a field that is new, that comes no more, that has another type) is the
contract's business: a screen without types tells whether a record shows only that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import orjson

from hub import jsontext
from hub.contract import Contract
from hub.findings import UNIT, Finding
from hub.records import Record
from hub.screens import screen
from hub.table import Table, chosen
from validation import drift
from validation.columnscreen import ColumnScreen
from validation.drift import Change, Retyped
from validation.explain import MAX_FAULTS, Explainer, Fault, explain, show, unwritable
from validation.schema_lint import lint_schema

_CHUNK = 2000
_ANY = {"type": ["string", "number", "boolean", "null", "object", "array"]}
"""Everything but a NaN, which the screen takes for no number."""

_STRICT = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


class StructureJudge:
    """Judges slices of one stream against its schema, compiled once.

    `contract` says what a change of shape does. `sparse` says that the source leaves out fields that are empty, so
    that the absence of a declared field means nothing; a schema says the same by `"x-sparse": true`. `shown` names the
    fields whose values may be shown in findings; all others count as personal, since the raw schema knows no classes.

    Raises:
        ValueError: the schema uses words outside the restricted vocabulary, or there is no such contract.
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        contract: Contract | str | None = None,
        *,
        sparse: bool = False,
        shown: Collection[str] = (),
    ) -> None:
        faults = lint_schema(schema)
        if faults:
            raise ValueError("; ".join(faults))
        self._contract = contract if isinstance(contract, Contract) else Contract.read(contract)
        self._sparse = sparse or bool(schema.get("x-sparse", False))
        self._shown = frozenset(shown)
        self._declared = frozenset(schema.get("properties", {}))
        # The contract, not the schema, decides about undeclared fields of the record itself.
        self._bare = {**schema, "type": "object"}
        self._bare.pop("additionalProperties", None)
        self._explainer = Explainer(self._bare)
        self._screen = _screen(self._bare)
        self._loose: dict[frozenset[str], Any] = {}
        self._columns = ColumnScreen(self._bare) if ColumnScreen.fits(self._bare) else None

    def judge(self, records: Sequence[Record]) -> list[Finding]:
        """Return all findings on `records`: those on the slice first, then by record and place.

        Raises:
            InternalError: a record holds a value that JSON does not have, which is the reader's fault.
        """
        unwritten = {} if isinstance(records, Table) else dict(_unwritten(records))
        fields = drift.fields_of(records)
        missing = self._missing(records, fields)
        faults, retyped = self._faults(records, self._refused(records, unwritten), frozenset(missing))
        new = sorted(fields - self._declared)
        findings = list(self._changes(records, new, missing, retyped))
        refused = self._refused_by_contract(records, new, missing, retyped)
        for index in sorted({*unwritten, *faults, *refused}):
            if index in unwritten:
                findings.append(self._finding(index, unwritten[index]))
                continue
            findings += [self._finding(index, fault) for fault in faults.get(index, ())]
            findings += [change.on(index, self._contract) for change in refused.get(index, ())]
        return findings

    def settled(self, rule: str, name: str | None, pointer: str | None, types: str) -> bool:
        """Say whether a change that was told before is none any more, since the declaration was mended."""
        return drift.settled(self._bare, rule, name, pointer, types)

    def _missing(self, records: Sequence[Record], fields: set[str]) -> list[str]:
        if self._sparse or not drift.absence_counts(records, fields, self._declared):
            return []
        return sorted(self._declared - fields)

    def _refused(self, records: Sequence[Record], unwritten: Mapping[int, Fault]) -> list[int]:
        """Return the records that the schema as declared refuses."""
        if isinstance(records, Table) and self._columns is not None:
            return sorted(self._columns.refused(records))
        fits = self._screen.is_valid
        return [index for index, record in enumerate(records) if index not in unwritten and not fits(record)]

    def _faults(
        self, records: Sequence[Record], refused: list[int], missing: frozenset[str]
    ) -> tuple[dict[int, list[Fault]], Retyped]:
        """Part what is wrong with each refused record into faults of its own and values of another type."""
        faults: dict[int, list[Fault]] = {}
        retyped = Retyped()
        if not refused:
            return faults, retyped
        if missing not in self._loose:
            self._loose[missing] = _screen(drift.loosened(self._bare, missing))
        fits = self._loose[missing].is_valid
        for index, record in zip(refused, chosen(records, refused), strict=True):
            if fits(record) and not _has_empty_name(record):
                for error in islice(self._screen.iter_errors(record), MAX_FAULTS):
                    if error.kind.name == "type":
                        got = jsontext.type_of(error.instance)
                        retyped.add(index, error.instance_path, "|".join(error.kind.types), got)
                continue
            faults[index] = []
            for fault in self._explain(record):
                if fault.keyword == "required" and len(fault.path) == 1 and fault.path[0] in missing:
                    continue  # the contract decides about a field that no record has
                if fault.keyword == "type" and fault.path and fault.detail["got"] != "null":
                    retyped.add(index, fault.path, fault.detail["expected"].replace(" or ", "|"), fault.detail["got"])
                else:
                    faults[index].append(fault)
        return faults, retyped

    def _explain(self, record: Any) -> list[Fault]:
        faults = explain(self._explainer, record)
        if not faults:
            # `jsonschema` takes a NaN for a number; the screen does not.
            faults = [fault for fault in (unwritable(record),) if fault is not None]
        if faults:
            return faults
        # The engines disagree: the screen's word stands, without its message, which would quote the value.
        error = next(iter(self._screen.iter_errors(record)))
        detail = {"keyword": "screen", "expected": f"as the screen says: {error.kind.name}"}
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

    def _changes(
        self, records: Sequence[Record], new: Sequence[str], missing: Sequence[str], retyped: Retyped
    ) -> Iterator[Finding]:
        """Tell each change once, with its count."""
        named = drift.new_fields(records, new[: drift.MOST_FIELDS])
        changes = [*named, *drift.missing_fields(missing, len(records), self._bare.get("properties", {}))]
        changes += [retyped.changes[pointer] for pointer in sorted(retyped.changes)]
        yield from (change.told(self._contract, len(records)) for change in changes)
        if len(new) > drift.MOST_FIELDS:
            detail = {"fields": str(len(new) - drift.MOST_FIELDS), "contract": self._contract.new}
            yield Finding(UNIT, "unknown_field", detail=detail, refuse=self._contract.new != "evolve")

    def _refused_by_contract(
        self, records: Sequence[Record], new: Sequence[str], missing: Sequence[str], retyped: Retyped
    ) -> dict[int, list[Change]]:
        """Return, of each record that the contract refuses, the changes that it shows, at most so many of a sort."""
        out: dict[int, list[Change]] = {}
        if self._contract.new != "evolve" and new:
            listed = {name: Change("unknown_field", show(name) or "", drift.pointer_of((name,))) for name in new}
            for index, record in enumerate(records):
                if isinstance(record, dict) and (extra := sorted(record.keys() & listed.keys())):
                    out.setdefault(index, []).extend(listed[name] for name in extra[: drift.MOST_FIELDS])
        if self._contract.missing != "evolve" and missing:
            gone = drift.missing_fields(missing[: drift.MOST_FIELDS], 0, {})
            for index in range(len(records)):
                out.setdefault(index, []).extend(gone)
        if self._contract.type != "evolve":
            for index, changes in retyped.of_record.items():
                out.setdefault(index, []).extend(changes[pointer] for pointer in sorted(changes))
        return out


def _has_empty_name(record: Record) -> bool:
    """Say whether a member of the record, at any depth, has the empty name: the screen leaves it out of its paths."""
    return b'"":' in orjson.dumps(record, option=_STRICT)


def _screen(bare: Mapping[str, Any]) -> Any:
    return screen({**bare, "additionalProperties": _ANY})


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
