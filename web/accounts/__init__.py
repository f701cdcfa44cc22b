"""Persons who use the pages: their accounts, how they sign in, and their sessions."""
