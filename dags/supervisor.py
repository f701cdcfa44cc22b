"""What the tasks of the supervision DAGs do. Heavy packages are imported inside: reading a DAG file costs nothing."""

from __future__ import annotations

import logging
from typing import Any

from hub.errors import InternalError
from hub.settings import Settings

log = logging.getLogger("hub")


def run() -> dict[str, int]:
    """Bring supervision up to date for the cases that changed."""
    return _counts(*_opened(), full=False)


def recount() -> dict[str, int]:
    """Compute all clocks anew; first those that changed, so that what differs then has no reason to.

    Raises:
        InternalError: clocks that nothing had changed came out otherwise than they stood; they are right now, and an
            issue of the hub's engineers stands until a recount finds none (`recount_differs`).
    """
    engine, protector = _opened()
    _counts(engine, protector, full=False)
    done = _counts(engine, protector, full=True)
    if done["differing"]:
        raise InternalError(
            f"The clocks of {done['differing']} cases came out otherwise than they stood, though nothing had changed."
            " They are right now; the increments missed something: `hub quality issues list --rule recount_differs`."
        )
    return done


def freeze() -> list[dict[str, Any]]:
    """Freeze the inputs of the months that are due; feeds that were not complete through a month's end are logged."""
    from supervision.appraisal import monthly  # noqa: PLC0415  # heavy: a DAG file is read without it

    settings = Settings.load()
    made = monthly.freeze_due(
        _opened()[0], grace=settings.freeze_day, formula=settings.appraisal_formula, actor="hub"
    )  # fmt: skip
    return [one.as_dict() for one in made]


def _counts(engine: Any, protector: Any, *, full: bool) -> dict[str, int]:
    from supervision import running  # noqa: PLC0415  # heavy: a DAG file is read without it

    counts = running.run(engine, full=full, protector=protector).counts["clock"]
    log.info("supervision: %s", counts)
    return {name: count for name, count in counts.items() if isinstance(count, int)}


def _opened() -> tuple[Any, Any]:
    from supervision.opening import open_hub  # noqa: PLC0415  # heavy: a DAG file is read without it

    return open_hub()
