"""Keep: models, merge, ledger, archive of the shared repository."""
