"""The health of every declared feed as Prometheus reads it: the same figures as `hub connector health`, and the counts.

What labels may say is bounded: declared sources and their streams, the rules of the hub, outcomes, signs. Nothing of a
record becomes a label.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest, write_to_textfile

from connectors.source import Source
from pipeline.telling.health import SIGNS, Feed, feeds
from sharedrepo.models import OUTCOMES
from sharedrepo.telling import health, ledger

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""What `render` writes, as HTTP names it."""

_FEED = ("source", "stream")

FAMILIES: Mapping[str, tuple[type[CounterMetricFamily] | type[GaugeMetricFamily], str, tuple[str, ...]]] = {
    "hub_source_info": (GaugeMetricFamily, "1 for each declared source, with who it is", ("source", "organ", "kind")),
    "hub_stream_last_success_timestamp_seconds": (
        GaugeMetricFamily, "When a pull last went through to its end, whatever it brought", _FEED,
    ),
    "hub_stream_complete_through_timestamp_seconds": (
        GaugeMetricFamily, "The source time up to which everything has come", _FEED,
    ),
    "hub_stream_lag_seconds": (
        GaugeMetricFamily, "Median, over a week, from the newest record's report to its commit", _FEED,
    ),
    "hub_stream_volume_records": (GaugeMetricFamily, "Records that changed something today", _FEED),
    "hub_stream_usual_volume_records": (
        GaugeMetricFamily, "Average of the latest eight days like today", _FEED,
    ),
    "hub_stream_error_ratio": (GaugeMetricFamily, "Share of the records read in a week that were refused", _FEED),
    "hub_stream_held_batches": (GaugeMetricFamily, "Batches that wait for a person", _FEED),
    "hub_stream_owed_receipts": (GaugeMetricFamily, "Receipts that the source has not had yet", _FEED),
    "hub_stream_envelope_number": (
        GaugeMetricFamily, "The newest number of the stream's envelopes; a gap before it is the sign gap", _FEED,
    ),
    "hub_stream_sign": (GaugeMetricFamily, "1 where the sign of the health page stands, else 0", (*_FEED, "sign")),
    "hub_stream_waiting_records": (
        GaugeMetricFamily, "Records that wait: refused ones, and those whose case has not come", (*_FEED, "kind"),
    ),
    "hub_stream_open_findings": (
        GaugeMetricFamily, "Open findings by rule and effect; none of a rule, no line", (*_FEED, "rule", "effect"),
    ),
    "hub_stream_read_records": (CounterMetricFamily, "Records read, over all pulls", _FEED),
    "hub_stream_records": (
        CounterMetricFamily, "Records read, by what became of them; they add up to those read", (*_FEED, "outcome"),
    ),
}  # fmt: skip
"""Every metric: its type, what it says, its labels. A counter is exposed with `_total` at its end."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the repository knows of the declared feeds, each list read once."""

    sources: Sequence[Source]
    feeds: Sequence[Feed]
    balances: Sequence[Mapping[str, Any]]
    waiting: Sequence[Mapping[str, Any]]
    findings: Sequence[Mapping[str, Any]]


def gather(engine: sa.Engine, sources: Sequence[Source], *, now: datetime | None = None) -> Facts:
    """Ask the repository; what is no longer declared is left out, so that the number of lines has a bound."""
    declared = {(source.code, stream) for source in sources for stream in source.streams}

    def known(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [row for row in rows if (row["source"], row["stream"]) in declared]

    return Facts(
        sources, feeds(engine, sources, now=now), known(ledger.balances(engine)), known(health.waiting(engine)),
        known(health.open_findings(engine)),
    )  # fmt: skip


def families(facts: Facts) -> list[Metric]:
    """Return all metrics with their samples, in the order of `FAMILIES`."""
    made = {name: kind(name, words, labels=labels) for name, (kind, words, labels) in FAMILIES.items()}
    for name, labels, value in _samples(facts):
        if value is not None:
            made[name].add_metric(labels, float(value))
    return list(made.values())


def render(facts: Facts) -> bytes:
    """Write the metrics as Prometheus scrapes them (text format 0.0.4, UTF-8)."""
    return generate_latest(_Families(families(facts)))


def write(facts: Facts, file: Path) -> None:
    """Write the metrics into a file, whole or not at all: its reader never meets half of it."""
    write_to_textfile(str(file), _Families(families(facts)))


def as_values(facts: Facts) -> list[dict[str, Any]]:
    """Return the metrics as JSON values."""
    return [
        {
            "name": one.name,
            "type": one.type,
            "help": one.documentation,
            "samples": [
                {"name": sample.name, "labels": sample.labels, "value": sample.value} for sample in one.samples
            ],
        }
        for one in families(facts)
    ]


@dataclass(frozen=True, slots=True)
class _Families:
    """What the library takes in place of a registry: nothing is kept, every answer is made anew."""

    found: Sequence[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.found


def _samples(facts: Facts) -> Iterator[tuple[str, list[str], Any]]:
    for source in facts.sources:
        yield "hub_source_info", [source.code, source.organ or source.owner.organ, source.kind], 1
    for feed in facts.feeds:
        place = [feed.source, feed.stream]
        yield "hub_stream_last_success_timestamp_seconds", place, _seconds(feed.last_success_at)
        yield "hub_stream_complete_through_timestamp_seconds", place, _seconds(feed.complete_through)
        yield "hub_stream_lag_seconds", place, feed.lag_seconds
        yield "hub_stream_volume_records", place, feed.volume
        yield "hub_stream_usual_volume_records", place, feed.usual_volume
        yield "hub_stream_error_ratio", place, feed.error_rate
        yield "hub_stream_held_batches", place, feed.held
        yield "hub_stream_owed_receipts", place, feed.receipts_owed
        yield "hub_stream_envelope_number", place, feed.envelope_last
        for sign in SIGNS:
            yield "hub_stream_sign", [*place, sign], sign in feed.signs
    for row in facts.balances:
        place = [row["source"], row["stream"]]
        yield "hub_stream_read_records", place, row["read"]
        for outcome in OUTCOMES:
            yield "hub_stream_records", [*place, outcome], row[outcome]
    for row in facts.waiting:
        yield "hub_stream_waiting_records", [row["source"], row["stream"], row["kind"]], row["records"]
    for row in facts.findings:
        place = [row["source"], row["stream"], row["rule"], row["effect"]]
        yield "hub_stream_open_findings", place, row["findings"]


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
