"""Translate: apply a strict mapping from a department's fields to the canonical documents."""
