"""One module a kind of value: instants, dates, codes, numbers, text, regions."""
