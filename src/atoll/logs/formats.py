"""The forms of a line: JSON, logfmt, values with a delimiter, or readable text."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from atoll.logs.context import REQUEST

MASK = "••••"
SECRET_NAMES = frozenset({"password", "token", "secret", "authorization", "cookie", "api_key"})
# user:password@ in an address, and a token in a query.
SECRETS = re.compile(
    r"(?<=://)([^/\s:@\"']*):[^/\s@\"']+@|([?&](?:token|password|secret)=)[^&\s\"']+", re.IGNORECASE
)
# What stands first in every line; the rest follows in its own order.
FIRST = ("time", "level", "logger", "message")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class Formatter(logging.Formatter):
    """Makes a line of a record.

    Args:
        form: json, logfmt, delimiter or console.
        fixed: fields of every line; left out on the console.
    """

    def __init__(self, form: str, fixed: Mapping[str, str]) -> None:
        super().__init__()
        self._form = form
        self._fixed = {} if form == "console" else dict(fixed)

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; on the console, a traceback stands below it."""
        request = REQUEST.get()
        fields: dict[str, Any] = {
            "time": moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._fixed,
            **(request.fields() if request is not None else {}),
            **{name: value for name, value in vars(record).items() if name not in _STANDARD},
        }
        trouble = self.formatException(record.exc_info) if record.exc_info else ""
        if self._form == "console":
            fields["time"] = f"{datetime.fromtimestamp(record.created, UTC).astimezone():%H:%M:%S}"
            return render("console", fields) + (f"\n{masked(trouble)}" if trouble else "")
        if trouble:
            fields["error"] = trouble
        return render(self._form, fields)


def moment(seconds: float) -> str:
    """A time as lines have it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def render(form: str, fields: Mapping[str, Any]) -> str:
    """Fields as one line of text, without its end; secrets are masked."""
    shown = {name: MASK if name.lower() in SECRET_NAMES else value for name, value in fields.items()}
    return masked(plain(form, shown))


def plain(form: str, fields: Mapping[str, Any]) -> str:
    """The same, for fields that are known to hold no secret."""
    if form == "json":
        return msgspec.json.encode(fields, enc_hook=str).decode()
    if form == "logfmt":
        return " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())
    if form == "delimiter":
        return "|".join(_flat(value).replace("|", "\\|") for value in fields.values())
    rest = " ".join(f"{name}={value}" for name, value in fields.items() if name not in FIRST)
    text = f"{fields.get('message', '')}  {rest}" if rest else str(fields.get("message", ""))
    return f"{fields.get('time', '')} {fields.get('level', ''):7} {text}"


def masked(text: str) -> str:
    """The text without passwords in addresses and tokens in queries."""
    return SECRETS.sub(lambda found: f"{found[2]}{MASK}" if found[2] else f"{found[1]}:{MASK}@", text)


def _flat(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def _quoted(value: object) -> str:
    text = _flat(value)
    if text and not re.search(r'[\s"=]', text):
        return text
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'
