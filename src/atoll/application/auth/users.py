"""Users as records: passwords are hashed on the way in, roles are linked, the first user is protected."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import delete, insert, select, update

from atoll.application.auth.accounts import Accounts
from atoll.application.auth.api_keys import ApiKeys
from atoll.application.auth.open_sessions import OpenSessions
from atoll.application.auth.passwords import Passwords
from atoll.application.auth.preferences import Preferences
from atoll.application.auth.second_factors import SecondFactors
from atoll.application.auth.views import Views
from atoll.application.collections.store import CollectionStore
from atoll.application.context import Page
from atoll.application.fields.datetime import stored
from atoll.application.fields.moments import now_ms
from atoll.application.instances.agreement import Agreement
from atoll.application.records.engine import Record, RecordEngine
from atoll.application.records.filter import Caller, is_empty
from atoll.application.records.reader import Within, selection
from atoll.database.drivers.base import Connection, Database
from atoll.errors import BadRequest, Forbidden, InvalidValue

USERNAME = re.compile(r"[^@<>\"'/]{1,50}")
"""No `@`: a user name must never be taken for somebody's e-mail address at sign-in."""
_SHORTEST_PASSWORD = 6
_FIRST = 1
_ROOT = "root"


class OwnedByUsers(Protocol):
    """Keeps something of users."""

    async def forget_users(self, user_ids: Collection[int], connection: Connection) -> None:
        """Removes what is kept of users who are being removed."""


