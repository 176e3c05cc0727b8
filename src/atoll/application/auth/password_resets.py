"""Forgotten passwords: a mail with a link that sets a new one, once, for half an hour."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time

from sqlalchemy import delete, insert, select, update

from atoll.application.auth.mail_texts import reset_mail
from atoll.application.auth.users import Users
from atoll.application.collections.store import CollectionStore
from atoll.application.instances.agreement import Agreement
from atoll.database.drivers.base import Database
from atoll.errors import AtollError, MailUnavailable, Unauthenticated
from atoll.lifecycle import BackgroundTasks
from atoll.mail import MailSender

log = logging.getLogger(__name__)
VALID_MINUTES = 30
QUIET_SECONDS = 60
"""At most one mail to an account in that time."""
_PAUSES = (2.0, 10.0)


class PasswordResets:
    """Sends links and redeems them. Only the hash of a link's token is kept.

    Args:
        address: where people reach the app; links lead there, whatever address a request came by.
    """

    def __init__(
        self,
        database: Database,
        collections: CollectionStore,
        users: Users,
        agreement: Agreement,
        tasks: BackgroundTasks,
        mail: MailSender | None,
        address: str,
    ) -> None:
        self._database = database
        self._table = collections.system["passwordResets"].table
        self._users_table = collections.system["users"].table
        self._users = users
        self._agreement = agreement
        self._tasks = tasks
        self._mail = mail
        self._address = address

    @property
    def possible(self) -> bool:
        """Whether mails can be sent."""
        return self._mail is not None

    def begin(self, email: str, *, title: str, locale: str) -> None:
        """Sends a link in the background, if there is such an account.

        The caller learns nothing, so that nobody can find out who has an account.
        """
        if self._mail is not None:
            _ = self._tasks.spawn("reset-mail", self._send(self._mail, email, title, locale))

    async def _send(self, sender: MailSender, email: str, title: str, locale: str) -> None:
        token = await self._token(email)
        if token is None:
            return None
        link = f"{self._address}/reset-password?resetToken={token}"
        mail = reset_mail(email, link, title=title, locale=locale, minutes=VALID_MINUTES)
        try:
            for pause in (*_PAUSES, None):
                try:
                    return await sender.send(mail)
                except MailUnavailable:
                    if pause is None:
                        raise
                    await asyncio.sleep(pause)
        except AtollError as error:
            log.error(
                "a mail to reset a password was not sent: %s", error.message, extra={"why": error.detail}
            )

    async def _token(self, email: str) -> str | None:
        """A new token for the account of that address; None when there is none, or it has just got one."""
        users, table, now = self._users_table, self._table, int(time.time())
        account = users.c.email == email
        async with self._database.transaction() as tx:
            # Takes the row, so that of many requests at once one sends a mail.
            _ = await self._database.run(update(users).where(account).values(email=email), connection=tx)
            found = (await self._database.run(select(users.c.id).where(account), connection=tx)).rows
            if len(found) != 1:
                return None
            recent = select(table.c.userId).where(
                table.c.userId == found[0][0], table.c.expires > now + VALID_MINUTES * 60 - QUIET_SECONDS
            )
            if (await self._database.run(recent, connection=tx)).rows:
                return None
            token = secrets.token_urlsafe(32)
            row = {"tokenHash": _hash(token), "userId": found[0][0], "expires": now + VALID_MINUTES * 60}
            await self._database.run(insert(table).values(row), connection=tx)
        return token

    async def check(self, token: str) -> None:
        """Raises Unauthenticated unless the token can be redeemed now."""
        table = self._table
        query = select(table.c.userId).where(table.c.tokenHash == _hash(token), table.c.expires > time.time())
        if not (await self._database.run(query)).rows:
            raise _used_up()

    async def finish(self, token: str, password: str) -> None:
        """Sets the password, ends all sessions of the account, and makes its links worthless.

        Raises:
            Unauthenticated: the token is unknown, used or too old.
            InvalidValue: the password is too short; the token stays good.
        """
        await self.check(token)
        hashed = await self._users.hashed(password)
        table = self._table
        async with self._agreement.change("accounts") as change:
            tx = change.connection
            this = table.c.tokenHash == _hash(token)
            # Of two at once the second deletes nothing.
            found = (await self._database.run(select(table.c.userId).where(this), connection=tx)).rows
            gone = await self._database.run(delete(table).where(this), connection=tx)
            if not found or not gone.rowcount:
                raise _used_up()
            user_id = found[0][0]
            await self._database.run(delete(table).where(table.c.userId == user_id), connection=tx)
            await self._users.set_password(user_id, hashed, tx)
            change.tell(users=[user_id])

    async def forget_expired(self) -> None:
        """Removes what can no longer be redeemed."""
        await self._database.run(delete(self._table).where(self._table.c.expires <= time.time()))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _used_up() -> Unauthenticated:
    return Unauthenticated(
        "This link has been used or is too old. Ask for a new one.", code="RESET_TOKEN_EXPIRED"
    )
