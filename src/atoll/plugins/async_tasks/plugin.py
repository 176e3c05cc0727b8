"""`asyncTasks:*`. Source: http-api.md 8.3 and 14."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from atoll.application.api.actions.records import caller
from atoll.application.api.files import existing
from atoll.application.api.resources import LOGGED_IN
from atoll.application.collections.plugin_tables import make_tables
from atoll.application.context import Context, FileAnswer, Page
from atoll.application.fields.moments import iso_text, now_ms
from atoll.application.plugin_manager import Plugin
from atoll.errors import BadRequest, DatabaseUnavailable, NotFound, QueueUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.plugins.async_tasks.everyone import EverybodysTasks
from atoll.plugins.async_tasks.rows import UNFINISHED, Row, TaskRows, is_fresh, shown
from atoll.plugins.async_tasks.runner import CHANNEL, KEY, Runner

if TYPE_CHECKING:
    from atoll.application.app import Application

log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 30.0
_STALE: Final = timedelta(seconds=30)


class AsyncTasks(Plugin):
    """Keeps the tasks of an app, works on them, and has their API.

    Args:
        concurrency: tasks of this app at a time in this process.
        keep_days: how long finished tasks and their files are kept.
        slots: shared by the apps of a process, when they share the concurrency.
    """

    name = "async-tasks"

    def __init__(self, *, concurrency: int, keep_days: float, slots: asyncio.Semaphore | None = None) -> None:
        self._concurrency = concurrency
        self._keep = timedelta(days=keep_days)
        self._slots = slots
        self._background = BackgroundTasks("async-tasks")
        self._watching: asyncio.Task[Any] | None = None
        self._rows: TaskRows
        self._runner: Runner

    async def install(self, app: Application) -> None:
        """Makes the table."""
        await make_tables(app.database, [TaskRows(app).collection])

    async def load(self, app: Application) -> None:
        """Defines the resource."""
        self._rows = TaskRows(app)
        self._runner = Runner(app, self._rows)
        await self.install(app)
        actions = {
            "list": self._list,
            "get": self._get,
            "create": self._create,
            "stop": self._stop,
            "destroy": self._destroy,
            "fetchFile": self._fetch_file,
        }
        app.resources.define("asyncTasks", actions, access=dict.fromkeys(actions, LOGGED_IN))
        EverybodysTasks(self._rows, self._runner).define(app)

    async def start(self, app: Application) -> None:
        """Takes tasks from the queue if this instance serves them, and looks after those that were lost."""
        await app.services.serve(
            KEY, CHANNEL, self._runner.process, concurrency=self._concurrency, slots=self._slots
        )
        await self._forget_old()
        if await self._recover():
            self._watch()

    async def stop(self, app: Application) -> None:
        """Ends the looking after; the consumers are the app's."""
        await self._background.cancel_all()

    # -- tasks that the queue has lost

    def _watch(self) -> None:
        """Looks after unfinished tasks as long as there are some: an app without tasks costs nothing."""
        if self._watching is None or self._watching.done():
            self._watching = self._background.spawn("watch", self._watch_until_finished())

    async def _watch_until_finished(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                if not await self._recover():
                    return
            except (DatabaseUnavailable, QueueUnavailable) as error:
                log.warning("tasks cannot be looked after now", extra={"reason": error.message})

    async def _recover(self) -> int:
        """Puts tasks back into the queue that nobody works on; the number of unfinished ones.

        Redis may have been emptied, or a queue in memory have died with its process. What is in the queue
        twice is done once, and the key keeps it from being there ever more often.
        """
        unfinished = await self._rows.find(UNFINISHED)
        old = iso_text(now_ms() - _STALE)
        for row in unfinished:
            if not is_fresh(row) and (row["seenAt"] or row["createdAt"]) < old:
                await self._runner.enqueue(row, key=f"recover:{row['id']}:{row['attempt']}")
        return len(unfinished)

    async def _forget_old(self) -> None:
        limit = iso_text(now_ms() - self._keep)
        for row in await self._rows.find({"doneAt": {"$lt": limit}}):
            await self._runner.remove(row)

    # -- actions

    async def _list(self, ctx: Context) -> object:
        given = ctx.params.get("filter")
        mine: dict[str, Any] = {"createdById": _user(ctx)}
        params = {**ctx.params, "filter": {"$and": [given, mine]} if given else mine}
        for name in ("fields", "appends"):
            params.pop(name, None)
        found = await ctx.app.records.page(self._rows.collection, params, caller(ctx))
        rows = found.rows if isinstance(found, Page) else found
        records = [shown(row) for row in rows]
        await self._runner.add_reasons(records)
        return Page(records, found.meta) if isinstance(found, Page) else records

    async def _get(self, ctx: Context) -> object:
        return shown(await self._mine(ctx))

    async def _create(self, ctx: Context) -> object:
        values = ctx.values if isinstance(ctx.values, Mapping) else {}
        params = values.get("params") or {}
        if not isinstance(params, Mapping):
            raise BadRequest("`params` must be an object")
        kind = ctx.app.tasks.get(values.get("type"))
        new = await kind.prepare(ctx, params)
        who = {"user": _user(ctx), "role": ctx.role, "timezone": ctx.timezone}
        title = values.get("title")
        title = title if isinstance(title, str) and title else new.title
        await self._forget_old()
        row = await self._rows.add(kind.name, title, new.origin, new.params, new.total, who)
        await self._runner.tell(row, "async-tasks:created", shown(row))
        self._watch()
        try:
            await self._runner.enqueue(row, key=row["id"])
        except QueueUnavailable as error:
            # The task is there and will be done: whoever watches puts it into the queue when that is back.
            log.warning("a task waits for the queue", extra={"task": row["id"], "reason": error.message})
        return shown(row)

    async def _stop(self, ctx: Context) -> object:
        stopped = await self._runner.stop(await self._mine(ctx))
        ctx.status = 202
        return shown(stopped)

    async def _destroy(self, ctx: Context) -> object:
        await self._runner.remove_finished(await self._mine(ctx))
        return 1

    async def _fetch_file(self, ctx: Context) -> object:
        row = await self._mine(ctx)
        file = row["result"].get("file") if isinstance(row["result"], dict) else None
        if not isinstance(file, dict):
            raise NotFound("This task has no file")
        path = await existing(
            self._runner.folder(row["id"]) / str(file["stored"]),
            "The file is not on this instance. All instances of an app need one shared storage folder.",
        )
        name = ctx.params.get("filename")
        return FileAnswer(path, name if isinstance(name, str) and name else str(file["name"]))

    async def _mine(self, ctx: Context) -> Row:
        """The task of the request; those of others do not exist."""
        found = await ctx.app.records.get(
            self._rows.collection,
            {"filterByTk": str(ctx.params.get("filterByTk", "")), "filter": {"createdById": _user(ctx)}},
            caller(ctx),
        )
        row = await self._rows.get(found["id"]) if found is not None else None
        if row is None:
            raise NotFound("There is no such task")
        return row


def _user(ctx: Context) -> int:
    if ctx.user is None:
        raise NotFound("There is no such task")
    return ctx.user.id
