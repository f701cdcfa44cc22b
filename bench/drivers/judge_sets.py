"""Judges the suites of some documents over all rows and keeps the results; prints what it took."""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    """Run the suites of the documents named on the command line on the database that is named first."""
    from pydantic import SecretStr  # noqa: PLC0415  # the start of the process is measured, too

    from hub.documents import Documents  # noqa: PLC0415  # the start of the process is measured, too
    from hub.settings import Settings  # noqa: PLC0415  # the same
    from quality.sets import service  # noqa: PLC0415  # the same
    from sharedrepo.connect import engine  # noqa: PLC0415  # the same

    url, *documents = sys.argv[1:]
    made = engine(Settings(database_url=SecretStr(url)))
    started = time.perf_counter()
    report = service.check(made, [], Documents.load(), only=documents)
    work = time.perf_counter() - started
    from quality.sets.suite import suites  # noqa: PLC0415  # it was imported when it was needed

    asked = sum(len(suites()[name].asked) for name in documents)
    said = {"rows": report.rows, "results": len(report.results), "failed": len(report.failed)}
    print(json.dumps({**said, "work": work, "expectations": asked}))


if __name__ == "__main__":
    main()
