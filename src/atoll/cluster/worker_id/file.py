"""Worker ids among the processes of one machine that share a storage folder, without any service.

A number is a file that its holder has locked; the kernel lets go of it when the process ends in whatever way.
The file says where the last window ended, so that a restart within the same second, or after the clock was
set back, repeats nothing.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from typing_extensions import override

from atoll.agreement import Disagreement, agree
from atoll.cluster.worker_id.base import (
    LEASE_SECONDS,
    LEAST_BITS,
    MOST_BITS,
    WorkerIdLease,
    WorkerIds,
    elapsed,
    window_end,
)
from atoll.errors import StorageUnusable

WIDTH = "bits"
SIZE = 48


class FileWorkerIdLease(WorkerIdLease):
    """A locked file. It is this process's until `release` or the end of the process."""

    def __init__(self, ids: FileWorkerIds, descriptor: int, number: int) -> None:
        super().__init__(number, ids.bits, time.time_ns() // 1000)
        self._ids = ids
        self._descriptor = descriptor
        asked, now = elapsed(), time.time()
        ended, last_token = _read(descriptor) or (0, 0)
        self.token = max(self.token, last_token + 1)
        opens = max(int(now), ended)
        self._covers(now, asked, opens, window_end(now, opens, ids.lease_seconds))
        self._write(self.ends)

    @override
    async def renew(self, used: int) -> None:
        if self._descriptor < 0:
            raise self._lost()
        asked, now = elapsed(), time.time()
        ends = max(self.ends, window_end(now, used, self._ids.lease_seconds))
        with self._ids.errors():
            await asyncio.to_thread(self._write, ends)
        self._covers(now, asked, self.opens, ends)

    @override
    async def release(self, used: int) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        try:
            with self._ids.errors():
                _replace(descriptor, f"{max(self.opens, used + 1)} {self.token}")
        finally:
            os.close(descriptor)

    def _write(self, ends: int) -> None:
        _replace(self._descriptor, f"{ends} {self.token}")


class FileWorkerIds(WorkerIds):
    """The numbers of one folder.

    Numbers are tried in random order: two machines that use one database without a Redis, which is not
    supported, then meet less often.
    """

    def __init__(self, folder: Path, bits: int = LEAST_BITS, lease_seconds: float = LEASE_SECONDS) -> None:
        super().__init__(bits, lease_seconds)
        self._folder = folder
        self._width = -1

    @override
    async def acquire(self) -> WorkerIdLease:
        with self.errors():
            return await asyncio.to_thread(self._take)

    @override
    async def close(self) -> None:
        width, self._width = self._width, -1
        if width >= 0:
            os.close(width)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns what the system raises in the block into `StorageUnusable`."""
        try:
            yield
        except OSError as error:
            raise StorageUnusable(
                f"The folder {self._folder} cannot be used ({error.strerror}). "
                "Check STORAGE_PATH and its rights."
            ) from error

    def _take(self) -> WorkerIdLease:
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._width < 0:
            self._agree()
        numbers = list(range(1 << self.bits))
        random.shuffle(numbers)
        for number in numbers:
            descriptor = _locked(self._folder / str(number))
            if descriptor is not None:
                return FileWorkerIdLease(self, descriptor, number)
        raise self._none_free()

    def _agree(self) -> None:
        """Sees to it that all who are here have numbers of one width.

        When it changes, nobody is here, and windows of the new width begin after all of the old one.
        """
        try:
            self._width = agree(self._folder / WIDTH, str(self.bits), lambda found: self._shift())
        except Disagreement as other:
            raise self._differs(int(other.found)) from None

    def _shift(self) -> None:
        """Lets every number begin after the last window of any."""
        states = []
        for number in range(1 << MOST_BITS):
            file = self._folder / str(number)
            if file.exists():
                states.append([int(part) for part in file.read_bytes().split()])
        ends, token = (max(column) for column in zip(*states, strict=True)) if states else (0, 0)
        for number in range(1 << self.bits):
            (self._folder / str(number)).write_text(f"{ends} {token}")


def _locked(file: Path) -> int | None:
    """An open descriptor with the lock, None when another has it."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _read(descriptor: int) -> list[int]:
    return [int(part) for part in os.pread(descriptor, 64, 0).split()]


def _replace(descriptor: int, text: str) -> None:
    """Writes the text, padded so that it covers what was there: the file is never seen half empty."""
    os.pwrite(descriptor, text.ljust(SIZE).encode(), 0)
    os.fsync(descriptor)
