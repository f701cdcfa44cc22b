"""One module a kind of system: database, files, rest, xes."""
