"""E-supervision (电子监察): each case against its legal clock, cards that reach people, a ranking to recompute."""
