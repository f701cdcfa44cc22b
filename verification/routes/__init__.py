"""The API of checks: a file an endpoint."""
