"""The common language of the hub: records, findings, errors, identifiers, protection, settings."""
