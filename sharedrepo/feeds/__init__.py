"""What the repository knows of each stream: where it stands, its envelopes and units, its shape, its receipts."""
