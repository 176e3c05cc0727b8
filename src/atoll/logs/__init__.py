"""Log lines: where they go, in which form, and what each of them carries.

Lines go to standard error and, in files, to `<folder>/<app>/system...log` and `request...log`. Every line has
the fixed fields of the process (role, instance, environment), and within a request those of the request.
Secrets are not logged; what looks like one is masked all the same.
"""

from __future__ import annotations

import logging
import sys

from atoll.errors import StorageUnusable
from atoll.logs.context import REQUEST, RequestFields
from atoll.logs.files import Rotation
from atoll.logs.folder import LogFolder
from atoll.logs.formats import Formatter, plain
from atoll.logs.reading import LogReader
from atoll.settings import Settings

__all__ = ["REQUEST", "LogFolder", "LogReader", "RequestFields", "configure", "reader"]

LEVELS = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": logging.DEBUG,
}
CHATTY = ("asyncio", "httpx", "httpcore", "websockets")


class FolderHandler(logging.Handler):
    """Writes lines to the system log of the app they are about; those of no app to the main app's."""

    def __init__(self, folder: LogFolder) -> None:
        super().__init__()
        self._folder = folder

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        try:
            self._folder.write(str(getattr(record, "app", "main")), "system", self.format(record))
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        """See logging.Handler; called at the end of the process."""
        self._folder.close()
        super().close()


def configure(settings: Settings, **fixed: str) -> LogFolder | None:
    """Sets up the root logger of this process as LOGGER_* say; gives the folder of log files, if any.

    Args:
        fixed: fields of every line, such as role, instance and environment.

    Raises StorageUnusable when there are to be files and they cannot be written.
    """
    handlers: list[logging.Handler] = []
    folder = None
    if not settings.logger_silent:
        if "console" in settings.logger_transport:
            handlers.append(logging.StreamHandler(sys.stderr))
        folder = _folder(settings, fixed)
        if folder is not None:
            handlers.append(FolderHandler(folder))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    for handler in handlers or [logging.NullHandler()]:
        form = _file_form(settings) if isinstance(handler, FolderHandler) else settings.logger_format
        handler.setFormatter(Formatter(form, fixed))
        root.addHandler(handler)
    root.setLevel(LEVELS[settings.logger_level])
    for name in CHATTY:
        logging.getLogger(name).setLevel(
            logging.NOTSET if settings.logger_level == "trace" else logging.WARNING
        )
    return folder


def reader(settings: Settings) -> LogReader:
    """Reads what `configure` lets this process write; refuses with the reason where that is not readable."""
    unreadable = ""
    if settings.logger_silent:
        unreadable = "Nothing is logged here. Unset LOGGER_SILENT to have logs."
    elif not _files(settings):
        unreadable = "No log files are written here. Add dailyRotateFile to LOGGER_TRANSPORT to have them."
    elif _file_form(settings) != "json":
        unreadable = (
            f"Log files here have the form {settings.logger_format!r}. Set LOGGER_FORMAT=json to read them."
        )
    return LogReader(settings.logger_base_path, settings.environment_name, unreadable)


def _file_form(settings: Settings) -> str:
    """The form for eyes at a terminal lacks dates and fields; files that ask for it get JSON."""
    return "json" if settings.logger_format == "console" else settings.logger_format


def _files(settings: Settings) -> list[str]:
    return [name for name in settings.logger_transport if name != "console"]


def _folder(settings: Settings, fixed: dict[str, str]) -> LogFolder | None:
    files = _files(settings)
    if not files:
        return None
    daily = "dailyRotateFile" in files
    rotation = Rotation(
        daily=daily,
        most_bytes=settings.logger_max_size or (None if daily else 20 << 20),
        most_files=settings.logger_max_files or ("14d" if daily else "10"),
    )
    folder = LogFolder(
        settings.logger_base_path,
        rotation,
        lambda fields: plain(_file_form(settings), {**fixed, **fields}),
    )
    try:
        folder.check()
    except OSError as error:
        raise StorageUnusable(
            f"Log files cannot be written to {settings.logger_base_path} ({error.strerror}). "
            "Check STORAGE_PATH or LOGGER_BASE_PATH, or set LOGGER_TRANSPORT=console."
        ) from error
    return folder
