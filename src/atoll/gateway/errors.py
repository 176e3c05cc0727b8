"""Errors as the gateway answers them: one JSON shape, or a page for people. Source: http-api.md 2.3."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from atoll.errors import AppNotReady, AtollError, BadRequest
from atoll.supervisor.proxy_head import Header
from atoll.supervisor.routing import reason_code


def error_payload(error: AtollError) -> dict[str, Any]:
    """The documented fields: code, status, maintaining, message, and the running command if there is one.

    `maintaining` is false for errors in the request itself, which waiting does not heal.
    """
    payload: dict[str, Any] = {
        "code": reason_code(error),
        "status": error.status,
        "maintaining": not isinstance(error, BadRequest) and error.status in (404, 502, 503, 504),
        "message": error.message,
    }
    command = getattr(error, "command", None)
    if isinstance(command, str):
        payload["command"] = {"name": command}
    return payload


def error_json(error: AtollError) -> bytes:
    """`{"error": {...}}`."""
    return msgspec.json.encode({"error": error_payload(error)})


def retry_header(retry_after: float | None) -> list[Header]:
    """Retry-After in whole seconds, at least one; nothing when another try makes no sense."""
    if retry_after is None:
        return []
    return [(b"retry-after", str(max(1, math.ceil(retry_after))).encode("ascii"))]


def prefers_page(headers: Sequence[Header]) -> bool:
    """Whether the client is a person's browser that loads a page: text/html is what it likes best."""
    for name, value in headers:
        if name == b"accept":
            best = _best_type(value.decode("latin-1"))
            return best in ("text/html", "application/xhtml+xml")
    return False


def _best_type(accept: str) -> str:
    best, weight = "", 0.0
    for part in accept.split(","):
        kind, *options = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for option in options:
            if option.startswith("q="):
                try:
                    quality = float(option[2:])
                except ValueError:
                    quality = 0.0
        if quality > weight:
            best, weight = kind.lower(), quality
    return best


def starting(app: str) -> AppNotReady:
    """What a client is told about an app that is on its way."""
    return AppNotReady(f"Application {app} is starting. Try again in a moment.", code="APP_STARTING")
