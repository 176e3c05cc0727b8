"""A file on which processes agree while they live: all who hold it say the same.

The kernel lets go of a holder's share when it ends in whatever way. Works among the processes of one machine,
and among machines whose shared file system has locks.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

SIZE = 512
AGAIN_SECONDS = 0.005


class Disagreement(Exception):
    """Others hold the file and say something else: `found`."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


def agree(file: Path, mine: str, changing: Callable[[str], None] = lambda found: None) -> int:
    """Holds the file together with all who say `mine`; gives a descriptor to be closed at the end.

    Args:
        mine: at most 500 bytes.
        changing: called with what the file said before, when that was something else and nobody holds it.

    Raises Disagreement, OSError. Waits for milliseconds only.
    """
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if _alone(descriptor):
                found = _read(descriptor)
                if found != mine:
                    if found:
                        changing(found)
                    os.pwrite(descriptor, mine.encode().ljust(SIZE), 0)
                    os.fsync(descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            # Between the two kinds of lock another may have been alone, too.
            found = _read(descriptor)
            if found == mine:
                held, descriptor = descriptor, -1
                return held
            if found:
                raise Disagreement(found)
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        time.sleep(AGAIN_SECONDS)


def _alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(descriptor: int) -> str:
    return os.pread(descriptor, SIZE, 0).decode(errors="replace").strip()
