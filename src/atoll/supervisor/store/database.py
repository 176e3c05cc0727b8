"""The app store in the Supervisor's own database."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.schema import CreateTable

from atoll.database.drivers.base import Database
from atoll.errors import AppNameTaken, AppNotFound, DatabaseUnavailable, UniqueViolation, UnknownColumn
from atoll.supervisor.models import AdminAccount, DatabaseOptions, EnvironmentCard
from atoll.supervisor.sealing import Vault
from atoll.supervisor.store.base import (
    KEPT_EVENTS,
    AppEvent,
    AppRecord,
    AppStore,
    Change,
    KnownEnvironment,
)


class _Secrets(msgspec.Struct):
    secret: str
    password: str | None
    admin: AdminAccount | None
    storage_secret: str = ""


class DatabaseStore(AppStore):
    """A record is one JSON text in the table `applications`; secrets are a column of their own."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._db = database
        self._vault = Vault(key)
        self._apps, self._environments, self._events, self._draining = _tables(database.table_prefix)

    async def prepare(self) -> None:
        """See the base class."""
        async with self._db.exclusive("app-store"):
            for table in (self._apps, self._environments, self._events, self._draining):
                await self._db.run(CreateTable(table, if_not_exists=True))

    async def versions(self) -> dict[str, int]:
        """See the base class."""
        c = self._apps.c
        found = await self._db.run(select(c.uid, c.version))
        return {uid: int(version) for uid, version in found.rows}

    async def apps(self, uids: Collection[str] | None = None) -> list[AppRecord]:
        """See the base class."""
        c = self._apps.c
        query = select(c.record, c.secrets, c.version).order_by(c.created, c.uid)
        if uids is not None:
            query = query.where(c.uid.in_(list(uids)))
        found = await self._db.run(query)
        return [self._read(*row) for row in found.rows]

    async def insert(self, record: AppRecord) -> None:
        """See the base class."""
        values = self._write(record) | {"uid": record.uid, "created": record.created_at}
        try:
            await self._db.run(insert(self._apps), values)
        except UniqueViolation as error:
            raise _taken(record) from error

    async def update(self, uid: str, change: Change) -> AppRecord:
        """See the base class."""
        c = self._apps.c
        while True:
            found = await self._db.run(select(c.record, c.secrets, c.version).where(c.uid == uid))
            if not found.rows:
                raise AppNotFound("The app does not exist any more.", detail=uid)
            present = self._read(*found.rows[0])
            changed = change(present)
            if changed is None or changed == present:
                return present
            changed = replace(changed, version=present.version + 1, updated_at=datetime.now(UTC))
            statement = update(self._apps).where(
                and_(c.uid == bindparam("key"), c.version == bindparam("was"))
            )
            try:
                written = await self._db.run(
                    statement.values({name: bindparam(name) for name in _COLUMNS}),
                    self._write(changed) | {"key": uid, "was": present.version},
                )
            except UniqueViolation as error:
                raise _taken(changed) from error
            if written.rowcount:
                return changed

    async def delete(self, uid: str) -> None:
        """See the base class."""
        await self._db.run(delete(self._apps).where(self._apps.c.uid == uid))
        await self._db.run(delete(self._events).where(self._events.c.uid == uid))

    async def note(self, uid: str, events: Sequence[AppEvent]) -> None:
        """See the base class."""
        table, c = self._events, self._events.c
        async with self._db.transaction() as tx:
            for event in events:
                values = {
                    "uid": uid,
                    "key": event.key,
                    "at": event.at,
                    "event": msgspec.json.encode(event).decode(),
                }
                with contextlib.suppress(UniqueViolation):
                    async with tx.transaction() as attempt:
                        await self._db.run(insert(table), values, connection=attempt)
            newest = select(c.at).where(c.uid == uid).order_by(c.at.desc(), c.key.desc())
            found = await self._db.run(newest.limit(1).offset(KEPT_EVENTS - 1), connection=tx)
            if found.rows:
                old = delete(table).where(and_(c.uid == uid, c.at < bindparam("oldest", type_=c.at.type)))
                await self._db.run(old, {"oldest": found.rows[0][0]}, connection=tx)

    async def events(self, uid: str) -> list[AppEvent]:
        """See the base class."""
        c = self._events.c
        query = select(c.event).where(c.uid == uid).order_by(c.at.desc(), c.key.desc()).limit(KEPT_EVENTS)
        found = await self._db.run(query)
        return [msgspec.json.decode(text, type=AppEvent) for (text,) in found.rows]

    async def environments(self) -> list[KnownEnvironment]:
        """See the base class."""
        c = self._environments.c
        found = await self._db.run(select(c.name, c.public_key, c.card, c.last_seen).order_by(c.name))
        return [
            KnownEnvironment(
                name=name,
                public_key=key,
                card=msgspec.json.decode(card, type=EnvironmentCard),
                last_seen=seen,
            )
            for name, key, card, seen in found.rows
        ]

    async def meet(self, environment: KnownEnvironment) -> KnownEnvironment:
        """See the base class."""
        c = self._environments.c
        values: dict[str, Any] = {
            "name": environment.name,
            "public_key": environment.public_key,
            "card": msgspec.json.encode(environment.card).decode(),
            "last_seen": environment.last_seen,
        }
        try:
            await self._db.run(insert(self._environments), values)
        except UnknownColumn as error:  # asked before `prepare` has ended, at the first start
            raise DatabaseUnavailable("The tables of the app store are being made.") from error
        except UniqueViolation:
            statement = update(self._environments).where(
                and_(c.name == bindparam("key"), c.public_key == bindparam("trusted"))
            )
            await self._db.run(
                statement.values(card=bindparam("card"), last_seen=bindparam("last_seen")),
                {
                    "key": environment.name,
                    "trusted": environment.public_key,
                    "card": values["card"],
                    "last_seen": environment.last_seen,
                },
            )
        found = [known for known in await self.environments() if known.name == environment.name]
        return found[0] if found else environment

    async def forget_environment(self, name: str) -> None:
        """See the base class."""
        await self._db.run(delete(self._environments).where(self._environments.c.name == name))
        await self.drain(name, False)

    async def draining(self) -> set[str]:
        """See the base class."""
        return {name for (name,) in (await self._db.run(select(self._draining.c.name))).rows}

    async def drain(self, name: str, wanted: bool) -> None:
        """See the base class."""
        if wanted:
            with contextlib.suppress(UniqueViolation):
                await self._db.run(insert(self._draining), {"name": name})
        else:
            await self._db.run(delete(self._draining).where(self._draining.c.name == name))

    def _write(self, record: AppRecord) -> dict[str, Any]:
        hidden = _Secrets(
            secret=record.secret,
            password=record.database.password,
            admin=record.admin,
            storage_secret=record.storage_secret,
        )
        database = replace(record.database, password=None)
        shown = replace(record, secret="", storage_secret="", admin=None, database=database)
        return {
            "name": record.uid if record.desired == "removed" and record.dropped else record.name,
            "host": record.cname or None,
            "record": msgspec.json.encode(shown).decode(),
            "secrets": self._vault.lock(msgspec.json.encode(hidden), record.uid),
            "version": record.version,
            "updated": record.updated_at,
        }

    def _read(self, text: str, secrets: bytes, version: int) -> AppRecord:
        record = msgspec.json.decode(text, type=AppRecord)
        hidden = msgspec.json.decode(self._vault.unlock(bytes(secrets), record.uid), type=_Secrets)
        database: DatabaseOptions = replace(record.database, password=hidden.password)
        return replace(
            record,
            secret=hidden.secret,
            storage_secret=hidden.storage_secret,
            admin=hidden.admin,
            database=database,
            version=version,
        )


