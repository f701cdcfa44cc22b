"""Who may ask, and what may be shared with whom."""
