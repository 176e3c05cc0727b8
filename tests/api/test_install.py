"""Installing and starting an app."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from atoll.application.app import Application
from atoll.application.migrations import MIGRATIONS, Schema
from atoll.application.plugin_manager import Plugin
from atoll.database.config import DatabaseConfig
from atoll.database.drivers import Database, connect
from atoll.errors import ApplicationNotInstalled

from .conftest import ROOT, client_of, make_app

pytestmark = pytest.mark.anyio


async def test_second_install_changes_nothing(database: Database, tmp_path: Path) -> None:
    app = make_app(database, tmp_path)
    assert await app.install(ROOT) is True
    assert await app.install(None) is False
    await app.start()
    async with client_of(app) as api:
        root = await api.sign_in("nocobase", "admin123")
        assert [user["username"] for user in await root.data("users:list")] == ["nocobase"]
        assert sorted(role["name"] for role in await root.data("roles:list")) == ["admin", "member", "root"]
    await app.stop()


async def test_start_without_install_says_so(database: Database, tmp_path: Path) -> None:
    with pytest.raises(ApplicationNotInstalled):
        await make_app(database, tmp_path).start()


async def test_several_instances_install_once(database_config: DatabaseConfig, tmp_path: Path) -> None:
    databases = [connect(database_config) for _ in range(4)]
    for each in databases:
        await each.open()
    done = await asyncio.gather(*(make_app(each, tmp_path).install(ROOT) for each in databases))
    assert sorted(done) == [False, False, False, True]
    assert (await databases[0].fetch_one("SELECT count(*) FROM users")) == (1,)
    for each in databases:
        await each.close()


async def test_interrupted_install_leaves_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from atoll.application.auth import installation

    async def fail(*_: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(installation._Installation, "_add_root", fail)
        with pytest.raises(RuntimeError, match="killed"):
            await make_app(database, tmp_path).install(ROOT)
    assert not await Schema(database, MIGRATIONS).applied()
    assert await make_app(database, tmp_path).install(ROOT) is True


async def test_stop_is_idempotent_and_answers_503_afterwards(app: Application) -> None:
    async with client_of(app) as api:
        assert (await api.call("app:getInfo")).status_code == 200
        await app.stop()
        await app.stop()
        response = await api.call("app:getInfo")
        assert response.status_code == 503
        assert response.json()["errors"][0]["code"] == "APP_STOPPED"
        await app.start()
        assert (await api.call("app:getInfo")).status_code == 200


class Recorder(Plugin):
    name = "recorder"

    def __init__(self, seen: list[str], *, fails: bool = False) -> None:
        self.seen = seen
        self.fails = fails

    async def install(self, app: Application) -> None:
        self.seen.append("install")

    async def load(self, app: Application) -> None:
        self.seen.append("load")

        async def hello(ctx: Any) -> Any:
            return {"hello": ctx.params.get("name")}

        app.resources.define("recorder", {"hello": hello, "secret": hello}, access={"hello": "public"})

    async def start(self, app: Application) -> None:
        self.seen.append("start")
        if self.fails:
            raise RuntimeError("cannot start")

    async def stop(self, app: Application) -> None:
        self.seen.append("stop")


async def test_plugins_add_resources_with_rights(database: Database, tmp_path: Path) -> None:
    seen: list[str] = []
    app = make_app(database, tmp_path, plugins=[Recorder(seen)])
    await app.install(ROOT)
    await app.start()
    async with client_of(app) as api:
        assert await api.data("recorder:hello", name="x") == {"hello": "x"}
        assert (await api.call("recorder:secret")).status_code == 401
        root = await api.sign_in("nocobase", "admin123")
        assert await root.data("recorder:secret") == {"hello": None}
        await root.data("users:create", {"username": "kim", "password": "kim-12345"})
        kim = await api.sign_in("kim", "kim-12345")
        assert (await kim.call("recorder:secret")).status_code == 403
        assert (await root.call("collections:create", {"name": "recorder"})).status_code == 400
    await app.stop()
    assert seen == ["install", "load", "start", "stop"]


async def test_failed_start_stops_what_began(database: Database, tmp_path: Path) -> None:
    seen: list[str] = []
    app = make_app(database, tmp_path, plugins=[Recorder(seen, fails=True)])
    await app.install(ROOT)
    with pytest.raises(RuntimeError, match="cannot start"):
        await app.start()
    assert seen == ["install", "load", "start", "stop"]
