"""The built-in plugins that every app has."""

from __future__ import annotations

from atoll.application.plugin_manager import Plugin
from atoll.plugins.import_export import ImportExport
from atoll.settings import Settings


def of_every_app(settings: Settings) -> list[Plugin]:
    """New instances, for one app."""
    return [ImportExport(export_limit=settings.export_limit, file_limit=settings.import_file_limit)]
