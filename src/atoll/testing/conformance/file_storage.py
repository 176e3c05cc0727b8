"""What every storage of files does (atoll.plugins.files.storage)."""

from __future__ import annotations

import asyncio
import os
import secrets
from abc import abstractmethod
from contextlib import aclosing
from pathlib import Path

import pytest

from atoll.errors import FileMissing
from atoll.plugins.files.storage import Span, Storage
from atoll.plugins.files.storage.base import PIECE, KeyTaken

LARGE = 20 << 20


def received(storage: Storage, content: bytes) -> Path:
    """A file in the workspace, as an upload leaves it."""
    storage.workspace.mkdir(parents=True, exist_ok=True)
    path = storage.workspace / secrets.token_hex(8)
    path.write_bytes(content)
    return path


async def read(storage: Storage, key: str, start: int, size: int) -> bytes:
    """The bytes of a part."""
    async with aclosing(storage.open(key, Span(start, size))) as pieces:
        return b"".join([piece async for piece in pieces])


@pytest.mark.anyio
class FileStorageConformance:
    """Subclasses give a fixture `storage`."""

    @pytest.fixture
    @abstractmethod
    def storage(self) -> Storage:
        """An empty one."""

    async def test_what_was_put_is_read_whole_and_in_parts(self, storage: Storage) -> None:
        """A small object, and one of several parts."""
        for size in (1, LARGE):
            content = os.urandom(size)
            key = f"a/b c/ü-{size}.bin"
            await storage.put(received(storage, content), key, "application/octet-stream")
            assert await read(storage, key, 0, size) == content
            assert await read(storage, key, size // 2, size - size // 2) == content[size // 2 :]

    async def test_an_empty_object(self, storage: Storage) -> None:
        """It can be put and removed."""
        await storage.put(received(storage, b""), "empty", "text/plain")
        await storage.remove("empty")

    async def test_pieces_are_small(self, storage: Storage) -> None:
        """Memory does not grow with the object."""
        await storage.put(received(storage, bytes(LARGE)), "large", "text/plain")
        async with aclosing(storage.open("large", Span(0, LARGE))) as pieces:
            assert max([len(piece) async for piece in pieces]) <= PIECE

    async def test_a_reader_may_leave(self, storage: Storage) -> None:
        """Others go on, and the storage serves the next one."""
        await storage.put(received(storage, bytes(LARGE)), "large", "text/plain")
        for _ in range(15):
            async with aclosing(storage.open("large", Span(0, LARGE))) as pieces:
                assert await anext(pieces)
        assert len(await read(storage, "large", 0, LARGE)) == LARGE

    async def test_a_key_is_given_once(self, storage: Storage) -> None:
        """Nothing is replaced, whatever its size, also when several come at once."""
        await storage.put(received(storage, b"first"), "k", "text/plain")
        for content in (b"second", bytes(LARGE)):
            with pytest.raises(KeyTaken):
                await storage.put(received(storage, content), "k", "text/plain")
        assert await read(storage, "k", 0, 5) == b"first"
        files = [received(storage, str(number).encode()) for number in range(5)]
        outcomes = await asyncio.gather(
            *(storage.put(file, "race", "text/plain") for file in files), return_exceptions=True
        )
        assert [type(each) for each in outcomes if each is not None] == [KeyTaken] * 4

    async def test_what_is_not_there(self, storage: Storage) -> None:
        """Reading says so, removing does not mind."""
        with pytest.raises(FileMissing):
            await read(storage, "none", 0, 1)
        await storage.remove("none")
        await storage.put(received(storage, b"x"), "k", "text/plain")
        await storage.remove("k")
        with pytest.raises(FileMissing):
            await read(storage, "k", 0, 1)

    async def test_the_workspace_is_tidied(self, storage: Storage) -> None:
        """Old files go, those that are being received stay."""
        old, fresh = received(storage, b"x"), received(storage, b"y")
        os.utime(old, (1, 1))
        assert await storage.tidy(1_000.0) == 1
        assert (old.exists(), fresh.exists()) == (False, True)
