"""Changes of Atoll's own tables from version to version."""

from atoll.database.migrations.runner import Step, applied, migrate

__all__ = ["Step", "applied", "migrate"]
