"""Cross-origin answers (http-api.md 2.5): origins are echoed, credentials only for the server's own."""

from __future__ import annotations

from collections.abc import Mapping

Headers = list[tuple[bytes, bytes]]
_EXPOSED = (b"access-control-expose-headers", b"content-disposition, etag, x-new-token")


def cors_headers(headers: Mapping[str, str]) -> Headers:
    """The headers every answer to a request with an Origin carries."""
    origin = headers.get("origin")
    if not origin:
        return []
    answer = [(b"vary", b"Origin"), (b"access-control-allow-origin", origin.encode("latin-1")), _EXPOSED]
    if origin.partition("://")[2] == headers.get("host"):
        answer.append((b"access-control-allow-credentials", b"true"))
    return answer


def preflight(headers: Mapping[str, str]) -> Headers:
    """What an OPTIONS request learns."""
    answer: Headers = [(b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")]
    if headers.get("origin") and headers.get("access-control-request-method"):
        answer.append((b"access-control-allow-methods", b"GET,HEAD,PUT,POST,DELETE,PATCH"))
        wanted = headers.get("access-control-request-headers")
        if wanted:
            answer.append((b"access-control-allow-headers", wanted.encode("latin-1")))
    return answer
