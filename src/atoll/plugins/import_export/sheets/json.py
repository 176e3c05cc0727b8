"""JSON: a list of objects, for programs; written, not read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from atoll.plugins.import_export.sheets.base import RowWriter, Value


class JsonWriter(RowWriter):
    """Writes one object a line. The first row has their names; a value that is not there is null."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._encoder = msgspec.json.Encoder(enc_hook=str)
        self._names: list[str] | None = None
        self._empty = True
        self._file.write(b"[")

    def write(self, rows: Sequence[Sequence[Value]]) -> None:
        """See the base class."""
        for row in rows:
            if self._names is None:
                self._names = [str(name) for name in row]
                continue
            self._file.write(b"\n" if self._empty else b",\n")
            self._file.write(self._encoder.encode(dict(zip(self._names, row, strict=True))))
            self._empty = False

    def close(self) -> None:
        """See the base class."""
        self._file.write(b"\n]\n")
        self._file.close()

    def discard(self) -> None:
        """See the base class."""
        self._file.close()
