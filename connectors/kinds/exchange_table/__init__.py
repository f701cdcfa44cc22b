"""Takes rows from exchange tables on front-end machines (前置机 库表交换), and writes a receipt back for each row."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Import the connector when it is asked for: whoever only judges a declaration needs no database driver."""
    if name != "ExchangeTableConnector":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from connectors.kinds.exchange_table.connector import ExchangeTableConnector  # noqa: PLC0415  # heavy

    return ExchangeTableConnector
