"""The steps put together: a batch is a unit of work is one transaction."""
