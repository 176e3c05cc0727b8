"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and codes for when it is lost."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import secrets
import time
from collections.abc import Collection
from typing import Any

import pyotp
import segno
from sqlalchemy import delete, func, insert, or_, select, update

from atoll.application.collections.store import CollectionStore
from atoll.application.vault import Vault
from atoll.database.drivers.base import Connection, Database
from atoll.errors import BadRequest, SecondFactorRequired, SecondFactorWrong

RECOVERY_CODES = 10
_STEP = 30
_DRIFT = (0, -1, 1)
"""A clock may be half a minute off in either direction."""


class SecondFactors:
    """Who has a second factor, and whether a code is right.

    A secret is kept encrypted and shown only while it is being set up; of recovery codes only hashes are
    kept. Each code is good once.
    """

    def __init__(self, database: Database, collections: CollectionStore, vault: Vault) -> None:
        self._database = database
        self._factors = collections.system["secondFactors"].table
        self._codes = collections.system["recoveryCodes"].table
        self._vault = vault

    async def of(self, user_id: int) -> dict[str, Any]:
        """`{"enabled", "recoveryCodes"}`: whether a code is asked for, how many recovery codes are left."""
        codes = self._codes
        count = select(func.count()).select_from(codes).where(codes.c.userId == user_id)
        left = (await self._database.run(count)).rows[0][0]
        return {"enabled": await self._row(user_id, confirmed=True) is not None, "recoveryCodes": left}

    async def begin(self, user_id: int, account: str, issuer: str) -> dict[str, str]:
        """A new secret, which counts once `confirm` was given a code of it.

        Returns:
            `{"secret", "uri", "picture"}`: for typing, as authenticator apps read it, and as a QR code (an
            SVG as `data:` address).

        Raises:
            BadRequest: there is a second factor already.
        """
        if await self._row(user_id, confirmed=True) is not None:
            raise BadRequest("There is a second factor already. Remove it first")
        secret, table = pyotp.random_base32(), self._factors
        sealed = self._vault.seal(secret, _about(user_id))
        async with self._database.transaction() as tx:
            await self._database.run(delete(table).where(table.c.userId == user_id), connection=tx)
            row = {"userId": user_id, "secret": sealed, "lastStep": 0, "confirmedAt": None}
            await self._database.run(insert(table).values(row), connection=tx)
        uri = pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)
        return {"secret": secret, "uri": uri, "picture": _picture(uri)}

    async def confirm(self, user_id: int, code: str) -> list[str]:
        """Switches the second factor on and gives recovery codes, which are never shown again.

        Raises:
            BadRequest: none was begun.
            SecondFactorWrong: the code is not of the new secret.
        """
        row = await self._row(user_id, confirmed=False)
        if row is None:
            raise BadRequest("Begin with a new secret first")
        step = self._matching_step(user_id, row[0], code, after=0)
        if step is None:
            raise _wrong()
        table = self._factors
        async with self._database.transaction() as tx:
            values = {"confirmedAt": int(time.time() * 1000), "lastStep": step}
            pending = update(table).where(table.c.userId == user_id, table.c.confirmedAt.is_(None))
            if not (await self._database.run(pending.values(values), connection=tx)).rowcount:
                raise BadRequest("There is a second factor already. Remove it first")
            return await self._replace_codes(user_id, tx)

    async def check(self, user_id: int, code: str | None) -> None:
        """Does nothing for a right code, and for those without a second factor. A code is used up by it.

        Raises:
            SecondFactorRequired: a code is needed and none was given.
            SecondFactorWrong: it is wrong, or was used before.
        """
        row = await self._row(user_id, confirmed=True)
        if row is None:
            return
        if not code:
            raise SecondFactorRequired("Enter the code of your authenticator app, or a recovery code")
        if not (await self._use_step(user_id, row, code) or await self._use_recovery(user_id, code)):
            raise _wrong()

    async def renew_codes(self, user_id: int, code: str | None) -> list[str]:
        """New recovery codes instead of the old ones; raises as `check`, and BadRequest if there is none."""
        await self._need(user_id)
        await self.check(user_id, code)
        async with self._database.transaction() as tx:
            return await self._replace_codes(user_id, tx)

    async def remove(self, user_id: int, code: str | None) -> None:
        """Switches it off; raises as `check`, and BadRequest when there is none."""
        await self._need(user_id)
        await self.check(user_id, code)
        async with self._database.transaction() as tx:
            await self.forget_users([user_id], tx)

    async def forget_users(self, user_ids: Collection[int], connection: Connection) -> None:
        """Takes the second factor from these users."""
        for table in (self._factors, self._codes):
            gone = delete(table).where(table.c.userId.in_(user_ids))
            await self._database.run(gone, connection=connection)

    async def _need(self, user_id: int) -> None:
        if await self._row(user_id, confirmed=True) is None:
            raise BadRequest("There is no second factor")

    async def _row(self, user_id: int, *, confirmed: bool) -> tuple[str, int] | None:
        table = self._factors
        state = table.c.confirmedAt.is_not(None) if confirmed else table.c.confirmedAt.is_(None)
        query = select(table.c.secret, table.c.lastStep).where(table.c.userId == user_id, state)
        rows = (await self._database.run(query)).rows
        return (rows[0][0], rows[0][1]) if rows else None

    def _matching_step(self, user_id: int, sealed: str, code: str, *, after: int) -> int | None:
        """The time step that a code belongs to; None when it is wrong or not after the last used one."""
        totp = pyotp.TOTP(self._vault.open(sealed, _about(user_id)))
        given, now = "".join(code.split()), int(time.time()) // _STEP
        for step in (now + drift for drift in _DRIFT):
            if step > after and hmac.compare_digest(totp.generate_otp(step).encode(), given.encode()):
                return step
        return None

    async def _use_step(self, user_id: int, row: tuple[str, int], code: str) -> bool:
        step = self._matching_step(user_id, row[0], code, after=row[1])
        if step is None:
            return False
        table = self._factors
        # Of two that show one code at once, one is first.
        unused = or_(table.c.lastStep.is_(None), table.c.lastStep < step)
        this = update(table).where(table.c.userId == user_id, unused).values(lastStep=step)
        return bool((await self._database.run(this)).rowcount)

    async def _use_recovery(self, user_id: int, code: str) -> bool:
        table = self._codes
        this = delete(table).where(table.c.userId == user_id, table.c.codeHash == _hash(user_id, code))
        return bool((await self._database.run(this)).rowcount)

    async def _replace_codes(self, user_id: int, connection: Connection) -> list[str]:
        table = self._codes
        codes = [_new_code() for _ in range(RECOVERY_CODES)]
        await self._database.run(delete(table).where(table.c.userId == user_id), connection=connection)
        rows = [{"codeHash": _hash(user_id, code), "userId": user_id} for code in codes]
        await self._database.run(insert(table), rows, connection=connection)
        return codes


def _about(user_id: int) -> str:
    return f"the second factor of user {user_id}"


def _new_code() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, 16, 4))


def _hash(user_id: int, code: str) -> str:
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    return hashlib.sha256(f"{user_id}:{plain}".encode()).hexdigest()


def _picture(uri: str) -> str:
    out = io.BytesIO()
    segno.make(uri, error="m").save(
        out, kind="svg", scale=6, border=3, dark="#000", light="#fff", xmldecl=False
    )
    return f"data:image/svg+xml;base64,{base64.b64encode(out.getvalue()).decode()}"


def _wrong() -> SecondFactorWrong:
    return SecondFactorWrong("The code is wrong or was used before. Wait for the next one and try again")
