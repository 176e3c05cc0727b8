"""Taking tasks from the queue and bringing them to an end."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from atoll.application.acl import UNION
from atoll.application.context import CurrentUser
from atoll.application.fields.moments import iso_text, now_ms
from atoll.application.records.filter import Caller
from atoll.application.records.rights import EVERYTHING, Rights
from atoll.application.tasks import TaskLost, TaskResult, TaskType
from atoll.cluster.queue import Item
from atoll.errors import AtollError, BadRequest, DatabaseUnavailable, Forbidden, QueueItemNotUnderstood
from atoll.lifecycle import end_tasks
from atoll.plugins.async_tasks.rows import (
    FAILED,
    FRESH_SECONDS,
    STOPPED,
    SUCCEEDED,
    UNFINISHED,
    Row,
    TaskRows,
    is_fresh,
    shown,
)
from atoll.plugins.async_tasks.run import FencedRun

if TYPE_CHECKING:
    from atoll.application.app import Application

log = logging.getLogger(__name__)
KEY: Final = "async-task:process"
CHANNEL: Final = "async-task-manager.task"
MOST_TRIES: Final = 10
_RETRIES: Final = 100


class Runner:
    """Works on the tasks of one app."""

    def __init__(self, app: Application, rows: TaskRows) -> None:
        self._app = app
        self._rows = rows

    def folder(self, task: str) -> Path:
        """The folder of a task."""
        return self._app.storage / "tasks" / task

    async def enqueue(self, row: Mapping[str, Any], *, delay: float = 0.0, key: str | None = None) -> None:
        """Puts a task into the queue. The queue may lose it: `Plugin` looks after tasks that nobody takes."""
        content = msgspec.json.encode({"id": row["id"]})
        # No limit of time: the run shows signs of life of its own, and can be stopped by people.
        await self._app.queue.publish(
            CHANNEL, content, timeout=None, max_retries=_RETRIES, delay=delay, key=key
        )

    async def process(self, item: Item) -> None:
        """The consumer. It returns when the task is finished or belongs to somebody else.

        Raises:
            QueueItemNotUnderstood: the task is of a kind that only another version, or plugin, knows.
        """
        if self._app.agreement.due:
            await self._app.agreement.renew()  # as before a request: this instance may have slept
        task = str(msgspec.json.decode(item.content)["id"])
        found = await self._rows.get(task)
        if found is not None and found["type"] not in self._app.tasks:
            raise QueueItemNotUnderstood(f"This instance knows no tasks of the kind {found['type']!r}.")
        row = await self._rows.claim(task)
        if row is None:
            found = await self._rows.get(task)
            if found is not None and is_fresh(found):
                # Another run is alive, or died a moment ago; this reminder stays until that is clear.
                await self.enqueue(found, delay=FRESH_SECONDS)
            return
        await self.tell_status(row)
        await self._try(row)

    async def _try(self, row: Row) -> None:
        caller = row["caller"]
        user = await self._app.accounts.user(caller["user"])
        folder = self.folder(row["id"])
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        nobody = CurrentUser(caller["user"], None, None, (), {})
        settings = await self._app.accounts.settings()
        rights: Rights = EVERYTHING
        if user is not None and caller["role"] in (*user.roles, UNION):
            rights = settings.rights(caller["role"], user)
        asking = Caller(
            caller["timezone"],
            user or nobody,
            caller["role"],
            rights=rights,
            variables=settings.variables.plain,
        )
        run = FencedRun(self._app, self._rows, row, folder, asking, user or nobody, self._tell_progress)
        try:
            kind = self._app.tasks.get(row["type"])
            if row["tries"] > MOST_TRIES:
                raise Forbidden(
                    f"Given up after {MOST_TRIES} tries that came no further; the server's log says why"
                )
            if user is None or caller["role"] not in (*user.roles, UNION):
                raise Forbidden("The account of this task, or its role, does not exist any more")
            result = await _beside(kind, run)
            await self._finish(run, kind, {"status": SUCCEEDED, "result": _described(result)})
        except TaskLost:
            log.info("task stopped or taken by another instance", extra={"task": row["id"]})
        except DatabaseUnavailable:
            raise  # the queue tries again
        except AtollError as error:
            if error.status >= 500:
                log.error("task failed: %s %s", error.message, error.detail, extra={"task": row["id"]})
            await self._fail(run, row, error.message)
        except asyncio.CancelledError:
            await run.give_back()
            raise
        except Exception:
            log.exception("task failed", extra={"task": row["id"], "type": row["type"]})
            await self._fail(
                run, row, f"Something went wrong on the server. Ask for task {row['id']} in its log."
            )

    async def _fail(self, run: FencedRun, row: Row, text: str) -> None:
        try:
            await self._finish(
                run, self._app.tasks.get(row["type"]), {"status": FAILED, "result": {"message": text}}
            )
        except TaskLost:
            log.info("failed task belongs to another instance", extra={"task": row["id"]})

    async def _finish(self, run: FencedRun, kind: TaskType, values: Mapping[str, Any]) -> None:
        async with self._app.database.transaction() as tx:
            row = await run.end(values, tx)
            await kind.ended(self._app, run.id, tx)
        await self._tell_progress(row)
        await self.tell_status(row)

    # -- what people do with tasks

    async def stop(self, row: Row) -> Row:
        """Ends a task that is not finished; raises BadRequest."""
        kind = self._app.tasks.get(row["type"])
        async with self._app.database.transaction() as tx:
            values = {"status": STOPPED, "doneAt": iso_text(now_ms())}
            stopped = await self._rows.change(row["id"], {"cancelable": True, **UNFINISHED}, values, tx)
            if stopped is None:
                raise BadRequest("This task is finished, or it cannot be stopped")
            await kind.ended(self._app, row["id"], tx)
        await self.tell_status(stopped)
        return stopped

    async def remove_finished(self, row: Row) -> None:
        """Removes a task with its file; raises BadRequest while it is not finished."""
        if row["doneAt"] is None:
            raise BadRequest("This task is not finished; stop it first")
        await self.remove(row)

    async def remove(self, row: Row) -> None:
        """Removes a task with its file."""
        await asyncio.to_thread(shutil.rmtree, self.folder(row["id"]), ignore_errors=True)
        await self._rows.remove(row["id"])
        await self.tell(row, "async-tasks:deleted", {"id": row["id"]})

    async def add_reasons(self, records: Sequence[Row]) -> None:
        """Says of waiting tasks why nobody takes them: the text, and the service that is missing."""
        if all(record["status"] is not None for record in records):
            return
        reason = await self._app.services.reason(CHANNEL)
        for record in records:
            waits = reason is not None and record["status"] is None
            record["waitingReason"] = reason if waits else None
            record["waitingService"] = KEY if waits else None

    # -- messages to the owner

    async def tell_status(self, row: Row) -> None:
        """`async-tasks:status`."""
        await self.tell(row, "async-tasks:status", {"taskId": row["id"], "status": row["status"]})

    async def _tell_progress(self, row: Row) -> None:
        await self.tell(row, "async-tasks:progress", shown(row))

    async def tell(self, row: Row, kind: str, payload: object) -> None:
        """Sends a message to the person whose task it is, on all instances."""
        await self._app.live.publish(kind, payload, user_id=row["createdById"])


async def _beside(kind: TaskType, run: FencedRun) -> TaskResult:
    """The work, and beside it the signs of life; whichever fails first ends both."""
    work = asyncio.ensure_future(kind.run(run))
    beat = asyncio.ensure_future(run.beat())
    try:
        await asyncio.wait({work, beat}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            beat.result()
        return work.result()
    finally:
        await end_tasks([work, beat])


def _described(result: TaskResult) -> dict[str, Any]:
    """The result as it is kept: the file by its name in the task's folder."""
    file = result.file
    if file is None:
        return dict(result.summary)
    size = file.path.stat().st_size
    return {**result.summary, "file": {"name": file.name, "stored": file.path.name, "size": size}}
