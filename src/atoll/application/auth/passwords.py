"""Password hashes (argon2id). Hashing is slow on purpose and runs in a thread."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

_LONGEST = 1024


class Passwords:
    """Makes and checks hashes with argon2's recommended parameters."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to store."""
        return await asyncio.to_thread(self._hasher.hash, password[:_LONGEST])

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether the password is right. An absent hash costs the same time and never matches."""
        if stored is None:
            if self._decoy is None:
                self._decoy = await self.hash("no such account")
            await asyncio.to_thread(self._verify, self._decoy, password)
            return False
        return await asyncio.to_thread(self._verify, stored, password)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password[:_LONGEST])
        except (Argon2Error, InvalidHashError):
            return False
