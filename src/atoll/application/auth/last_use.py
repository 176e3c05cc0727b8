"""When sessions and API keys were last used: noted in memory, written now and then."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime

from sqlalchemy import update

from atoll.application.auth.tokens import Claims
from atoll.application.collections.store import CollectionStore
from atoll.application.fields.datetime import stored
from atoll.database.drivers.base import Database
from atoll.errors import DatabaseError
from atoll.lifecycle import BackgroundTasks

log = logging.getLogger(__name__)
EXACT_TO = 300.0
"""Seconds between two writes about one token."""
WRITE_AFTER = 5.0
_MOST = 10_000


class LastUse:
    """A request costs a look into a dictionary; an unused app costs nothing."""

    def __init__(self, database: Database, collections: CollectionStore, tasks: BackgroundTasks) -> None:
        self._database = database
        self._sessions = collections.system["issuedTokens"].table
        self._keys = collections.system["apiKeys"].table
        self._tasks = tasks
        self._written: dict[str, float] = {}
        self._due: dict[str, bool] = {}

    def note(self, claims: Claims) -> None:
        """A valid token was shown."""
        token_id, now = claims.token_id, time.monotonic()
        if token_id is None or now - self._written.get(token_id, -EXACT_TO) < EXACT_TO:
            return
        if len(self._written) >= _MOST:
            self._written.clear()
        self._written[token_id] = now
        if not self._due:
            _ = self._tasks.spawn("last-use", self._write_later())
        self._due[token_id] = claims.temporary

    async def _write_later(self) -> None:
        await asyncio.sleep(WRITE_AFTER)
        await self.write()

    async def write(self) -> None:
        """Writes what is noted; while the database is away it is forgotten, as the next use comes."""
        due, self._due = self._due, {}
        if not due:
            return
        sessions, keys, now = self._sessions, self._keys, datetime.now(UTC)
        try:
            seen = [token_id for token_id, is_session in due.items() if is_session]
            if seen:
                moment = int(now.timestamp() * 1000)
                these = update(sessions).where(sessions.c.jti.in_(seen))
                await self._database.run(these.values(seenTime=moment))
            used = [token_id for token_id, is_session in due.items() if not is_session]
            if used:
                these = update(keys).where(keys.c.tokenId.in_(used))
                await self._database.run(these.values(lastUsedAt=stored(now, self._database.kind)))
        except DatabaseError as error:
            log.warning("the last use of tokens was not written", extra={"reason": error.message})
