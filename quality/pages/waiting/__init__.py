"""Records that wait or are flagged, and held batches, as pages."""
