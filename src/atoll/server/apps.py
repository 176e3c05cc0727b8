"""One business app as an environment runs it: an `Application` with its database and its folder."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from atoll import templates
from atoll.application.app import Application, RootAccount
from atoll.application.fields.snowflake_id import SnowflakeIds
from atoll.cluster.cache import Cache
from atoll.cluster.pubsub import PubSub
from atoll.cluster.queue import Queue
from atoll.database import provision
from atoll.database.config import DatabaseConfig
from atoll.database.drivers import Database, PostgresPools, connect
from atoll.errors import AppNotReady, AtollError
from atoll.mail import MailSender
from atoll.server.app_template import fill
from atoll.server.cluster_parts import ClusterParts
from atoll.server.databases import app_database
from atoll.server.keys import app_folder
from atoll.server.plugins import PluginsOfEveryApp
from atoll.settings import Settings
from atoll.supervisor.models import AdminAccount, AppModel, Finding
from atoll.supervisor.process.base import AppRuntime

if TYPE_CHECKING:
    from starlette.types import ASGIApp


@dataclass(frozen=True)
class Surroundings:
    """What all apps of a server share.

    Args:
        parts: messages, queue, cache and locks; each app gets a scope of its own, the same in all instances.
        ids: makes the ids of records for all of them.
        plugins: makes the plugins that each of them has.
        first_account: the account an app gets when nobody asked for another one.
        mail: sends mails for all of them; None: there is no mail.
    """

    settings: Settings
    pools: PostgresPools
    parts: ClusterParts
    ids: SnowflakeIds
    first_account: Callable[[], Awaitable[RootAccount]]
    plugins: PluginsOfEveryApp
    mail: MailSender | None


class ApplicationRuntime(AppRuntime):
    """Implements the environment's contract around one `Application`."""

    def __init__(self, model: AppModel, around: Surroundings) -> None:
        self._model = model
        self._around = around
        self._folder = app_folder(around.settings, model.name)
        self._database: Database | None = None
        self._application: Application | None = None
        self._sync: PubSub | None = None
        self._queue: Queue | None = None
        self._cache: Cache | None = None

    async def check(self) -> list[Finding]:
        """See the base class."""
        try:
            config = self._config()
        except AtollError as error:
            return [Finding(code=error.code, message=error.message, field="options.dbConnType")]
        found = await provision.check(config, owner=self._model.uid, existing=self._existing)
        return [
            Finding(code=each.code, message=each.message, remedy=each.remedy, field="options.database")
            for each in found
        ]

    async def database_identity(self) -> str:
        """See the base class."""
        return await provision.identity(self._config())

    async def provision(self) -> None:
        """See the base class."""
        await provision.create(self._config(), self._model.uid, existing=self._existing)
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)

    async def install(self, admin: AdminAccount | None) -> None:
        """See the base class."""
        application = await self._assembled()
        account = await self._around.first_account() if admin is None else _account(admin)
        await application.install(account)

    async def fill(self) -> None:
        """See the base class."""
        name = self._model.options.get("template")
        if name:
            await fill(await self._assembled(), templates.load(name, self._lang))

    async def start(self) -> None:
        """See the base class."""
        application = await self._assembled()
        await application.start()

    async def stop(self) -> None:
        """See the base class."""
        application, self._application = self._application, None
        database, self._database = self._database, None
        sync, self._sync = self._sync, None
        queue, self._queue = self._queue, None
        cache, self._cache = self._cache, None
        try:
            if application is not None:
                await application.stop()
        finally:
            if queue is not None:
                await queue.close()
            if cache is not None:
                await cache.close()
            if sync is not None:
                await sync.close()
            if database is not None:
                await database.close()

    async def destroy(self, *, remove_database: bool) -> None:
        """See the base class."""
        await self.stop()
        if remove_database:
            await provision.drop(self._config(), self._model.uid)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=False, onerror=_unless_missing)

    @property
    def asgi(self) -> ASGIApp:
        """See the base class."""
        if self._application is None:
            raise AppNotReady(f"The app {self._model.name} is stopped.", code="APP_STOPPED")
        return self._application

    @property
    def _existing(self) -> bool:
        """A connection to somewhere else uses a database that is there: foreign servers get none."""
        return self._model.connection == "new_connection" and self._model.database.dialect == "postgres"

    @property
    def _lang(self) -> str:
        """The app's first language, which is the platform's when nobody chose one."""
        return str(self._model.options.get("lang") or self._around.settings.app_lang)

    @property
    def _address(self) -> str:
        """Where people reach the app: its own domain, else below the address of the installation."""
        base = (self._around.settings.public_url or "").rstrip("/")
        if self._model.cname:
            return f"{base.partition(':')[0] or 'https'}://{self._model.cname}"
        return f"{base}/apps/{self._model.name}"

    def _config(self) -> DatabaseConfig:
        return app_database(self._around.settings, self._model)

    async def _assembled(self) -> Application:
        """The application on its opened database; put together at the first call."""
        if self._application is None:
            settings, model = self._around.settings, self._model
            parts, scope = self._around.parts, f"{model.name}.{model.uid}"
            self._sync, self._cache = parts.sync.scope(scope), parts.cache.scope(scope)
            self._queue = parts.queue.scope(scope)
            self._database = connect(self._config(), self._around.pools)
            await self._database.open()
            self._application = Application(
                name=model.name,
                database=self._database,
                secret=bytes.fromhex(model.secret),
                storage_secret=bytes.fromhex(model.storage_secret) or None,
                storage=self._folder,
                sync=self._sync,
                queue=self._queue,
                mode=settings.worker_mode,
                cache=self._cache,
                locks=parts.locks.scope(scope),
                ids=self._around.ids,
                plugins=self._around.plugins(),
                timezone=offset(settings.timezone),
                title=model.display_name,
                lang=self._lang,
                body_limit=settings.request_body_limit,
                mail=self._around.mail,
                address=self._address,
                upgrade=model.options.get("autoUpgrade") is not False,
            )
        return self._application


def offset(zone: str) -> str:
    """How the application half is told the server's time zone: "UTC" or the present offset, "+08:00"."""
    if zone == "UTC":
        return zone
    text = f"{datetime.now(UTC).astimezone(ZoneInfo(zone)):%z}"
    return re.sub(r"^([+-]\d\d)(\d\d)$", r"\1:\2", text)


def _account(admin: AdminAccount) -> RootAccount:
    return RootAccount(
        username=admin.username,
        email=admin.email,
        nickname=admin.nickname or admin.username,
        password=admin.password,
        password_hash=admin.password_hash,
    )


def _unless_missing(
    _function: object, _path: str, failure: tuple[type[BaseException], BaseException, object]
) -> None:
    if not isinstance(failure[1], FileNotFoundError):
        raise failure[1]
