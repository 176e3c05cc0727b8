"""Changing and deleting all records that match a filter."""

from atoll.plugins.bulk_records.plugin import BulkRecords

__all__ = ["BulkRecords"]
