"""What the tasks of the DAGs do. Heavy packages are imported inside: reading a DAG file must cost nothing."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy

from hub.errors import HubError, RetrySource, SourceBusy
from hub.settings import Settings

if TYPE_CHECKING:
    from airflow.sdk import Context

    from dags.headers import Header
    from pipeline.runtime import Runtime

log = logging.getLogger("hub")

FAULTS = (
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, SyntaxError, TypeError,
    ValueError,
)  # fmt: skip
"""Errors that another try would only repeat: the hub's own faults."""

LONGEST_PAUSE_SECONDS = 3600.0
"""The longest pause that a source's own answer (Retry-After) may ask of us."""

COUNTS = ("read", "new", "updated", "unchanged", "stale", "deleted", "excluded", "quarantined", "parked")
"""The terms of the balance: the first equals the sum of the others."""


class NotDelivered(HubError):
    """The run ended, but not everything that the source offered is in the repository and accounted for."""


class SomeFailed(HubError):
    """Sources that share a DAG failed, and another try may mend it; `errors` are theirs, by code."""

    def __init__(self, errors: Mapping[str, Exception]) -> None:
        super().__init__("; ".join(f"{code}: {error}" for code, error in errors.items()))
        self.errors = errors


def lasts(error: BaseException) -> bool:
    """Say whether another try would only repeat an error: it needs a person, or is a fault of the hub."""
    if isinstance(error, RetrySource | SourceBusy | SomeFailed):
        return False
    return isinstance(error, (HubError, *FAULTS))


class ByErrorType(RetryPolicy):
    """Lets the error's type say what happens next: transient ones are tried again, what needs a person fails now.

    What is neither (a killed process, a lost connection to the repository) follows the task's retries and back-off.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide by the type of `exception`; a source that asked for a pause gets it."""
        del try_number, max_tries, context  # Airflow's interface hands them over; the type says enough
        if isinstance(exception, RetrySource | SourceBusy | SomeFailed):
            return RetryDecision.retry(_pause(exception), reason=str(exception))
        if isinstance(exception, HubError):
            return RetryDecision.fail(reason=str(exception))
        if lasts(exception):
            return RetryDecision.fail(reason=f"a fault of the hub itself: {type(exception).__name__}")
        return RetryDecision.default()


def _pause(error: BaseException) -> timedelta | None:
    """Return the pause that a source asked for, of several the longest; None where none did."""
    errors = error.errors.values() if isinstance(error, SomeFailed) else (error,)
    asked = [one.after_seconds for one in errors if isinstance(one, RetrySource) and one.after_seconds is not None]
    return timedelta(seconds=min(max(asked), LONGEST_PAUSE_SECONDS)) if asked else None


def exchange(header: Header, *, runtime: Runtime | None = None) -> dict[str, Any]:
    """Pull one source through the pipeline and return the run's ids and counts; `runtime` is one that is open already.

    Only this source is judged, so that a fault in another department's declaration cannot stop it.

    Raises:
        ConfigError: the folder is faulty; every fault is listed with file and line.
        HubError: see `hub.errors`; the type says whether it is tried again.
    """
    from connectors.loading import load_sources  # noqa: PLC0415  # heavy: a DAG file is read without it
    from dags.connections import resolver  # noqa: PLC0415  # heavy: a DAG file is read without it
    from pipeline.pulls.exchange import exchange as pull  # noqa: PLC0415  # heavy: a DAG file is read without it
    from pipeline.runtime import Runtime as Opened  # noqa: PLC0415  # heavy: a DAG file is read without it
    from sharedrepo.telling.lists import faults, set_faults  # noqa: PLC0415  # heavy: a DAG file is read without it

    settings = Settings.load()
    (source,) = load_sources([header.folder], only=[header.code])
    opened = runtime or Opened.open(settings)
    report: dict[str, Any] = pull(source, connections=resolver(settings), runtime=opened).as_dict()
    # Counts by rule and field, for the lineage that is told after the task; without it nobody asks for them.
    if settings.lineage_url is not None or os.environ.get("AIRFLOW__OPENLINEAGE__TRANSPORT"):
        report["findings"] = [*faults(opened.engine, header.code), *set_faults(opened.engine, header.code)]
    log.info("%s: pulled\n%s", header.code, table(report))
    return report


def report(summary: dict[str, Any]) -> None:
    """Log the balance of a run and fail if records are missing from it or something was refused whole.

    Raises:
        NotDelivered: the message names each stream and what is wrong with it.
    """
    log.info("balance\n%s", table(summary))
    if troubles := [trouble for stream in summary["streams"] for trouble in _troubles(stream)]:
        code = summary["source"]
        raise NotDelivered(
            f"source {code}: {'; '.join(troubles)}. See `hub ledger {code}` and `hub quarantine list {code}`."
        )


def _troubles(stream: dict[str, Any]) -> list[str]:
    name = stream["stream"]
    found = []
    if not stream["balanced"]:
        parts = sum(stream[count] for count in COUNTS[1:])
        found.append(f"stream {name}: {stream['read']} records were read, but {parts} are accounted for")
    if refused := stream["refused_units"]:
        found.append(f"stream {name}: refused whole: {', '.join(refused)}")
    return found


def table(summary: dict[str, Any]) -> str:
    """Return the balance of a run as text: a line a stream, a column a term."""
    streams = summary["streams"]
    width = max([len("stream"), *(len(stream["stream"]) for stream in streams)])
    lines = ["  ".join(["stream".ljust(width), *(count.rjust(max(7, len(count))) for count in COUNTS)])]
    lines += [
        "  ".join([stream["stream"].ljust(width), *(str(stream[count]).rjust(max(7, len(count))) for count in COUNTS)])
        for stream in streams
    ]
    return "\n".join(lines)


def province() -> dict[str, Any]:
    """Log which sources have delivered since their schedule and which are missing; return the counts and codes."""
    from pipeline.telling.province import province_report  # noqa: PLC0415  # heavy: a DAG file is read without it

    found: dict[str, Any] = province_report(Settings.load())
    for entry in found.get("missing", []):
        log.warning("missing: %s", entry)
    log.info("%d delivered, %d missing", len(found.get("delivered", [])), len(found.get("missing", [])))
    return found
