"""The WebSocket protocol (http-api.md 14)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from atoll.application.api.live import LiveClient
from atoll.errors import Unauthenticated

if TYPE_CHECKING:
    from atoll.application.app import Application

_LARGEST = 64_000


async def serve_websocket(app: Application, receive: Any, send: Any) -> None:
    """Serves one connection until either side closes it."""
    if (await receive())["type"] != "websocket.connect":
        return
    await send({"type": "websocket.accept"})
    client = app.live.join()
    writer = asyncio.create_task(_write(client, send))
    try:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None or text == "ping" or len(text) > _LARGEST:
                continue
            await _understand(app, client, text)
    finally:
        app.live.leave(client)
        client.closed = True
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def _write(client: LiveClient, send: Any) -> None:
    while (text := await client.messages.get()) is not None:
        await send({"type": "websocket.send", "text": text})
    await send({"type": "websocket.close", "code": 1013})


async def _understand(app: Application, client: LiveClient, text: str) -> None:
    try:
        frame = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return
    if not isinstance(frame, dict) or frame.get("type") != "auth:token":
        return
    payload = frame.get("payload")
    token = payload.get("token") if isinstance(payload, dict) else None
    client.user_id, client.roles = None, frozenset()
    if not isinstance(token, str) or not token:
        return
    try:
        session = await app.sessions.authenticate(token, {"accept": "text/event-stream"})
    except Unauthenticated as error:
        client.offer(_frame("unauthorized", {"code": error.reason, "message": error.message}))
        return
    client.user_id, client.roles = session.user.id, frozenset(session.user.roles)
    client.offer(_frame("authorized", None))


def _frame(kind: str, payload: object) -> str:
    frame = {"type": kind} if payload is None else {"type": kind, "payload": payload}
    return msgspec.json.encode(frame).decode()
