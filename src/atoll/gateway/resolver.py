"""Which app a request is for, and what kind of thing it asks of it: pure functions over the raw request.

Everything works on the bytes as they came. A path is never decoded, normalised or joined before the app is
chosen, so there is no second reading of a path under which it would belong to another app; the app (or the
environment it is forwarded to) gets the same bytes.

Source: http-api.md 1.1, 1.5, 1.6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeAlias
from urllib.parse import unquote, unquote_plus

from msgspec import Struct

from atoll.errors import AppNotFound, BadRequest
from atoll.supervisor.proxy_head import CONTRADICTION

MAIN = "main"
APP_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}")
ENVIRONMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")

API = b"/api/"
API_OF_APP = b"/api/__app/"
PAGES_OF_APP = b"/apps/"
FILES_OF_APP = b"/files/"
BUILT_UI = b"/_ui/"
SOCKET = b"/ws"


class Kind(Enum):
    """What is asked for."""

    API = "api"
    SOCKET = "ws"
    PAGE = "ui"
    FILE = "files"
    ASSET = "asset"
    HEALTH = "health"
    READY = "ready"
    IDENTITY = "identity"


# Looking up a member of an Enum costs a call; these are needed for each request.
API_KIND = Kind.API
HEALTH = Kind.HEALTH
SERVER_PATHS = {
    b"/api/__health_check": HEALTH,
    b"/api/__identity": Kind.IDENTITY,
    b"/api/__ready": Kind.READY,
}


ByPath: TypeAlias = tuple[Kind, str | None, bytes, str]
"""What a path says: kind, the app it names (a valid name), the path for the app, the base of pages."""


class Resolved(Struct, gc=False):
    """What the request is about.

    Args:
        app: name of the app; `main` when nothing was chosen.
        environment: the environment asked for by `__env` or X-Environment, None when none was.
        kind: what is asked for.
        path: raw path as the app sees it: `/api/__app/crm/x` has become `/api/x`, all else is unchanged.
        query: raw query without the question mark.
        base: path below which the app's pages lie for the browser: "/apps/crm", or "" at the root of a host.
        chosen: False when the app is `main` only because nothing else was said.
    """

    app: str
    environment: str | None
    kind: Kind
    path: bytes
    query: bytes
    base: str
    chosen: bool


def split_target(target: bytes) -> tuple[bytes, bytes, bytes | None]:
    """Raw path, raw query and, for the absolute form of a request target, the authority it names.

    Raises BadRequest for forms that name no resource of this server (CONNECT's, a bare word).
    """
    if target.startswith(b"/"):
        path, _, query = target.partition(b"?")
        return path, query, None
    scheme, separator, rest = target.partition(b"://")
    if not separator or scheme.lower() not in (b"http", b"https"):
        if target == b"*":
            return b"/", b"", None
        raise BadRequest("The request target must be a path that starts with a slash.")
    slash = min((at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0), default=len(rest))
    authority, target = rest[:slash], rest[slash:] or b"/"
    if target.startswith(b"?"):
        target = b"/" + target
    path, _, query = target.partition(b"?")
    return path, query, authority


def resolve(
    path: bytes,
    query: bytes,
    notable: Mapping[bytes, bytes],
    host: bytes,
    app_by_host: Callable[[str], str | None],
    by_path: Callable[[bytes], ByPath] | None = None,
) -> Resolved:
    """Chooses the app, lowest first: host, X-App, `__appName`, `/api/__app/`, `/files/` and `/apps/`.

    Args:
        path: raw path.
        query: raw query.
        notable: the headers that mean something, see `proxy_head.note`.
        host: the host the client asked for, as it came ("" when unknown).
        app_by_host: the app whose custom domain a host is.
        by_path: a `read_path` that remembers what it was asked before.

    Raises:
        BadRequest: a choice is made twice with different values.
        AppNotFound: the chosen name cannot be the name of an app.
    """
    app = environment = None
    if len(notable) > 1 or b"host" not in notable:
        app, environment = _chosen_by_headers(notable)
    if query and (b"__" in query or b"%5" in query):
        by_query, by_query_environment = _chosen_by_query(query)
        app = by_query or app
        environment = by_query_environment or environment
    if environment and ENVIRONMENT_NAME.fullmatch(environment) is None:
        raise BadRequest("The name of the environment is not valid. Check __env or X-Environment.")
    kind, named, path, base = (by_path or read_path)(path)
    app = named or app
    if not app:
        app = app_by_host(host.decode("latin-1")) if host else None
        if app is None:
            return Resolved(MAIN, environment, kind, path, query, base, False)
    if not named and APP_NAME.fullmatch(app) is None:
        raise AppNotFound("There is no such app. Check the name of the app in the address.")
    return Resolved(app, environment, kind, path, query, base, True)


def read_path(path: bytes) -> ByPath:
    """What a path says by itself. Raises AppNotFound for what cannot be the name of an app."""
    if path.startswith(API):
        if path.startswith(API_OF_APP):
            name, _, rest = path[len(API_OF_APP) :].partition(b"/")
            kind = HEALTH if rest.endswith(b"__health_check") and _is_health(b"/" + rest) else API_KIND
            return kind, _segment(name), API + rest, ""
        if path.startswith(b"/api/__"):
            return SERVER_PATHS.get(path, API_KIND), None, path, ""
        return HEALTH if _is_health(path) else API_KIND, None, path, ""
    if path.startswith(PAGES_OF_APP) and len(path) > len(PAGES_OF_APP):
        app = _segment(path[len(PAGES_OF_APP) :].partition(b"/")[0])
        return Kind.PAGE, app, path, f"/apps/{app}"
    if path.startswith(FILES_OF_APP):
        return Kind.FILE, _segment(path[len(FILES_OF_APP) :].partition(b"/")[0]), path, ""
    if path in (SOCKET, SOCKET + b"/"):
        return Kind.SOCKET, None, path, ""
    return Kind.ASSET if path.startswith(BUILT_UI) else Kind.PAGE, None, path, ""


def _is_health(path: bytes) -> bool:
    return path.endswith(b"/__health_check")


def _chosen_by_headers(notable: Mapping[bytes, bytes]) -> tuple[str | None, str | None]:
    if (twice := notable.get(CONTRADICTION)) is not None:
        raise BadRequest(f"{twice.decode('latin-1')} is given twice. Send it once.")
    app = notable.get(b"x-app", b"").decode("latin-1").strip()
    environment = notable.get(b"x-environment", b"").decode("latin-1").strip()
    return app or None, environment or None


def _segment(raw: bytes) -> str:
    """An app name from the path: decoded once, then it must be a name (not "..", not with a slash)."""
    text = raw.decode("latin-1")
    name = unquote(text) if "%" in text else text
    if APP_NAME.fullmatch(name) is None:
        raise AppNotFound("There is no such app. Check the name of the app in the address.")
    return name


def _chosen_by_query(query: bytes) -> tuple[str | None, str | None]:
    app: str | None = None
    environment: str | None = None
    for part in query.decode("latin-1").split("&"):
        key, _, value = part.partition("=")
        key = unquote_plus(key)
        if key == "__appName":
            app = _once("__appName", app, unquote_plus(value).strip())
        elif key == "__env":
            environment = _once("__env", environment, unquote_plus(value).strip())
    return app or None, environment or None


def _once(what: str, before: str | None, value: str) -> str:
    """The value of a choice that may be repeated but not contradicted."""
    if before is not None and before != value:
        raise BadRequest(f"{what} is given twice with different values. Send it once.")
    return value
