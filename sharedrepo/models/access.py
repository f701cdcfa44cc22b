"""Who may use the hub's API: one row a client program of a department."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

from sharedrepo.models.base import column, instant, metadata

client = sa.Table(
    "client",
    metadata,
    column("client_id", sa.Integer(), sa.Identity(), primary_key=True),
    column("code", sa.Text(), nullable=False, unique=True),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("rights", ARRAY(sa.Text()), nullable=False),
    column("token_hash", BYTEA(), nullable=False, unique=True, privacy="sensitive"),
    instant("made_at", nullable=False, server_default=sa.text("now()")),
    instant("expires_at", nullable=False),
    instant("revoked_at"),
    schema="access",
    comment="接入客户端: a program of an organ that may use the API. Its token is kept only as a keyed hash.",
)
