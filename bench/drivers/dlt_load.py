"""Loads the two source tables with dlt's `sql_table`, merged on their primary keys. Runs in dlt's own environment.

`--way default` is what its documentation begins with: the SQLAlchemy backend, INSERT statements, the merge strategy
delete-insert. `--way fastest` is the fastest that dlt's PostgreSQL destination offers without code of one's own: Arrow
tables, parquet files written by the ADBC driver, the merge strategy upsert.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import dlt  # type: ignore[import-not-found]  # stands in an environment of its own
from dlt.destinations import postgres  # type: ignore[import-not-found]  # as above
from dlt.sources.sql_database import sql_table  # type: ignore[import-not-found]  # as above

TABLES = {"pre_apasinfo": "PROJID", "pre_node": "UNID"}
WAYS: dict[str, tuple[str, str, str | None]] = {
    "default": ("sqlalchemy", "delete-insert", None),
    "arrow-csv": ("pyarrow", "upsert", "csv"),
    "fastest": ("pyarrow", "upsert", "parquet"),
}
"""Backend of `sql_table`, merge strategy, loader file format (None: the destination's default)."""


def main() -> None:
    """Load once into the dataset `bench`."""
    parser = argparse.ArgumentParser()
    for name in ("source", "target", "folder"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--way", choices=WAYS, required=True)
    options = parser.parse_args()
    backend, strategy, file_format = WAYS[options.way]
    pipeline = dlt.pipeline(
        "bench", destination=postgres(options.target), dataset_name="bench", pipelines_dir=options.folder
    )
    more: dict[str, Any] = {} if file_format is None else {"loader_file_format": file_format}
    started = time.perf_counter()
    info = pipeline.run(
        [
            sql_table(
                options.source, table=table, schema="pre", backend=backend, primary_key=key,
                write_disposition={"disposition": "merge", "strategy": strategy},
            )
            for table, key in TABLES.items()
        ],
        **more,
    )  # fmt: skip
    info.raise_on_failed_jobs()
    work = time.perf_counter() - started
    jobs = [job for package in info.load_packages for job in package.jobs["completed_jobs"]]
    formats = sorted({job.job_file_info.file_format for job in jobs})
    print(json.dumps({"work": work, "formats": formats, "version": dlt.__version__}))


if __name__ == "__main__":
    main()
