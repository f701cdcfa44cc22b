"""The repository read: balances, lists, health, coverage, and its digest. Nothing here writes."""
