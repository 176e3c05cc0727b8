"""The tasks in the app's database. Each change of state is a guarded UPDATE: who is late changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from atoll.application.auth.accounts import plain
from atoll.application.collections.model import Collection
from atoll.application.fields.moments import iso_text, now_ms, parse_moment
from atoll.application.records.filter import Caller
from atoll.database.drivers.base import Connection

if TYPE_CHECKING:
    from atoll.application.app import Application

WAITING, RUNNING, SUCCEEDED, FAILED, STOPPED = None, 0, 1, -1, -2
FRESH_SECONDS: Final = 15.0
INTERNAL: Final = ("attempt", "tries", "seenAt", "cursor", "base", "caller")
"""Columns that are not part of the API."""
UNFINISHED: Final = {"$or": [{"status": None}, {"status": RUNNING}]}
_NOBODY: Final = Caller()
Row = dict[str, Any]


def definition(app: Application) -> Collection:
    """The collection `asyncTasks`."""
    fields: list[dict[str, Any]] = [
        {"name": "id", "type": "uuid", "primaryKey": True},
        {"name": "type", "type": "string", "allowNull": False},
        {"name": "title", "type": "string"},
        {"name": "params", "type": "json"},
        {"name": "origin", "type": "string"},
        {"name": "status", "type": "integer"},
        {"name": "result", "type": "json"},
        {"name": "cancelable", "type": "boolean", "defaultValue": True},
        {"name": "progressTotal", "type": "bigInt"},
        {"name": "progressCurrent", "type": "bigInt", "defaultValue": 0},
        {"name": "startedAt", "type": "date"},
        {"name": "doneAt", "type": "date"},
        {"name": "createdById", "type": "bigInt"},
        # How often it was taken: only the latest taker may change it.
        {"name": "attempt", "type": "bigInt", "defaultValue": 0, "allowNull": False},
        # How often since it last came further.
        {"name": "tries", "type": "bigInt", "defaultValue": 0, "allowNull": False},
        {"name": "seenAt", "type": "date"},
        {"name": "cursor", "type": "json"},
        # When the present run began, and how far the task was then; for the estimate.
        {"name": "base", "type": "json"},
        {"name": "caller", "type": "json"},
    ]
    database = app.database
    options = {"autoGenId": False, "createdAt": True}
    return Collection(
        "asyncTasks", options, fields, kind=database.kind, prefix=database.table_prefix, system=True
    )


def shown(row: Mapping[str, Any]) -> Row:
    """A task as people see it, with the seconds that are probably left."""
    record = {name: value for name, value in plain(row).items() if name not in INTERNAL}
    record["remainingSeconds"] = _remaining(plain(row))
    return record


def _remaining(row: Mapping[str, Any]) -> int | None:
    base, total, current = row.get("base"), row.get("progressTotal"), row.get("progressCurrent") or 0
    if row.get("status") != RUNNING or not isinstance(base, dict) or not total:
        return None
    done = current - base["current"]
    passed = (now_ms() - parse_moment(base["at"])[0]).total_seconds()
    if done <= 0 or passed < 1:
        return None
    return max(0, round(float(passed / done * (total - current))))


class TaskRows:
    """Reads and changes tasks."""

    def __init__(self, app: Application) -> None:
        self.collection = definition(app)
        self._app = app
        self._records = app.records

    async def add(
        self, kind: str, title: str, origin: str, params: Mapping[str, Any], total: int | None, caller: Any
    ) -> Row:
        """A new, waiting task.

        Args:
            caller: `user`, `role`, `timezone` of the person.
        """
        values = {
            "id": str(uuid4()),
            "type": kind,
            "title": title[:255],
            "origin": origin,
            "params": dict(params),
            "progressTotal": total,
            "createdById": caller["user"],
            "caller": caller,
        }
        row = await self._records.create_one(self.collection, values, _NOBODY, connection=self._app.database)
        return plain(row)

    async def get(self, task: str) -> Row | None:
        """One task."""
        found = await self._records.get(self.collection, {"filterByTk": task}, _NOBODY)
        return plain(found) if found is not None else None

    async def find(self, condition: Mapping[str, Any]) -> list[Row]:
        """All tasks that match a filter."""
        return [plain(row) for row in await self._records.find(self.collection, condition, _NOBODY)]

    async def claim(self, task: str) -> Row | None:
        """Takes a task; None when it is finished or gone, or another run is alive with it."""
        row = await self.get(task)
        if row is None or row["status"] not in (WAITING, RUNNING) or is_fresh(row):
            return None
        now = iso_text(now_ms())
        return await self.change(
            task,
            {"attempt": row["attempt"], **UNFINISHED},
            {
                "status": RUNNING,
                "attempt": row["attempt"] + 1,
                "tries": row["tries"] + 1,
                "seenAt": now,
                "startedAt": row["startedAt"] or now,
                "base": {"at": now, "current": row["progressCurrent"]},
            },
        )

    async def change(
        self,
        task: str,
        condition: Mapping[str, Any],
        values: Mapping[str, Any],
        connection: Connection | None = None,
    ) -> Row | None:
        """Changes a task if it still is as `condition` says; the changed row, or None."""
        rows = await self._records.update(
            self.collection,
            {"filterByTk": task, "filter": dict(condition)},
            dict(values),
            _NOBODY,
            connection=connection or self._app.database,
        )
        return plain(rows[0]) if rows else None

    async def remove(self, task: str) -> None:
        """Forgets a task."""
        await self._records.destroy(
            self.collection, {"filterByTk": task}, _NOBODY, connection=self._app.database
        )


def is_fresh(row: Mapping[str, Any]) -> bool:
    """Whether a run has shown signs of life lately."""
    if row["status"] != RUNNING or row["seenAt"] is None:
        return False
    seen = parse_moment(row["seenAt"])[0]
    return now_ms() - seen < timedelta(seconds=FRESH_SECONDS)
