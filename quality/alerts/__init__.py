"""Tells people of issues by e-mail and chat: grouped by department, each at most once a day."""
