"""The storages of an app: their rows, and the places they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import select

from atoll.application.collections.model import Collection
from atoll.errors import BadRequest, FileStorageUnavailable, NotSupported
from atoll.plugins.files.storage import Storage
from atoll.plugins.files.storage.local import LocalStorage
from atoll.plugins.files.storage.s3 import Bucket, S3Storage

if TYPE_CHECKING:
    from atoll.application.app import Application

LOCAL: Final = "local"
S3: Final = "s3"
# How other clients call the folder every app has of its own.
OWN_ROOT: Final = "storage/uploads"
SIZE: Final = 20 << 20
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """One storage: its row, and how to reach it."""

    row: Row
    storage: Storage

    @property
    def id(self) -> int:
        """Its id."""
        return int(self.row["id"])

    @property
    def size_limit(self) -> int:
        """Bytes a file may have."""
        size = (self.row["rules"] or {}).get("size")
        return size if isinstance(size, int) and size > 0 else SIZE


class Places:
    """Finds and makes them.

    Args:
        allowed_roots: folders for local storages, beside the app's own; each app gets a folder in one.
    """

    def __init__(self, app: Application, collection: Collection, allowed_roots: Sequence[Path]) -> None:
        self._app = app
        self.collection = collection
        self._allowed_roots = allowed_roots
        self._made: dict[int, tuple[Row, Storage]] = {}

    async def by_id(self, storage_id: int) -> Place:
        """The storage of that id; raises FileStorageUnavailable when it is gone."""
        rows = await self.rows(self.collection.table.c.id == storage_id)
        if not rows:
            raise FileStorageUnavailable("The storage of this file does not exist any more")
        return await self._place(rows[0])

    async def by_name(self, name: str) -> Place:
        """The storage of that name; raises BadRequest."""
        rows = await self.rows(self.collection.table.c.name == name)
        if not rows:
            raise BadRequest(f"There is no storage {name!r}: choose another one for the field or collection")
        return await self._place(rows[0])

    async def default(self) -> Place:
        """The default storage."""
        rows = await self.rows(self.collection.table.c.default.is_(True))
        if not rows:
            raise BadRequest("No storage is the default: choose one under Settings, Files")
        return await self._place(rows[0])

    async def rows(self, condition: Any = None) -> list[Row]:
        """The rows of storages that fulfil a condition, all columns."""
        statement = select(self.collection.table)
        if condition is not None:
            statement = statement.where(condition)
        rows = (await self._app.database.run(statement)).dicts()
        for row in rows:
            row |= {name: plain(row[name]) or {} for name in ("options", "rules", "settings")}
        return rows

    def make(self, row: Mapping[str, Any], secret: str | None) -> Storage:
        """The storage that a row describes; raises BadRequest when the description cannot be right."""
        options = row.get("options") or {}
        if not isinstance(options, Mapping):
            raise BadRequest("`options` of a storage is an object")
        if row.get("type") == LOCAL:
            return LocalStorage(self._root(options.get("documentRoot")))
        if row.get("type") == S3:
            return S3Storage(Bucket.read(options, secret), self._app.storage / "receiving")
        raise NotSupported(f"This version has no storages of type {row.get('type')!r}, only {LOCAL} and {S3}")

    def seal(self, name: str, secret: str) -> str:
        """A secret for the database."""
        return self._app.vault.seal(secret, _about(name))

    def reveal(self, row: Mapping[str, Any]) -> str | None:
        """The secret of a row; raises SecretUnreadable."""
        sealed = row.get("sealed")
        return self._app.vault.open(sealed, _about(row["name"])) if sealed else None

    async def close(self) -> None:
        """Ends all connections."""
        made, self._made = list(self._made.values()), {}
        for _, storage in made:
            await storage.close()

    async def _place(self, row: Row) -> Place:
        known = self._made.get(row["id"])
        if known is not None and known[0] == row:
            return Place(row, known[1])
        storage = self.make(row, self.reveal(row))
        self._made[row["id"]] = (row, storage)
        if known is not None:
            await known[1].close()
        return Place(row, storage)

    def _root(self, given: Any) -> Path:
        """The folder of a local storage: below the app's own, or the app's below an allowed root."""
        own = self._app.storage / "files"
        text = given if isinstance(given, str) else ""
        path = Path(text)
        if ".." in path.parts:
            raise BadRequest("`documentRoot` must not contain ..")
        if not text or path == Path(OWN_ROOT):
            return own
        if path.is_relative_to(OWN_ROOT):
            return own / path.relative_to(OWN_ROOT)
        for root in self._allowed_roots:
            if path.is_absolute() and path.is_relative_to(root):
                return path / self._app.name
        raise BadRequest(
            f"`documentRoot` must be {OWN_ROOT}, a folder in it, or one of LOCAL_STORAGE_ALLOWED_ROOTS"
        )


def plain(value: Any) -> Any:
    """JSON as a database gives it, as Python values."""
    return msgspec.json.decode(value) if isinstance(value, (msgspec.Raw, str)) else value


def _about(name: str) -> str:
    return f"the storage {name}"
