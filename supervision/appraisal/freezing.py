"""Freezes the inputs of a month, keeps their very bytes, and hands them out again.

A month may be frozen anew, with a reason: what was frozen before stays. Public files hold no case number and no person;
which case stands under which pseudonym, and who worked on it, stand in private files.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
import zstandard
from psycopg2.errors import LockNotAvailable
from sqlalchemy.exc import OperationalError

from hub.sentences import sentence
from hub.workdays import ZONE
from supervision.appraisal import formulas, gathering, inputs, moments, rates
from supervision.appraisal.errors import AppraisalRefused
from supervision.appraisal.inputs import FORMULA, LARGEST, MANIFEST, Inputs
from supervision.appraisal.terms import CASE_NUMBERS, FILES, GOOD_FROM, MENDED_WITHIN, STAFF

NUMBERS: Final = "case_numbers.csv"
_LOCK: Final = "hashtext('hub.appraisal')"


@dataclass(frozen=True, slots=True)
class Frozen:
    """The inputs of a month as they were frozen: the how-manieth time, by which formula, under which digest."""

    freeze_id: int
    month: str
    number: int
    formula: str
    digest: str
    frozen_by: str
    frozen_at: datetime
    reason: str | None


def staff_file(organ: str) -> str:
    """Return the name of the private file that says who worked on an organ's cases."""
    return f"staff-{inputs.sha256(organ.encode())[:16]}.csv"


def freeze(
    engine: sa.Engine,
    month: str,
    *,
    actor: str,
    formula: str = "full/v1",
    reason: str | None = None,
    now: datetime | None = None,
) -> Frozen:
    """Freeze the inputs of a month that is over, under a formula; a second time needs a reason.

    Who freezes while somebody else does waits until that one has ended, and then sees what was frozen.

    Raises:
        AppraisalRefused: it is no month, is not over, was frozen before and no reason is given, or somebody else
            freezes for longer than a statement may wait.
        ConfigError: there is no such formula, or it is wrong.
    """
    moment = now or moments.now()
    published = formulas.named(formula)
    checked(month)
    with (
        _alone(engine, month),
        engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
        connection.begin(),
    ):
        values = gathering.values_of(month, _salt(connection, month), moment)
        values |= {"good": GOOD_FROM, "within": MENDED_WITHIN}
        if moment < values["next"]:
            raise AppraisalRefused(month, "this month is not over", f"Freeze it from {values['next']:%Y-%m-%d} on.")
        number = _next_number(connection, month, reason)
        files, private = _gathered(connection, values)
        files |= {FORMULA: published.data, rates.FILE: rates.own()}
        manifest = inputs.manifest_of(
            month, files, private, frozen=number, frozen_at=moment.astimezone(ZONE).isoformat(timespec="seconds"),
            formula=published.formula.name, reason=reason,
        )  # fmt: skip
        return _kept(connection, month, number, actor, moment, reason, published.formula.name,
                     {MANIFEST: manifest, **files}, private)  # fmt: skip


