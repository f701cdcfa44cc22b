"""What waits is locked by the archive's data keys, and can be erased with them.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.errors import RepositoryError

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COMMENT = "Records that wait: refused ones in quarantine, children whose case has not come"
_STATUS = ("open", "released", "replayed", "superseded")
_KIND = ("pull", "release", "replay", "take_back", "retranslate", "accept", "absence")


def upgrade() -> None:
    waits = op.get_bind().execute(sa.text("SELECT count(*) FROM ledger.waiting WHERE status = 'open'")).scalar_one()
    if waits:
        raise RepositoryError(
            f"{waits} records wait that revision 0006 sealed and 0007 cannot open. Nothing was changed: fill "
            "an empty repository from the archive with `hub rebuild` (docs/operate/replay-and-rebuild.md)."
        )
    op.execute("UPDATE ledger.waiting SET payload = NULL")
    op.execute(f"COMMENT ON TABLE ledger.waiting IS '{_COMMENT}; locked by data keys.'")
    _words((*_STATUS, "erased"), (*_KIND, "erasure"))


def downgrade() -> None:
    op.execute(f"COMMENT ON TABLE ledger.waiting IS '{_COMMENT}. Payloads are sealed.'")
    _words(_STATUS, _KIND)


def _words(statuses: tuple[str, ...], kinds: tuple[str, ...]) -> None:
    for table, name, words in (("waiting", "status", statuses), ("batch", "kind", kinds)):
        said = ", ".join(f"'{word}'" for word in words)
        op.execute(f"ALTER TABLE ledger.{table} DROP CONSTRAINT ck_{table}_{name}")
        op.execute(f"ALTER TABLE ledger.{table} ADD CONSTRAINT ck_{table}_{name} CHECK ({name} IN ({said}))")
