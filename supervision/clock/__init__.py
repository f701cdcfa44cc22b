"""The legal clock: when each case and each of its stages is due, computed in sets from what departments said."""
