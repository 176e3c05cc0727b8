"""Who is asking: tokens, their renewal and their end (http-api.md 6.2)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import delete, insert, select, update

from atoll.application.auth import tokens
from atoll.application.auth.accounts import Accounts, TokenPolicy
from atoll.application.auth.tokens import INVALID, Claims
from atoll.application.collections.store import CollectionStore
from atoll.application.context import CurrentUser
from atoll.application.instances.agreement import Agreement
from atoll.database.drivers.base import Connection, Database
from atoll.errors import Unauthenticated, UniqueViolation

_GRACE = 10.0
_MOST_TOKENS = 512
_LONGEST_AGENT = 255
_EXPIRED = "Your session has expired. Please sign in again."


@dataclass(frozen=True, slots=True)
class Session:
    """A valid session; `new_token` is set when the token was renewed on the way."""

    user: CurrentUser
    claims: Claims
    new_token: str | None = None


class Sessions:
    """Checks tokens against the policy, blocks and renews them."""

    def __init__(
        self,
        app: str,
        secret: bytes,
        database: Database,
        collections: CollectionStore,
        accounts: Accounts,
        agreement: Agreement,
    ) -> None:
        self._app = app
        self._secret = secret
        self._database = database
        self._blocked_table = collections.system["tokenBlacklist"].table
        self._issued_table = collections.system["issuedTokens"].table
        self._accounts = accounts
        self._agreement = agreement
        self._read: dict[str, Claims] = {}
        self._blocked: set[str] = set()

    async def load(self) -> None:
        """Reads which tokens are blocked."""
        table = self._blocked_table
        self._blocked = {row[0] for row in (await self._database.run(select(table.c.token))).rows}

    # -- checking --------------------------------------------------------------------------------------

    async def authenticate(self, token: str, headers: Mapping[str, str]) -> Session:
        """The session of a token; raises Unauthenticated with one of the documented codes."""
        claims = self._claims(token)
        user = await self._accounts.user(claims.user_id)
        if user is None:
            raise Unauthenticated("This account no longer exists.", code="NOT_EXIST_USER")
        if (claims.token_id or token) in self._blocked:
            raise Unauthenticated(_EXPIRED, code="BLOCKED_TOKEN")
        now = time.time()
        if not claims.temporary:
            if claims.expires_at <= now:
                raise Unauthenticated(INVALID, code="INVALID_TOKEN")
            return Session(user, claims)
        policy = (await self._accounts.settings()).policy
        if now - claims.signed_in_at / 1000 > policy.session:
            raise Unauthenticated(_EXPIRED, code="EXPIRED_SESSION")
        expired_for = max(now - claims.expires_at, now - claims.issued_at - policy.token)
        if user.password_changed_at is not None and claims.signed_in_at < user.password_changed_at:
            raise Unauthenticated("The password has changed. Please sign in again.", code="INVALID_TOKEN")
        if expired_for < 0:
            return Session(user, claims)
        if policy.renewal and expired_for > policy.renewal:
            raise Unauthenticated(_EXPIRED, code="EXPIRED_SESSION")
        if headers.get("accept") == "text/event-stream":
            raise Unauthenticated(_EXPIRED, code="SKIP_TOKEN_RENEW")
        return Session(user, claims, await self._renew(claims, policy))

    def _claims(self, token: str) -> Claims:
        claims = self._read.get(token)
        if claims is None:
            claims = tokens.read(self._secret, self._app, token)
            if len(self._read) >= _MOST_TOKENS:
                self._read.clear()
            self._read[token] = claims
        return claims

    # -- beginning and end -----------------------------------------------------------------------------

    async def begin(self, user_id: int, *, agent: str = "", address: str = "") -> str:
        """A token for a user who has just proved who they are.

        Args:
            agent: what the browser calls itself, for the list of sessions.
            address: where it is.
        """
        policy = (await self._accounts.settings()).policy
        token_id, now = str(uuid4()), int(time.time() * 1000)
        table = self._issued_table
        await self._database.run(
            insert(table).values(
                jti=token_id,
                userId=user_id,
                signInTime=now,
                issuedTime=now,
                previousJti=None,
                session=str(uuid4()),
                agent=agent[:_LONGEST_AGENT],
                address=address,
            )
        )
        return tokens.issue(
            self._secret, self._app, user_id, lifetime=policy.token, token_id=token_id, signed_in_at=now
        )

    def key_token(self, user_id: int, role: str, token_id: str, lifetime: float) -> str:
        """The token of an API key: bound to one role, good for `lifetime` seconds, never renewed."""
        return tokens.issue(self._secret, self._app, user_id, lifetime=lifetime, token_id=token_id, role=role)

    async def _renew(self, claims: Claims, policy: TokenPolicy) -> str:
        """Swaps the token's id; parallel requests with the same old token get the same new id."""
        now = int(time.time() * 1000)
        table, old = self._issued_table, claims.token_id or ""
        new_id = str(uuid4())
        try:
            swapped = await self._database.run(
                update(table).where(table.c.jti == old).values(jti=new_id, previousJti=old, issuedTime=now)
            )
        except UniqueViolation:
            swapped = None
        if swapped is None or not swapped.rowcount:
            row = await self._database.run(
                select(table.c.jti).where(
                    table.c.previousJti == old, table.c.issuedTime > now - int(_GRACE * 1000)
                )
            )
            if not row.rows:
                raise Unauthenticated(_EXPIRED, code="TOKEN_RENEW_FAILED")
            new_id = row.rows[0][0]
        return tokens.issue(
            self._secret,
            self._app,
            claims.user_id,
            lifetime=policy.token,
            token_id=new_id,
            signed_in_at=claims.signed_in_at,
        )

    async def end(self, token: str, claims: Claims) -> None:
        """Blocks the token for as long as it could be used or renewed, on every instance."""
        blocked = claims.token_id or token
        policy = (await self._accounts.settings()).policy
        until = max(claims.expires_at, int(time.time() + policy.session)) + 60
        with suppress(UniqueViolation):  # a second sign-out of the same token changes nothing
            async with self._agreement.change("accounts") as change:
                await self.write_off(blocked, until, change.connection)
                issued = self._issued_table
                ended = delete(issued).where(issued.c.jti == blocked)
                await self._database.run(ended, connection=change.connection)
                change.tell(blocked=blocked, users=[claims.user_id])

    async def write_off(self, token: str, until: float, connection: Connection) -> None:
        """Writes that a token (its id, or itself if it has none) is worth nothing, until it ends by itself.

        Part of a change of accounts that tells `blocked` or `expired`.

        Args:
            until: seconds since 1970.
        """
        statement = insert(self._blocked_table).values(token=token, expiration=int(until * 1000))
        await self._database.run(statement, connection=connection)

    async def forget_expired(self) -> None:
        """Removes what is kept of sessions that are over by themselves, here and in all instances' memory."""
        policy = (await self._accounts.settings()).policy
        now = int(time.time() * 1000)
        issued, blocked = self._issued_table, self._blocked_table
        await self._database.run(delete(issued).where(issued.c.signInTime < now - int(policy.session * 1000)))
        async with self._agreement.change("accounts") as change:
            over = delete(blocked).where(blocked.c.expiration < now)
            await self._database.run(over, connection=change.connection)
            change.tell(expired=True)

    def block(self, token: str) -> None:
        """A token is worth nothing from now on."""
        self._blocked.add(token)
