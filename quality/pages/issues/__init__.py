"""Issues as pages: the list, one issue with its life, and the deeds on it."""
