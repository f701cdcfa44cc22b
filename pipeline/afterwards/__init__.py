"""What is done later with what was taken in: replayed, corrected, rebuilt, traced, erased."""
