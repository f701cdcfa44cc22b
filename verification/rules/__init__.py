"""Answers from what was found, without a database: fields compared, days, prerequisites, freshness."""