_COLUMNS = ("name", "host", "record", "secrets", "version", "updated")


def _taken(record: AppRecord) -> AppNameTaken:
    domain = f" or the custom domain {record.cname!r}" if record.cname else ""
    return AppNameTaken(f"An app with the id {record.name!r}{domain} exists already. Choose another one.")


def _tables(prefix: str) -> tuple[Table, Table, Table, Table]:
    metadata = MetaData()
    apps = Table(
        f"{prefix}applications",
        metadata,
        Column("uid", String(40), primary_key=True),
        Column("name", String(64), nullable=False, unique=True),
        Column("host", String(255), unique=True),
        Column("record", Text, nullable=False),
        Column("secrets", LargeBinary, nullable=False),
        Column("version", BigInteger, nullable=False),
        Column("created", DateTime(timezone=True), nullable=False),
        Column("updated", DateTime(timezone=True), nullable=False),
    )
    environments = Table(
        f"{prefix}environments",
        metadata,
        Column("name", String(255), primary_key=True),
        Column("public_key", String(120), nullable=False),
        Column("card", Text, nullable=False),
        Column("last_seen", DateTime(timezone=True), nullable=False),
    )
    events = Table(
        f"{prefix}applicationEvents",
        metadata,
        Column("uid", String(40), primary_key=True),
        Column("key", String(120), primary_key=True),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("event", Text, nullable=False),
    )
    draining = Table(f"{prefix}drainingEnvironments", metadata, Column("name", String(255), primary_key=True))
    return apps, environments, events, draining
