"""Files in a folder of this machine, or one that all instances share."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import IO, Final

from typing_extensions import override

from atoll.errors import AtollError, FileMissing, FileStorageFull, FileStorageUnavailable
from atoll.plugins.files.storage.base import PIECE, KeyTaken, Span, Storage

PARTIAL: Final = ".partial"


class LocalStorage(Storage):
    """Objects are files below `root`. They are received beside them, so that storing is one rename."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.workspace = root / PARTIAL

    @override
    async def put(self, source: Path, key: str, mimetype: str) -> None:
        await asyncio.to_thread(self._put, source, self._root / key)

    def _put(self, source: Path, target: Path) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as stream:
                os.fsync(stream.fileno())
            os.link(source, target)  # refuses to replace, as a rename would not
            source.unlink()
            _sync(target.parent)
        except FileExistsError:
            raise KeyTaken(target.name) from None
        except OSError as error:
            raise explained(error, self._root) from error

    @override
    async def open(self, key: str, span: Span) -> AsyncGenerator[bytes, None]:
        stream = await asyncio.to_thread(self._open, key, span.start)
        try:
            left = span.size
            while left > 0:
                piece = await asyncio.to_thread(stream.read, min(PIECE, left))
                if not piece:
                    raise FileStorageUnavailable(
                        "A file is shorter than it was: look at the storage.", detail=str(self._root / key)
                    )
                left -= len(piece)
                yield piece
        finally:
            stream.close()

    def _open(self, key: str, start: int) -> IO[bytes]:
        try:
            stream = (self._root / key).open("rb")
        except FileNotFoundError:
            raise FileMissing("The file is not there any more", detail=str(self._root / key)) from None
        except OSError as error:
            raise explained(error, self._root) from error
        stream.seek(start)
        return stream

    @override
    async def remove(self, key: str) -> None:
        try:
            await asyncio.to_thread((self._root / key).unlink, missing_ok=True)
        except OSError as error:
            raise explained(error, self._root) from error

    @override
    async def tidy(self, older_than: float) -> int:
        return await asyncio.to_thread(forget_partial, self.workspace, older_than)

    @override
    async def close(self) -> None:
        return


def forget_partial(folder: Path, older_than: float) -> int:
    """Removes files of a workspace that nobody wrote to since that time; how many."""
    count = 0
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < older_than:
                    path.unlink()
                    count += 1
    return count


def explained(error: OSError, root: Path) -> AtollError:
    """The error for people."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return FileStorageFull(
            "The storage of files is full. Free space there, or choose another storage.", detail=str(error)
        )
    return FileStorageUnavailable(
        f"The storage of files cannot be used ({error.strerror}). Check its folder and the rights on it.",
        detail=f"{root}: {error}",
    )


def _sync(folder: Path) -> None:
    """Makes the new name last, also when the machine stops now."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
