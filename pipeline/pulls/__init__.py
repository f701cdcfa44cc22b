"""Sources asked: all streams of a source read in order, slice by slice."""
