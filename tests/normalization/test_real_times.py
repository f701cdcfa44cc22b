"""Times of a real permit log in two styles of writing are the same instants."""

from __future__ import annotations

import csv
import gzip
import re
from pathlib import Path

import pytest

from normalization.values import instant
from normalization.values.common import texts_of

LOGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "event_logs"


@pytest.mark.skipif(not LOGS.is_dir(), reason="../shared/data is not here: the real event logs cannot be read")
def test_the_receipt_log_says_the_same_in_csv_and_xes() -> None:
    with (LOGS / "receipt.csv").open(encoding="utf-8-sig", newline="") as lines:
        of_csv = [row["time:timestamp"] for row in csv.DictReader(lines)]
    with gzip.open(LOGS / "receipt.xes.gz", "rt", encoding="utf-8-sig") as log:
        events = log.read().split("<event>")[1:]
    of_xes = [found[1] for event in events if (found := re.search('<date key="time:timestamp" value="([^"]+)"', event))]
    read = [instant.read_column(texts_of(said), "Europe/Amsterdam") for said in (of_csv, of_xes)]
    assert [(len(one.values), one.values.null_count, len(one.faults)) for one in read] == [(8577, 0, 0)] * 2
    assert sorted(read[0].values.to_pylist()) == sorted(read[1].values.to_pylist())
    assert of_csv[0] not in of_xes
