"""The WebSocket protocol."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from atoll.application.app import Application
from atoll.application.topics import AccountsTopic
from atoll.cluster.pubsub import MemoryPubSub
from atoll.database.drivers import Database

from .conftest import ROOT, Api, client_of, make_app

pytestmark = pytest.mark.anyio


class Socket:
    """One connection, driven through ASGI."""

    def __init__(self, app: Application) -> None:
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {"type": "websocket", "path": "/ws", "headers": []}
        self._to_app.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.ensure_future(self._serve(app, scope))

    async def _serve(self, app: Application, scope: Any) -> None:
        await app(scope, self._to_app.get, self._from_app.put)

    async def receive(self) -> Any:
        message = await asyncio.wait_for(self._from_app.get(), 10)
        return json.loads(message["text"]) if message["type"] == "websocket.send" else message["type"]

    def send(self, text: str) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    async def sign_in(self, token: str | None) -> Any:
        self.send(json.dumps({"type": "auth:token", "payload": {"token": token, "authenticator": "basic"}}))
        return await self.receive()

    async def close(self) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self.task


async def test_messages_reach_whom_they_are_for(app: Application, root: Api) -> None:
    await root.data("users:create", {"username": "kim", "password": "kim-12345"})
    kim = await root.sign_in("kim", "kim-12345")
    sockets = [Socket(app) for _ in range(3)]
    assert [await each.receive() for each in sockets] == ["websocket.accept"] * 3
    assert await sockets[0].sign_in(root.token) == {"type": "authorized"}
    assert await sockets[1].sign_in(kim.token) == {"type": "authorized"}
    sockets[2].send("ping")
    sockets[2].send("not json")
    sockets[2].send("[1]")
    assert (await sockets[2].sign_in("nonsense"))["type"] == "unauthorized"
    await app.live.publish("x:user", {"n": 1}, user_id=2)
    await app.live.publish("x:role", {"n": 2}, role="root")
    await app.live.publish("x:all", {"n": 3})
    assert [(await sockets[0].receive())["type"] for _ in range(2)] == ["x:role", "x:all"]
    assert [(await sockets[1].receive())["type"] for _ in range(2)] == ["x:user", "x:all"]
    assert await sockets[2].receive() == {"type": "x:all", "payload": {"n": 3}}
    for each in sockets:
        await each.close()
    assert len(app.live) == 0


async def test_sign_out_and_lost_roles_disconnect(app: Application, root: Api) -> None:
    await root.data("users:create", {"username": "kim", "password": "kim-12345"})
    kim = await root.sign_in("kim", "kim-12345")
    socket = Socket(app)
    await socket.receive()
    await socket.sign_in(kim.token)
    await kim.call("auth:signOut", {})
    assert await socket.receive() == "websocket.close"
    await socket.close()


async def test_connections_start_anew_when_changes_of_rights_were_missed(app: Application, root: Api) -> None:
    socket = Socket(app)
    await socket.receive()
    await socket.sign_in(root.token)
    await AccountsTopic(app.accounts, app.sessions, app.live).reload()
    assert await socket.receive() == "websocket.close"
    await socket.close()


async def test_messages_cross_instances(database: Database, tmp_path: Path) -> None:
    bus = MemoryPubSub()
    one = make_app(database, tmp_path, bus.scope("main"))
    two = make_app(database, tmp_path, bus.scope("main"))
    await one.install(ROOT)
    await one.start()
    await two.start()
    socket = Socket(two)
    await socket.receive()
    async with client_of(one) as api:
        token = (await api.sign_in("nocobase", "admin123")).token
    assert await socket.sign_in(token) == {"type": "authorized"}
    await one.live.publish("hello", {"from": "one"}, user_id=1)
    assert await socket.receive() == {"type": "hello", "payload": {"from": "one"}}
    await one.stop()
    await two.stop()
    assert await socket.receive() == "websocket.close"
    await socket.close()


async def test_a_client_that_does_not_read_is_dropped(app: Application) -> None:
    client = app.live.join()
    for number in range(300):
        await app.live.publish("flood", number)
    assert client.closed
    assert client.messages.qsize() == 1


async def make_notes(root: Api) -> None:
    """A collection of notes."""
    fields = [{"name": "text", "type": "string", "interface": "input"}]
    await root.data("collections:create", {"name": "notes", "createdBy": True, "fields": fields})


async def about_notes(socket: Socket) -> Any:
    """What the next message about notes says."""
    while True:
        message = await socket.receive()
        if message["type"] == "notes:changed":
            return message["payload"]


async def signed_in(app: Application, api: Api) -> Socket:
    socket = Socket(app)
    await socket.receive()
    assert (await socket.sign_in(api.token))["type"] == "authorized"
    return socket


async def test_changed_records_are_told_to_who_may_see_them(app: Application, root: Api) -> None:
    await make_notes(root)
    await root.data("users:create", {"username": "kim", "password": "kim-12345"})
    kim = await root.sign_in("kim", "kim-12345")
    viewer, member = await signed_in(app, root), await signed_in(app, kim)
    stranger = Socket(app)
    await stranger.receive()
    for text in ("one", "two"):
        answer = await root.call("notes:create", {"text": text}, headers={"X-Client-Id": "tab-1"})
        assert answer.status_code == 200
    ids: list[int] = []
    while len(ids) < 2:
        told = await about_notes(viewer)
        ids += told["ids"]
        assert {**told, "ids": []} == {
            "collection": "notes", "action": "created", "ids": [], "origin": "tab-1",
        }  # fmt: skip
    assert ids == [1, 2]
    await root.data("notes:update", {"text": "secret"}, filterByTk=1)
    assert await about_notes(viewer) == {
        "collection": "notes", "action": "updated", "ids": [1], "origin": "",
    }  # fmt: skip
    assert await root.data("notes:destroy", {}, filterByTk="[1, 99]") == 1
    assert (await about_notes(viewer))["ids"] == [1]
    assert await root.data("notes:destroy", {}, filter=json.dumps({"id": {"$gt": 0}})) == 1
    assert await about_notes(viewer) == {
        "collection": "notes", "action": "destroyed", "ids": None, "origin": "",
    }  # fmt: skip
    await app.live.publish("end", None)
    assert (await member.receive())["type"] == "end"
    assert (await stranger.receive())["type"] == "end"
    for socket in (viewer, member, stranger):
        await socket.close()


async def test_many_changes_become_one_message(app: Application, root: Api) -> None:
    await make_notes(root)
    viewer = await signed_in(app, root)
    await root.data("notes:create", [{"text": str(number)} for number in range(200)])
    assert len((await about_notes(viewer))["ids"]) == 200
    await root.data("notes:create", [{"text": str(number)} for number in range(201)])
    assert (await about_notes(viewer))["ids"] is None
    await viewer.close()


async def test_changes_are_told_on_other_instances(database: Database, tmp_path: Path) -> None:
    bus = MemoryPubSub()
    one = make_app(database, tmp_path, bus.scope("main"))
    two = make_app(database, tmp_path, bus.scope("main"))
    await one.install(ROOT)
    await one.start()
    async with client_of(one) as api:
        root = await api.sign_in("nocobase", "admin123")
        await make_notes(root)
        await two.start()
        await root.data("users:create", {"username": "kim", "password": "kim-12345"})
        viewer = await signed_in(two, root)
        member = await signed_in(two, await root.sign_in("kim", "kim-12345"))
        await root.data("notes:create", {"text": "one"})
        assert (await about_notes(viewer))["ids"] == [1]
    await two.live.publish("end", None)
    assert (await member.receive())["type"] == "end"
    for socket in (viewer, member):
        await socket.close()
    await one.stop()
    await two.stop()
