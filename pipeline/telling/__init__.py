"""How the feeds stand: their health, the province at a glance, the figures for monitoring."""
