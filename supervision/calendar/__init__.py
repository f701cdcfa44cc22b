"""Working days as dated data: each day of the nation and of regions, each change with its source and reason."""
