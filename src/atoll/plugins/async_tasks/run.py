"""One try of one task, with its fence: nothing is committed once the task belongs to somebody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from atoll.application.context import CurrentUser
from atoll.application.fields.moments import iso_text, now_ms
from atoll.application.records.filter import Caller
from atoll.application.tasks import Step, TaskLost, TaskRun
from atoll.database.drivers.base import Connection
from atoll.plugins.async_tasks.rows import RUNNING, Row, TaskRows

if TYPE_CHECKING:
    from atoll.application.app import Application

BEAT_SECONDS: Final = 4.0
TELL_SECONDS: Final = 0.5
_LONGEST_PAUSE: Final = 20


class FencedRun(TaskRun):
    """Implements the contract on a claimed row.

    Args:
        asking: the user with its present rights, as for a request.
        tell: is given the changed row, at most twice a second.
    """

    def __init__(
        self,
        app: Application,
        rows: TaskRows,
        row: Row,
        folder: Path,
        asking: Caller,
        user: CurrentUser,
        tell: Callable[[Row], Awaitable[None]],
    ) -> None:
        self.app = app
        self.id = row["id"]
        self.params = row["params"]
        self.cursor = row["cursor"]
        self.folder = folder
        self.user = user
        self.role = row["caller"]["role"]
        self.caller = asking
        self._rows = rows
        self._fence = {"attempt": row["attempt"], "status": RUNNING}
        self._tell = tell
        self._told = 0.0

    @asynccontextmanager
    async def step(self, current: int) -> AsyncIterator[Step]:
        """See the base class."""
        async with self.app.database.transaction() as tx:
            if self.app.database.kind == "postgres":
                # A process that is paused within a step would hold the task's lock until it wakes.
                await tx.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{_LONGEST_PAUSE}s'")
            await self._set({}, tx)
            step = Step(tx, self.cursor)
            yield step
            row = await self._set({"cursor": step.cursor, **_how_far(current, None)}, tx)
        self.cursor = step.cursor
        await self._say(row)

    async def progress(self, current: int, total: int | None = None) -> None:
        """See the base class."""
        await self._say(await self._set(_how_far(current, total)))

    async def beat(self) -> None:
        """Shows signs of life until the task is lost."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self._set({})

    async def end(self, values: Mapping[str, Any], connection: Connection) -> Row:
        """Brings the task to its end; raises TaskLost."""
        return await self._set({"doneAt": iso_text(now_ms()), **values}, connection)

    async def give_back(self) -> None:
        """Lets another run begin at once."""
        await self._rows.change(self.id, self._fence, {"seenAt": None})

    async def _set(self, values: Mapping[str, Any], connection: Connection | None = None) -> Row:
        row = await self._rows.change(
            self.id, self._fence, {"seenAt": iso_text(now_ms()), **values}, connection
        )
        if row is None:
            raise TaskLost
        return row

    async def _say(self, row: Row) -> None:
        now = time.monotonic()
        if now - self._told >= TELL_SECONDS:
            self._told = now
            await self._tell(row)


def _how_far(current: int, total: int | None) -> dict[str, Any]:
    values: dict[str, Any] = {"progressCurrent": current, "tries": 0}
    if total is not None:
        values["progressTotal"] = total
    return values
