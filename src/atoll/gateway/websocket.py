"""WebSockets to apps that do not run: they are told why and hear when it changes. Source: http-api.md 14."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from atoll.errors import AtollError
from atoll.gateway.errors import error_payload, starting
from atoll.supervisor.routing import Forward, Local, Router, Starting, Unavailable

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

TRY_AGAIN_LATER = 1013
SERVICE_RESTART = 1012
UNUSABLE = 1008
LOOK_SECONDS = 1.0


class WaitingSocket:
    """One socket to an app that does not run (yet).

    The client gets `maintaining` with each change of state. When the app runs it is told so and the socket is
    closed with 1012, so that the client connects again, this time to the app. An unknown or stopped app: told
    once, closed with 1013.
    """

    def __init__(self, router: Router, app: str, environment: str | None, *, hold: float) -> None:
        self._router = router
        self._app = app
        self._environment = environment
        self._hold = hold
        self._told: dict[str, object] | None = None

    async def serve(self, receive: Receive, send: Send, route: Starting | Unavailable) -> None:
        """Accepts the socket and keeps it until the app runs, cannot run, or the client leaves."""
        await receive()
        await send({"type": "websocket.accept"})
        leaving = asyncio.create_task(_until_left(receive))
        waiting = asyncio.create_task(self._follow(send, route))
        try:
            await asyncio.wait({leaving, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                await send({"type": "websocket.close", "code": waiting.result()})
        finally:
            leaving.cancel()
            waiting.cancel()
            await asyncio.gather(leaving, waiting, return_exceptions=True)

    async def _follow(self, send: Send, route: Local | Forward | Starting | Unavailable) -> int:
        """Tells the client of each change; returns the code to close with."""
        while True:
            if isinstance(route, Starting):
                await self._tell(send, starting(self._app))
                try:
                    route = await route.wait(self._hold)
                except AtollError as error:
                    route = Unavailable(self._app, error, LOOK_SECONDS)
            elif isinstance(route, Unavailable):
                await self._tell(send, route.error)
                if route.retry_after is None:
                    return TRY_AGAIN_LATER if route.error.status >= 404 else UNUSABLE
                await asyncio.sleep(LOOK_SECONDS)
                route = self._router.route(self._app, self._environment)
            else:
                await self._running(send)
                return SERVICE_RESTART

    async def _tell(self, send: Send, error: AtollError) -> None:
        payload = error_payload(error)
        if payload != self._told:
            self._told = payload
            await _send(send, payload)

    async def _running(self, send: Send) -> None:
        message = f"Application {self._app} is running."
        await _send(send, {"code": "APP_RUNNING", "status": 200, "maintaining": False, "message": message})


async def refuse(scope: Scope, receive: Receive, send: Send, status: int) -> None:
    """Answers the upgrade itself with an HTTP status."""
    await receive()
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": UNUSABLE})
        return
    await send(
        {"type": "websocket.http.response.start", "status": status, "headers": [(b"content-length", b"0")]}
    )
    await send({"type": "websocket.http.response.body", "body": b""})


async def _send(send: Send, payload: dict[str, object]) -> None:
    text = msgspec.json.encode({"type": "maintaining", "payload": payload}).decode()
    await send({"type": "websocket.send", "text": text})


async def _until_left(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass
