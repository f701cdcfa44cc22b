"""The steward's pages: what is wrong, where, and the deeds that mend it."""
