"""One business app: everything that belongs to it, put together."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

from atoll.application.api import http
from atoll.application.api.actions import (
    api_doc,
    api_keys,
    auth,
    authenticators,
    charts,
    collections,
    data_sources,
    memberships,
    menus,
    oidc,
    parts,
    password_resets,
    preferences,
    queues,
    role_rules,
    second_factor,
    sessions,
    sql_collections,
    system,
    themes,
    users,
    variables,
    views,
)
from atoll.application.api.live import LiveHub
from atoll.application.api.live_records import LiveRecords
from atoll.application.api.resources import ResourceRegistry
from atoll.application.api.websocket import serve_websocket
from atoll.application.auth.accounts import Accounts
from atoll.application.auth.api_keys import ApiKeys
from atoll.application.auth.identities import Identities
from atoll.application.auth.installation import RootAccount, install
from atoll.application.auth.last_use import LastUse
from atoll.application.auth.oidc import OidcSignIn
from atoll.application.auth.open_sessions import OpenSessions
from atoll.application.auth.password_resets import PasswordResets
from atoll.application.auth.passwords import Passwords
from atoll.application.auth.preferences import Preferences
from atoll.application.auth.role_rules import RoleRules
from atoll.application.auth.second_factors import SecondFactors
from atoll.application.auth.sessions import Sessions
from atoll.application.auth.throttle import Throttle
from atoll.application.auth.users import Users
from atoll.application.auth.views import Views
from atoll.application.collections.store import CollectionStore
from atoll.application.events import Events, RecordsChanged
from atoll.application.fields.snowflake_id import SnowflakeIds
from atoll.application.instances.agreement import Agreement
from atoll.application.instances.membership import Membership
from atoll.application.migrations import MIGRATIONS, Migration, Schema
from atoll.application.outbox import Outbox
from atoll.application.plugin_manager import Plugin, PluginManager
from atoll.application.records.engine import RecordEngine
from atoll.application.schedule import Job, Schedule, Tick
from atoll.application.services import Services
from atoll.application.tasks import TaskTypes
from atoll.application.topics import AccountsTopic, CollectionsTopic, InstancesTopic
from atoll.application.vault import Vault
from atoll.cluster.cache import Cache, MemoryCounters
from atoll.cluster.lock import Lock
from atoll.cluster.pubsub import Gap, PubSub, Subscription
from atoll.cluster.queue import MemoryQueue, Queue
from atoll.database.drivers.base import Database
from atoll.errors import ApplicationNotInstalled, AppNotReady, InstanceNotCurrent, SchemaTooNew
from atoll.lifecycle import BackgroundTasks
from atoll.mail import MailSender
from atoll.worker_mode import WorkerMode

__all__ = ["Application", "Plugin", "RootAccount"]

log = logging.getLogger(__name__)
_TELL_WRITES_AFTER = 0.02
_FINISH_EVERY = 2.0
_MOST_COUNTERS = 10_000


class Application:
    """An app that answers HTTP and WebSocket requests once it is started. It is an ASGI application.

    Args:
        name: the app's name; its tokens are valid for this name only.
        database: opened by the giver, and closed by the giver after `stop`.
        secret: signs the app's tokens; at least 32 bytes.
        storage_secret: encrypts what the app keeps secret in its database; None for the same. It must stay
            the same when the other one is replaced.
        storage: the app's own folder.
        sync: carries cache invalidation and live messages to the app's other instances, and those of plugins,
            as `pubsub`, on channels of their own.
        cache: values that all instances of the app share, for plugins too.
        locks: among all instances of the app, for plugins too.
        queue: work for later, on channels of the app's own; None: one in memory that nobody shares.
        mode: what this instance does.
        plugins: instances made for this app.
        timezone: "UTC" or an offset such as "+08:00", used when a request names none.
        title, lang: the first system settings.
        ids: makes the ids of records; one object for all apps of a process.
        body_limit: bytes a request body may have.
        mail: sends mails; None: whatever needs mail is refused.
        address: where people reach the app, without a slash at the end; for links in mails.
        migrations: of the app's tables, oldest first.
        upgrade: apply those that are missing at the start; else the start is refused.
    """

    def __init__(
        self,
        *,
        name: str,
        database: Database,
        secret: bytes,
        storage: Path,
        sync: PubSub,
        cache: Cache,
        locks: Lock,
        ids: SnowflakeIds,
        queue: Queue | None = None,
        mode: WorkerMode = WorkerMode(),  # noqa: B008 - frozen
        plugins: Sequence[Plugin] = (),
        timezone: str = "UTC",
        title: str = "",
        lang: str = "en-US",
        body_limit: int = http.BODY_LIMIT,
        mail: MailSender | None = None,
        address: str = "",
        migrations: Sequence[Migration] = MIGRATIONS,
        upgrade: bool = True,
        storage_secret: bytes | None = None,
    ) -> None:
        self.name = name
        self._secret = secret
        self.database = database
        self.storage = storage
        self.default_offset = "+00:00" if timezone == "UTC" else timezone
        self.events = Events()
        self.resources = ResourceRegistry()
        for part in (
            auth, authenticators, oidc, sessions, second_factor, password_resets, api_keys, users,
            memberships, role_rules, collections, data_sources, preferences, queues, views, system,
            menus, themes, variables, parts, charts, sql_collections, api_doc,
        ):  # fmt: skip
            part.define(self.resources)
        self.live = LiveHub(self._forward_live)
        self.passwords = Passwords()
        self.vault = Vault(storage_secret or secret)
        self.cache = cache
        self.locks = locks
        self.pubsub = sync.scope("plugins")
        self.throttle = Throttle(cache.scope("sign-in").counters, MemoryCounters(_MOST_COUNTERS))
        self._background = BackgroundTasks(f"app:{name}")
        self._instance = secrets.token_hex(8)
        self._plugins = PluginManager(plugins)
        self._schema = Schema(database, (*migrations, *self._plugins.migrations), automatic=upgrade)
        self._membership = Membership(database, self._instance, self._schema.names)
        self.agreement = Agreement(database, self._membership, self._tell, self._admit, self._background)
        self.collections = CollectionStore(database, self.resources.names, self.agreement)
        self.records = RecordEngine(database, self.collections, self.events, ids)
        self.role_rules = RoleRules(self.collections, self.records)
        self.accounts = Accounts(database, self.collections, self.records, self.role_rules)
        self.preferences = Preferences(database, self.collections)
        self.views = Views(database, self.collections)
        self.sessions = Sessions(name, secret, database, self.collections, self.accounts, self.agreement)
        self.open_sessions = OpenSessions(
            database, self.collections, self.accounts, self.sessions, self.agreement
        )
        self.api_keys = ApiKeys(database, self.collections, self.records, self.sessions, self.agreement)
        self.last_use = LastUse(database, self.collections, self._background)
        self.second_factors = SecondFactors(database, self.collections, self.vault)
        self.users = Users(
            database,
            self.collections,
            self.records,
            self.accounts,
            self.passwords,
            self.agreement,
            self.preferences,
            self.views,
            self.open_sessions,
            self.api_keys,
            self.second_factors,
        )
        self.oidc = OidcSignIn(self.vault)
        self.identities = Identities(database, self.collections, self.users)
        self.users.owned_by_users.append(self.identities)
        self.password_resets = PasswordResets(
            database, self.collections, self.users, self.agreement, self._background, mail, address
        )
        self.agreement.add(CollectionsTopic(self.collections, self.records, self.events))
        self.agreement.add(AccountsTopic(self.accounts, self.sessions, self.live))
        self.agreement.add(InstancesTopic())
        self._title = title or name
        self._lang = lang
        self._sync = sync
        self.queue = queue or MemoryQueue()
        self.outbox = Outbox(database, self.queue)
        self.services = Services(name, self.queue, mode)
        self.tasks = TaskTypes()
        self.schedule = Schedule(name, database, self._instance, self.services.serving)
        self.schedule.add(Job("app/clean-up", f"{crc32(name.encode()) % 60} * * * *", self._clean_up))
        self._subscription: Subscription | None = None
        self._refused: SchemaTooNew | None = None
        self._running = False
        self._http = http.HttpApi(self, body_limit)
        self._written: set[str] = set()
        self._telling: asyncio.Task[Any] | None = None
        self.events.records.add(self._records_changed)
        self._live_records = LiveRecords(
            self.live, self.collections, self.resources, self.accounts, self._background
        )
        self.events.records.add(self._live_records.note)

    def __repr__(self) -> str:
        return f"<Application {self.name}>"

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """The app's plugins in their order."""
        return self._plugins.plugins

    def derived_key(self, purpose: str) -> bytes:
        """32 bytes for one purpose, the same in all instances; they say nothing about the app's secret."""
        return hmac.digest(self._secret, f"{self.name}\0{purpose}".encode(), "sha256")

    def serving(self, key: str) -> bool:
        """Whether this instance does the background work of that service key (`WORKER_MODE`)."""
        return self.services.serving(key)

    # -- life ------------------------------------------------------------------------------------------

    async def install(self, root: RootAccount | None) -> bool:
        """Makes tables and first records; True if this call did it. Any process may call it any time."""
        done = await install(
            self.database,
            root,
            title=self._title,
            lang=self._lang,
            passwords=self.passwords,
            schema=self._schema,
        )
        if self._plugins.migrations:
            await self._schema.prepare(await self._schema.applied(), self._without)
        await self._plugins.install(self)
        return done

    async def start(self) -> None:
        """Upgrades tables of an older version, loads what is kept in memory and starts plugins.

        Raises:
            ApplicationNotInstalled: there are no tables.
            SchemaTooNew, SchemaUpgradeNeeded, SchemaUpgradeBlocked: the tables do not fit this version.
        """
        if self._running:
            return
        applied = await self._schema.applied()
        if not applied:
            raise ApplicationNotInstalled(f"The app {self.name!r} has no tables yet; install it first")
        await self._schema.prepare(applied, self._without)
        self._refused = None
        self._subscription = await self._sync.subscribe(self._channel, self._hear)
        try:
            await self.agreement.join()
            await self.accounts.settings()
            await self._plugins.start(self)
            self.outbox.start()
            await self.schedule.start()
            if self._written and await self._membership.others():
                self._telling = self._background.spawn("tell-writes", self._tell_writes(after=0.0))
            else:
                self._written.clear()  # who joins later knows no totals of before
        except BaseException:
            await self.stop()
            raise
        if self._schema.unfinished(applied):
            _ = self._background.keep_running("finish-upgrade", self._finish_upgrade)
        self._running = True

    async def stop(self) -> None:
        """Ends plugins, connections and subscriptions. The database stays open. Idempotent."""
        self._running = False
        subscription, self._subscription = self._subscription, None
        try:
            await self.schedule.stop()
            await self.services.stop()
            await self.outbox.stop()
            await self._plugins.stop(self)
        finally:
            await self._background.cancel_all()
            await self.last_use.write()
            self._written.clear()
            self._live_records.forget()
            if subscription is not None:
                await subscription.close()
                await self.agreement.leave()
            self.live.drop()

    async def _clean_up(self, tick: Tick) -> None:
        """Each hour, at a minute that differs from app to app."""
        await self.sessions.forget_expired()
        await self.password_resets.forget_expired()
        await self.schedule.forget_old()

    async def _admit(self) -> None:
        """Asked whenever this instance becomes a member: has the database been closed to its version?"""
        try:
            self._schema.check(await self._schema.applied())
        except SchemaTooNew as error:
            self._refused = error
            await self._membership.withdraw()
            raise

    async def _without(self, migration: str) -> list[str]:
        return [each.id for each in await self._membership.others() if migration not in each.migrations]

    async def _finish_upgrade(self) -> None:
        """Waits for older instances to leave; those that were killed are found by not answering."""
        while not await self._schema.finish(self._without):
            async with self.agreement.change("instances"):
                pass
            await asyncio.sleep(_FINISH_EVERY)
        await asyncio.Event().wait()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI: `http` below `/api/` and `websocket`."""
        if scope["type"] == "http":
            if self.agreement.due and self._running:
                try:
                    await self.agreement.renew()
                except (InstanceNotCurrent, SchemaTooNew) as problem:
                    await http.refuse(problem, scope, send)
                    return
            if self._refused is not None:
                await http.refuse(self._refused, scope, send)
            elif self._running:
                await self._http(scope, receive, send)
            else:
                error = AppNotReady(f"The app {self.name!r} is stopped", code="APP_STOPPED")
                await http.refuse(error, scope, send)
        elif scope["type"] == "websocket":
            await serve_websocket(self, receive, send)
        else:
            raise RuntimeError(f"unexpected ASGI scope {scope['type']!r}")

    # -- changes that other instances must hear of -------------------------------------------------------

    async def _records_changed(self, change: RecordsChanged) -> None:
        """Others drop their totals; many changes become one message. `start` tells of those before it."""
        if not self._written and self._running:
            self._telling = self._background.spawn("tell-writes", self._tell_writes())
        self._written.add(change.collection)

    async def _tell_writes(self, after: float = _TELL_WRITES_AFTER) -> None:
        await asyncio.sleep(after)
        names, self._written = sorted(self._written), set()
        await self._tell({"kind": "records", "names": names})

    async def _forward_live(self, message: dict[str, Any]) -> None:
        await self._tell({"kind": "live", **message})

    @property
    def _channel(self) -> str:
        return f"app:{self.name}"

    async def _tell(self, message: Mapping[str, Any]) -> None:
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
        if kind in ("changed", "known"):
            await self.agreement.hear(told)
        elif kind == "records":
            self.records.forget_totals(told["names"])
        elif kind == "live":
            self.live.deliver(
                told["message"], user_id=told["user_id"], role=told["role"], any_role=told.get("any_role")
            )
        else:
            log.warning("unknown sync message, dropping all caches", extra={"app": self.name, "kind": kind})
            await self._forget_everything()

    async def _forget_everything(self) -> None:
        self.records.forget_plans()
        await self.agreement.forget()
