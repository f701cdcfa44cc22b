"""What the tasks of the quality DAGs do. Heavy packages are imported inside: reading a DAG file must cost nothing."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hub.errors import HubError
from hub.remark import one_line
from hub.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

    from connectors.source import Source
    from pipeline.runtime import Runtime

log = logging.getLogger("hub")

ASKED_AT_ONCE = 50
"""So many held deliveries at most are brought before a person by one run; the next run brings the next."""

LONGEST_REASON = 1000
NAMESPACE = "hub://source/"


class NobodyAnswered(HubError):
    """A held delivery was approved without a reason that can be kept; nothing was published."""


def triggering(context: Context) -> list[str] | None:
    """Return the codes of the sources whose deliveries started this run; None where the clock or a person did."""
    events = context.get("triggering_asset_events") or {}
    codes = {asset.uri.removeprefix(NAMESPACE).strip("/") for asset in events if asset.uri}
    return sorted(codes) or None


def check_sets(codes: Collection[str] | None) -> dict[str, int]:
    """Run the suites over the sources that delivered, or over all."""
    from quality import running  # noqa: PLC0415  # heavy: a DAG file is read without it

    runtime, sources = _open()
    known = {one.code for one in sources}
    return _said("sets", running.check_sets(runtime, sources, None if codes is None else known & set(codes)))


def refresh() -> dict[str, int]:
    """Bring the issues up to date."""
    from quality import running  # noqa: PLC0415  # heavy: a DAG file is read without it

    return _said("issues", running.refresh(*_open(), datetime.now(UTC)))


def record() -> dict[str, int]:
    """Write today's scores."""
    from quality import running  # noqa: PLC0415  # heavy: a DAG file is read without it

    return _said("scores", running.record(_open()[0], datetime.now(UTC)))


def escalate() -> dict[str, int]:
    """Let silent issues climb."""
    from quality import running  # noqa: PLC0415  # heavy: a DAG file is read without it

    return _said("escalated", running.escalate(*_open(), datetime.now(UTC)))


def alert() -> dict[str, int]:
    """Tell people what is new; a gateway that failed is tried again by the next run and fails none."""
    from quality import running  # noqa: PLC0415  # heavy: a DAG file is read without it

    return _said("alerts", running.alert(*_open(), datetime.now(UTC)))


def held() -> list[dict[str, Any]]:
    """Return what the runs of `hub_held` are to be asked with: one for each held delivery, under an id of its own."""
    from quality import running  # noqa: PLC0415  # heavy: a DAG file is read without it

    found = running.held(_open()[0].engine)
    log.info("held: %d deliveries wait for a person", len(found))
    return [
        {
            "trigger_run_id": f"held__{one.source}__{one.batch}",
            "conf": {"source": one.source, "stream": one.stream, "batch": one.batch, "read": one.read,
                     "rules": ", ".join(one.rules)},
        }
        for one in found[-ASKED_AT_ONCE:]
    ]  # fmt: skip


def release(conf: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, int]:
    """Publish a held delivery as a person has decided; the reason and the person are kept.

    Raises:
        NobodyAnswered: no reason was given.
    """
    from quality import running  # noqa: PLC0415  # heavy: a DAG file is read without it

    source, batch = str(conf["source"]), int(conf["batch"])
    reason = one_line(str((answer.get("params_input") or {}).get("reason") or ""))
    if not 0 < len(reason) <= LONGEST_REASON:
        got = f"a reason of {len(reason)} characters" if reason else "no reason"
        raise NobodyAnswered(
            f"batch {batch} of {source} stays held: it was approved with {got} (1 to {LONGEST_REASON} are kept). Clear "
            f'the task `ask` and answer again, or use `hub batch accept {source} {batch} --reason "…"`.'
        )
    user = answer.get("responded_by_user") or {}
    name = str(user.get("name") or user.get("id") or "unknown") if isinstance(user, dict) else str(user)
    runtime, sources = _open()
    return _said("released", running.release(
        runtime, sources, source=source, batch=batch, actor=f"airflow:{name}", reason=reason
    ))  # fmt: skip


def _open() -> tuple[Runtime, list[Source]]:
    from connectors.loading import load_sources  # noqa: PLC0415  # heavy: a DAG file is read without it
    from pipeline.runtime import Runtime as Opened  # noqa: PLC0415  # heavy: a DAG file is read without it

    settings = Settings.load()
    return Opened.open(settings), load_sources(settings.sources)


def _said(what: str, counts: dict[str, int]) -> dict[str, int]:
    log.info("%s: %s", what, ", ".join(f"{name} {count}" for name, count in counts.items()) or "nothing")
    return counts