class Users:
    """The people of one app."""

    def __init__(
        self,
        database: Database,
        collections: CollectionStore,
        records: RecordEngine,
        accounts: Accounts,
        passwords: Passwords,
        agreement: Agreement,
        preferences: Preferences,
        views: Views,
        open_sessions: OpenSessions,
        api_keys: ApiKeys,
        second_factors: SecondFactors,
    ) -> None:
        self._database = database
        self._users = collections.system["users"]
        self._links = collections.system["rolesUsers"].table
        self._records = records
        self._accounts = accounts
        self._passwords = passwords
        self._agreement = agreement
        self._open_sessions = open_sessions
        self.owned_by_users: list[OwnedByUsers] = [preferences, views, open_sessions, api_keys]
        """What goes with its user."""
        self.owned_by_users.append(second_factors)
        self._second_factors = second_factors

    async def credentials(self, account: str, *, by_email: bool) -> tuple[int | None, str | None]:
        """Id and password hash of an account given by user name or e-mail; (None, None) for none."""
        table = self._users.table
        condition = table.c.email == account
        if not by_email:
            condition = condition | (table.c.username == account)
        rows = (await self._database.run(select(table.c.id, table.c.password).where(condition))).rows
        return (rows[0][0], rows[0][1]) if len(rows) == 1 else (None, None)

    async def password_of(self, user_id: int) -> str | None:
        """The password hash of a user."""
        table = self._users.table
        rows = (await self._database.run(select(table.c.password).where(table.c.id == user_id))).rows
        return rows[0][0] if rows else None

    # -- reading ---------------------------------------------------------------------------------------

    async def page(
        self, params: Mapping[str, Any], caller: Caller, *, within: Within | None = None
    ) -> list[Record] | Page:
        """Users."""
        return await self._records.page(self._users, params, caller, within=within)

    async def get(self, params: Mapping[str, Any], caller: Caller) -> Record | None:
        """One user or None."""
        return await self._records.get(self._users, params, caller)

    # -- writing ---------------------------------------------------------------------------------------

    async def create(self, values: Any, caller: Caller) -> Record | list[Record]:
        """A new user; without `roles` it gets the default role."""
        if isinstance(values, list):
            return [await self._create_one(item, caller) for item in values]
        return await self._create_one(values, caller)

    async def _create_one(self, values: Any, caller: Caller) -> Record:
        given = await self._prepared(values)
        roles = await self._roles(given.pop("roles", None), caller)
        if roles is None:
            roles = [role.name for role in (await self._accounts.settings()).roles.values() if role.default]
        async with self._database.transaction() as tx:
            record = await self._records.create_one(self._users, given, caller, connection=tx)
            await self._link(tx, record["id"], roles)
        await self._records.announce(self._users, "created", [record], origin=caller.origin)
        return record

    async def update(self, params: Mapping[str, Any], values: Any, caller: Caller) -> list[Record]:
        """Changes users; a new password ends their sessions."""
        given = await self._prepared(values)
        roles = await self._roles(given.pop("roles", None), caller)
        if "password" in given:
            given["passwordChangeTz"] = int(time.time() * 1000)
        async with self._agreement.change("accounts") as change:
            tx = change.connection
            await self._keep_root(tx, params, caller)
            records = await self._records.update(self._users, params, given, caller, connection=tx)
            if roles is not None:
                for record in records:
                    await self._link(tx, record["id"], roles)
            if "password" in given:
                await self._open_sessions.forget_users([record["id"] for record in records], tx)
            change.tell(users=[record["id"] for record in records])
        if records:
            await self._records.announce(self._users, "updated", records, origin=caller.origin)
        return records

    async def hashed(self, password: object) -> str:
        """The hash of a new password; raises InvalidValue when it cannot be one."""
        if not isinstance(password, str):
            raise InvalidValue("The password must be a text")
        if len(password) < _SHORTEST_PASSWORD:
            raise InvalidValue(f"The password must have at least {_SHORTEST_PASSWORD} characters")
        return await self._passwords.hash(password)

    async def set_password(self, user_id: int, hashed: str, connection: Connection) -> None:
        """Gives a user another password and ends their sessions, in a change of accounts that tells them."""
        table = self._users.table
        values = {"password": hashed, "passwordChangeTz": int(time.time() * 1000)}
        this = update(table).where(table.c.id == user_id).values(values)
        await self._database.run(this, connection=connection)
        await self._open_sessions.forget_users([user_id], connection)

    async def destroy(self, params: Mapping[str, Any], caller: Caller) -> int:
        """Removes users and their links to roles; answers how many. The first user stays."""
        if "filterByTk" not in params and is_empty(params.get("filter")):
            raise BadRequest("To destroy records, `filterByTk` or `filter` is required")
        async with self._agreement.change("accounts") as change:
            tx = change.connection
            found = await self._records.find(
                self._users, selection(self._users, params), caller, connection=tx
            )
            ids = [row["id"] for row in found]
            await self._keep_root(tx, params, caller)
            if _FIRST in ids:
                raise Forbidden("The first user cannot be destroyed")
            count = await self._records.destroy(self._users, params, caller, connection=tx)
            await self._database.run(delete(self._links).where(self._links.c.userId.in_(ids)), connection=tx)
            for part in self.owned_by_users:
                await part.forget_users(ids, tx)
            change.tell(users=ids)
        if count:
            await self._records.announce(self._users, "destroyed", [], keys=ids, origin=caller.origin)
        return count

    async def remove_second_factor(self, params: Mapping[str, Any], caller: Caller) -> int:
        """Takes the second factor from users who lost it; answers how many users that are."""
        if "filterByTk" not in params and is_empty(params.get("filter")):
            raise BadRequest("`filterByTk` or `filter` is required: whose second factor is to go")
        async with self._database.transaction() as tx:
            await self._keep_root(tx, params, caller)
            wanted = selection(self._users, params)
            found = await self._records.find(self._users, wanted, caller, connection=tx)
            await self._second_factors.forget_users([row["id"] for row in found], tx)
        return len(found)

    async def set_default_role(self, user_id: int, name: str) -> None:
        """Makes one of the user's roles the default; a role the user does not have changes nothing."""
        table = self._links
        async with self._agreement.change("accounts") as change:
            tx = change.connection
            mine = select(table.c.roleName).where(table.c.userId == user_id, table.c.roleName == name)
            if not (await self._database.run(mine, connection=tx)).rows:
                return
            everything = update(table).where(table.c.userId == user_id)
            await self._database.run(everything.values(default=self._flag(False)), connection=tx)
            await self._database.run(
                everything.where(table.c.roleName == name).values(default=self._flag(True)), connection=tx
            )
            change.tell(users=[user_id])

    async def unlink_role(self, name: str, connection: Connection) -> None:
        """Takes a role that is gone from everybody."""
        unlink = delete(self._links).where(self._links.c.roleName == name)
        await self._database.run(unlink, connection=connection)

    def _flag(self, value: bool) -> bool | int:
        return int(value) if self._database.kind == "sqlite" else value

    async def _prepared(self, values: Any) -> dict[str, Any]:
        if values is not None and not isinstance(values, Mapping):
            raise BadRequest("The values of a user are an object")
        given = {
            key: value
            for key, value in (values or {}).items()
            if key not in ("id", "passwordChangeTz", "resetToken", "createdBy", "updatedBy")
        }
        username = given.get("username")
        if username is not None and not (isinstance(username, str) and USERNAME.fullmatch(username)):
            raise InvalidValue("Please enter a valid username: 1 to 50 characters, none of @ < > \" ' /")
        password = given.get("password")
        if password is None or password == "":
            given.pop("password", None)
        else:
            given["password"] = await self.hashed(password)
        return given

    async def _roles(self, values: Any, caller: Caller) -> list[str] | None:
        if values is None:
            return None
        items = values if isinstance(values, list) else [values]
        wanted = [item.get("name") if isinstance(item, Mapping) else item for item in items]
        known = (await self._accounts.settings()).roles
        roles = [name for name in dict.fromkeys(wanted) if isinstance(name, str) and name in known]
        if _ROOT in roles and caller.role != _ROOT:
            raise Forbidden("Only root may give the role root")
        return roles

    async def _keep_root(self, tx: Connection, params: Mapping[str, Any], caller: Caller) -> None:
        """Users who hold the role root are changed by root or by themselves only."""
        if caller.role == _ROOT:
            return
        wanted = {"$and": [selection(self._users, params), {"roles": {"name": _ROOT}}]}
        for record in await self._records.find(self._users, wanted, caller, connection=tx):
            if caller.user is None or record["id"] != caller.user.id:
                raise Forbidden("Only root may change a user who has the role root")

    async def _link(self, tx: Connection, user_id: int, roles: Sequence[str]) -> None:
        """Makes the user's roles exactly these; a default that stays keeps its mark."""
        table, now = self._links, stored(now_ms(), self._database.kind)
        mine = select(table.c.roleName).where(table.c.userId == user_id)
        before = {row[0] for row in (await self._database.run(mine, connection=tx)).rows}
        gone = [name for name in before if name not in roles]
        if gone:
            unlink = delete(table).where(table.c.userId == user_id, table.c.roleName.in_(gone))
            await self._database.run(unlink, connection=tx)
        for name in roles:
            if name not in before:
                row = {
                    "userId": user_id,
                    "roleName": name,
                    "default": None,
                    "createdAt": now,
                    "updatedAt": now,
                }
                await self._database.run(insert(table).values(row), connection=tx)
