"""Files of records: received, kept in storages, given to those who may see them."""

from atoll.plugins.files.plugin import Files

__all__ = ["Files"]
