"""Databases: drivers, provisioning, schema changes and migrations."""
