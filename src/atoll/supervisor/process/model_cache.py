"""The sealed models of an environment's apps on its own disk, so that it can start while the Supervisor is
away.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

log = logging.getLogger(__name__)

_UID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ModelCache:
    """Keeps what the Supervisor sent as it came: sealed to this environment, signed by the Supervisor.

    Args:
        folder: where; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._taken: set[bytes] = set()
        self._saved: dict[str, bytes] = {}

    def changed(self, sealed: bytes) -> bool:
        """True unless exactly this message was taken already."""
        return _digest(sealed) not in self._taken

    def took(self, sealed: bytes) -> None:
        """Remembers that this message was taken."""
        self._taken.add(_digest(sealed))

    async def load(self) -> dict[str, bytes]:
        """The saved messages, by the key they came with."""
        return {} if self._folder is None else await asyncio.to_thread(self._read, self._folder)

    async def save(self, models: Mapping[str, bytes]) -> None:
        """Makes the folder hold exactly these."""
        digests = {uid: _digest(sealed) for uid, sealed in models.items() if _UID.fullmatch(uid)}
        self._taken.intersection_update(digests.values())
        if self._folder is None or digests == self._saved:
            return
        await asyncio.to_thread(self._write, self._folder, models, digests)
        self._saved = digests

    def _read(self, folder: Path) -> dict[str, bytes]:
        if not folder.is_dir():
            return {}
        found = {file.stem: file.read_bytes() for file in sorted(folder.glob("*.model"))}
        self._saved = {uid: _digest(sealed) for uid, sealed in found.items()}
        return found

    def _write(self, folder: Path, models: Mapping[str, bytes], digests: Mapping[str, bytes]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for uid, digest in digests.items():
            if self._saved.get(uid) != digest:
                draft = folder / f".{uid}.{secrets.token_hex(4)}"
                draft.write_bytes(models[uid])
                draft.replace(folder / f"{uid}.model")
        for uid in self._saved.keys() - digests.keys():
            (folder / f"{uid}.model").unlink(missing_ok=True)


def _digest(sealed: bytes) -> bytes:
    return hashlib.blake2b(sealed, digest_size=16).digest()
