"""The sessions people have open: where they are signed in, and how they end that."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from atoll.application.auth.accounts import Accounts
from atoll.application.auth.sessions import Sessions
from atoll.application.collections.store import CollectionStore
from atoll.application.fields.moments import iso_text
from atoll.application.instances.agreement import Agreement
from atoll.database.drivers.base import Connection, Database
from atoll.errors import NotFound


class OpenSessions:
    """Lists and ends sessions. A session keeps its id when its token is renewed."""

    def __init__(
        self,
        database: Database,
        collections: CollectionStore,
        accounts: Accounts,
        sessions: Sessions,
        agreement: Agreement,
    ) -> None:
        self._database = database
        self._table = collections.system["issuedTokens"].table
        self._accounts = accounts
        self._sessions = sessions
        self._agreement = agreement

    async def of(self, user_id: int, current: str | None) -> list[dict[str, Any]]:
        """The sessions of a user, the one used last first.

        Args:
            current: the id of the token that asks; its session is marked.

        Returns:
            `{"id", "current", "signedInAt", "seenAt", "agent", "address"}`; the last use is known to about
            five minutes. `agent` is what the browser calls itself, `address` the one it signed in from.
        """
        table, policy = self._table, (await self._accounts.settings()).policy
        since = int((time.time() - policy.session) * 1000)
        query = select(
            table.c.session, table.c.jti, table.c.previousJti, table.c.signInTime, table.c.issuedTime,
            table.c.seenTime, table.c.agent, table.c.address,
        ).where(table.c.userId == user_id, table.c.signInTime > since)  # fmt: skip
        found = []
        for session, jti, previous, signed_in, issued, seen, agent, address in (
            await self._database.run(query)
        ).rows:
            entry = {
                "id": session or jti,
                "current": current is not None and current in (jti, previous),
                "signedInAt": _iso(signed_in),
                "seenAt": _iso(max(issued, seen or 0)),
                "agent": agent,
                "address": address,
            }
            found.append(entry)
        return sorted(found, key=lambda each: (each["current"], each["seenAt"]), reverse=True)

    async def end_one(self, user_id: int, session: str) -> None:
        """Ends one session of a user on every instance; raises NotFound when there is none of that id."""
        table = self._table
        this = or_(table.c.session == session, and_(table.c.session.is_(None), table.c.jti == session))
        if not await self._end(user_id, this):
            raise NotFound("That session has already ended. Reload the list")

    async def end_others(self, user_id: int, current: str) -> int:
        """Ends all sessions of a user but the one of the token `current`; answers how many."""
        table = self._table
        no_other = or_(table.c.previousJti.is_(None), table.c.previousJti != current)
        return await self._end(user_id, and_(table.c.jti != current, no_other))

    async def end_all(self, user_id: int) -> int:
        """Ends all sessions of a user; answers how many."""
        return await self._end(user_id, None)

    async def _end(self, user_id: int, which: ColumnElement[bool] | None) -> int:
        table = self._table
        condition = table.c.userId == user_id
        if which is not None:
            condition = and_(condition, which)
        policy = (await self._accounts.settings()).policy
        until = time.time() + max(policy.token, policy.session) + 60
        async with self._agreement.change("accounts") as change:
            tx = change.connection
            # Takes the rows, so that no token is renewed between here and the end.
            await self._database.run(
                update(table).where(table.c.userId == user_id).values(userId=user_id), connection=tx
            )
            tokens = (await self._database.run(select(table.c.jti).where(condition), connection=tx)).rows
            for (jti,) in tokens:
                await self._sessions.write_off(jti, until, tx)
            await self._database.run(
                delete(table).where(table.c.jti.in_([jti for (jti,) in tokens])), connection=tx
            )
            change.tell(expired=True, users=[user_id])
        return len(tokens)

    async def forget_users(self, user_ids: Collection[int], connection: Connection) -> None:
        """Removes what is kept of sessions of these users, whose tokens are refused for another reason."""
        table = self._table
        await self._database.run(delete(table).where(table.c.userId.in_(user_ids)), connection=connection)


def _iso(milliseconds: int) -> str:
    return iso_text(datetime.fromtimestamp(milliseconds / 1000, UTC))
