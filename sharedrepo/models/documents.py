"""The tables of `core`: one a canonical document, made from its contract in `schemas/`.

Each row is owned by one source record and keyed by it: `(record_id, part)`, where `part` numbers the yields of the
stream's mapping. Provenance is lean: the record leads to its batch, and the batch to its archive object.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA

from hub.documents import Column, Document, Documents
from sharedrepo.models.base import column, instant, metadata

SOURCE_SCOPED = frozenset({"approval_case", "decision", "credential"})
"""Documents that carry their source system beside the record, because they are looked up by their own number."""

IDENTITY = {"approval_case": ("case_number",), "credential": ("issuer", "credential_type", "number", "version")}
"""Columns that, within a source system, name a document; two records that claim one identity are a conflict."""

LOOKED_UP: dict[str, tuple[tuple[str, ...], ...]] = {
    "approval_case": (("item_code",),),
    "decision": (("source_system_id", "case_number"), ("document_number",)),
    "credential": (("source_system_id", "case_number"), ("number",), ("holder_number_hash",)),
    "credential_number": (("number",),),
    "case_party": (("number_hash",), ("name_hash",)),
    "case_identifier": (("number",),),
    "item": (("base_code",),),
    "item_version": (("implementation_code", "version"),),
    "organ": (("code", "valid_from"),),
    "region": (("code", "valid_from"),),
}
"""Indexes beside the key, for the look-ups that departments and supervisors make."""

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "integer": sa.BigInteger(),
    "decimal": sa.Numeric(18, 2),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
}


def protected_columns(spec: Column) -> list[sa.Column[Any]]:
    """Return the columns that stand for a personal value: what can be looked up and what may be shown.

    The value itself is in the row's `sealed` column. Names and numbers can be looked up by keyed hash; addresses and
    free text cannot, and are not shown.
    """
    if spec.kind in ("person_name", "person_number"):
        hashed = column(
            f"{spec.name}_hash", BYTEA(), privacy=spec.privacy, info={"hash": spec.kind.removeprefix("person_")}
        )
        return [hashed, column(f"{spec.name}_mask", sa.Text(), info={"protects": spec.name})]
    if spec.kind == "person_phone":
        return [column(f"{spec.name}_mask", sa.Text(), info={"protects": spec.name})]
    return []


def columns_of(document: Document, spec: Column) -> list[sa.Column[Any]]:
    """Return the columns that one column of a document stands in; none where it stands sealed, or as `case_id`."""
    if spec.name == "case_number" and document.of_case and document.name != "approval_case":
        return []
    if spec.personal:
        return protected_columns(spec)
    if spec.kind == "instant":
        precision = column(f"{spec.name}_precision", sa.CHAR(1), privacy=spec.privacy)
        return [instant(spec.name, privacy=spec.privacy), precision]
    kind = _TYPES.get(spec.kind, sa.Text())
    return [column(spec.name, kind, privacy=spec.privacy, nullable=not spec.required)]


def canonical_columns(document: Document) -> list[sa.Column[Any]]:
    """Return a document's own columns as they stand in its table."""
    columns = [made for spec in document.columns.values() for made in columns_of(document, spec)]
    if any(spec.personal for spec in document.columns.values()):
        columns.append(column("sealed", BYTEA(), privacy="sensitive", info={"sealed": True}))
    return columns


def provenance() -> list[sa.Column[Any]]:
    """Return the columns that lead from a row to what the department sent."""
    return [
        column("batch_id", sa.BigInteger(), nullable=False),
        column("content_hash", BYTEA(), nullable=False),
        instant("reported_at"),
    ]


def _constraints(document: Document) -> list[sa.schema.SchemaItem]:
    items: list[sa.schema.SchemaItem] = [
        sa.CheckConstraint(
            sa.column(spec.name).in_(spec.codes).compile(compile_kwargs={"literal_binds": True}).string,
            name=f"{spec.name}_known",
        )
        for spec in document.columns.values()
        if spec.codes
    ]
    if document.name in IDENTITY:
        identity = ("source_system_id", *IDENTITY[document.name])
        items.append(
            sa.UniqueConstraint(*identity, name=f"uq_{document.name}_identity", postgresql_nulls_not_distinct=True)
        )
    return items


def table(document: Document) -> sa.Table:
    """Make the table of one document."""
    is_case = document.name == "approval_case"
    columns: list[Any] = [
        column("record_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        column("part", sa.SmallInteger(), nullable=False, primary_key=not is_case, autoincrement=False),
    ]
    if document.name in SOURCE_SCOPED:
        columns.append(column("source_system_id", sa.SmallInteger(), nullable=False))
    elif document.of_case:
        parent = sa.ForeignKey("core.approval_case.record_id")
        columns.append(
            sa.Column("case_id", sa.BigInteger(), parent, nullable=False, index=True, info={"class": "internal"})
        )
    made = sa.Table(
        document.name,
        metadata,
        *columns,
        *canonical_columns(document),
        *provenance(),
        *_constraints(document),
        schema="core",
        comment=f"{document.title_zh}: {document.description}",
    )
    for names in LOOKED_UP.get(document.name, ()):
        sa.Index(None, *(made.c[name] for name in names))
    return made


TABLES: dict[str, sa.Table] = {name: table(document) for name, document in Documents.load().items()}
"""The canonical tables by document name."""

MERGE_ORDER: tuple[str, ...] = ("approval_case", *sorted(name for name in TABLES if name != "approval_case"))
"""Parents first; the rest in name order, so that two merges never wait for each other."""
