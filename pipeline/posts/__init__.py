"""Sources that post: taken in, gathered, answered record by record."""
