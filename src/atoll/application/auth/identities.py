"""Whose account belongs to whom at a provider."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import delete, func, insert, select

from atoll.application.auth.users import USERNAME, Users
from atoll.application.collections.store import CollectionStore
from atoll.application.records.filter import Caller
from atoll.database.drivers.base import Connection, Database
from atoll.errors import Forbidden, UniqueViolation


class Identities:
    """Links between subjects of providers and users of the app. The subject never changes; all else may."""

    def __init__(self, database: Database, collections: CollectionStore, users: Users) -> None:
        self._database = database
        self._table = collections.system["usersAuthenticators"].table
        self._users_table = collections.system["users"].table
        self._users = users

    async def user_for(
        self, authenticator: str, claims: Mapping[str, Any], *, by_email: bool, sign_up: bool
    ) -> int:
        """The id of the user that somebody is.

        Who was here before is found by the subject. Otherwise an e-mail that the provider has verified may
        find the one account that has it; else an account may be made.

        Args:
            by_email: trust the addresses of accounts here. Where people choose their own, somebody else could
                wait for them in an account with their address.
            sign_up: make accounts.

        Raises:
            Forbidden: there is no account, and none may be made.
        """
        subject = str(claims["sub"])
        found = await self._known(authenticator, subject)
        if found is not None:
            return found
        email = claims.get("email")
        verified = email if isinstance(email, str) and claims.get("email_verified") is True else None
        user_id = await self._by_email(verified) if verified and by_email else None
        if user_id is None:
            if not sign_up:
                raise Forbidden("There is no account for you here. Ask an administrator for one")
            user_id = await self._new(claims, verified)
        try:
            row = {"authenticator": authenticator, "uuid": subject, "userId": user_id}
            await self._database.run(insert(self._table).values(row))
        except UniqueViolation:  # the same person in another window was faster
            return await self._known(authenticator, subject) or user_id
        return user_id

    async def _known(self, authenticator: str, subject: str) -> int | None:
        links, users = self._table, self._users_table
        query = (
            select(users.c.id)
            .join_from(links, users, users.c.id == links.c.userId)
            .where(links.c.authenticator == authenticator, links.c.uuid == subject)
        )
        rows = (await self._database.run(query)).rows
        return int(rows[0][0]) if rows else None

    async def _by_email(self, email: str) -> int | None:
        users = self._users_table
        query = select(users.c.id).where(func.lower(users.c.email) == email.lower())
        rows = (await self._database.run(query)).rows
        return int(rows[0][0]) if len(rows) == 1 else None

    async def _new(self, claims: Mapping[str, Any], email: str | None) -> int:
        """A new account; its user name is the one at the provider, while that is free and may be one here."""
        given: dict[str, Any] = {"nickname": str(claims.get("name") or "")[:255] or None, "email": email}
        wanted = claims.get("preferred_username")
        if isinstance(wanted, str) and USERNAME.fullmatch(wanted):
            users = self._users_table
            taken = await self._database.run(select(users.c.id).where(users.c.username == wanted))
            if not taken.rows:
                given["username"] = wanted
        made = await self._users.create(given, Caller())
        if isinstance(made, list):
            raise TypeError("one user was asked for")
        return int(made["id"])

    async def forget_users(self, user_ids: Collection[int], connection: Connection) -> None:
        """Removes the links of users who are being removed."""
        gone = delete(self._table).where(self._table.c.userId.in_(user_ids))
        await self._database.run(gone, connection=connection)

    async def forget_authenticators(self, names: Collection[str], connection: Connection) -> None:
        """Removes the links of authenticators that are being removed: another one of that name is another."""
        gone = delete(self._table).where(self._table.c.authenticator.in_(names))
        await self._database.run(gone, connection=connection)
