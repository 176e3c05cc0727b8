"""Import and export in an app's API. Source: http-api.md 8.1, 8.2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atoll.application.api.resources import RecordAction
from atoll.application.plugin_manager import Plugin
from atoll.plugins.import_export.synchronous import Synchronous

if TYPE_CHECKING:
    from atoll.application.app import Application


class ImportExport(Plugin):
    """Adds the actions to every collection.

    Args:
        export_limit: rows of an export that is answered at once.
        file_limit: bytes an uploaded file may have.
    """

    name = "import-export"

    def __init__(self, *, export_limit: int, file_limit: int) -> None:
        self._now = Synchronous(export_limit, file_limit)

    async def install(self, app: Application) -> None:
        """Nothing to make."""

    async def load(self, app: Application) -> None:
        """Defines the actions."""
        app.resources.define_on_records(
            {
                "export": RecordAction(self._now.export, "export"),
                "downloadXlsxTemplate": RecordAction(self._now.template, "importXlsx"),
                "importXlsx": RecordAction(self._now.import_file, "importXlsx", reads_body=True),
            }
        )

    async def start(self, app: Application) -> None:
        """Nothing runs."""

    async def stop(self, app: Application) -> None:
        """Nothing runs."""
