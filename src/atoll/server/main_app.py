"""The main app of a server: waits for its database, is installed at the first start, and begins."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from atoll.application.app import Application, Plugin, RootAccount
from atoll.application.records.filter import Caller
from atoll.database.drivers import Database, connect
from atoll.errors import DatabaseMissing, DatabaseSignInRefused, DatabaseUnavailable, StorageUnusable
from atoll.server.apps import Surroundings, offset
from atoll.server.databases import main_database
from atoll.server.keys import app_folder, main_token_secret

log = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0


class MainApp:
    """The entry app of one server and its database, which the app store shares."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.database: Database = connect(main_database(around.settings), around.pools)
        self.application: Application | None = None

    async def reach_database(self) -> None:
        """Waits until the database answers, saying now and then that it does not.

        Anything else (wrong password, no such database, a file that cannot be one) is raised: waiting would
        not help.
        """
        file = self.database.config.storage
        if file is not None:
            await asyncio.to_thread(_prepare_folder, file)
        await self.database.open()
        pause, waited = FIRST_PAUSE, 0.0
        while True:
            try:
                await self.database.ping()
            except (DatabaseSignInRefused, DatabaseMissing):
                raise
            except DatabaseUnavailable as error:
                log.warning(
                    "waiting for the database", extra={"reason": error.message, "waited": round(waited, 1)}
                )
            else:
                return
            await asyncio.sleep(pause)
            waited += pause
            pause = min(pause * 2, LONGEST_PAUSE)

    async def start(self, plugins: Sequence[Plugin]) -> Application:
        """Installs the app when that was not done yet, starts it, and gives it."""
        settings = self._around.settings
        parts = self._around.parts
        scope = f"main.{settings.environment_name or settings.app_mode}"
        application = Application(
            name="main",
            database=self.database,
            secret=main_token_secret(settings),
            storage=app_folder(settings, "main"),
            sync=parts.sync.scope(scope),
            cache=parts.cache.scope(scope),
            locks=parts.locks.scope(scope),
            queue=parts.queue.scope(scope),
            mode=settings.worker_mode,
            ids=self._around.ids,
            plugins=[*self._around.plugins(), *plugins],
            timezone=offset(settings.timezone),
            title="Atoll",
            lang=settings.app_lang,
            body_limit=settings.request_body_limit,
            mail=self._around.mail,
            address=(settings.public_url or "").rstrip("/"),
        )
        generated = None
        if settings.init_root_password is None and settings.init_root_password_hash is None:
            generated = secrets.token_urlsafe(12)
        account = RootAccount(
            username=settings.init_root_username,
            email=settings.init_root_email,
            nickname=settings.init_root_nickname,
            password=settings.init_root_password or generated,
            password_hash=None if settings.init_root_password else settings.init_root_password_hash,
        )
        if await application.install(account):
            await _offer_wizard(application)
            if generated is not None:
                _say_once(account.username, generated)
        await application.start()
        self.application = application
        return application

    async def root_account(self) -> RootAccount:
        """The first account for apps installed here: INIT_ROOT_*.

        When no password is set, it is the one of the main app's own first account, so that a generated
        password serves for these apps too.
        """
        settings = self._around.settings
        password_hash = settings.init_root_password_hash
        if settings.init_root_password is None and password_hash is None and self.application is not None:
            password_hash = await self.application.users.password_of(1)
        return RootAccount(
            username=settings.init_root_username,
            email=settings.init_root_email,
            nickname=settings.init_root_nickname,
            password=settings.init_root_password,
            password_hash=None if settings.init_root_password else password_hash,
        )

    async def stop(self) -> None:
        """Stops the app and closes its database."""
        application, self.application = self.application, None
        try:
            if application is not None:
                await application.stop()
        finally:
            await self.database.close()


def _prepare_folder(file: Path) -> None:
    """Makes the folder of a database file; raises StorageUnusable when the file could not be used."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnusable(
            f"The folder {file.parent} cannot be made ({error.strerror}). Correct STORAGE_PATH or DB_STORAGE."
        ) from error
    target = file if file.exists() else file.parent
    if file.is_dir() or not os.access(target, os.R_OK | os.W_OK):
        why = "is a folder" if file.is_dir() else "cannot be written"
        raise StorageUnusable(f"The database file {file} {why}. Correct DB_STORAGE, or its rights.")


async def _offer_wizard(application: Application) -> None:
    """Marks a new server, so that the UI leads its first administrator through the first steps, once."""
    collection = application.collections.system["systemSettings"]
    await application.records.update(
        collection, {"filterByTk": 1}, {"options": {"setup": "pending"}}, Caller()
    )


def _say_once(username: str, password: str) -> None:
    """Shows the generated password on the terminal; it is kept nowhere else and never enters the log."""
    sys.stdout.write(
        f"\n  First account: {username}\n  Password:      {password}\n"
        "  This password is shown only now. Set INIT_ROOT_PASSWORD to choose it yourself.\n\n"
    )
    sys.stdout.flush()
