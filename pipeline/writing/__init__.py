"""A slice written: one batch, one transaction; and what keeps a delivery from being published."""
