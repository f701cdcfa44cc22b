"""One slice, one transaction: what becomes of each record, its parents, its rows, its findings."""
