"""Departments post records to the hub: what a stream takes, and how a posted body is read."""

from connectors.kinds.push.connector import PushConnector

__all__ = ["PushConnector"]