@contextmanager
def _alone(engine: sa.Engine, month: str) -> Iterator[None]:
    """Let one freeze at a time.

    The lock is had before the transaction begins: one that reads a month as of one moment and waits in it reads as of
    the moment at which it began to wait.

    Raises:
        AppraisalRefused: somebody else freezes for longer than a statement may wait.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        try:
            guard.execute(sa.text(f"SELECT pg_advisory_lock({_LOCK})"))
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            raise AppraisalRefused(
                month, "somebody else is freezing a month just now", "Look at what was frozen, then repeat."
            ) from None
        try:
            yield
        finally:
            guard.execute(sa.text(f"SELECT pg_advisory_unlock({_LOCK})"))


def checked(month: str) -> str:
    """Return a month that is written as one.

    Raises:
        AppraisalRefused: it is none.
    """
    if not inputs.is_month(month):
        raise AppraisalRefused(month[:20], "this is no month", "Write it as 2026-10.")
    return month


def found(engine: sa.Engine, month: str, number: int | None = None) -> Frozen:
    """Return the inputs of a month as frozen last, or those of a number.

    Raises:
        AppraisalRefused: the month was not frozen, or not so often.
    """
    query = """SELECT freeze_id, month, number, formula, digest, frozen_by, frozen_at, reason
               FROM supervision.frozen_month
               WHERE month = :month AND (CAST(:number AS int) IS NULL OR number = :number)
               ORDER BY number DESC LIMIT 1"""
    with engine.connect() as connection:
        row = connection.execute(sa.text(query), {"month": checked(month), "number": number}).first()
    if row is None:
        which = "" if number is None else f" under number {number}"
        raise AppraisalRefused(month, f"its inputs are not frozen{which}", "Run `hub supervise freeze` first.")
    return Frozen(**row._asdict())


def by_id(engine: sa.Engine, freeze_id: int) -> Frozen:
    """Return frozen inputs by their key."""
    query = """SELECT freeze_id, month, number, formula, digest, frozen_by, frozen_at, reason
               FROM supervision.frozen_month WHERE freeze_id = :id"""
    with engine.connect() as connection:
        return Frozen(**connection.execute(sa.text(query), {"id": freeze_id}).one()._asdict())


def file(engine: sa.Engine, frozen: Frozen, name: str, *, private: bool = False) -> bytes | None:
    """Return the bytes of a frozen file; None where there is none of this name (among the private ones, if asked)."""
    query = """SELECT content FROM supervision.frozen_file
               WHERE freeze_id = :id AND name = :name AND private = :private"""
    with engine.connect() as connection:
        values = {"id": frozen.freeze_id, "name": name, "private": private}
        content = connection.scalar(sa.text(query), values)
    return None if content is None else _unpacked(content)


def names(engine: sa.Engine, frozen: Frozen) -> list[str]:
    """Return the names of the public files, the manifest first."""
    query = """SELECT name FROM supervision.frozen_file WHERE freeze_id = :id AND NOT private
               ORDER BY name <> :manifest, name COLLATE "C" """
    with engine.connect() as connection:
        return list(connection.scalars(sa.text(query), {"id": frozen.freeze_id, "manifest": MANIFEST}))


def opened(engine: sa.Engine, frozen: Frozen) -> Inputs:
    """Return the frozen inputs, proven by their digests."""

    def fetch(name: str, _largest: int) -> bytes:
        data = file(engine, frozen, name)
        if data is None:
            got = sentence("{name} is not among the frozen files", name=name)
            raise AppraisalRefused(frozen.month, got, "Freeze the month anew.")
        return data

    return inputs.opened(fetch, frozen.month)


def export(engine: sa.Engine, frozen: Frozen, folder: Path, *, organ: str | None = None) -> list[str]:
    """Write the public files into a folder; with an organ also the private ones on its own cases. Return the names.

    Raises:
        AppraisalRefused: the folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AppraisalRefused(frozen.month, f"{folder.name} is not empty", "Name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    written = names(engine, frozen)
    for name in written:
        (folder / name).write_bytes(file(engine, frozen, name) or b"")
    if organ is not None and (data := file(engine, frozen, staff_file(organ), private=True)) is not None:
        (folder / staff_file(organ)).write_bytes(data)
        written.append(staff_file(organ))
    return written


def level_of(engine: sa.Engine, organ: str) -> str:
    """Return the level at which an organ is ranked."""
    query = """SELECT level FROM core.organ WHERE code = :organ ORDER BY valid_from DESC, record_id LIMIT 1"""
    with engine.connect() as connection:
        level = connection.scalar(sa.text(query), {"organ": organ})
    return {"city": "city_department", "county": "county_department"}.get(level or "", "department")


def case_numbers(engine: sa.Engine, frozen: Frozen) -> dict[str, tuple[str, str]]:
    """Return source and case number behind each pseudonym; for those who are signed in, never for the public."""
    return {row["case"]: (row["source"], row["case_number"])
            for row in private_rows(engine, frozen, NUMBERS, CASE_NUMBERS)}  # fmt: skip


def private_rows(engine: sa.Engine, frozen: Frozen, name: str, columns: tuple[str, ...]) -> list[inputs.Row]:
    """Return the rows of a private file, proven by the manifest; none where there is no such file."""
    return _rows(engine, frozen, name, columns, "private")


def rows(engine: sa.Engine, frozen: Frozen, name: str) -> list[inputs.Row]:
    """Return the rows of one public file, proven by the manifest, without reading the others."""
    return _rows(engine, frozen, name, FILES[name], "files")


def _rows(engine: sa.Engine, frozen: Frozen, name: str, columns: tuple[str, ...], among: str) -> list[inputs.Row]:
    data, manifest = file(engine, frozen, name, private=among == "private"), file(engine, frozen, MANIFEST)
    if data is None or manifest is None:
        return []
    said = inputs.manifest_read(manifest, frozen.month)
    return list(inputs.rows_of(name, columns, data, said[among][name]["sha256"]))


def _gathered(connection: sa.Connection, values: dict[str, Any]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    gathering.begin(connection, values)
    files = {name: inputs.written(FILES[name], rows) for name, rows in gathering.public(connection, values)}
    private = {NUMBERS: inputs.written(CASE_NUMBERS, gathering.case_numbers(connection, values))}
    private |= {staff_file(organ): inputs.written(STAFF, rows)
                for organ, rows in gathering.staff(connection, values).items()}  # fmt: skip
    return files, private


def _kept(
    connection: sa.Connection, month: str, number: int, actor: str, at: datetime, reason: str | None, formula: str,
    files: dict[str, bytes], private: dict[str, bytes],
) -> Frozen:  # fmt: skip
    row = connection.execute(
        sa.text("""INSERT INTO supervision.frozen_month (month, number, formula, digest, frozen_by, frozen_at, reason)
                   VALUES (:month, :number, :formula, :digest, :actor, :at, :reason)
                   RETURNING freeze_id, month, number, formula, digest, frozen_by, frozen_at, reason"""),
        {"month": month, "number": number, "formula": formula, "digest": inputs.sha256(files[MANIFEST]),
         "actor": actor, "at": at, "reason": reason},
    ).one()  # fmt: skip
    frozen = Frozen(**row._asdict())
    packer = zstandard.ZstdCompressor(level=9)
    connection.execute(
        sa.text("""INSERT INTO supervision.frozen_file (freeze_id, name, private, content)
                   VALUES (:id, :name, :private, :content)"""),
        [
            {"id": frozen.freeze_id, "name": name, "private": hidden, "content": packer.compress(data)}
            for hidden, some in ((False, files), (True, private))
            for name, data in some.items()
        ],
    )
    return frozen


def _salt(connection: sa.Connection, month: str) -> bytes:
    connection.execute(
        sa.text("INSERT INTO supervision.appraisal_month (month, salt) VALUES (:month, :salt) ON CONFLICT DO NOTHING"),
        {"month": month, "salt": secrets.token_bytes(32)},
    )
    query = sa.text("SELECT salt FROM supervision.appraisal_month WHERE month = :month")
    return bytes(connection.execute(query, {"month": month}).scalar_one())


def _next_number(connection: sa.Connection, month: str, reason: str | None) -> int:
    query = "SELECT coalesce(max(number), 0) + 1 FROM supervision.frozen_month WHERE month = :month"
    number = int(connection.scalar(sa.text(query), {"month": month}) or 1)
    if number > 1 and not (reason or "").strip():
        raise AppraisalRefused(month, f"its inputs were frozen {number - 1} time(s) already", "Say why: `--reason`.")
    return number


def _unpacked(content: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(bytes(content), max_output_size=LARGEST)
