"""Kind `queue`: what is declared, and what is noted of deliveries."""

from __future__ import annotations

from typing import Any

import yaml

from connectors.kinds.queue import QueueConnector
from connectors.kinds.queue.deliveries import Outstanding, Token
from connectors.loading import load_sources
from hub.errors import (
    ConfigError,
)
from tests.connectors.parts import opened, source
from tests.connectors.queue.parts import of
from tests.departments import Department


def test_acknowledgements_are_put_together() -> None:
    outstanding = Outstanding()
    for tag in range(1, 7):
        outstanding.came(tag)
        outstanding.holds(tag, 1)
    assert outstanding.close([2, 1, 4]) == (2, [4])
    assert outstanding.close([5]) == (0, [5])
    assert outstanding.close([3, 6, 99]) == (6, [])
    assert len(outstanding) == 0


def test_a_token_is_read_as_it_was_written() -> None:
    token = Token("ab", 7, 3, 'm"1', None)
    assert Token.read(str(token)) == token


def _faults(department: Department, streams: dict[str, Any], **over: Any) -> list[str]:
    department.declare(kind="queue", **over)
    file = department.folder / "source.yml"
    body = {**yaml.safe_load(file.read_text(encoding="utf-8")), "streams": streams}
    file.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    try:
        load_sources([department.folder.parent])
    except ConfigError as error:
        return [fault.message for fault in error.faults]
    return []


def test_what_does_not_fit_a_queue_is_told(tmp_path: Any) -> None:
    department = Department(tmp_path / "sources")
    good: dict[str, Any] = {"PRE_NODE": {"options": {"queue": "n", "receipts": "r", "stay": 60}}, "PRE_ACCEPT": {}}
    assert _faults(department, good) == []
    wrong = {
        "PRE_NODE": {"options": {"queue": "n", "receipts": "n"}, "cursor": {"field": "CREATE_TIME"}},
        "PRE_ACCEPT": {"options": {"queue": "n", "reject_to": "n"}, "deletion": "snapshot", "budget": {"records": 1}},
        "PRE_TRANSACT": {"options": {"prefetch": 70_000, "envelope": "canal"}},
    }
    said = "\n".join(_faults(department, wrong))
    for words in (
        "receipts 'n' is the queue", "reject_to 'n' is the queue", "has no cursor", "needs whole deliveries",
        "has no budget", "two streams would take", "70000", "canal",
    ):  # fmt: skip
        assert words in said, said


def test_a_source_of_queues_is_opened_by_its_kind() -> None:
    one = of("q")
    assert source("queue", one).kind == "queue"
    assert isinstance(opened("queue", "amqp://guest:guest@127.0.0.1/%2F", one), QueueConnector)
