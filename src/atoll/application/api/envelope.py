"""How answers and errors look on the wire (http-api.md 2.1, 2.2)."""

from __future__ import annotations

from typing import Any

import msgspec

from atoll.application.context import NOTHING, Page
from atoll.errors import (
    AppNotReady,
    AtollError,
    InstanceNotCurrent,
    RecordChanged,
    TooManyAttempts,
    Unauthenticated,
)

_encode = msgspec.json.Encoder().encode


def success(result: Any) -> bytes:
    """The JSON of a handler's result."""
    if result is NOTHING:
        return b"{}"
    if isinstance(result, Page):
        return _encode({"data": result.rows, "meta": result.meta})
    return _encode({"data": result})


def failure(error: AtollError) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    """Status, JSON and extra headers of an error people may see."""
    code: str | None = error.code
    headers: list[tuple[bytes, bytes]] = []
    if (isinstance(error, Unauthenticated) and error.reason) or isinstance(error, AppNotReady):
        code = error.reason
    elif isinstance(error, TooManyAttempts | InstanceNotCurrent):
        headers.append((b"retry-after", str(error.retry_after).encode()))
    answer: dict[str, Any] = {"errors": [{"message": error.message, "code": code}]}
    if isinstance(error, RecordChanged):
        answer["data"] = error.record
        if error.version is not None:
            headers.append((b"etag", error.version.encode()))
    return error.status, _encode(answer), headers


def unexpected(request_id: str) -> bytes:
    """What a client learns about an error nobody planned: only where to find it in the log."""
    message = (
        f"Something went wrong on the server. If it happens again, ask for request {request_id} in the log."
    )
    return _encode({"errors": [{"message": message, "code": "INTERNAL_ERROR"}]})
