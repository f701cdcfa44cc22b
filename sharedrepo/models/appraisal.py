"""绩效考核: what is entered by hand, the frozen months, the editions of their ranking, objections and samples."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA

from sharedrepo.models.base import column, instant, metadata

EDITION_STATES = ("draft", "hearing", "published", "withdrawn")
"""草稿, 征求意见, 已发布, 已撤回: a published edition never changes; what is wrong in it is mended by the next one."""
OBJECTION_OUTCOMES = ("upheld", "rejected")
"""成立, 不成立."""


def _one_of(name: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{name} IN ({', '.join(repr(one) for one in words)})", name=name)


rating = sa.Table(
    "rating",
    metadata,
    column("rating_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("number", sa.Text(), nullable=False, unique=True),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("case_number", sa.Text()),
    column("channel", sa.SmallInteger(), nullable=False),
    column("satisfaction", sa.SmallInteger(), nullable=False),
    column("rated_on", sa.Date(), nullable=False),
    column("mended_on", sa.Date()),
    column("valid", sa.Boolean(), nullable=False, server_default=sa.true()),
    column("imported_by", sa.Text(), nullable=False),
    instant("imported_at", nullable=False, server_default=sa.text("now()")),
    sa.CheckConstraint("satisfaction BETWEEN 1 AND 5", name="satisfaction"),
    sa.CheckConstraint("channel BETWEEN 1 AND 5", name="channel"),
    sa.Index("ix_rating_rated_on", "rated_on"),
    schema="supervision",
    comment="好差评: what applicants said of a service, 5 非常满意 to 1 非常不满意; their words are not kept here.",
)

merit = sa.Table(
    "merit",
    metadata,
    column("merit_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("month", sa.CHAR(7), nullable=False, privacy="public", index=True),
    column("level", sa.Text(), nullable=False, privacy="public"),
    column("unit", sa.Text(), nullable=False, privacy="public"),
    column("head", sa.Text(), nullable=False, privacy="public"),
    column("unit_value", sa.Numeric(10, 2), nullable=False, privacy="public"),
    column("quantity", sa.Numeric(10, 2), nullable=False, privacy="public"),
    column("reason", sa.Text(), nullable=False, privacy="public"),
    column("entered_by", sa.Text(), nullable=False),
    instant("entered_at", nullable=False, server_default=sa.text("now()")),
    column("withdrawn_by", sa.Text()),
    instant("withdrawn_at"),
    column("withdrawn_reason", sa.Text()),
    schema="supervision",
    comment="增减分: points entered by hand for a unit and month, with unit value, quantity, reason, and by whom.",
)

appraisal_month = sa.Table(
    "appraisal_month",
    metadata,
    column("month", sa.CHAR(7), primary_key=True, privacy="public"),
    column("salt", BYTEA(), nullable=False, privacy="sensitive"),
    schema="supervision",
    comment="考核月份: the secret from which the cases of a month get the pseudonyms under which they are published.",
)

frozen_month = sa.Table(
    "frozen_month",
    metadata,
    column("freeze_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("month", sa.CHAR(7), nullable=False, privacy="public"),
    column("number", sa.Integer(), nullable=False, privacy="public"),
    column("formula", sa.Text(), nullable=False, privacy="public"),
    column("digest", sa.Text(), nullable=False, privacy="public"),
    column("frozen_by", sa.Text(), nullable=False),
    instant("frozen_at", nullable=False, server_default=sa.text("now()"), privacy="public"),
    column("reason", sa.Text(), privacy="public"),
    sa.UniqueConstraint("month", "number"),
    schema="supervision",
    comment="封存: the inputs of a month at an instant, by the digest of their manifest; rows are only added.",
)

frozen_file = sa.Table(
    "frozen_file",
    metadata,
    column(
        "freeze_id", sa.BigInteger(), sa.ForeignKey(frozen_month.c.freeze_id), primary_key=True, autoincrement=False
    ),
    column("name", sa.Text(), primary_key=True, privacy="public"),
    column("private", sa.Boolean(), nullable=False),
    column("content", BYTEA(), nullable=False, privacy="sensitive"),
    schema="supervision",
    comment="封存文件: each file of frozen inputs, compressed (Zstandard); private ones are never published.",
)

edition = sa.Table(
    "edition",
    metadata,
    column("edition_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("month", sa.CHAR(7), nullable=False, privacy="public"),
    column("number", sa.Integer(), privacy="public"),
    column("state", sa.Text(), nullable=False, server_default="draft", privacy="public"),
    column("freeze_id", sa.BigInteger(), sa.ForeignKey(frozen_month.c.freeze_id), nullable=False),
    column("ranking", BYTEA(), nullable=False, privacy="public"),
    column("ranking_digest", sa.Text(), nullable=False, privacy="public"),
    column("reason", sa.Text(), privacy="public"),
    column("hearing_until", sa.Date(), privacy="public"),
    column("published_by", sa.Text()),
    instant("published_at", privacy="public"),
    column("signature", sa.Text(), privacy="public"),
    _one_of("state", EDITION_STATES),
    sa.CheckConstraint(
        "(state = 'published') = (number IS NOT NULL AND published_at IS NOT NULL AND signature IS NOT NULL)",
        name="published",
    ),
    sa.UniqueConstraint("month", "number"),
    sa.Index("ix_edition_under_way", "month", unique=True, postgresql_where=sa.text("state IN ('draft', 'hearing')")),
    schema="supervision",
    comment="排名版次: a month's ranking on its way; published ones are numbered, sealed and never change.",
)

year_edition = sa.Table(
    "year_edition",
    metadata,
    column("year_edition_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("year", sa.Text(), nullable=False, privacy="public"),
    column("number", sa.Integer(), nullable=False, privacy="public"),
    column("ranking", BYTEA(), nullable=False, privacy="public"),
    column("ranking_digest", sa.Text(), nullable=False, privacy="public"),
    column("reason", sa.Text(), privacy="public"),
    column("published_by", sa.Text(), nullable=False),
    instant("published_at", nullable=False, privacy="public"),
    column("signature", sa.Text(), nullable=False, privacy="public"),
    sa.UniqueConstraint("year", "number"),
    schema="supervision",
    comment="年度排名版次: the published ranking of a year or half-year, numbered and sealed; rows are only added.",
)

edition_deed = sa.Table(
    "edition_deed",
    metadata,
    column("deed_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("edition_id", sa.BigInteger(), sa.ForeignKey(edition.c.edition_id), nullable=False, index=True),
    instant("at", nullable=False, server_default=sa.text("now()")),
    column("actor", sa.Text(), nullable=False),
    column("what", sa.Text(), nullable=False),
    column("reason", sa.Text()),
    schema="supervision",
    comment="版次留痕: who drafted, heard, published or withdrew an edition, when and why. Rows are only added.",
)

objection = sa.Table(
    "objection",
    metadata,
    column("objection_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("edition_id", sa.BigInteger(), sa.ForeignKey(edition.c.edition_id), nullable=False, index=True),
    column("level", sa.Text(), nullable=False, privacy="public"),
    column("unit", sa.Text(), nullable=False, privacy="public"),
    column("about", sa.Text(), nullable=False, privacy="public"),
    column("said", sa.Text(), nullable=False),
    column("lodged_by", sa.Text(), nullable=False),
    instant("lodged_at", nullable=False, server_default=sa.text("now()"), privacy="public"),
    column("outcome", sa.Text(), privacy="public"),
    column("answer", sa.Text()),
    column("answered_by", sa.Text()),
    instant("answered_at", privacy="public"),
    _one_of("outcome", OBJECTION_OUTCOMES),
    sa.CheckConstraint(
        "(outcome IS NULL) = (answered_by IS NULL) AND answered_by IS DISTINCT FROM lodged_by", name="four_eyes"
    ),
    schema="supervision",
    comment="异议: what a unit objects to in a ranking under hearing, and the answer that somebody else gave.",
)

appraisal_sample = sa.Table(
    "appraisal_sample",
    metadata,
    column("sample_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("freeze_id", sa.BigInteger(), sa.ForeignKey(frozen_month.c.freeze_id), nullable=False, index=True),
    column("seed", sa.Text(), nullable=False, privacy="public"),
    column("size", sa.Integer(), nullable=False, privacy="public"),
    column("organ", sa.Text(), privacy="public"),
    column("drawn_by", sa.Text(), nullable=False),
    instant("drawn_at", nullable=False, server_default=sa.text("now()"), privacy="public"),
    sa.CheckConstraint("size > 0", name="size"),
    schema="supervision",
    comment="抽查: random samples of a month's closed cases, by the seed with which anybody draws them again.",
)
