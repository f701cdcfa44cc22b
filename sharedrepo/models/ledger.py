"""The ledger: every source record, every batch, every stream's state, and what waits."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from sharedrepo.models.base import column, instant, metadata

OUTCOMES = ("new", "updated", "unchanged", "stale", "deleted", "excluded", "quarantined", "parked")
"""What can become of a record that was read; each counts once, by its strongest outcome."""

BATCH_KINDS = (
    "pull", "release", "replay", "take_back", "retranslate", "accept", "absence", "erasure", "correction", "waive",
)  # fmt: skip
"""Why a batch was written: a source was read, or the hub itself took records again, parked or closed them."""

WAITING_STATUSES = ("open", "released", "replayed", "superseded", "erased", "corrected", "waived")
"""What became of a record that waited."""

source_system = sa.Table(
    "source_system",
    metadata,
    column("source_system_id", sa.SmallInteger(), sa.Identity(), primary_key=True),
    column("code", sa.Text(), nullable=False, unique=True, privacy="public"),
    column("title", sa.Text(), nullable=False, privacy="public"),
    column("title_zh", sa.Text(), privacy="public"),
    column("organ", sa.Text(), privacy="public"),
    column("region", sa.Text(), privacy="public"),
    column("kind", sa.Text(), nullable=False),
    column("profile", sa.Text()),
    schema="core",
    comment="接入系统: one connected system of one department, or one that serves many organs.",
)

stream = sa.Table(
    "stream",
    metadata,
    column("stream_id", sa.Integer(), sa.Identity(), primary_key=True),
    column("source_system_id", sa.SmallInteger(), sa.ForeignKey(source_system.c.source_system_id), nullable=False),
    column("name", sa.Text(), nullable=False),
    column("state", JSONB(), nullable=False, server_default=sa.text("'{}'")),
    instant("complete_through"),
    column("complete_basis", sa.Text()),
    instant("last_success_at"),
    column("envelope_through", sa.BigInteger(), nullable=False, server_default="0"),
    sa.CheckConstraint("complete_basis IN ('declared', 'inferred', 'envelope')", name="basis"),
    column("pull_batch_id", sa.BigInteger()),
    sa.UniqueConstraint("source_system_id", "name"),
    schema="ledger",
    comment="One kind of record of one source, its cursor, and the source time up to which it is complete.",
)

batch = sa.Table(
    "batch",
    metadata,
    column("batch_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("source_system_id", sa.SmallInteger(), sa.ForeignKey(source_system.c.source_system_id), nullable=False),
    column("seq", sa.Integer(), nullable=False),
    column("stream_id", sa.Integer(), sa.ForeignKey(stream.c.stream_id), nullable=False),
    column("kind", sa.Text(), nullable=False),
    column("status", sa.Text(), nullable=False, server_default="committed"),
    column("unit", sa.Text()),
    column("mapping_version", sa.Text(), nullable=False),
    column("archive_key", sa.Text()),
    instant("read_at", nullable=False),
    instant("recorded_at", nullable=False),
    column("reason", sa.Text()),
    instant("newest_report"),
    column("actor", sa.Text()),
    column("read", sa.Integer(), nullable=False),
    *(column(outcome, sa.Integer(), nullable=False, server_default="0") for outcome in OUTCOMES),
    sa.CheckConstraint(f"kind IN ({', '.join(repr(one) for one in BATCH_KINDS)})", name="kind"),
    sa.CheckConstraint("status IN ('committed', 'held', 'superseded', 'accepted')", name="status"),
    sa.CheckConstraint(f"read = {' + '.join(OUTCOMES)}", name="balance"),
    sa.UniqueConstraint("source_system_id", "seq"),
    sa.Index("ix_batch_recorded_at", "recorded_at"),
    sa.Index("ix_batch_stream_id", "stream_id"),
    sa.Index("ix_batch_held", "stream_id", postgresql_where=sa.text("status = 'held'")),
    schema="ledger",
    comment="A unit of work that was committed whole: what was read, and what became of each record.",
)

source_record = sa.Table(
    "source_record",
    metadata,
    column("record_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("stream_id", sa.Integer(), nullable=False),
    column("source_key", sa.Text(), nullable=False),
    column("order_value", sa.BigInteger()),
    column("received_hash", BYTEA(), nullable=False),
    column("canonical_hash", BYTEA()),
    column("state", sa.Text(), nullable=False),
    column("first_batch_id", sa.BigInteger(), nullable=False),
    column("batch_id", sa.BigInteger(), nullable=False),
    column("row", sa.Integer(), nullable=False),
    sa.CheckConstraint("state IN ('kept', 'quarantined', 'parked', 'deleted', 'excluded')", name="state"),
    sa.UniqueConstraint("stream_id", "source_key"),
    schema="ledger",
    comment="One row a source record: its key, its order, its keyed hash as received, and what became of it.",
)

waiting = sa.Table(
    "waiting",
    metadata,
    column("waiting_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("record_id", sa.BigInteger(), nullable=False, index=True),
    column("stream_id", sa.Integer(), nullable=False),
    column("kind", sa.Text(), nullable=False),
    column("status", sa.Text(), nullable=False, server_default="open"),
    column("case_number", sa.Text()),
    column("order_value", sa.BigInteger()),
    column("received_hash", BYTEA(), nullable=False),
    column("rules", ARRAY(sa.Text()), nullable=False),
    column("unit", sa.Text()),
    column("row", sa.Integer(), nullable=False),
    column("batch_id", sa.BigInteger(), nullable=False),
    column("closed_by", sa.BigInteger()),
    instant("since", nullable=False),
    column("payload", BYTEA(), privacy="sensitive"),
    sa.CheckConstraint("kind IN ('quarantined', 'parked')", name="kind"),
    column("mend", BYTEA(), privacy="sensitive"),
    column("organ", sa.Text()),
    sa.CheckConstraint(f"status IN ({', '.join(repr(one) for one in WAITING_STATUSES)})", name="status"),
    sa.Index("ix_waiting_open", "waiting_id", postgresql_where=sa.text("status = 'open'")),
    sa.Index("ix_waiting_parent", "stream_id", "case_number", postgresql_where=sa.text("status = 'open'")),
    schema="ledger",
    comment="Records that wait: refused ones in quarantine, children whose case has not come; locked by data keys.",
)

receipt = sa.Table(
    "receipt",
    metadata,
    column("receipt_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("stream_id", sa.Integer(), nullable=False, index=True),
    column("batch_id", sa.BigInteger(), nullable=False),
    column("token", sa.Text(), nullable=False),
    column("outcome", sa.Text(), nullable=False),
    column("errors", ARRAY(sa.Text()), nullable=False),
    column("envelope", JSONB()),
    schema="ledger",
    comment="Receipts that are owed to sources: written with the batch, taken away when the source has them.",
)

envelope = sa.Table(
    "envelope",
    metadata,
    column("stream_id", sa.Integer(), primary_key=True, autoincrement=False),
    column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
    column("status", sa.Text(), nullable=False),
    column("mark", sa.Text(), nullable=False),
    column("unit", sa.Text()),
    column("records", sa.BigInteger(), nullable=False),
    column("organs", JSONB(), nullable=False, server_default=sa.text("'{}'")),
    column("found", JSONB(), nullable=False, server_default=sa.text("'{}'")),
    instant("complete_through"),
    column("batch_id", sa.BigInteger(), nullable=False),
    sa.CheckConstraint("status IN ('reading', 'received', 'held')", name="status"),
    schema="ledger",
    comment="批次信封: each numbered delivery of a stream: keyed mark of its content, counts, how far all has come.",
)

post = sa.Table(
    "post",
    metadata,
    column("source_system_id", sa.SmallInteger(), primary_key=True, autoincrement=False),
    column("client_id", sa.Integer(), primary_key=True, autoincrement=False),
    column("key_hash", BYTEA(), primary_key=True),
    column("body_hash", BYTEA(), nullable=False),
    column("batch_id", sa.BigInteger(), nullable=False),
    instant("recorded_at", nullable=False, server_default=sa.text("now()")),
    column("answer", sa.Text(), nullable=False),
    sa.Index("ix_post_recorded_at", "recorded_at"),
    schema="ledger",
    comment="Posts under an idempotency key and what they were answered: written with the batch, told again for days.",
)

key_fingerprint = sa.Table(
    "key_fingerprint",
    metadata,
    column("key_number", sa.Integer(), primary_key=True, autoincrement=False),
    column("fingerprint", sa.Text(), nullable=False),
    column("retired", sa.Boolean(), nullable=False, server_default=sa.false()),
    schema="ledger",
    comment="A fingerprint of each key, so that a process with another key refuses to start.",
)
