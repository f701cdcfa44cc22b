"""What the tasks of a DAG do that many sources share: each is pulled by itself, and one that fails stops no other.

A run of its own for each of a hundred small sources would cost more than their pulls. So a task pulls some of them
after each other in one process; each has its own batches, its own rows in the ledger, its own asset, its own failure.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from dags import tasks
from dags.headers import PART, Header
from dags.when import alias, asset
from hub.settings import Settings

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context

log = logging.getLogger("hub")


class ExchangePart(BaseOperator):
    """Pulls a part of the sources that share a DAG; returns their reports, and what failed with its reason."""

    def __init__(self, *, header: Header, part: int, **options: Any) -> None:
        super().__init__(**options)
        self.header, self.part = header, part
        self.reports: dict[str, dict[str, Any]] = {}

    def execute(self, context: Context) -> dict[str, Any]:
        """Pull the sources of this part; see `exchange`."""
        said = exchange(self.header, self.part, context)
        self.reports = {one["source"]: one for one in said["reports"]}
        return said

    def get_openlineage_facets_on_start(self) -> OperatorLineage[Any, Any]:
        """Return what is to be read and written."""
        return self.get_openlineage_facets_on_complete(None)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:
        """Return what was read and written, source by source."""
        del task_instance
        from airflow.providers.openlineage.extractors import OperatorLineage  # noqa: PLC0415  # only where asked for

        from dags.lineage import lineage  # noqa: PLC0415  # reading a DAG file must cost nothing

        settings = Settings.load()
        told = [lineage(one, settings, self.reports.get(one.code)) for one in mine(self.header, self.part)]
        return OperatorLineage(
            inputs=[dataset for one in told for dataset in one.inputs],
            outputs=[dataset for one in told for dataset in one.outputs],
        )


def mine(header: Header, part: int) -> Sequence[Header]:
    """Return the sources of one part."""
    return header.members[part * PART : (part + 1) * PART]


def parts(header: Header) -> int:
    """Return by how many tasks the sources are pulled."""
    return -(-len(header.members) // PART)


def exchange(header: Header, part: int, context: Context) -> dict[str, Any]:
    """Pull a part of the sources and return their reports, and what failed with its reason.

    A run may be for some of them only: `{"sources": [CODE, …]}` in its configuration. While another try can mend a
    failure, the task fails and is tried again; what was delivered is soon passed over then.

    Raises:
        SomeFailed: another try may mend it, and there is one left.
    """
    asked = (context["dag_run"].conf or {}).get("sources")
    members = [one for one in mine(header, part) if asked is None or one.code in asked]
    reports, failed = _pulled(members)
    for member in members:
        if member.code in reports:
            context["outlet_events"][alias(header)].add(asset(member))
    mendable = {code: error for code, error in failed.items() if not tasks.lasts(error)}
    if mendable and context["ti"].try_number <= context["ti"].max_tries:
        raise tasks.SomeFailed(mendable)
    reasons = {code: f"{type(error).__name__}: {error}" for code, error in failed.items()}
    return {"reports": list(reports.values()), "failed": reasons}


def _pulled(members: Sequence[Header]) -> tuple[dict[str, dict[str, Any]], dict[str, Exception]]:
    from pipeline.runtime import Runtime  # noqa: PLC0415  # reading a DAG file must cost nothing

    runtime = Runtime.open(Settings.load())
    reports: dict[str, dict[str, Any]] = {}
    failed: dict[str, Exception] = {}
    try:
        for member in members:
            try:
                reports[member.code] = tasks.exchange(member, runtime=runtime)
            except Exception as error:  # noqa: BLE001  # whatever it is, the others get their turn, and it is raised or told at the end
                log.warning("%s: %s: %s", member.code, type(error).__name__, error)
                failed[member.code] = error
    finally:
        runtime.engine.dispose()
    return reports, failed


def report(summaries: Sequence[Mapping[str, Any]]) -> None:
    """Report each source as a DAG of its own would.

    Raises:
        NotDelivered: the message names each source that failed, lacks records, or had something refused.
    """
    troubles = [f"source {code}: {reason}" for one in summaries for code, reason in one["failed"].items()]
    for summary in (report_ for one in summaries for report_ in one["reports"]):
        try:
            tasks.report(summary)
        except tasks.NotDelivered as trouble:
            troubles.append(str(trouble))
    if troubles:
        raise tasks.NotDelivered("\n".join(troubles))
