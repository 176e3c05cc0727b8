"""Log lines: one JSON object per line for machines, or one readable line for people."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

LEVELS = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": logging.DEBUG,
}
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, fixed fields, then the record's own."""

    def __init__(self, fixed: dict[str, str]) -> None:
        super().__init__()
        self._fixed = fixed

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._fixed,
            **_extra(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


class ConsoleFormatter(logging.Formatter):
    """Time, level, message and fields on one readable line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of text, a traceback below it when there is one."""
        time = f"{datetime.fromtimestamp(record.created, UTC).astimezone():%H:%M:%S}"
        fields = " ".join(f"{key}={value}" for key, value in _extra(record).items())
        text = f"{time} {record.levelname.lower():7} {record.getMessage()}" + (
            f"  {fields}" if fields else ""
        )
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def configure(level: str, form: str, **fixed: str) -> None:
    """Sets up the root logger of this process to write to standard error.

    Args:
        level: one of error, warn, info, debug, trace.
        form: json or console.
        fixed: fields of every line, such as role and environment.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(fixed) if form == "json" else ConsoleFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])
    if level != "trace":
        for name in ("asyncio", "httpx", "httpcore", "websockets"):
            logging.getLogger(name).setLevel(logging.WARNING)
