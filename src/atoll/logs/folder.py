"""The folder of log files: one folder for each app, with a file for each kind of log."""

from __future__ import annotations

import re
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from atoll.logs.files import LogFile, Rotation

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
OPEN_FILES = 32
FLUSH_SECONDS = 0.25


class LogFolder:
    """Lines of all apps. Used by any thread.

    System lines are written at once. Request lines are many: they are collected and written a few times a
    second by a thread, so that no request waits for a disk.

    Args:
        render: makes a line of the fields of a request, which hold no secrets.
    """

    def __init__(self, folder: Path, rotation: Rotation, render: Callable[[Mapping[str, Any]], str]) -> None:
        self._folder = folder
        self._rotation = rotation
        self._render = render
        self._files: OrderedDict[tuple[str, str], LogFile] = OrderedDict()
        self._writing = threading.Lock()
        self._collected: list[tuple[str, Mapping[str, Any]]] = []
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def check(self) -> None:
        """Raises OSError when files cannot be written here."""
        self._folder.mkdir(parents=True, exist_ok=True)
        probe = self._folder / ".probe"
        probe.touch()
        probe.unlink(missing_ok=True)

    def write(self, app: str, kind: str, line: str) -> None:
        """Writes one line now. Raises OSError."""
        self._put(app, kind, f"{line}\n".encode("utf-8", "replace"))

    def request(self, app: str, fields: Mapping[str, Any]) -> None:
        """Collects the line of a request; it is written within a moment."""
        self._collected.append((app, fields))
        if self._thread is None:
            self._thread = threading.Thread(target=self._flush_on, name="request log", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Writes what was collected and closes all files. Idempotent."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._flush()
        with self._writing:
            while self._files:
                self._files.popitem()[1].close()

    def _flush_on(self) -> None:
        while not self._ended.wait(FLUSH_SECONDS):
            self._flush()

    def _flush(self) -> None:
        collected, self._collected = self._collected, []
        lines: dict[str, list[str]] = {}
        for app, fields in collected:
            lines.setdefault(app, []).append(self._render(fields))
        for app, each in lines.items():
            try:
                self._put(app, "request", ("\n".join(each) + "\n").encode("utf-8", "replace"))
            except OSError as error:
                sys.stderr.write(f"{len(each)} request lines of {app} could not be written: {error}\n")

    def _put(self, app: str, kind: str, data: bytes) -> None:
        key = (app if NAME.fullmatch(app) else "main", kind)
        with self._writing:
            file = self._files.get(key)
            if file is None:
                file = self._files[key] = LogFile(self._folder / key[0], kind, self._rotation)
            self._files.move_to_end(key)
            if len(self._files) > OPEN_FILES:
                self._files.popitem(last=False)[1].close()
            file.write(data)
