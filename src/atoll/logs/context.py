"""What is known about the request that is being answered, for the lines that are logged meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextvars import ContextVar

from msgspec import Struct

TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
NO_TRACE = b"0" * 32


class RequestFields(Struct, frozen=True):
    """Fields of each line of a request; `trace` is that of W3C's `traceparent`, "" without one."""

    app: str
    request: str
    trace: str = ""

    def fields(self) -> dict[str, str]:
        """As they stand in a line."""
        known = {"app": self.app, "reqId": self.request}
        return known | {"trace": self.trace} if self.trace else known


REQUEST: ContextVar[RequestFields | None] = ContextVar("request", default=None)


def trace_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The trace id of a request; "" when the client gave none, or none that is valid."""
    for name, value in headers:
        if name == b"traceparent":
            match = TRACE.fullmatch(value.strip())
            if match is not None and match[1] != NO_TRACE and not value.startswith(b"ff"):
                return match[1].decode("ascii")
    return ""
