"""Kind `soap`: records of an operation that a WSDL describes.

The connector is imported when it is asked for: zeep is heavy, and judging a declaration (`options`) needs none of it.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Return the connector's class."""
    if name != "SoapConnector":
        raise AttributeError(name)
    from connectors.kinds.soap.connector import SoapConnector  # noqa: PLC0415  # only where the kind is used

    return SoapConnector
