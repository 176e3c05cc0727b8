"""What people chose for their own screens, such as the widths of columns: small, and their own business."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, select, update

from atoll.application.collections.store import CollectionStore
from atoll.database.drivers.base import Connection, Database
from atoll.errors import BadRequest, UniqueViolation

LONGEST_KEY = 200
LARGEST_VALUE = 16_000
"""Bytes of a value as JSON."""
MOST_KEYS = 500


class Preferences:
    """The preferences of the users of one app: JSON values by user and key."""

    def __init__(self, database: Database, collections: CollectionStore) -> None:
        self._database = database
        self._table = collections.system["userPreferences"].table

    async def all(self, user_id: int) -> dict[str, Any]:
        """Every value of a user by its key, in the order of the keys."""
        table = self._table
        mine = select(table.c.key, table.c.value).where(table.c.userId == user_id).order_by(table.c.key)
        return {key: msgspec.json.decode(value) for key, value in (await self._database.run(mine)).rows}

    async def set(self, user_id: int, key: str, value: Any) -> None:
        """Keeps a value in place of the one before; None removes it. Of two writers the later one wins.

        Raises:
            BadRequest: the key is empty or too long, the value too large, or there are too many keys.
        """
        if not 0 < len(key) <= LONGEST_KEY:
            raise BadRequest(f"The key of a preference has 1 to {LONGEST_KEY} characters")
        encoded = msgspec.json.encode(value).decode()
        if len(encoded.encode()) > LARGEST_VALUE:
            raise BadRequest(f"The value of a preference has at most {LARGEST_VALUE:,} bytes as JSON")
        table = self._table
        this = (table.c.userId == user_id, table.c.key == key)
        if value is None:
            await self._database.run(delete(table).where(*this))
            return
        if (await self._database.run(update(table).where(*this).values(value=encoded))).rowcount:
            return
        count = select(func.count()).select_from(table).where(table.c.userId == user_id)
        if (await self._database.run(count)).rows[0][0] >= MOST_KEYS:
            raise BadRequest(f"A user has at most {MOST_KEYS} preferences. Reset some lists to their default")
        try:
            await self._database.run(insert(table).values(userId=user_id, key=key, value=encoded))
        except UniqueViolation:  # another tab of the same user was faster
            await self._database.run(update(table).where(*this).values(value=encoded))

    async def forget_users(self, user_ids: Collection[int], connection: Connection) -> None:
        """Removes all preferences of users who are being removed."""
        mine = delete(self._table).where(self._table.c.userId.in_(user_ids))
        await self._database.run(mine, connection=connection)
