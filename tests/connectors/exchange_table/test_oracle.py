"""Kind exchange_table for servers that nobody here can run: the statements as they would be sent."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import oracle

from connectors.kinds.database.plan import Plan
from connectors.kinds.exchange_table import claims, receipts, statements
from connectors.kinds.exchange_table import terms as terms_module
from connectors.kinds.exchange_table.terms import Terms
from tests.connectors.exchange_table.parts import (
    FLAG,
)


def on_oracle() -> Terms:
    """The terms of a table as they are on Oracle."""
    names = ("SBLSH", "STEP", "NAME", "VERSION", "INSERTTIME", "REC_FLAG", "CLAIM_ID", "RESPONSETIME", "ERR_MSG")
    whole = sa.table("EX_SL", *map(sa.column, names), schema="GDBS")
    one = whole.c
    types = {**{name: sa.String(60) for name in names}, "RESPONSETIME": oracle.DATE()}
    flag = terms_module._flag(one.REC_FLAG, FLAG, types, "oracle", "probe", "sl")
    return Terms(
        Plan(whole, (one.SBLSH, one.NAME), types, ("SBLSH", "NAME"), None, (), exact=False, resumable=False),
        flag, (one.SBLSH, one.STEP), (), (one.INSERTTIME, one.SBLSH, one.STEP), ("REC_FLAG",), "Asia/Shanghai",
        "oracle",
        version=one.VERSION, claim_id=one.CLAIM_ID, receipt_time=one.RESPONSETIME, receipt_error=one.ERR_MSG,
    )  # fmt: skip


def in_oracles_words(statement: Any) -> str:
    written = statement.compile(dialect=oracle.dialect(), compile_kwargs={"render_postcompile": True})
    return re.sub(r"\s+", " ", str(written)).replace('"GDBS"."EX_SL".', "")


def test_the_claim_is_written_in_oracles_words() -> None:
    """Compiled, never run: there is no Oracle here. '' is NULL there, and FOR UPDATE goes with no limit."""
    terms = on_oracle()
    assert in_oracles_words(statements.waiting(terms, [terms.flag.waits()], 10, lock=True)) == (
        'SELECT "SBLSH", "NAME", "CLAIM_ID", "VERSION", "SBLSH" AS "SBLSH__1", "STEP" FROM "GDBS"."EX_SL"'
        ' WHERE "REC_FLAG" IN (:REC_FLAG_1_1) OR "REC_FLAG" IS NULL'
        ' ORDER BY "INSERTTIME", "SBLSH", "STEP" FOR UPDATE SKIP LOCKED'
    )
    assert in_oracles_words(statements.claim(terms, [("a", "1"), ("b", "2")], "id", [terms.flag.waits()])) == (
        'UPDATE "GDBS"."EX_SL" SET "REC_FLAG"=:REC_FLAG, "CLAIM_ID"=:CLAIM_ID'
        ' WHERE ("REC_FLAG" IN (:REC_FLAG_1_1) OR "REC_FLAG" IS NULL) AND "SBLSH" IN (:SBLSH_1_1, :SBLSH_1_2)'
        ' AND ("SBLSH", "STEP") IN ((:param_1_1_1, :param_1_1_2), (:param_1_2_1, :param_1_2_2))'
    )
    assert in_oracles_words(statements.rows(terms, statements.claimed(terms, "hub"))).endswith(
        'WHERE "REC_FLAG" = :REC_FLAG_1 AND "CLAIM_ID" LIKE :CLAIM_ID_1 ORDER BY "INSERTTIME", "SBLSH", "STEP"'
    )


def test_the_receipt_is_written_in_oracles_words() -> None:
    terms = on_oracle()
    done = statements.receipt(terms, [("a", "1")], flag="1", claim_id="id", versions=None)
    assert in_oracles_words(done) == (
        'UPDATE "GDBS"."EX_SL" SET "REC_FLAG"=:REC_FLAG, "RESPONSETIME"=:RESPONSETIME, "ERR_MSG"=:ERR_MSG'
        ' WHERE "REC_FLAG" = :REC_FLAG_1 AND "CLAIM_ID" = :CLAIM_ID_1 AND "VERSION" IS NULL'
        ' AND "SBLSH" IN (:SBLSH_1_1) AND ("SBLSH", "STEP") IN ((:param_1_1_1, :param_1_1_2))'
    )
    values = done.compile(dialect=oracle.dialect()).params
    assert isinstance(values["RESPONSETIME"], datetime), "a text would be read by the session's own form of dates"
    failed = statements.receipt(
        terms, [("a", "1"), ("b", "2")], flag="2", claim_id="id", versions=[1, 2], texts=["x", "y"]
    )
    assert '"ERR_MSG"=CASE WHEN ("SBLSH" = :SBLSH_1 AND "STEP" = :STEP_1' in in_oracles_words(failed)
    assert '("SBLSH", "STEP", "VERSION") IN ((' in in_oracles_words(failed)
    assert receipts._fitted(terms, "拒" * 30) == "拒" * 17 + "…(cut)", "Oracle counts bytes"


def test_an_empty_text_among_the_waiting_values_is_null_on_oracle() -> None:
    assert FLAG["waiting"] == [None, "", "0"]
    assert on_oracle().flag.waiting == (None, "0")


@pytest.mark.parametrize(
    ("name", "version", "maria", "can"),
    [
        ("mysql", (5, 7, 44), False, False), ("mysql", (8, 0, 36), False, True), ("mysql", (10, 5, 9), True, False),
        ("mariadb", (10, 6, 1), True, True), ("postgresql", (9, 6), False, True), ("oracle", (19,), False, True),
        ("dm", (8,), False, False), ("sqlite", (3, 40), False, False),
    ],
)  # fmt: skip
def test_who_can_pass_locked_rows_by(name: str, version: tuple[int, ...], maria: bool, can: bool) -> None:
    class Asked:
        class dialect:  # noqa: N801  # as SQLAlchemy names it
            pass

    Asked.dialect.name, Asked.dialect.server_version_info, Asked.dialect.is_mariadb = name, version, maria  # type: ignore[attr-defined]
    assert claims.passes_locked_rows_by(Asked) is can  # type: ignore[arg-type]
