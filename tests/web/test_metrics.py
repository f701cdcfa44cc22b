"""`GET /metrics`: for clients that have the right, and the same as `hub metrics` prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from pipeline.runtime import Runtime
from tests.departments import Department
from tests.journeys.conftest import Hub


@pytest.fixture
def pulled(hub: Hub, department: Department) -> Hub:
    department.case("C1")
    hub.pull()
    return hub


@pytest.fixture
def department(tmp_path: Path) -> Department:
    return Department(tmp_path / "sources")


@pytest.fixture
def hub(runtime: Runtime, department: Department) -> Hub:
    return Hub(runtime, department)


def scrape(service: str, token: str) -> requests.Response:
    return requests.get(f"{service}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def test_a_scrape_reads_the_figures_of_every_feed(
    pulled: Hub, service: str, token_for: Callable[..., str]
) -> None:  # fmt: skip
    answer = scrape(service, token_for("metrics"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    read = {
        sample.labels["stream"]: sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == "hub_stream_read_records_total"
    }
    assert read == {"PRE_APASINFO": 1, "PRE_ACCEPT": 1, "PRE_NODE": 4, "PRE_TRANSACT": 1}


def test_a_client_of_another_right_is_not_let_in(service: str, token_for: Callable[..., str]) -> None:
    assert scrape(service, token_for("push:labour")).status_code == 403
    assert requests.get(f"{service}/metrics", timeout=30).status_code == 401


def test_a_faulty_folder_is_told_instead_of_half_the_feeds(
    pulled: Hub, service: str, token_for: Callable[..., str]
) -> None:  # fmt: skip
    pulled.department.declare(kind="carrier pigeon")
    answer = scrape(service, token_for("metrics"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "hub source list" in answer.json()["hint"]
    assert "pigeon" not in answer.text
