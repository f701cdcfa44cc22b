"""Tables whose locked rows are passed by as the server can, and as where it cannot."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["as the server can", "without SKIP LOCKED"])
def locking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Claim as the server can, and as one would that cannot pass locked rows by."""
    can = request.param == "as the server can"
    if not can:
        monkeypatch.setattr("connectors.kinds.exchange_table.taking.passes_locked_rows_by", lambda _: False)
    return can
