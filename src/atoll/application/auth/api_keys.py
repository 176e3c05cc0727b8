"""API keys: tokens for programs, each bound to one of its owner's roles (http-api.md 6.14)."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import delete, select

from atoll.application.auth.durations import seconds
from atoll.application.auth.sessions import Sessions
from atoll.application.collections.store import CollectionStore
from atoll.application.context import CurrentUser, Page
from atoll.application.instances.agreement import Agreement
from atoll.application.records.engine import Record, RecordEngine
from atoll.application.records.filter import Caller, is_empty
from atoll.application.records.reader import selection
from atoll.database.drivers.base import Connection, Database
from atoll.errors import BadRequest

NEVER = "never"
LONGEST_NAME = 100
_NEVER_SECONDS = 1000 * 365.25 * 86_400.0


class ApiKeys:
    """The keys of the users of one app.

    Only the answer to `create` has the token; what is kept says which token it was, never the token itself.
    A key whose role its owner no longer has, or whose owner is gone, is refused when it is used.
    """

    def __init__(
        self,
        database: Database,
        collections: CollectionStore,
        records: RecordEngine,
        sessions: Sessions,
        agreement: Agreement,
    ) -> None:
        self._database = database
        self._keys = collections.system["apiKeys"]
        self._records = records
        self._sessions = sessions
        self._agreement = agreement

    async def page(self, params: Mapping[str, Any], caller: Caller) -> list[Record] | Page:
        """The caller's own keys."""
        return await self._records.page(self._keys, self._own(params, caller), caller)

    async def create(self, owner: CurrentUser, values: Mapping[str, Any], caller: Caller) -> str:
        """Makes a key and gives its token.

        Args:
            values: `name`, `role` (`{"name"}` or a name) and `expiresIn` (`30d`, `12h`, ... or `never`).

        Raises:
            BadRequest: a value is missing, or the owner does not have the role.
            InvalidValue: `expiresIn` is no duration.
        """
        name, role, expires = values.get("name"), values.get("role"), values.get("expiresIn")
        if isinstance(role, Mapping):
            role = role.get("name")
        if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_NAME:
            raise BadRequest(f"The name of an API key has 1 to {LONGEST_NAME} characters")
        if not isinstance(role, str) or role not in owner.roles:
            raise BadRequest("Role not found: an API key stands for one of your own roles")
        lifetime = _NEVER_SECONDS if expires == NEVER else seconds(expires)
        if not 1 <= lifetime <= _NEVER_SECONDS:
            raise BadRequest("`expiresIn` is a duration of at least one second, such as 30d, or never")
        token_id = str(uuid4())
        token = self._sessions.key_token(owner.id, role, token_id, lifetime)
        ends = None if expires == NEVER else datetime.fromtimestamp(int(time.time() + lifetime), UTC)
        row = {
            "name": name.strip(),
            "roleName": role,
            "expiresIn": expires,
            "expiresAt": ends.isoformat() if ends else None,
            "tokenId": token_id,
            "tokenEnd": token[-4:],
        }
        async with self._database.transaction() as tx:
            await self._records.create_one(self._keys, row, caller, connection=tx)
        return token

    async def destroy(self, params: Mapping[str, Any], caller: Caller) -> int:
        """Removes keys of the caller; when it returns, no instance accepts them any more."""
        if "filterByTk" not in params and is_empty(params.get("filter")):
            raise BadRequest("To destroy API keys, `filterByTk` or `filter` is required")
        async with self._agreement.change("accounts") as change:
            own = self._own(params, caller)
            found = await self._records.find(
                self._keys, selection(self._keys, own), caller, connection=change.connection
            )
            await self._end([row["id"] for row in found], change.connection)
            change.tell(expired=True)
        return len(found)

    async def forget_users(self, user_ids: Collection[int], connection: Connection) -> None:
        """Removes the keys of users who are being removed: without their user they are refused anyway."""
        table = self._keys.table
        await self._database.run(
            delete(table).where(table.c.createdById.in_(user_ids)), connection=connection
        )

    async def forget_role(self, name: str, connection: Connection) -> None:
        """Ends the keys of a role that is being removed, in a change of accounts that tells `expired`."""
        table = self._keys.table
        found = await self._database.run(
            select(table.c.id).where(table.c.roleName == name), connection=connection
        )
        await self._end([row[0] for row in found.rows], connection)

    async def _end(self, ids: Collection[int], connection: Connection) -> None:
        table = self._keys.table
        these = select(table.c.id, table.c.tokenId, table.c.expiresAt).where(table.c.id.in_(ids))
        rows = (await self._database.run(these, connection=connection)).rows
        await self._database.run(
            delete(table).where(table.c.id.in_([row[0] for row in rows])), connection=connection
        )
        for _, token_id, expires in rows:
            await self._sessions.write_off(token_id, _seconds_of(expires), connection)

    def _own(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        mine = {"createdById": caller.user.id if caller.user else None}
        given = params.get("filter")
        return {**params, "filter": {"$and": [given, mine]} if given else mine}


def _seconds_of(expires: Any) -> float:
    """A column's instant as seconds since 1970; a key that never expires is refused for ever."""
    if expires is None:
        return time.time() + _NEVER_SECONDS
    moment = datetime.fromisoformat(expires) if isinstance(expires, str) else expires
    return float(moment.timestamp())
