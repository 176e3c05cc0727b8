"""A log file that several processes write, on one machine or on a shared volume.

Nobody renames a file, so nobody can rename it under another's pen: who finds a file full goes on in the next
one, and so do the others when they come to it. Each piece is written under a lock of the file, at its end, so
that lines stay whole on network volumes too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DAY = 86_400


@dataclass(frozen=True)
class Rotation:
    """When a new file begins, and which old ones stay.

    Args:
        daily: a file per day, its date in the name; otherwise files are numbered.
        most_bytes: of one file; None for no limit.
        most_files: how many files stay, as "10", or for how many days, as "14d".
    """

    daily: bool
    most_bytes: int | None
    most_files: str

    @property
    def days(self) -> int | None:
        """For how many days files stay, None when they are counted."""
        return int(self.most_files[:-1]) if self.most_files.endswith("d") else None


class LogFile:
    """The files of one kind of log: `<name>_2026-01-31.log` or `<name>.log`, then `...1.log`, `...2.log`.

    Args:
        today: the present date as it stands in names.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        rotation: Rotation,
        today: Callable[[], str] = lambda: time.strftime("%Y-%m-%d"),
    ) -> None:
        self._folder = folder
        self._name = name
        self._rotation = rotation
        self._today = today
        self._date = ""
        self._number = 0
        self._descriptor = -1
        # name, date, number: what belongs to this log and to no other
        self._own = re.compile(rf"{re.escape(name)}(?:_(\d{{4}}-\d\d-\d\d))?(?:\.?(\d+))?\.log")

    def write(self, lines: bytes) -> None:
        """Adds whole lines. Raises OSError."""
        date = self._today() if self._rotation.daily else ""
        if self._descriptor < 0 or date != self._date:
            self._begin(date)
        while not self._add(lines):
            self._open(self._number + 1)

    def close(self) -> None:
        """Lets go of the file; writing opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _add(self, lines: bytes) -> bool:
        """Whether the lines were written; they were not when the file is full."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            state = os.fstat(self._descriptor)
            if state.st_nlink == 0:  # somebody removed it
                self._open(self._number)
                return self._add(lines)
            most = self._rotation.most_bytes
            if most is not None and state.st_size and state.st_size + len(lines) > most:
                return False
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            return True
        finally:
            with contextlib.suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _begin(self, date: str) -> None:
        self._date = date
        numbers = [number for _, (found, number) in self._all() if found == date]
        self._open(max(numbers, default=0))

    def _open(self, number: int) -> None:
        self.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        dated = f"{self._name}_{self._date}" if self._date else self._name
        between = "." if self._date else ""
        file = self._folder / (f"{dated}{between}{number}.log" if number else f"{dated}.log")
        self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self._number = number
        self._remove_old(file)

    def _remove_old(self, present: Path) -> None:
        """Several processes may do this at once: what is gone is gone."""
        files = sorted(self._all(), key=lambda entry: entry[1])
        days = self._rotation.days
        if days is None:
            old = [file for file, _ in files[: -int(self._rotation.most_files) or None]]
            if len(files) <= int(self._rotation.most_files):
                old = []
        else:
            first = time.strftime("%Y-%m-%d", time.localtime(time.time() - days * DAY))
            old = [file for file, (date, _) in files if date and date < first]
        for file in old:
            if file != present:
                file.unlink(missing_ok=True)

    def _all(self) -> list[tuple[Path, tuple[str, int]]]:
        """The files of this log with their dates and numbers."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for file in self._folder.iterdir():
                match = self._own.fullmatch(file.name)
                if match is not None and bool(match[1]) == self._rotation.daily:
                    found.append((file, (match[1] or "", int(match[2] or 0))))
        return found
