"""Bounds on volumes: suggested from healthy runs, moved only with a reason, kept with their history."""
