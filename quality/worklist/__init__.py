"""Records that were refused, or kept with a flag, as a list of work: seen, corrected, waived, replayed."""
