"""Builds Great Expectations' own pages on demand: a page for each set and suite, the worst ones, never more than asked.

The library's pages grow slower with every run that is added to them; so they are made anew each time, in a folder of
their own, and nothing of the hub depends on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import great_expectations as gx
import sqlalchemy as sa
from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult, RunIdentifier
from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)

from connectors.source import Source
from hub.documents import Documents
from hub.errors import HubError
from quality.sets import service
from quality.sets.run import Result
from quality.sets.suite import Suite, suites


class FolderTaken(HubError):
    """The folder holds something already; pages are only laid into an empty one."""

    exit_status = 78


def build(
    engine: sa.Engine, sources: Sequence[Source], documents: Documents, folder: Path, *,
    source: str | None, runs: int, as_of: date | None, progress: service.Progress | None = None,
) -> tuple[Path, list[dict[str, Any]]]:  # fmt: skip
    """Run the suites without keeping results and lay out pages for the `runs` worst of them; return the first page.

    Raises:
        FolderTaken: the folder is not empty.
    """
    place = folder.expanduser().absolute()
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise FolderTaken(f"{place} is not empty: name a new folder for the pages.")
    report = service.check(
        engine, sources, documents, source=source, as_of=as_of, keep=False, progress=progress
    )  # fmt: skip
    names = _stream_names(engine)
    worst = sorted(_by_set(report.results).items(), key=lambda one: (-sum(not r.success for r in one[1]), one[0]))[
        :runs
    ]
    context = _context(place)
    told = []
    for (document, organ, stream_id), results in worst:
        suite = suites()[document]
        name = f"{document}.{names.get(stream_id, stream_id)}.{organ or 'no-organ'}"
        context.suites.add(
            gx.ExpectationSuite(name=name, expectations=[one.built.configuration for one in suite.asked])
        )
        _store(context, name, suite, results, report.at)
        told.append({"suite": name, "failed": sum(not one.success for one in results), "of": len(results)})
    context.build_data_docs()
    return place / "index.html", told


def _by_set(results: Iterable[Result]) -> dict[tuple[str, str, int], list[Result]]:
    found: dict[tuple[str, str, int], list[Result]] = {}
    for one in results:
        found.setdefault((one.suite, one.organ, one.stream_id), []).append(one)
    return found


def _stream_names(engine: sa.Engine) -> dict[int, str]:
    query = """SELECT s.stream_id, ss.code || '.' || s.name FROM ledger.stream AS s
               JOIN core.source_system AS ss USING (source_system_id)"""
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(sa.text(query))}


def _context(place: Path) -> Any:
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(place)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        data_docs_sites={"hub": site},
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _store(context: Any, name: str, suite: Suite, results: Sequence[Result], at: Any) -> None:
    asked = {one.code: one for one in suite.asked}
    told = [
        ExpectationValidationResult(
            success=one.success,
            expectation_config=asked[one.expectation].built.configuration,
            result={
                "element_count": one.elements,
                "unexpected_count": one.unexpected,
                "unexpected_percent": 100 * one.unexpected / one.elements if one.elements else 0.0,
                "observed_value": one.detail.get("observed"),
            },
        )
        for one in results
    ]
    held = sum(one.success for one in results)
    whole = ExpectationSuiteValidationResult(
        success=held == len(results),
        results=told,
        suite_name=name,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": held,
            "unsuccessful_expectations": len(results) - held,
            "success_percent": 100 * held / len(results),
        },
        meta={"run_id": RunIdentifier(run_name="hub", run_time=at), "batch_kwargs": {}},
    )
    key = ValidationResultIdentifier(ExpectationSuiteIdentifier(name), RunIdentifier(run_name="hub", run_time=at), name)
    context.validation_results_store.set(key, whole)
