"""A slice as received made ready for the repository: judged, translated, protected. Nothing is written."""
