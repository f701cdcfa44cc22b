"""Writes a new source folder that passes the standard suite at once, and leads on from there."""

from kit.scaffold.write import Scaffold, write

__all__ = ["Scaffold", "write"]
