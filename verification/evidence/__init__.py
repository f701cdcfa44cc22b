"""What the repository holds that a question is about."""
