"""The item catalogue: items, their numbers, their versions, and who proposed, reviewed and published each."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from sharedrepo.models.base import column, instant, metadata

STATES = ("draft", "in_review", "to_publish", "published", "withdrawn")
"""草稿, 审核中, 拟发布, 发布, 撤回: where a version stands on its way; a published one never changes again."""
STATUSES = ("in_force", "suspended", "abolished", "devolved")
"""在用, 暂停, 取消, 下放: what a version says of its item from its effective day on."""
CHANGES = ("new", "change", "suspend", "restore", "abolish", "devolve")
"""Why there is a version: 新增, 变更, 暂停, 恢复, 取消, 下放."""


def _one_of(name: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{name} IN ({', '.join(repr(one) for one in words)})", name=name)


catalog_item = sa.Table(
    "item",
    metadata,
    column("item_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("code", sa.Text(), nullable=False, unique=True, privacy="public"),
    column("base_code", sa.Text(), privacy="public", index=True),
    column("organ", sa.Text(), nullable=False, privacy="public", index=True),
    column("region", sa.Text(), privacy="public"),
    instant("made_at", nullable=False, server_default=sa.text("now()")),
    schema="catalog",
    comment="审批事项: one item as one organ carries it out; its code is the implementation code, else a local number.",
)

item_number = sa.Table(
    "item_number",
    metadata,
    column("number", sa.Text(), primary_key=True, privacy="public"),
    column("scheme", sa.Text(), nullable=False, privacy="public"),
    column("item_id", sa.BigInteger(), sa.ForeignKey(catalog_item.c.item_id), nullable=False, index=True),
    schema="catalog",
    comment="事项的其他编号: local numbers of older schemes that are still in use; none stands for two items.",
)

base_item = sa.Table(
    "base_item",
    metadata,
    column("base_code", sa.Text(), primary_key=True, privacy="public"),
    column("content", JSONB(), nullable=False, privacy="public"),
    column("set_by", sa.Text(), nullable=False),
    instant("set_at", nullable=False, server_default=sa.text("now()")),
    schema="catalog",
    comment="基本目录: what every level that carries an item out shares, and cannot change.",
)

base_item_deed = sa.Table(
    "base_item_deed",
    metadata,
    column("deed_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("base_code", sa.Text(), sa.ForeignKey(base_item.c.base_code), nullable=False, index=True),
    instant("at", nullable=False, server_default=sa.text("now()")),
    column("actor", sa.Text(), nullable=False),
    column("reason", sa.Text(), nullable=False),
    column("content", JSONB(), nullable=False, privacy="public"),
    schema="catalog",
    comment="基本目录留痕: each time that a base item was fixed: by whom, when, why and how. Rows are only added.",
)

item_version = sa.Table(
    "item_version",
    metadata,
    column("version_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("item_id", sa.BigInteger(), sa.ForeignKey(catalog_item.c.item_id), nullable=False),
    column("version", sa.Integer(), nullable=False, privacy="public"),
    column("state", sa.Text(), nullable=False, server_default="draft"),
    column("status", sa.Text(), nullable=False, server_default="in_force", privacy="public"),
    column("change", sa.Text(), nullable=False, privacy="public"),
    column("reason", sa.Text(), nullable=False, privacy="public"),
    column("content", JSONB(), nullable=False, privacy="public"),
    column("successors", ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'"), privacy="public"),
    column("effective_on", sa.Date(), privacy="public"),
    column("drafted_by", sa.Text(), nullable=False),
    instant("drafted_at", nullable=False, server_default=sa.text("now()")),
    column("published_by", sa.Text()),
    instant("published_at", privacy="public"),
    _one_of("state", STATES),
    _one_of("status", STATUSES),
    _one_of("change", CHANGES),
    sa.CheckConstraint("state <> 'published' OR effective_on IS NOT NULL", name="effective"),
    sa.UniqueConstraint("item_id", "version"),
    sa.Index("ix_item_version_under_way", "item_id", unique=True,
             postgresql_where=sa.text("state IN ('draft', 'in_review', 'to_publish')")),
    sa.Index("ix_item_version_effective", "item_id", "effective_on", postgresql_where=sa.text("state = 'published'")),
    schema="catalog",
    comment="事项版本: what an item says from its effective day on; at most one is under way beside those.",
)  # fmt: skip

item_deed = sa.Table(
    "item_deed",
    metadata,
    column("deed_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("version_id", sa.BigInteger(), sa.ForeignKey(item_version.c.version_id), nullable=False, index=True),
    instant("at", nullable=False, server_default=sa.text("now()")),
    column("actor", sa.Text(), nullable=False),
    column("seat", sa.Text(), nullable=False),
    column("what", sa.Text(), nullable=False),
    column("opinion", sa.Text()),
    column("content", JSONB()),
    schema="catalog",
    comment="审核留痕: each deed on a version: who, from which seat, when, and why. Rows are only added.",
)

item_comment = sa.Table(
    "item_comment",
    metadata,
    column("comment_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("version_id", sa.BigInteger(), sa.ForeignKey(item_version.c.version_id), nullable=False, index=True),
    instant("at", nullable=False, server_default=sa.text("now()")),
    column("said", sa.Text(), nullable=False),
    column("answer", sa.Text()),
    column("answered_by", sa.Text()),
    instant("answered_at"),
    schema="catalog",
    comment="公众意见: what the public says to a version under way, and the answer.",
)
