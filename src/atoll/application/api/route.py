"""Which resource, action and record a path means (http-api.md 1.2, 1.3, 7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

PREFIX = "/api/"
FILES = "/files/"
OPEN_FILE = "openFile"

_COLLECTION = {"GET": "list", "HEAD": "list", "POST": "create", "DELETE": "destroy"}
_RECORD = {"GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "update", "DELETE": "destroy"}
_NESTED_RECORD = {**_RECORD, "POST": "create"}


@dataclass(frozen=True, slots=True)
class Route:
    """`resource` is `a` or `a.b`; `key` and `source_id` come decoded from the path."""

    resource: str
    action: str
    key: str | None = None
    source_id: str | None = None


def resolve(method: str, path: str) -> Route | None:
    """The route of a still percent-encoded path; None when no action can be meant."""
    if path.startswith(FILES):
        return _file(path[len(FILES) :].split("/"))
    if not path.startswith(PREFIX):
        return None
    rest = path[len(PREFIX) :]
    segments = (rest.removesuffix("/")).split("/")
    if "" in segments or len(segments) > 4:
        return None
    if len(segments) > 2:
        if ":" in segments[0]:
            return None
        name, action = _action(segments[2])
        verbs = _NESTED_RECORD if len(segments) == 4 else _COLLECTION
        resource, source_id = f"{unquote(segments[0])}.{name}", unquote(segments[1])
    else:
        resource, action = _action(segments[0])
        verbs = _RECORD if len(segments) == 2 else _COLLECTION
        source_id = None
    action = action or verbs.get(method)
    if not action:
        return None
    key = unquote(segments[-1]) if len(segments) % 2 == 0 else None
    return Route(resource, action, key, source_id)


def _file(segments: list[str]) -> Route | None:
    """`<app>/<data source>/<collection>/<id>[.ext]`; by the app the gateway has found its way here."""
    if len(segments) != 4 or segments[1] != "main":
        return None
    key = unquote(segments[3]).partition(".")[0]
    return Route(unquote(segments[2]), OPEN_FILE, key) if key else None


def _action(segment: str) -> tuple[str, str | None]:
    name, _, action = unquote(segment).partition(":")
    return name, action.split(":")[0] or None
