"""The HTTP API: from an ASGI request to an action and back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from starlette.requests import cookie_parser

from atoll.application import acl
from atoll.application.api import query_string
from atoll.application.api.actions import associations
from atoll.application.api.actions.records import GENERIC
from atoll.application.api.bodies import decode_body, decode_parameter, read_body
from atoll.application.api.cors import cors_headers, preflight
from atoll.application.api.envelope import failure, success, unexpected
from atoll.application.api.files import send_file, send_stream
from atoll.application.api.resources import LOGGED_IN, PUBLIC, Action, RecordAction
from atoll.application.api.route import Route, resolve
from atoll.application.context import Context, FileAnswer, Handler, RawAnswer, StreamAnswer
from atoll.errors import AtollError, Unauthenticated

if TYPE_CHECKING:
    from atoll.application.app import Application

log = logging.getLogger(__name__)
BODY_LIMIT = 10_000_000
_JSON = (b"content-type", b"application/json; charset=utf-8")
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_BODIES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class HttpApi:
    """Answers the requests of one app.

    Args:
        body_limit: bytes a request body may have.
    """

    def __init__(self, app: Application, body_limit: int = BODY_LIMIT) -> None:
        self._app = app
        self._body_limit = body_limit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = headers.get("x-request-id", "")[:64] or str(uuid4())
        extra = [(b"x-request-id", request_id.encode("latin-1")), *cors_headers(headers)]
        body: bytes | FileAnswer | StreamAnswer
        try:
            status, body, more = await self._answer(scope, receive, headers)
        except AtollError as error:
            status, body, more = failure(error)
            more = [_JSON, *more]
            if status >= 500:
                log.error("%s %s", error.message, error.detail, exc_info=error, extra={"request": request_id})
        except Exception:
            log.exception("request failed", extra={"request": request_id, "path": scope["path"]})
            status, body, more = 500, unexpected(request_id), [_JSON]
        if isinstance(body, FileAnswer):
            await send_file(body, more + extra, scope, receive, send)
            return
        if isinstance(body, StreamAnswer):
            await send_stream(body, status, more + extra, scope, receive, send)
            return
        more.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": more + extra})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(
        self, scope: Any, receive: Any, headers: dict[str, str]
    ) -> tuple[int, bytes | FileAnswer | StreamAnswer, list[tuple[bytes, bytes]]]:
        method: str = scope["method"]
        if method == "OPTIONS":
            return 204, b"", preflight(headers)
        path = scope.get("raw_path")
        route = resolve(method, path.decode("latin-1") if path else scope["path"])
        found = self._find(route) if route is not None else None
        if route is None or found is None:
            return 404, b"Not Found", [_TEXT]
        params = _params(scope["query_string"], route)
        values = None
        reads_body = isinstance(found, RecordAction) and found.reads_body
        if method in _BODIES and not reads_body:
            body = await read_body(receive, headers, self._body_limit)
            values = decode_body(body, headers.get("content-type", "")) if body else None
        client = scope.get("client")
        context = Context(
            app=self._app,
            resource=route.resource,
            action=route.action,
            method=method,
            params=params,
            values=values,
            headers=headers,
            client=client[0] if client else "",
            timezone=headers.get("x-timezone") or self._app.default_offset,
            locale=headers.get("x-locale") or str(params.get("locale") or "en-US"),
            source_id=route.source_id,
            receive=receive if reads_body else None,
        )
        handler = await self._admit(context, found)
        result = await handler(context)
        if isinstance(result, (FileAnswer, StreamAnswer)):
            return context.status, result, context.response_headers
        if isinstance(result, RawAnswer):
            kind = (b"content-type", result.content_type.encode("latin-1"))
            return context.status, result.body, [kind, *context.response_headers]
        return context.status, success(result), [_JSON, *context.response_headers]

    def _find(self, route: Route) -> Action | RecordAction | Handler | None:
        """A resource's own action, or a generic one when the resource is a collection that people made."""
        action = self._app.resources.find(route.resource, route.action)
        if action is not None:
            return action
        own = self._app.collections.own()
        if (collection := own.get(route.resource)) is not None:
            on_records = self._app.resources.on_records(route.action, collection.template)
            return on_records or GENERIC.get(route.action)
        return associations.ASSOCIATED.get(route.action) if route.resource.partition(".")[0] in own else None

    async def _admit(self, context: Context, found: Action | RecordAction | Handler) -> Handler:
        """Authenticates, picks the role, checks the right; raises Unauthenticated or Forbidden."""
        public = isinstance(found, (Action, RecordAction)) and found.access == PUBLIC
        on_records = isinstance(found, RecordAction)
        try:
            await self._authenticate(context, by_cookie=public and on_records)
        except Unauthenticated:
            if not public:
                raise
        if isinstance(found, (Action, RecordAction)) and public and (context.user is None or not on_records):
            return found.handler
        settings = await self._app.accounts.settings()
        context.rights = rights = settings.rights(context.role or "", context.user)
        context.variables = settings.variables.plain
        if isinstance(found, RecordAction) and found.right is None:
            return found.handler
        if isinstance(found, Action):
            if found.access == LOGGED_IN:
                return found.handler  # which may ask for rights of its own, as tasks do
            if not rights.may_use(found.snippet):
                raise acl.refused()
            return found.handler
        collection = self._app.collections.own().get(context.resource)
        action = (found.right or "") if isinstance(found, RecordAction) else context.action
        if collection is None:
            place = associations.relation_of(context)
            on_source = action in associations.ON_SOURCE
            collection, action = (place.source, "update") if on_source else (place.target, action)
        if collection.ruled or not rights.may_use(f"pm.{collection.name}"):
            rights.need(collection, action)
        return found.handler if isinstance(found, RecordAction) else found

    async def _authenticate(self, context: Context, *, by_cookie: bool = False) -> None:
        token = _token(context)
        if token is None and by_cookie:
            token = _cookies(context).get(f"nb_auth_token_{self._app.name}")
        if token is None:
            raise Unauthenticated("Unauthenticated. Please sign in to continue.", code="EMPTY_TOKEN")
        session = await self._app.sessions.authenticate(token, context.headers)
        context.user, context.token, context.claims = session.user, token, session.claims
        self._app.last_use.note(session.claims)
        if session.new_token is not None:
            context.set_header("x-new-token", session.new_token)
        wanted = session.claims.role or context.headers.get("x-role")
        roles = session.user.roles
        if not roles:
            raise Unauthenticated(
                "This account has no role. Ask an administrator.", code="USER_HAS_NO_ROLES_ERR"
            )
        settings = await self._app.accounts.settings()
        context.role = settings.role_for(wanted, roles, bound=bool(session.claims.role))


def _token(context: Context) -> str | None:
    """The token of the header (with or without `Bearer`), else of the query."""
    header = context.headers.get("authorization")
    if header is not None:
        return header[7:].strip() if header[:7].lower() == "bearer " else header.strip()
    token = context.params.get("token")
    return token if isinstance(token, str) and token else None


def _cookies(context: Context) -> dict[str, str]:
    return cookie_parser(context.headers.get("cookie", ""))


def _params(query: bytes, route: Route) -> dict[str, Any]:
    params: dict[str, Any] = {}
    if route.key is not None:
        params["filterByTk"] = decode_parameter("filterByTk", route.key)
    if query:
        given = query_string.parse(query.decode("latin-1"))
        for name in ("filter", "filterByTk"):
            text = given.get(name)
            if isinstance(text, str):
                if name == "filter" and not text:
                    del given[name]
                else:
                    given[name] = decode_parameter(name, text)
        if not isinstance(given.get("filter", {}), dict):
            del given["filter"]
        params.update(given)
    return params


async def refuse(error: AtollError, scope: Any, send: Any) -> None:
    """Answers any request with an error."""
    status, body, more = failure(error)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [_JSON, length, *more]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
