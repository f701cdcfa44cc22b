"""`python -m bench.watch`: rules, cards, texts and the appraisal over a province's cases, each beside a floor.

A floor is the least that the same work can cost on the same machine: the same rows read once, written once by plain
INSERT, signed or sent by nothing but the call that does it. What is printed is how many times that the hub takes; what
it does beside is evidence, order, uniqueness, log. Times of two machines say nothing; the ratios do.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import hashlib
import io
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from bench.server import Server
from bench.supervision import TOUCHED, filled
from demo.services.phones import Phones, PhonesSettings
from demo.services.phonesetting import file_text
from hub.outward import ask
from hub.protect import Protector
from hub.protect.keys import new_ring
from hub.settings import Settings
from sharedrepo.keyring.signing import Ed25519Signer
from supervision.appraisal import freezing, inputs, ranking
from supervision.cards import evidence, raising
from supervision.clock import service as clock
from supervision.notices import store
from supervision.notices.service import Sender
from supervision.notices.terms import Notice, Recipient
from supervision.rules import service as rules

AS_OF = "2026-06-01T01:00:00+00:00"
MONTH, OVER = "2026-03", datetime(2026, 4, 6, tzinfo=UTC)
SECRET = "bench"
FEW = 20
"""Cases of a batch that is pushed: what a run over them takes must not depend on how many others there are."""
_READ = "SELECT count(*), sum(left_days), count(*) FILTER (WHERE overdue), max(used_percent) FROM supervision.{0}"
_SOME = " WHERE case_id = ANY(:cases)"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured: how many there were, what it took, what its floor took, and what the floor is."""

    name: str
    count: int
    seconds: float
    floor_seconds: float
    floor: str

    @property
    def ratio(self) -> float:
        """Return how many times the floor it took."""
        return self.seconds / max(self.floor_seconds, 1e-6)


def main() -> None:
    """Fill, measure, print; nothing of it stays."""
    parser = argparse.ArgumentParser(prog="python -m bench.watch", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="cases; five stage events each (%(default)s)")
    parser.add_argument("--texts", type=int, default=400, help="texts sent through a gateway (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hub-bench-watch-") as folder:
        server = Server(Path(folder))
        server.start()
        try:
            engine = filled(server, options.cases)
            rows = [
                *cards(engine, options.cases),
                *appraisal(engine, Path(folder)),
                texts(engine, Path(folder), options),
            ]
            engine.dispose()
        finally:
            server.stop()
    print(json.dumps([{**asdict(row), "ratio": row.ratio} for row in rows], indent=2) if options.json else worded(rows))


