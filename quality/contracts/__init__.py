"""Contracts of streams for other tools: files of the Open Data Contract Standard (ODCS)."""
