"""Request bodies: limits and formats."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

import msgspec

from atoll.application.api import query_string
from atoll.errors import BadRequest, PayloadTooLarge

_decode = msgspec.json.Decoder().decode


async def read_body(receive: Any, headers: dict[str, str], limit: int) -> bytes:
    """The whole body; raises PayloadTooLarge above `limit` bytes."""
    announced = headers.get("content-length")
    if announced is not None and announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The request was not sent completely")
        chunk = message.get("body", b"")
        if chunk:
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> PayloadTooLarge:
    shown = f"{limit / 1_000_000:.3g} MB" if limit >= 100_000 else f"{limit} bytes"
    return PayloadTooLarge(f"The request is too large: at most {shown} are accepted")


def decode_body(body: bytes, content_type: str) -> Any:
    """The values in a body; None when there is none. JSON must be an object or a list."""
    if not body:
        return None
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return query_string.parse(body.decode("utf-8", "replace"))
    if kind == "text/plain":
        return None
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise BadRequest(f"Bodies of type {kind!r} are not understood; send application/json")
    try:
        values = _decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest("The body is not valid JSON") from None
    if not isinstance(values, (dict, list)):
        raise BadRequest("The body must be a JSON object or array")
    if b"__proto__" in body:
        _refuse_proto(values)
    return values


def _refuse_proto(value: Any) -> None:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if "__proto__" in item:
                raise BadRequest("The key __proto__ is not allowed")
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def decode_parameter(name: str, text: str) -> Any:
    """`filter` and `filterByTk` as JSON text; a `filterByTk` that is no JSON stays text."""
    if name == "filterByTk" and text[:1] not in ("{", "["):
        return text
    try:
        return _decode(text)
    except (msgspec.DecodeError, RecursionError):
        if name == "filterByTk":
            return text
        raise BadRequest(f"`{name}` is not valid JSON: {unquote_plus(text)[:80]!r}") from None
