"""The routes of cards, for departments' programs."""
