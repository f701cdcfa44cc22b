"""What an exchange reads and writes, as OpenLineage says it: a department's streams in, tables of the repository out.

A stream is the dataset NAME in the namespace `hub://source/CODE`, the same name as the asset that the exchange updates;
a table is named as OpenLineage names tables of PostgreSQL. Which column comes from which field is read from the
mapping. Only names and counts are told: no address of a department's system, no value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.findings import RULES, Effect

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.facet_v2 import column_lineage_dataset, schema_dataset
    from openlineage.client.facet_v2 import data_quality_assertions_dataset as assertions_dataset

    from connectors.source import Source
    from dags.headers import Header
    from hub.documents import Document, Documents
    from hub.settings import Settings
    from normalization.model import StreamMapping

Columns = dict[str, dict[tuple[str, str], None]]
"""The columns of a document, and the fields (stream, name) that each is made from."""

REPOSITORY = "hub://repository"
"""The namespace of the tables where the hub runs its own PostgreSQL, which nobody reaches over a network."""

PORT = 5432
CASE = "case_number"


def lineage(header: Header, settings: Settings, report: Mapping[str, Any] | None = None) -> OperatorLineage[Any, Any]:
    """Return the inputs and outputs of one source's exchange; `report` is what it returned, where it came to its end.

    Raises:
        ConfigError: the folder or its mapping is faulty.
    """
    from airflow.providers.openlineage.extractors import OperatorLineage  # noqa: PLC0415  # only where it is asked for

    from connectors.loading import load_sources  # noqa: PLC0415  # heavy: a DAG file is read without it
    from hub.documents import Documents  # noqa: PLC0415  # heavy: a DAG file is read without it
    from normalization.mapping import load_mapping  # noqa: PLC0415  # heavy: a DAG file is read without it

    (source,) = load_sources([header.folder], only=[header.code])
    documents = Documents.load()
    streams = load_mapping(source.mapping, documents).streams
    mine = [streams[name] for name in source.streams]
    counts = {one["stream"]: one for one in (report or {}).get("streams", ())}
    findings = (report or {}).get("findings")
    return OperatorLineage(
        inputs=[_input(source, one, counts.get(one.name), findings) for one in mine],
        outputs=_outputs(source, mine, documents, settings),
    )


def namespace(source: Source) -> str:
    """Return the namespace of a source's streams."""
    return f"hub://source/{source.code}"


def _input(
    source: Source,
    stream: StreamMapping,
    counts: Mapping[str, Any] | None,
    findings: Sequence[Mapping[str, Any]] | None,
) -> InputDataset:
    """Describe a stream: its fields as they are mapped, who answers for it, what was read, what is wrong with it."""
    from openlineage.client.event_v2 import InputDataset  # noqa: PLC0415  # see `lineage`
    from openlineage.client.facet_v2 import (  # noqa: PLC0415  # heavy: a DAG file is read without it
        documentation_dataset,
        ownership_dataset,
        schema_dataset,
    )
    from openlineage.client.facet_v2 import input_statistics_input_dataset as statistics  # noqa: PLC0415  # heavy

    fields = dict.fromkeys((*stream.identity_fields, *stream.row_fields))
    facets: dict[str, Any] = {
        "documentation": documentation_dataset.DocumentationDatasetFacet(
            description=f"{source.title.get('zh', source.code)}: {stream.name} ({source.kind})"
        ),
        "ownership": ownership_dataset.OwnershipDatasetFacet(
            owners=[ownership_dataset.Owner(name=f"organ:{source.owner.organ}", type="DATA_OWNER")]
        ),
        "schema": schema_dataset.SchemaDatasetFacet(
            fields=[schema_dataset.SchemaDatasetFacetFields(name=one.name) for one in fields]
        ),
    }
    read: dict[str, Any] = {}
    if counts is not None:
        read["inputStatistics"] = statistics.InputStatisticsInputDatasetFacet(rowCount=counts["read"])
        if findings is not None:
            mine = [one for one in findings if one["stream"] == stream.name]
            read["dataQualityAssertions"] = _assertions(mine, {one.name.lstrip("/").split("/")[0] for one in fields})
    return InputDataset(namespace=namespace(source), name=stream.name, facets=facets, inputFacets=read)


