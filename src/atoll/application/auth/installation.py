"""The first start of an app: its tables, its roles, its first account. One transaction, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.schema import CreateIndex, CreateTable

from atoll.application.auth.accounts import DEFAULT_POLICY, POLICY_KEY
from atoll.application.auth.passwords import Passwords
from atoll.application.auth.role_rules import BUILT_IN_SCOPES
from atoll.application.collections.ddl import Ddl
from atoll.application.collections.metadata import COLLECTION_COLUMNS, FIELD_COLUMNS, split
from atoll.application.collections.store import REVISION
from atoll.application.collections.system import DEFINITIONS, system_collections
from atoll.application.collections.system_screens import BUILT_IN_THEMES
from atoll.application.fields.datetime import stored
from atoll.application.fields.moments import now_ms
from atoll.application.fields.uuid import random_name
from atoll.application.instances.membership import instances_table
from atoll.application.migrations.schema import Schema
from atoll.application.outbox import outbox_table
from atoll.application.schedule.store import schedule_tables
from atoll.database.drivers.base import Connection, Database

Row = Mapping[str, Any]
_SHOWN = ("users", "roles")


@dataclass(frozen=True, slots=True)
class RootAccount:
    """The first account of an app. Either the password or its argon2id hash is given."""

    username: str
    email: str
    nickname: str
    password: str | None = field(default=None, repr=False)
    password_hash: str | None = field(default=None, repr=False)


async def install(
    database: Database,
    root: RootAccount | None,
    *,
    title: str,
    lang: str,
    passwords: Passwords,
    schema: Schema,
) -> bool:
    """Makes tables and first records; True when they were made by this call. Any process may call it.

    It is one transaction, so one row of `schema` speaks for all.
    """
    if await schema.applied():
        return False
    password = root.password_hash if root else None
    if root is not None and password is None and root.password is not None:
        password = await passwords.hash(root.password)
    async with database.exclusive("install"):
        if await schema.applied():
            return False
        async with database.transaction() as tx:
            await _Installation(database, tx).run(root, password, title, lang)
            await schema.stamp(tx)
    return True


class _Installation:
    def __init__(self, database: Database, tx: Connection) -> None:
        self._database = database
        self._tx = tx
        self._collections = system_collections(database.kind, database.table_prefix)
        self._now = stored(now_ms(), database.kind)

    async def run(self, root: RootAccount | None, password: str | None, title: str, lang: str) -> None:
        ddl = Ddl(self._database.kind, self._database.schema)
        for collection in self._collections.values():
            for statement in ddl.create(collection):
                await self._tx.execute(statement)
        for table in (
            instances_table(self._database.table_prefix),
            outbox_table(self._database.table_prefix),
            *schedule_tables(self._database.table_prefix),
        ):
            await self._database.run(CreateTable(table), connection=self._tx)
            for index in table.indexes:
                await self._database.run(CreateIndex(index), connection=self._tx)
        await self._add("revisions", [{"name": REVISION, "number": 1}])
        await self._add("systemSettings", [{"title": title, "enabledLanguages": [lang], "appLang": lang}])
        await self._add("tokenControlConfig", [{"key": POLICY_KEY, "config": dict(DEFAULT_POLICY)}])
        public = {"public": {"allowSignUp": True}}
        basic = {"name": "basic", "authType": "Email/Password", "enabled": True, "sort": 1, "options": public}
        await self._add("authenticators", [basic])
        await self._add("roles", _roles())
        await self._add("dataSourcesRolesResourcesScopes", BUILT_IN_SCOPES)
        await self._add("themeConfig", BUILT_IN_THEMES)
        await self._describe()
        if root is not None:
            await self._add_root(root, password)

    async def _add_root(self, root: RootAccount, password: str | None) -> None:
        user = {
            "username": root.username,
            "email": root.email or None,
            "nickname": root.nickname,
            "password": password,
            "sort": 1,
        }
        await self._add("users", [user])
        users = self._collections["users"].table
        found = await self._database.run(select(users.c.id).limit(1), connection=self._tx)
        await self._add(
            "rolesUsers",
            [
                {"userId": found.rows[0][0], "roleName": role, "default": role == "root"}
                for role in ("root", "admin", "member")
            ],
        )

    async def _describe(self) -> None:
        """Lets users and roles appear among the collections."""
        for number, name in enumerate(_SHOWN, start=1):
            options, fields = DEFINITIONS[name]
            row = {"filterTargetKey": "name" if name == "roles" else "id", "system": True, **options}
            known, rest = split(row, COLLECTION_COLUMNS)
            await self._add(
                "collections",
                [{**known, "key": random_name(), "name": name, "sort": number, "options": rest}],
            )
            rows = []
            for index, each in enumerate(fields, start=1):
                known, rest = split(each, FIELD_COLUMNS)
                rows.append(
                    {
                        "interface": None,
                        **known,
                        "key": random_name(),
                        "collectionName": name,
                        "sort": index,
                        "options": rest,
                    }
                )
            await self._add("fields", rows)

    async def _add(self, name: str, rows: Sequence[Row]) -> None:
        collection = self._collections[name]
        for row in rows:
            values: dict[str, Any] = {}
            for column, definition in collection.fields.items():
                if definition.auto_increment:
                    continue
                if column in ("createdAt", "updatedAt"):
                    values[column] = self._now
                elif column in row:
                    value = row[column]
                    is_raw = value is None or column == "appliedAt"
                    values[column] = value if is_raw else definition.parse(value, self._database.kind)
                else:
                    values[column] = definition.initial(self._database.kind)
            await self._database.run(insert(collection.table).values(values), connection=self._tx)


def _roles() -> list[Row]:
    actions = ["create", "view", "update", "destroy", "export", "importXlsx"]
    return [
        {
            "name": "root",
            "title": '{{t("Root")}}',
            "hidden": True,
            "snippets": ["pm", "pm.*", "ui.*"],
            "sort": 1,
        },
        {
            "name": "admin",
            "title": '{{t("Admin")}}',
            "allowConfigure": True,
            "allowNewMenu": True,
            "strategy": {"actions": actions},
            "snippets": ["pm", "pm.*", "ui.*"],
            "sort": 2,
        },
        {
            "name": "member",
            "title": '{{t("Member")}}',
            "allowNewMenu": True,
            "strategy": {"actions": ["view:own"]},
            "snippets": ["!pm", "!pm.*", "!ui.*"],
            "default": True,
            "sort": 3,
        },
    ]
