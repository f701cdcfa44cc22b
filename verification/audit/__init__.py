"""The log of checks: written, sealed, countersigned, verified."""
