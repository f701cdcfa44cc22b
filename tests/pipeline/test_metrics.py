"""The metrics are the figures of `hub connector health`, in the form that Prometheus reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from connectors.loading import load_sources
from hub.cli import build
from hub.findings import RULES
from pipeline.telling.health import SIGNS
from pipeline.telling.metrics import FAMILIES, gather, render
from sharedrepo.models import OUTCOMES
from sharedrepo.telling.ledger import balances
from tests.departments import GOOD, Department
from tests.journeys.conftest import Hub

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parsed(text: str) -> Samples:
    """What a scraper reads: a value for each name and its labels."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            place = (sample.name, tuple(sorted(sample.labels.items())))
            assert place not in found, f"{place} stands twice"
            found[place] = sample.value
    return found


def scraped(hub: Hub) -> Samples:
    return parsed(render(gather(hub.runtime.engine, [hub.source()])).decode())


def value(samples: Samples, name: str, stream: str, **labels: str) -> float | None:
    return samples.get((name, tuple(sorted({"source": "labour", "stream": stream, **labels}.items()))))


@pytest.fixture
def troubled(hub: Hub, department: Department) -> Hub:
    """A department that has delivered a case, a refused event, and an event whose case has not come."""
    department.declare(schedule="0 2 * * *")
    department.case("C1")
    department.put("PRE_NODE", UNID="bad", PROJID="C1", PHASE_CODE="NOBODY")
    department.put("PRE_NODE", UNID="early", PROJID="C9")
    hub.pull()
    return hub


@pytest.fixture
def shell(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`hub …` over the same repository."""
    settings = hub.runtime.settings
    for name, said in {
        "HUB_HOME": str(settings.home), "HUB_SOURCES": str(settings.sources[0]),
        "HUB_DATABASE_URL": settings.database_url, "HUB_KEYS": settings.keys,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, getattr(said, "get_secret_value", lambda said=said: said)())

    def run(*words: str) -> str:
        result = CliRunner().invoke(build(["metrics", "connector"]), list(words))
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def test_each_figure_equals_the_one_of_the_health_command(troubled: Hub, shell: Any) -> None:
    samples = parsed(shell("metrics"))
    told = json.loads(shell("connector", "health", "--json"))["feeds"]
    assert len(told) == 4
    same = {
        "volume": "hub_stream_volume_records", "usual_volume": "hub_stream_usual_volume_records",
        "error_rate": "hub_stream_error_ratio", "held": "hub_stream_held_batches",
        "receipts_owed": "hub_stream_owed_receipts", "envelope_last": "hub_stream_envelope_number",
    }  # fmt: skip
    for feed in told:
        stream = feed["stream"]
        for figure, name in same.items():
            assert value(samples, name, stream) == feed[figure], (stream, figure)
        assert value(samples, "hub_stream_lag_seconds", stream) == pytest.approx(feed["lag_seconds"])
        for figure in ("last_success", "complete_through"):
            at = feed["last_success_at" if figure == "last_success" else figure]
            seen = value(samples, f"hub_stream_{figure}_timestamp_seconds", stream)
            assert seen == (None if at is None else pytest.approx(datetime.fromisoformat(at).timestamp())), (stream, at)
        signs = {sign for sign in SIGNS if value(samples, "hub_stream_sign", stream, sign=sign) == 1}
        assert signs == set(feed["signs"])


def test_records_are_counted_as_in_the_ledger_and_add_up(troubled: Hub) -> None:
    samples = scraped(troubled)
    for row in balances(troubled.runtime.engine):
        read = value(samples, "hub_stream_read_records_total", row["stream"])
        each = [value(samples, "hub_stream_records_total", row["stream"], outcome=one) for one in OUTCOMES]
        assert read == row["read"]
        assert each == [row[one] for one in OUTCOMES]
        assert sum(one or 0 for one in each) == read


def test_what_waits_and_what_is_wrong_is_counted(troubled: Hub) -> None:
    samples = scraped(troubled)
    assert value(samples, "hub_stream_waiting_records", "PRE_NODE", kind="quarantined") == 1
    assert value(samples, "hub_stream_waiting_records", "PRE_NODE", kind="parked") == 1
    assert value(samples, "hub_stream_waiting_records", "PRE_ACCEPT", kind="parked") == 0
    assert value(samples, "hub_stream_open_findings", "PRE_NODE", rule="unknown_code", effect="refuse") == 1


def test_a_feed_that_never_came_shows_its_sign_and_no_time(hub: Hub, department: Department) -> None:
    samples = scraped(hub)
    assert value(samples, "hub_stream_sign", "PRE_NODE", sign="never") == 1
    assert value(samples, "hub_stream_last_success_timestamp_seconds", "PRE_NODE") is None
    info = tuple(sorted({"source": "labour", "organ": GOOD["PRE_APASINFO"]["DEPTID"], "kind": "database"}.items()))
    assert samples["hub_source_info", info] == 1


def test_labels_have_a_bound_and_nothing_of_a_record_is_in_them(troubled: Hub, department: Department) -> None:
    bounded = {
        "source": {"labour"}, "stream": set(troubled.source().streams), "sign": set(SIGNS), "outcome": set(OUTCOMES),
        "kind": {"quarantined", "parked", "database"}, "rule": set(RULES), "effect": {"refuse", "flag"},
        "organ": {GOOD["PRE_APASINFO"]["DEPTID"]},
    }  # fmt: skip
    for _, labels in scraped(troubled):
        assert [(name, said) for name, said in labels if said not in bounded[name]] == []
    text = render(gather(troubled.runtime.engine, [troubled.source()])).decode()
    personal = {GOOD["PRE_APASINFO"][name] for name in ("APPLYNAME", "APPLY_CARDNUMBER", "TELPHONE", "ADDRESS")}
    assert [said for said in (*personal, "C1", "NOBODY") if said in text] == []
    department.declare(streams=["PRE_APASINFO"])
    assert {dict(labels)["stream"] for name, labels in scraped(troubled) if name.startswith("hub_stream")} == {
        "PRE_APASINFO"
    }, "what is declared no longer takes its lines along"


def test_every_metric_is_exposed_under_its_name(troubled: Hub) -> None:
    named = {name.removesuffix("_total") for name, _ in scraped(troubled)}
    unknown = {"hub_stream_usual_volume_records", "hub_stream_envelope_number"}
    assert named == set(FAMILIES) - unknown, "a first week knows nothing usual; nothing here is numbered"


def test_a_text_file_is_written_whole_for_the_collector(troubled: Hub, shell: Any, tmp_path: Path) -> None:
    file = tmp_path / "hub.prom"
    shell("metrics", "--textfile", str(file))
    assert {name for name, _ in parsed(file.read_text(encoding="utf-8"))} == {name for name, _ in scraped(troubled)}
    assert [one.name for one in tmp_path.glob("hub.prom*")] == ["hub.prom"]
    told = json.loads(shell("metrics", "--json"))["metrics"]
    assert [one["name"] for one in told] == list(FAMILIES)


def test_sources_on_other_clocks_are_asked_by_their_own_day(troubled: Hub, tmp_path: Path) -> None:
    Department(tmp_path / "sources", "abroad", time_zone="America/Los_Angeles")
    both = load_sources([tmp_path / "sources"])
    samples = parsed(render(gather(troubled.runtime.engine, both, now=datetime.now(UTC))).decode())
    assert value(samples, "hub_stream_volume_records", "PRE_NODE") == 4
    never = tuple(sorted({"source": "abroad", "stream": "PRE_NODE", "sign": "never"}.items()))
    assert samples["hub_stream_sign", never] == 1
