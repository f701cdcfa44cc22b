"""Every kind of source, from the source to the repository, beside reading that source and doing nothing with it."""
