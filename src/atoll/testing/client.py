"""A small client of Atoll's HTTP API, for tests and benchmarks: signs in, calls actions, waits for states."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from atoll.testing.processes import eventually


@dataclass(frozen=True)
class Account:
    """Who signs in."""

    username: str = "admin"
    password: str = "atoll-test-password"
    email: str = "admin@example.com"


class CallFailed(AssertionError):
    """The server answered with an error. `code` is the first error's code, "" when it has none."""

    def __init__(self, status: int, body: Any, what: str) -> None:
        super().__init__(f"{what}: {status} {body if isinstance(body, str) else json.dumps(body)[:600]}")
        self.status = status
        self.body = body
        self.code = _code(body)


class AtollClient:
    """Calls one app of one server.

    Args:
        url: address of the server, without a path.
        app: name of the app, "main" for the server's own.
        environment: the environment to use when the app has several; None lets the server choose.
        timeout: seconds per request.
    """

    def __init__(
        self, url: str, *, app: str = "main", environment: str | None = None, timeout: float = 60.0
    ) -> None:
        self.url = url
        self.app = app
        self.prefix = "/api/" if app == "main" else f"/api/__app/{app}/"
        headers = {} if environment is None else {"X-Environment": environment}
        limits = httpx.Limits(max_connections=400, max_keepalive_connections=100)
        self.http = httpx.AsyncClient(
            base_url=url, headers=headers, timeout=timeout, limits=limits, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    # --- any action -------------------------------------------------------------------------------------

    async def call(self, action: str, values: object = None, /, **parameters: Any) -> Any:
        """Calls "resource:action[/key]" and returns `data` of the answer.

        `list` and `get` are read (GET), everything else is sent (POST) with `values` as JSON. A `filter` or
        any other parameter that is no text goes as JSON.

        Raises:
            CallFailed: for any status of 400 and above.
        """
        return (await self.envelope(action, values, **parameters)).get("data")

    async def envelope(self, action: str, values: object = None, /, **parameters: Any) -> dict[str, Any]:
        """The same, but the whole answer: `data` and `meta`."""
        answer = await self.send(action, values, **parameters)
        body = _body(answer)
        if answer.status_code >= 400:
            raise CallFailed(answer.status_code, body, f"{self.app} {action}")
        if not isinstance(body, dict):
            raise CallFailed(answer.status_code, body, f"{self.app} {action} (no JSON object)")
        return body

    async def send(self, action: str, values: object = None, /, **parameters: Any) -> httpx.Response:
        """The same, but the bare answer, whatever its status."""
        verb = action.partition(":")[2].partition("/")[0]
        query = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in parameters.items()
            if value is not None
        }
        if verb in ("list", "get"):
            return await self.http.get(self.prefix + action, params=query)
        return await self.http.post(self.prefix + action, params=query, json={} if values is None else values)

    async def sign_in(self, account: Account) -> str:
        """Signs in and keeps the token for the calls that follow."""
        values = {"account": account.username, "password": account.password}
        data = await self.call("auth:signIn", values)
        token: str = data["token"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        return token

    # --- apps and environments (on a Supervisor's main app) ------------------------------------------------

    async def create_app(
        self, name: str, environments: Sequence[str], *, wait: float | None = 30.0, **values: Any
    ) -> dict[str, Any]:
        """Creates an app; with `wait` (seconds) returns only when it runs."""
        record: dict[str, Any] = await self.call(
            "applications:create",
            {"name": name, "displayName": name.title(), "environments": list(environments), **values},
        )
        if wait is not None:
            record = await self.wait_status(name, "running", within=wait)
        return record

    async def app_row(self, name: str) -> dict[str, Any] | None:
        """The app as `applications:get` shows it, None when there is none."""
        row: dict[str, Any] | None = await self.call(f"applications:get/{name}")
        return row

    async def wait_status(self, name: str, *statuses: str, within: float = 30.0) -> dict[str, Any]:
        """Waits until the app's own status and that in each of its environments is one of `statuses`."""
        seen: dict[str, Any] = {}

        async def reached() -> dict[str, Any] | None:
            row = await self.app_row(name)
            seen["row"] = row
            if row is None or row.get("status") not in statuses:
                return None
            return row if all(value in statuses for value in _statuses(row).values()) else None

        try:
            row = await eventually(reached, within=within, what=f"{name} {' or '.join(statuses)}")
        except AssertionError as error:
            raise AssertionError(f"{error}; row {seen.get('row')!r}") from None
        return row or {}

    async def remove_app(self, name: str, *, within: float = 30.0, **parameters: Any) -> None:
        """Deletes an app and waits until no trace of it is listed."""
        await self.call(f"applications:destroy/{name}", **parameters)

        async def gone() -> bool:
            return await self.app_row(name) is None

        await eventually(gone, within=within, what=f"{name} is deleted")

    async def environments(self) -> dict[str, dict[str, Any]]:
        """All environments by name."""
        rows = await self.call("environments:list")
        return {row["name"]: row for row in rows}

    async def wait_environments(
        self, available: Mapping[str, bool], *, within: float = 30.0
    ) -> dict[str, dict[str, Any]]:
        """Waits until each named environment is (un)available as given."""

        async def reached() -> dict[str, dict[str, Any]] | None:
            rows = await self.environments()
            fits = all(
                name in rows and rows[name]["available"] is wanted for name, wanted in available.items()
            )
            return rows if fits else None

        rows = await eventually(reached, within=within, what=f"environments {dict(available)}")
        return rows or {}

    # --- visits -------------------------------------------------------------------------------------------

    async def visit(self, name: str, path: str = "/admin/", **headers: str) -> httpx.Response:
        """A browser's look at a page of an app."""
        return await self.http.get(f"/apps/{name}{path}", headers={"Accept": "text/html", **headers})

    async def ask(self, name: str, action: str = "app:getInfo", **headers: str) -> httpx.Response:
        """A program's call of an app's public action through this server."""
        return await self.http.get(f"/api/__app/{name}/{action}", headers=headers)

    def other(self, name: str, *, environment: str | None = None) -> AtollClient:
        """A client of another app behind the same server; not signed in."""
        return AtollClient(self.url, app=name, environment=environment)


def _body(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text


def _code(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors") or [body.get("error") or {}]
    return str(errors[0].get("code") or "")


def _statuses(row: Mapping[str, Any]) -> dict[str, str]:
    """Status by environment; rows may carry a bare word or more about each."""
    found: dict[str, str] = {}
    for name, value in (row.get("statuses") or {}).items():
        found[name] = value if isinstance(value, str) else str(value.get("status"))
    return found