def cards(engine: sa.Engine, cases: int) -> Iterator[Row]:
    """Measure rules and cards: over all cases, again with nothing new, after some changed, and the seals."""
    clock.recount_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE ledger.stream SET complete_through = '2027-01-01', complete_basis = 'declared'"
        )
        rules.begin(connection, date(2000, 1, 1), actor="bench", reason="closed cases of the past raise cards, too")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE supervision.clock, supervision.clock_stage")
    read, _ = _timed(lambda: _reading(engine, None))
    first, done = _timed(lambda: _judged(engine, None))
    yield Row("rules over all cases, cards raised", done.raised, first, read + _written(engine),
              "clocks and stages read once, the cards' rows inserted once")  # fmt: skip
    again, done = _timed(lambda: _judged(engine, None))
    yield Row("rules over all cases, nothing new", done.cases, again, read, "clocks and stages read once")
    for name, count in (("rules after cases changed", TOUCHED), ("rules after few cases changed", FEW)):
        some = list(range(1, cases + 1, max(cases // count, 1)))[:count]
        read, _ = _timed(lambda some=some: _reading(engine, some))  # type: ignore[misc]  # bound as it is made
        touched, _ = _timed(lambda some=some: _judged(engine, some))  # type: ignore[misc]  # as above
        yield Row(name, len(some), touched, read, "their clocks and stages read once")
    yield _sealed(engine)


def _judged(engine: sa.Engine, cases: list[int] | None) -> Any:
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT set_config('hub.now', :now, true)"), {"now": AS_OF})
        return raising.run(connection, cases=cases)


def _reading(engine: sa.Engine, cases: list[int] | None) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT set_config('hub.now', :now, true)"), {"now": AS_OF})
        for view in ("clock_now", "stage_now"):
            query = _READ.format(view) + ("" if cases is None else _SOME)
            connection.execute(sa.text(query), {} if cases is None else {"cases": cases})


def _written(engine: sa.Engine) -> float:
    """Return how long it takes to insert the cards that are there, with all indexes and no more."""
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE bench_card (LIKE supervision.card INCLUDING ALL)")
        took, _ = _timed(lambda: connection.exec_driver_sql("INSERT INTO bench_card SELECT * FROM supervision.card"))
        connection.exec_driver_sql("DROP TABLE bench_card")
    return took


def _sealed(engine: sa.Engine) -> Row:
    signer = Ed25519Signer.of(new_ring())

    def seal() -> int:
        with engine.begin() as connection:
            return int(evidence.seal(connection, signer))

    took, count = _timed(seal)
    floor, _ = _timed(lambda: [signer.sign(b"x" * 64, "bench+jws") for _ in range(count)])
    return Row("cards sealed", count, took, floor, "as many signatures alone")


def appraisal(engine: sa.Engine, folder: Path) -> Iterator[Row]:
    """Measure a month frozen and recomputed from its files."""
    took, frozen = _timed(lambda: freezing.freeze(engine, MONTH, actor="bench", now=OVER))
    out = io.StringIO()

    def copied() -> None:
        with engine.begin() as connection:
            cursor: Any = connection.connection.cursor()  # the driver's, for COPY
            cursor.execute("SELECT set_config('hub.now', %s, true)", (OVER.isoformat(),))
            cursor.copy_expert(
                "COPY (SELECT k.* FROM supervision.clock_now AS k WHERE k.applied_at < '2026-04-01' AND (k.closed_at "
                "IS NULL OR k.closed_at >= '2026-03-01') ORDER BY k.case_id) TO STDOUT (FORMAT csv)", out,
            )  # fmt: skip

    floor, _ = _timed(copied)
    freezing.export(engine, frozen, folder / "month")
    lines = sum(1 for _ in (folder / "month" / "cases.csv").open(encoding="utf-8")) - 1
    yield Row("a month frozen", lines, took, floor, "the clocks of its cases by COPY to text")
    took, _ = _timed(lambda: inputs.canonical(ranking.ranked(inputs.from_folder(folder / "month", MONTH))))
    floor, _ = _timed(lambda: _parsed(folder / "month"))
    yield Row("a month recomputed from its files", lines, took, floor, "the files hashed and parsed once")


def _parsed(folder: Path) -> None:
    for file in folder.glob("*.csv"):
        data = file.read_bytes()
        hashlib.sha256(data).hexdigest()
        for _ in csv.reader(io.StringIO(data.decode())):
            pass


def texts(engine: sa.Engine, folder: Path, options: argparse.Namespace) -> Row:
    """Measure texts through the outbox and a gateway that answers at once."""
    with _phones(folder) as gateway:
        file = folder / "sms.yml"
        file.write_text(file_text(gateway.at), encoding="utf-8")
        settings = Settings(home=folder, sms_gateway=file, sms_secret=SecretStr(SECRET), notice_quiet="none")
        protector = Protector(new_ring())
        sender = Sender.of(engine, protector, settings)
        now = datetime.now(UTC)
        with engine.begin() as connection:
            store.enqueue(connection, protector, (_notice(n) for n in range(options.texts)), now=now)
        took, counts = _timed(lambda: asyncio.run(sender.round()))
        assert counts["sent"] == options.texts, counts
        assert sender.gateway is not None
        of = sender.gateway.of

        async def plain() -> None:
            values = {"phone": "13912345678", "text": "x" * 60, "secret": SECRET}

            async def some(part: int) -> None:
                for number in range(part, options.texts, 4):
                    said = {**values, "key": f"floor-{number}"}
                    await ask(of.send.request(said, of.charset), seconds=of.seconds)

            await asyncio.gather(*(some(part) for part in range(4)))

        floor, _ = _timed(lambda: asyncio.run(plain()))
    return Row("texts sent", options.texts, took, floor, "as many requests to the gateway alone, four at once")


def _notice(number: int) -> Notice:
    put = {"organ": "省住房和城乡建设厅", "card": f"YJ-{number:06d}", "due": "2026-11-28", "feedback": "2026-12-04"}
    return Notice(
        f"card:{number}", Recipient(f"duty:{number}", "王小明", "13912345678"), words="warning.tomorrow",
        level="warning", organ="A1", card_id=number, put=put,
    )  # fmt: skip


@contextmanager
def _phones(folder: Path) -> Iterator[Phones]:
    server = Phones(folder / "phones.sqlite", PhonesSettings(0, SECRET))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _timed(what: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    done = what()
    return time.perf_counter() - began, done


def worded(rows: list[Row]) -> str:
    """Word the figures."""
    lines = [f"{'':36}{'how many':>10}{'seconds':>10}{'floor':>10}{'times':>8}  the floor"]
    lines += [
        f"{row.name:36}{row.count:>10,}{row.seconds:>10.2f}{row.floor_seconds:>10.2f}{row.ratio:>8.1f}  {row.floor}"
        for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
