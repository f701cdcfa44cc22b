"""Reads tables and views of a department's database: PostgreSQL, MySQL or MariaDB, SQLite."""

from connectors.kinds.database.connector import DatabaseConnector

__all__ = ["DatabaseConnector"]
