"""Kind exchange_table for servers that nobody here can run: the statements as they would be sent."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import oracle, postgresql
from sqlalchemy.dialects.postgresql import psycopg2
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.engine.interfaces import Dialect

from connectors.kinds.database.engine import open_engine
from connectors.kinds.database.plan import Plan
from connectors.kinds.exchange_table import claims, receipts, statements
from connectors.kinds.exchange_table import terms as terms_module
from connectors.kinds.exchange_table.terms import Terms
from tests.connectors.exchange_table.parts import (
    FLAG,
)


def on_oracle() -> Terms:
    """The terms of a table as they are on Oracle."""
    return terms_on("oracle", oracle.DATE())


def terms_on(dialect: str, date: Any) -> Terms:
    """The terms of a table with a receipt time of this type."""
    names = ("SBLSH", "STEP", "NAME", "VERSION", "INSERTTIME", "REC_FLAG", "CLAIM_ID", "RESPONSETIME", "ERR_MSG")
    whole = sa.table("EX_SL", *map(sa.column, names), schema="GDBS")
    one = whole.c
    types = {**{name: sa.String(60) for name in names}, "RESPONSETIME": date}
    flag = terms_module._flag(one.REC_FLAG, FLAG, types, dialect, "probe", "sl")
    return Terms(
        Plan(whole, (one.SBLSH, one.NAME), types, ("SBLSH", "NAME"), None, (), exact=False, resumable=False),
        flag, (one.SBLSH, one.STEP), (), (one.INSERTTIME, one.SBLSH, one.STEP), ("REC_FLAG",), "Asia/Shanghai",
        dialect,
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


def compiled(statement: Any, dialect: Dialect) -> str:
    written = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    return re.sub(r"[\s\"]+", " ", str(written)).replace(" GDBS . EX_SL .", "").replace(" GDBS . EX_SL ", " T ")


class Neutral(DefaultDialect):
    """DM's own dialect is a package of its maker's: what stands in SQLAlchemy's own words is what it is given."""

    name = "dm"


def test_what_dm_is_given_are_plain_words() -> None:
    """Compiled, never run: keys are read without a lock, marked where their rows still wait, and read then."""
    terms = terms_on("dm", sa.DateTime())
    assert compiled(statements.keys_of(terms, [terms.flag.waits()], 10), Neutral()) == (
        "SELECT SBLSH , STEP FROM T WHERE REC_FLAG IN (:REC_FLAG_1_1, :REC_FLAG_1_2) OR REC_FLAG IS NULL"
        " ORDER BY INSERTTIME , SBLSH , STEP LIMIT :param_1"
    )
    claim = compiled(statements.claim(terms, [("a", "1")], "id", [terms.flag.waits()]), Neutral())
    receipt = compiled(statements.receipt(terms, [("a", "1")], flag="1", claim_id="id", versions=[1]), Neutral())
    for one in (claim, receipt):
        assert one.startswith("UPDATE T SET REC_FLAG =:REC_FLAG")
        assert not re.search(r"SKIP LOCKED|FOR UPDATE|ANY|CAST|::", one)
    assert "( SBLSH , STEP , VERSION ) IN ((:" in receipt


def test_kingbase_is_given_what_postgresql_is() -> None:
    """Compiled, never run: it is reached by a `postgresql://` address."""
    terms = terms_on("postgresql", postgresql.TIMESTAMP())
    waiting = compiled(statements.waiting(terms, [terms.flag.waits()], 10, lock=True), psycopg2.dialect())
    assert waiting.endswith("LIMIT %(param_1)s FOR UPDATE SKIP LOCKED")
    claim = compiled(statements.claim(terms, [("a", "1")], "id", [terms.flag.waits()]), psycopg2.dialect())
    assert re.search(r"= ANY \(CAST\(\S+ AS TEXT\[\]\)\)$", claim)


def test_a_server_that_speaks_as_postgresql_and_bears_another_name_is_no_fault() -> None:
    class Kingbase:
        """What is asked of a connection while it is opened."""

        class connection:  # noqa: N801  # as SQLAlchemy names it
            class driver_connection:  # noqa: N801  # as SQLAlchemy names it
                server_version = 120_001

        def exec_driver_sql(self, _statement: str) -> Any:
            return self

        def scalar(self) -> str:
            return "KingbaseES V008R006C007B0012 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit"

    dialect: Any = open_engine("postgresql://u:p@127.0.0.1/x", "probe").dialect
    ask = dialect._get_server_version_info
    for number, version in {120_001: (12, 1), 90_624: (9, 6, 24), 0: (10, 0)}.items():
        Kingbase.connection.driver_connection.server_version = number
        assert ask(Kingbase()) == version
