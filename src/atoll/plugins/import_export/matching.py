"""Finding the records that rows of a file mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from atoll.application.fields.base import Field
from atoll.application.records.filter import Caller
from atoll.application.records.reader import Record, RecordReader
from atoll.database.drivers.base import Connection
from atoll.errors import BadRequest
from atoll.plugins.import_export.importing import Parsed
from atoll.plugins.import_export.plan import ImportPlan

Key = tuple[Any, ...]


class Matches:
    """The existing records of one chunk, by their key values."""

    def __init__(self, plan: ImportPlan) -> None:
        self._plan = plan
        self._fields = [plan.collection.fields[name] for name in plan.keys]
        self._found: dict[Key, list[Any]] = {}

    async def load(
        self,
        records: RecordReader,
        parsed: Iterable[Parsed],
        caller: Caller,
        connection: Connection | None,
    ) -> None:
        """Reads the records that the rows may mean and the caller may change, with one query."""
        self._found.clear()
        first = self._plan.keys[0]
        wanted = {row.values[first]: None for row in parsed if row.values.get(first) is not None}
        if not wanted:
            return
        found = await records.find(
            self._plan.collection,
            {first: {"$in": list(wanted)}},
            caller,
            action="update",
            connection=connection,
        )
        for record in found:
            self.add(record)

    def add(self, record: Record) -> None:
        """A record that exists from now on."""
        target = self._plan.collection.target_key
        key = self._key(record)
        if key is not None and target is not None:
            self._found.setdefault(key, []).append(record[target])

    def of(self, values: Mapping[str, Any]) -> Any:
        """The key of the record that a row means; None when there is none; raises BadRequest."""
        key = self._key(values)
        names = ", ".join(field.title for field in self._fields)
        if key is None:
            raise BadRequest(f"{names}: empty, so no record can be found by it")
        found = self._found.get(key, [])
        if len(found) > 1:
            raise BadRequest(f"{names}: {len(found)} records have this value")
        return found[0] if found else None

    def _key(self, values: Mapping[str, Any]) -> Key | None:
        parts = [_comparable(field, values.get(field.name), self._plan) for field in self._fields]
        return None if any(part is None for part in parts) else tuple(parts)


def _comparable(field: Field, value: Any, plan: ImportPlan) -> Any:
    if value is None:
        return None
    return field.operand(value.isoformat() if isinstance(value, date) else value, plan.collection.kind)


class SeenValues:
    """Values that must not come twice in a file, kept in a temporary database beside memory."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", check_same_thread=False)
        self._database.execute("CREATE TABLE seen (field TEXT, value TEXT, PRIMARY KEY (field, value))")

    def add(self, field: str, value: Any) -> bool:
        """False when it was there already."""
        text = msgspec.json.encode(value, enc_hook=str).decode()
        done = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (field, text))
        return done.rowcount == 1

    def has(self, field: str, value: Any) -> bool:
        """Whether it was added."""
        text = msgspec.json.encode(value, enc_hook=str).decode()
        found = self._database.execute("SELECT 1 FROM seen WHERE field = ? AND value = ?", (field, text))
        return found.fetchone() is not None

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()


async def taken(
    records: RecordReader, plan: ImportPlan, parsed: Sequence[Parsed], field: Field
) -> dict[Any, Any]:
    """Which values of a unique field are in the database already, each with its record's key."""
    wanted = {row.values[field.name]: None for row in parsed if row.values.get(field.name) is not None}
    if not wanted:
        return {}
    found = await records.find(plan.collection, {field.name: {"$in": list(wanted)}}, Caller())
    target = plan.collection.target_key
    return {
        _comparable(field, record[field.name], plan): record[target] if target else None for record in found
    }
