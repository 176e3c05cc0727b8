"""One business app: everything that belongs to it, put together."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from atoll.application.api import http
from atoll.application.api.actions import auth, collections, memberships, system, users
from atoll.application.api.live import LiveHub
from atoll.application.api.resources import ResourceRegistry
from atoll.application.api.websocket import serve_websocket
from atoll.application.auth.accounts import Accounts
from atoll.application.auth.installation import RootAccount, install, is_installed
from atoll.application.auth.passwords import Passwords
from atoll.application.auth.sessions import Sessions
from atoll.application.auth.throttle import Throttle
from atoll.application.auth.users import Users
from atoll.application.collections.store import CollectionStore
from atoll.application.events import CollectionChanged, Events, RecordsChanged
from atoll.application.fields.snowflake_id import SnowflakeIds
from atoll.application.plugin_manager import Plugin, PluginManager
from atoll.application.records.engine import RecordEngine
from atoll.cluster.pubsub import Gap, PubSub, Subscription
from atoll.database.drivers.base import Database
from atoll.errors import ApplicationNotInstalled, AppNotReady
from atoll.lifecycle import BackgroundTasks

__all__ = ["Application", "Plugin", "RootAccount"]

log = logging.getLogger(__name__)
_TELL_WRITES_AFTER = 0.02
_LOOK_EVERY = 30.0


class Application:
    """An app that answers HTTP and WebSocket requests once it is started. It is an ASGI application.

    Args:
        name: the app's name; its tokens are valid for this name only.
        database: opened by the giver, and closed by the giver after `stop`.
        secret: signs the app's tokens; at least 32 bytes.
        storage: the app's own folder.
        sync: carries cache invalidation and live messages to the app's other instances.
        plugins: instances made for this app.
        timezone: "UTC" or an offset such as "+08:00", used when a request names none.
        title, lang: the first system settings.
        ids: makes the ids of records; one object for all apps of a process.
        body_limit: bytes a request body may have.
    """

    def __init__(
        self,
        *,
        name: str,
        database: Database,
        secret: bytes,
        storage: Path,
        sync: PubSub,
        ids: SnowflakeIds,
        plugins: Sequence[Plugin] = (),
        timezone: str = "UTC",
        title: str = "",
        lang: str = "en-US",
        body_limit: int = http.BODY_LIMIT,
    ) -> None:
        self.name = name
        self.database = database
        self.storage = storage
        self.default_offset = "+00:00" if timezone == "UTC" else timezone
        self.events = Events()
        self.resources = ResourceRegistry()
        for part in (auth, users, memberships, collections, system):
            part.define(self.resources)
        self.live = LiveHub(self._forward_live)
        self.passwords = Passwords()
        self.throttle = Throttle()
        self.collections = CollectionStore(database, self.resources.names)
        self.records = RecordEngine(database, self.collections, self.events, ids)
        self.accounts = Accounts(database, self.collections, self.records)
        self.users = Users(database, self.collections, self.records, self.accounts, self.passwords)
        self.sessions = Sessions(name, secret, database, self.collections, self.accounts)
        self._title = title or name
        self._lang = lang
        self._sync = sync
        self._plugins = PluginManager(plugins)
        self._subscription: Subscription | None = None
        self._instance = secrets.token_hex(8)
        self._running = False
        self._http = http.HttpApi(self, body_limit)
        self._background = BackgroundTasks(f"app:{name}")
        self._written: set[str] = set()
        self._telling: asyncio.Task[Any] | None = None
        self._looked = 0.0
        self._looking: asyncio.Task[Any] | None = None
        self.events.records.add(self._records_changed)

    def __repr__(self) -> str:
        return f"<Application {self.name}>"

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """The app's plugins in their order."""
        return self._plugins.plugins

    # -- life ------------------------------------------------------------------------------------------

    async def install(self, root: RootAccount | None) -> bool:
        """Makes tables and first records; True if this call did it. Any process may call it any time."""
        done = await install(
            self.database, root, title=self._title, lang=self._lang, passwords=self.passwords
        )
        await self._plugins.install(self)
        return done

    async def start(self) -> None:
        """Loads what is kept in memory and starts plugins; raises ApplicationNotInstalled."""
        if self._running:
            return
        if not await is_installed(self.database):
            raise ApplicationNotInstalled(f"The app {self.name!r} has no tables yet; install it first")
        self._subscription = await self._sync.subscribe(self._channel, self._hear)
        try:
            await asyncio.gather(self.collections.load(), self.sessions.load(), self.accounts.settings())
            await self._plugins.start(self)
        except BaseException:
            await self.stop()
            raise
        self._looked = time.monotonic()
        self._running = True

    async def stop(self) -> None:
        """Ends plugins, connections and subscriptions. The database stays open. Idempotent."""
        self._running = False
        subscription, self._subscription = self._subscription, None
        try:
            await self._plugins.stop(self)
        finally:
            await self._background.cancel_all()
            self._written.clear()
            if subscription is not None:
                await subscription.close()
            self.live.drop()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI: `http` below `/api/` and `websocket`."""
        if scope["type"] == "http":
            if self._running:
                self._look_again()
                await self._http(scope, receive, send)
            else:
                error = AppNotReady(f"The app {self.name!r} is stopped", code="APP_STOPPED")
                await http.refuse(error, scope, send)
        elif scope["type"] == "websocket":
            await serve_websocket(self, receive, send)
        else:
            raise RuntimeError(f"unexpected ASGI scope {scope['type']!r}")

    def _look_again(self) -> None:
        """Now and then compares memory with the database, should a message have been lost with its sender."""
        now = time.monotonic()
        if now - self._looked > _LOOK_EVERY:
            self._looked = now
            self._looking = self._background.spawn("look-again", self._compare())

    async def _compare(self) -> None:
        self.accounts.forget_all()
        await self.sessions.load()
        if await self.collections.refresh():
            self.records.forget_plans()

    # -- changes that other instances must hear of -------------------------------------------------------

    async def collection_changed(self, name: str) -> None:
        """A collection was created, changed or destroyed by this instance."""
        self.records.forget_plans()
        await self._tell({"kind": "collection", "name": name})
        await self.events.collections.emit(CollectionChanged(name))

    async def user_changed(self, user_id: int) -> None:
        """A user, or the roles of a user, changed."""
        self.accounts.forget_user(user_id)
        self.live.drop_user(user_id)
        await self._tell({"kind": "user", "id": user_id})

    async def settings_changed(self) -> None:
        """Settings, roles, authenticators or the token policy changed."""
        self.accounts.forget_settings()
        await self._tell({"kind": "settings"})

    async def session_ended(self, blocked: str, user_id: int) -> None:
        """A token was blocked."""
        self.live.drop_user(user_id)
        await self._tell({"kind": "blocked", "token": blocked, "id": user_id})

    async def _records_changed(self, change: RecordsChanged) -> None:
        """Others drop their totals; many changes become one message."""
        if not self._written and self._running:
            self._telling = self._background.spawn("tell-writes", self._tell_writes())
        self._written.add(change.collection)

    async def _tell_writes(self) -> None:
        await asyncio.sleep(_TELL_WRITES_AFTER)
        names, self._written = sorted(self._written), set()
        await self._tell({"kind": "records", "names": names})

    async def _forward_live(self, message: dict[str, Any]) -> None:
        await self._tell({"kind": "live", **message})

    @property
    def _channel(self) -> str:
        return f"app:{self.name}"

    async def _tell(self, message: dict[str, Any]) -> None:
        encoded = msgspec.json.encode({"v": 1, "from": self._instance, **message})
        await self._sync.publish(self._channel, encoded, skip_self=False)

    async def _hear(self, message: bytes | Gap) -> None:
        if isinstance(message, Gap):
            await self._forget_everything()
            return
        told = msgspec.json.decode(message)
        if told.get("from") == self._instance:
            return
        kind = told.get("kind") if told.get("v") == 1 else None
        if kind == "collection":
            await self.collections.reload(told["name"])
            self.records.forget_plans()
            await self.events.collections.emit(CollectionChanged(told["name"]))
        elif kind == "user":
            self.accounts.forget_user(told["id"])
            self.live.drop_user(told["id"])
        elif kind == "settings":
            self.accounts.forget_settings()
        elif kind == "blocked":
            self.sessions.block(told["token"])
            self.live.drop_user(told["id"])
        elif kind == "records":
            self.records.forget_totals(told["names"])
        elif kind == "live":
            self.live.deliver(told["message"], user_id=told["user_id"], role=told["role"])
        else:
            log.warning("unknown sync message, dropping all caches", extra={"app": self.name, "kind": kind})
            await self._forget_everything()

    async def _forget_everything(self) -> None:
        self.accounts.forget_all()
        self.records.forget_plans()
        await asyncio.gather(self.collections.load(), self.sessions.load())
