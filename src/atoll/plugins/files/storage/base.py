"""The contract of a storage of files.

Promised
    An object is there as a whole or not at all, whenever the process or the storage dies. `put` never
    replaces an object: a key that is taken raises `KeyTaken`. `remove` does not mind that nothing is there.
    Memory does not grow with the size of an object, in either direction.
Not promised
    That what a killed process had begun leaves no room taken: `tidy` frees it, hours later.
Errors
    `FileMissing` (open), `FileStorageFull`, `FileStorageUnavailable`, whose text says what to do.
Life
    Usable from the beginning; `close` ends connections, is idempotent, and nothing is called afterwards.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PIECE: Final = 256 << 10


class KeyTaken(Exception):
    """There is an object of that key already."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an object: `size` bytes from `start`."""

    start: int
    size: int


class Storage(ABC):
    """One place for files. Keys are `folder/folder/name`, with folders or without."""

    workspace: Path
    """Where files are received before `put`."""

    @abstractmethod
    async def put(self, source: Path, key: str, mimetype: str) -> None:
        """Stores a file of `workspace` under a key; the file is gone afterwards, or may be removed."""

    @abstractmethod
    def open(self, key: str, span: Span) -> AsyncGenerator[bytes, None]:
        """The bytes of a part, in pieces of at most `PIECE` bytes; errors of opening come with the first."""

    @abstractmethod
    async def remove(self, key: str) -> None:
        """Removes an object, and what a killed process had begun of it."""

    @abstractmethod
    async def tidy(self, older_than: float) -> int:
        """Frees what was begun and not finished before that time (seconds since 1970); how many things."""

    @abstractmethod
    async def close(self) -> None:
        """Ends connections."""
