"""Checks: answered at once, by a file, after waiting, or by an officer's word."""
