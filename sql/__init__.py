"""The database as code: migrations, views, roles."""
