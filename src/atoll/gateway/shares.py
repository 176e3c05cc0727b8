"""How many connections each process of one address has, in memory that all of them see."""

from __future__ import annotations

import mmap
import os
import tempfile

MOST = 256
NOBODY = 0xFFFF_FFFF
SLACK = 1


class Shares:
    """The counts of all places. Each process writes its own; a count may be out of date by half a second.

    Args:
        descriptor: of the shared memory; kept open, and inherited by the processes.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, MOST * 4)
        self._counts = memoryview(self._memory).cast("I")

    @classmethod
    def create(cls) -> Shares:
        """New counts, for places that nobody fills yet."""
        with tempfile.TemporaryFile() as file:
            file.write(b"\xff" * (MOST * 4))
            file.flush()
            return cls(os.dup(file.fileno()))

    def note(self, place: int, count: int) -> None:
        """The process at this place (from 1) has so many connections."""
        self._counts[place - 1] = count

    def vacate(self, place: int) -> None:
        """Nobody is at this place."""
        self._counts[place - 1] = NOBODY

    def ahead(self, place: int) -> bool:
        """Whether the process at this place has clearly more connections than another one."""
        return self._counts[place - 1] > min(self._counts) + SLACK

    def close(self) -> None:
        """Frees the memory of this process. Idempotent."""
        self._counts.release()
        self._memory.close()
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
