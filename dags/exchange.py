"""The operator that pulls one source, and says what it read and wrote to whoever keeps the lineage of data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from dags import tasks
from hub.settings import Settings

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context

    from dags.headers import Header


class Exchange(BaseOperator):
    """Pulls all streams of the source that `header` names; returns ids and counts.

    The two methods below are asked by Airflow's OpenLineage provider, and only where lineage is on.
    """

    def __init__(self, *, header: Header, **options: Any) -> None:
        super().__init__(**options)
        self.header = header
        self.report: dict[str, Any] | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Pull the source; see `dags.tasks.exchange`."""
        del context
        self.report = tasks.exchange(self.header)
        return self.report

    def get_openlineage_facets_on_start(self) -> OperatorLineage[Any, Any]:
        """Return what is to be read and written."""
        return self.get_openlineage_facets_on_complete(None)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:
        """Return what was read and written, with the counts of a pull that came to its end."""
        del task_instance
        from dags.lineage import lineage  # noqa: PLC0415  # reading a DAG file must cost nothing

        return lineage(self.header, Settings.load(), self.report)
