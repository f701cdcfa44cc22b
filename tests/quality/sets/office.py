"""An office whose cases are written straight into the repository's tables, and an honest case of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from connectors.source import Source
from hub.documents import Documents
from quality.sets.service import check

START = datetime(2026, 1, 5, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STAGES = ("accept", "undertake", "review", "approve", "complete")
ORGAN = "11330000002482285J"


class Office:
    """An office whose cases are written straight into the repository's tables."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._numbers: Iterator[int] = iter(range(1, 1_000_000))
        self.put("core.source_system", source_system_id=1, code="office", title="an office", organ=ORGAN, kind="files")
        self.put("ledger.stream", stream_id=1, source_system_id=1, name="all")
        self.put(
            "ledger.batch", batch_id=1, source_system_id=1, seq=1, stream_id=1, kind="pull", mapping_version="m",
            read_at=START, recorded_at=START, read=0,
        )  # fmt: skip

    def put(self, table: str, **row: Any) -> None:
        names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        with self.engine.begin() as connection:
            connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)

    def run(self, statement: str) -> None:
        """Change what is written already."""
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement))

    def row(self, table: str, **row: Any) -> int:
        number = next(self._numbers)
        self.put(f"core.{table}", record_id=number, part=0, batch_id=1, content_hash=b"", **row)
        return number

    def case(self, place: int, *, gap: timedelta, closed: timedelta, due: timedelta, decided: bool = True) -> int:
        """Write a closed promised case with five stages; times are counted from its application."""
        applied = START + timedelta(days=place, minutes=7 * place)
        number = f"C{place}"
        case = self.row(
            "approval_case", source_system_id=1, case_number=number, handling_organ=ORGAN, case_kind="promised",
            applied_at=applied, applied_at_precision="s", reported_at=applied + timedelta(hours=1),
        )  # fmt: skip
        firsts = {f"{stage}_first": applied + closed * (at + 1) / 5 for at, stage in enumerate(STAGES)}
        self.put(
            "core.case_overview", case_id=case, state="closed", events=5, applied_at=applied, accepted_at=applied + gap,
            due_at=applied + due, closed_at=applied + closed, closing_outcome="granted", pauses_open=0, **firsts,
        )  # fmt: skip
        if decided:
            self.row(
                "decision", source_system_id=1, case_number=number, organ=ORGAN, document_number=f"许{place}",
                decision_kind="decision", outcome="granted", decided_at=applied + closed, decided_at_precision="s",
            )  # fmt: skip
        return case

    def stage(self, case: int, at: datetime, *, stage: str = "review", opinion: str, reported: datetime) -> None:
        self.row(
            "stage_event", case_id=case, stage=stage, started_at=at, started_at_precision="s", finished_at=at,
            finished_at_precision="s", opinion=opinion, reported_at=reported,
        )  # fmt: skip

    def broken(self, *documents: str, sources: Sequence[Source] = ()) -> set[tuple[str, str]]:
        """What does not hold at the end of February."""
        report = check(self.engine, sources, Documents.load(), as_of=date(2026, 2, 28), only=documents, keep=False)
        return {(one.rule, one.field) for one in report.failed}


def honest(office: Office, place: int) -> int:
    return office.case(place, gap=HOUR + timedelta(seconds=97 * place), closed=(2 + place % 5) * DAY, due=15 * DAY)
