"""The keys in use: their fingerprints, re-keying, what destroyed keys let go, and the hub's signature."""
