"""Live rows: what changes among apps and environments reaches the browsers of those who may see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from atoll.lifecycle import BackgroundTasks
from atoll.supervisor.supervisor import Supervisor

if TYPE_CHECKING:
    from atoll.application.api.live import LiveHub

#: Changes within this time go out as one message per row.
_GATHER_SECONDS = 0.05
#: The first account of an installation has this role too, besides root.
_ROLE = "admin"


class Feed:
    """Sends `supervisor:apps` and `supervisor:environments`: the row, or `{name, deleted: true}`.

    Rows go to users with the role admin.
    """

    def __init__(self, supervisor: Supervisor, live: LiveHub) -> None:
        self._supervisor, self._live = supervisor, live
        self._apps: set[str] = set()
        self._environments: set[str] = set()
        self._names: dict[str, str] = {}
        self._sent: dict[str, Any] = {}
        self._something = asyncio.Event()
        self._tasks = BackgroundTasks("app supervisor")
        self._unfollow: Callable[[], None] | None = None

    def start(self) -> None:
        """Begins to follow the directory."""
        directory = self._supervisor.directory
        self._names = {record.uid: record.name for record in directory.listed}
        self._unfollow = directory.follow(self._changed)
        _ = self._tasks.keep_running("feed", self._run)

    async def stop(self) -> None:
        """Ends it."""
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None
        await self._tasks.cancel_all()

    def _changed(self, uid: str | None, environment: str | None) -> None:
        if uid is not None:
            self._apps.add(uid)
        if environment is not None:
            self._environments.add(environment)
            self._apps.update(
                record.uid
                for record in self._supervisor.directory.listed
                if environment in record.environments
            )
        self._something.set()

    async def _run(self) -> None:
        while True:
            await self._something.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._something.clear()
            apps, self._apps = self._apps, set()
            environments, self._environments = self._environments, set()
            for uid in apps:
                await self._send_app(uid)
            for name in environments:
                row = self._supervisor.get_environment(name)
                await self._send("supervisor:environments", name, row)

    async def _send_app(self, uid: str) -> None:
        row = self._supervisor.row_of(uid)
        if row is not None:
            self._names[uid] = row["name"]
            await self._send("supervisor:apps", row["name"], row)
        elif (name := self._names.pop(uid, None)) is not None and self._supervisor.get_app(name) is None:
            await self._send("supervisor:apps", name, None)

    async def _send(self, kind: str, name: str, row: dict[str, Any] | None) -> None:
        key = f"{kind} {name}"
        if row is not None and self._sent.get(key) == row:
            return
        if row is None:
            self._sent.pop(key, None)
        else:
            self._sent[key] = row
        payload = row if row is not None else {"name": name, "deleted": True}
        await self._live.publish(kind, payload, role=_ROLE)
