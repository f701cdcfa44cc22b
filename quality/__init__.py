"""The steward's side: what is wrong with each department's data, who mends it, and whether it was mended."""
