"""Import and export in an app's API. Source: http-api.md 8.1, 8.2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atoll.application.api.resources import RecordAction
from atoll.application.collections.plugin_tables import make_tables
from atoll.application.context import Context
from atoll.application.plugin_manager import Plugin
from atoll.plugins.import_export.export_task import ExportTask
from atoll.plugins.import_export.import_task import ImportTask, failures_collection
from atoll.plugins.import_export.synchronous import Synchronous
from atoll.plugins.import_export.uploads import inspect_import

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
        self._file_limit = file_limit

    async def install(self, app: Application) -> None:
        """Makes the table of failed rows."""
        await make_tables(app.database, [failures_collection(app)])

    async def load(self, app: Application) -> None:
        """Defines the actions and the kinds of tasks."""
        await self.install(app)
        app.tasks.add(ExportTask())
        app.tasks.add(ImportTask(failures_collection(app)))
        app.resources.define_on_records(
            {
                "export": RecordAction(self._now.export, "export"),
                "downloadXlsxTemplate": RecordAction(self._now.template, "importXlsx"),
                "importXlsx": RecordAction(self._now.import_file, "importXlsx", reads_body=True),
                "inspectImport": RecordAction(self._inspect, "importXlsx", reads_body=True),
            }
        )

    async def _inspect(self, ctx: Context) -> object:
        return await inspect_import(ctx, self._file_limit)

    async def start(self, app: Application) -> None:
        """Nothing runs."""

    async def stop(self, app: Application) -> None:
        """Nothing runs."""
