"""The examples for Prometheus: read as YAML, and naming nothing that does not exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.core import CounterMetricFamily

from pipeline.telling.health import SIGNS
from pipeline.telling.metrics import FAMILIES

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "operate" / "prometheus"
PAGE = FOLDER.parent / "metrics.md"
EXPOSED = {name + ("_total" if kind is CounterMetricFamily else "") for name, (kind, _, _) in FAMILIES.items()}


def rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]  # fmt: skip
    return found


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_names_metrics_and_labels_that_exist(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\bhub_\w+", rule["expr"]))
    assert named <= EXPOSED
    labels = {label for name in named for label in FAMILIES[name.removesuffix("_total")][2]}
    assert set(re.findall(r"(\w+)=~?\"", rule["expr"])) <= {*labels, "job"}
    for said in re.findall(r'sign=~?"([^"]+)"', rule["expr"]):
        assert set(said.split("|")) <= set(SIGNS)
    assert {"summary", "description"} <= set(rule["annotations"])
    assert set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))) <= labels


def test_every_sign_raises_an_alert_or_has_a_figure_that_does() -> None:
    said = " ".join(rule["expr"] for rule in rules())
    by_figure = {"failing": "error_ratio", "held": "held_batches", "owing": "owed_receipts"}
    assert [sign for sign in SIGNS if by_figure.get(sign, sign) not in said] == []


def test_the_scrape_asks_where_the_hub_answers() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    [job] = config["scrape_configs"]
    assert (job["job_name"], job["metrics_path"]) == ("hub", "/metrics")
    assert [(FOLDER / name).is_file() for name in config["rule_files"]] == [True]


def test_every_metric_has_its_line() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in sorted(EXPOSED) if f"| `{name}` |" not in page] == []


def test_prometheus_itself_takes_the_files() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool on this machine (Debian package prometheus)")
    for words in (["check", "rules", "alerts.yml"], ["check", "config", "--syntax-only", "prometheus.yml"]):
        done = subprocess.run([promtool, *words], cwd=FOLDER, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
