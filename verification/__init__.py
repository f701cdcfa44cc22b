"""Verification: what a department may rely on that another one approved, answered, signed and logged."""