def _assertions(
    findings: Sequence[Mapping[str, Any]], fields: Collection[str]
) -> assertions_dataset.DataQualityAssertionsDatasetFacet:
    """Say of each rule whether the stream keeps it: where it is broken, in which of its fields, and how often.

    A rule that nothing breaks is told too, so that who follows the events sees it mended. Refusing rules are errors,
    the others warnings. Of rules of sets those are told that the suites have asked of this stream.
    """
    from openlineage.client.facet_v2 import data_quality_assertions_dataset as facet  # noqa: PLC0415  # see `lineage`

    broken: dict[tuple[str, str | None], int] = {}
    for one in findings:
        place = one["rule"], one["field"] if one["field"] in fields else None
        if one["findings"]:
            broken[place] = broken.get(place, 0) + int(one["findings"])
    asked, faulty = {one["rule"] for one in findings}, {code for code, _ in broken}
    kept = [code for code, rule in RULES.items() if (rule.scope != "set" or code in asked) and code not in faulty]
    told = [*((code, column, count) for (code, column), count in broken.items()), *((code, None, 0) for code in kept)]
    return facet.DataQualityAssertionsDatasetFacet(
        assertions=[
            facet.Assertion(
                assertion=code, success=not count, column=column, expected="0", actual=str(count),
                severity="error" if code in RULES and RULES[code].effect is Effect.REFUSE else "warn",
                name=RULES[code].title if code in RULES else code,
            )
            for code, column, count in told
        ]
    )  # fmt: skip


def _outputs(
    source: Source, streams: Iterable[StreamMapping], documents: Documents, settings: Settings
) -> list[OutputDataset]:
    """Describe each table that the streams fill: its columns, and the fields that each is made from."""
    from openlineage.client.event_v2 import OutputDataset  # noqa: PLC0415  # see `lineage`

    place, prefix = repository(settings)
    made: dict[str, Columns] = {}
    for stream in streams:
        for row in stream.yields:
            columns = made.setdefault(row.table, {})
            if stream.case is not None and CASE in documents[row.table].columns:
                columns.setdefault(CASE, {})[stream.name, stream.case.name] = None
            for one in row.columns:
                fields = columns.setdefault(one.column.name, {})
                fields.update(dict.fromkeys((stream.name, field.name) for field in one.fields))
    return [
        OutputDataset(
            namespace=place, name=f"{prefix}core.{table}",
            facets={"schema": _columns(table), "columnLineage": _made_of(source, documents[table], columns)},
        )
        for table, columns in made.items()
    ]  # fmt: skip


def _columns(table: str) -> schema_dataset.SchemaDatasetFacet:
    """List the columns of a table, with their types."""
    from openlineage.client.facet_v2 import schema_dataset  # noqa: PLC0415  # see `lineage`

    from sharedrepo.models import TABLES  # noqa: PLC0415  # see `lineage`

    return schema_dataset.SchemaDatasetFacet(
        fields=[
            schema_dataset.SchemaDatasetFacetFields(name=one.name, type=str(one.type).lower())
            for one in TABLES[table].columns
        ]
    )


def _made_of(source: Source, document: Document, columns: Columns) -> column_lineage_dataset.ColumnLineageDatasetFacet:
    """Say of which fields each column of the table is made; a constant is made of none.

    A personal value stands as hash, mask and sealed value: its fields are marked as masked.
    """
    from openlineage.client.facet_v2 import column_lineage_dataset as facet  # noqa: PLC0415  # see `lineage`

    from sharedrepo.models.documents import columns_of  # noqa: PLC0415  # see `lineage`

    place = namespace(source)
    made: dict[str, list[facet.InputField]] = {}
    for name, fields in columns.items():
        spec = document.columns[name]
        how = facet.Transformation(type="DIRECT", subtype="TRANSFORMATION", masking=spec.personal)
        inputs = [facet.InputField(place, stream, field, transformations=[how]) for stream, field in fields]
        standing = [one.name for one in columns_of(document, spec)] + (["sealed"] if spec.personal else [])
        for stands in standing or ["case_id"]:  # the one column that stands otherwise is the case's number
            made.setdefault(stands, []).extend(inputs)
    return facet.ColumnLineageDatasetFacet(
        fields={name: facet.Fields(inputFields=inputs) for name, inputs in made.items() if inputs}
    )


def repository(settings: Settings) -> tuple[str, str]:
    """Return the namespace of the repository's tables, and what stands before `core.` in their names.

    A server that others reach is named by host and port, as other tools name it; neither account nor password is told.
    """
    from sqlalchemy import make_url  # noqa: PLC0415  # see `lineage`

    url = None if settings.database_url is None else make_url(settings.database_url.get_secret_value())
    if url is None or not url.host:
        return REPOSITORY, ""
    return f"postgres://{url.host}:{url.port or PORT}", f"{url.database}."
