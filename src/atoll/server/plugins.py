"""The built-in plugins that every app has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from atoll.application.plugin_manager import Plugin
from atoll.plugins.async_tasks import AsyncTasks
from atoll.plugins.bulk_records import BulkRecords
from atoll.plugins.files import Files
from atoll.plugins.files.plugin import FIRST
from atoll.plugins.import_export import ImportExport
from atoll.settings import Settings


class PluginsOfEveryApp:
    """Makes them; one object for all apps of a process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pictures = asyncio.Semaphore(1)
        together = settings.async_task_concurrency_mode == "process"
        self._slots = asyncio.Semaphore(settings.async_task_max_concurrency) if together else None

    def __call__(self) -> list[Plugin]:
        """New instances, for one app."""
        settings = self._settings
        return [
            AsyncTasks(
                concurrency=settings.async_task_max_concurrency,
                keep_days=settings.async_task_keep_days,
                slots=self._slots,
            ),
            ImportExport(export_limit=settings.export_limit, file_limit=settings.import_file_limit),
            BulkRecords(),
            Files(
                allowed_roots=settings.local_storage_allowed_roots,
                temporary_seconds=settings.temporary_file_access_expires_in,
                first=_first_storages(settings),
                slots=self._pictures,
            ),
        ]


def _first_storages(settings: Settings) -> list[Mapping[str, Any]]:
    """The storages that a new app begins with; `storages:*` changes them afterwards."""
    is_s3 = settings.default_storage_type == "s3"
    found: list[Mapping[str, Any]] = [{**FIRST, "default": not is_s3}]
    if settings.aws_s3_bucket is not None:
        options = {
            "bucket": settings.aws_s3_bucket,
            "region": settings.aws_s3_region or "",
            "endpoint": settings.aws_endpoint_url_s3 or "",
            "accessKeyId": settings.aws_access_key_id or "",
            "secretAccessKey": settings.aws_secret_access_key or "",
        }
        base = settings.aws_s3_storage_base_url or ""
        named = {"title": "S3", "name": "s3", "type": "s3", "baseUrl": base, "options": options}
        found.append({**named, "rules": FIRST["rules"], "default": is_s3})
    return found
