"""How commands speak to a Supervisor: over its HTTP API, like any other client."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from atoll.cli.exits import CommandFailed, ExitCode

PAGE_SIZE = 200
TIMEOUT_SECONDS = 60.0


class ServerClient:
    """Calls actions of one app of one server.

    Args:
        url: address of the server, without a path; CommandFailed (USAGE) for anything else.
        token: a signed-in user's token or an API key; empty for what anybody may ask.
        app: the app that is spoken to; "main" is the server's own.
    """

    def __init__(self, url: str, token: str, *, app: str = "main") -> None:
        self.url = url.rstrip("/")
        if not re.match(r"https?://[^/\s]+", self.url):
            raise CommandFailed(
                ExitCode.USAGE, f"{url!r} is no address of a server; give one like http://127.0.0.1:14000"
            )
        self._prefix = "/api/" if app == "main" else f"/api/__app/{app}/"
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def read(self, action: str, **parameters: object) -> dict[str, Any]:
        """The whole answer of a `list` or `get` action.

        Raises:
            CommandFailed: UNREACHABLE, NOT_FOUND, NOT_ALLOWED or REFUSED with the server's own code.
        """
        return self._send("GET", action, parameters, None)

    def write(self, action: str, values: object = None, /, **parameters: object) -> Any:
        """`data` of the answer of an action that changes something; raises as `read`."""
        return self._send("POST", action, parameters, {} if values is None else values).get("data")

    def rows(self, action: str, **parameters: object) -> list[dict[str, Any]]:
        """All rows of a `list` action, page by page; raises as `read`."""
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = self.read(action, page=page, pageSize=PAGE_SIZE, **parameters)
            rows: list[dict[str, Any]] = answer.get("data") or []
            found += rows
            if len(rows) < PAGE_SIZE:
                return found
            page += 1

    def _send(
        self, method: str, action: str, parameters: Mapping[str, object], values: object
    ) -> dict[str, Any]:
        query = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in parameters.items()
            if value is not None
        }
        try:
            answer = self._http.request(method, self._prefix + action, params=query, json=values)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise CommandFailed(
                ExitCode.UNREACHABLE,
                f"nobody answers at {self.url}. Start it with atoll up, or name another address with --url.",
            ) from error
        except httpx.HTTPError as error:
            raise CommandFailed(
                ExitCode.UNREACHABLE,
                f"{self.url} gave no answer to {action} ({type(error).__name__}). Its log may say why.",
            ) from error
        try:
            body = answer.json()
        except ValueError:
            body = None
        if answer.status_code >= httpx.codes.BAD_REQUEST or not isinstance(body, dict):
            raise _refusal(answer.status_code, body, answer.text)
        return body


def _refusal(status: int, body: Any, text: str) -> CommandFailed:
    errors: list[dict[str, Any]] = []
    if isinstance(body, dict):
        errors = body.get("errors") or [body.get("error") or {}]
    code = str(errors[0].get("code") or "") if errors else ""
    lines = [_sentence(error) for error in errors if error.get("message")] or [text.strip()[:300]]
    kinds: dict[int, ExitCode] = {
        httpx.codes.UNAUTHORIZED: ExitCode.NOT_ALLOWED,
        httpx.codes.FORBIDDEN: ExitCode.NOT_ALLOWED,
        httpx.codes.NOT_FOUND: ExitCode.NOT_FOUND,
    }
    return CommandFailed(
        kinds.get(status, ExitCode.REFUSED), "\n".join(lines), reason=code or f"HTTP_{status}"
    )


def _sentence(error: Mapping[str, Any]) -> str:
    remedy = error.get("remedy")
    return f"{error['message']} {remedy}" if remedy else str(error["message"])
