"""Reads files that a department puts into a folder: CSV, Excel, XML, JSON and JSON lines."""

from connectors.kinds.files.connector import FilesConnector

__all__ = ["FilesConnector"]
