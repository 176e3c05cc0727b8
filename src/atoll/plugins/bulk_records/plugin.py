"""`records:update` and `records:destroy`: changes to any number of records, as tasks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from atoll.application.api.actions.records import restricted
from atoll.application.collections.model import Collection
from atoll.application.context import Context
from atoll.application.plugin_manager import Plugin
from atoll.application.records.reader import Record
from atoll.application.tasks import (
    NewTask,
    TaskResult,
    TaskRun,
    TaskType,
    own_collection,
)
from atoll.database.drivers.base import Connection
from atoll.errors import BadRequest, Conflict

if TYPE_CHECKING:
    from atoll.application.app import Application

CHUNK: Final = 500


class BulkTask(TaskType):
    """`{"collection", "filter", "expected"}`: goes through the matching records by their keys.

    A record that stops matching while the task runs is left alone. `expected` is the number of records the
    person was shown; the task is refused when there are others by now.
    """

    right: str
    word: str

    async def prepare(self, ctx: Context, params: Mapping[str, Any]) -> NewTask:
        """See the base class."""
        collection = own_collection(ctx.app, params.get("collection"))
        restricted(ctx).rights.need(collection, self.right)
        if collection.key is None:
            raise BadRequest(f"{collection.title} has no record key; change its records one by one")
        self.check(ctx.app, collection, params, ctx)
        total = await ctx.app.records.count(
            collection, params.get("filter"), restricted(ctx), action=self.right
        )
        expected = params.get("expected")
        if not isinstance(expected, int) or isinstance(expected, bool):
            raise BadRequest("`expected` is required: the number of records that are to be changed")
        if expected != total:
            raise Conflict(f"{total:,} records match now, not {expected:,}. Look again, then repeat.")
        return NewTask(f"{self.word} {total:,} × {collection.title}", params, collection.name, total)

    async def run(self, run: TaskRun) -> TaskResult:
        """See the base class."""
        collection = own_collection(run.app, run.params.get("collection"))
        run.need(collection, self.right)
        key = collection.key
        if key is None:
            raise BadRequest(f"{collection.title} has no record key")
        state = run.cursor or {"after": None, "seen": 0, "changed": 0}
        scope = {"filter": run.params.get("filter"), "fields": [key.name]}
        batches = run.app.records.scan(
            collection, scope, run.caller, action=self.right, after=state["after"], size=CHUNK
        )
        async for batch in batches:
            keys = [record[key.name] for record in batch]
            params = {"filterByTk": keys, "filter": run.params.get("filter")}
            async with run.step(state["seen"] + len(keys)) as step:
                count, records = await self.change(run, collection, params, step.connection)
                state = {
                    "after": {key.name: keys[-1]},
                    "seen": state["seen"] + len(keys),
                    "changed": state["changed"] + count,
                }
                step.cursor = state
            if count:
                await run.app.records.announce(collection, self.kind, records)
        await run.progress(state["seen"], state["seen"])
        return TaskResult({"changed": state["changed"]})

    kind: str
    """What is announced: "updated" or "destroyed"."""

    @abstractmethod
    def check(
        self, app: Application, collection: Collection, params: Mapping[str, Any], ctx: Context
    ) -> None:
        """Checks what is special about this kind; raises BadRequest."""

    @abstractmethod
    async def change(
        self,
        run: TaskRun,
        collection: Collection,
        params: Mapping[str, Any],
        connection: Connection,
    ) -> tuple[int, list[Record]]:
        """Changes one batch: how many records, and those that are to be announced."""

    async def ended(self, app: Application, task: str, connection: Connection) -> None:
        """Nothing is kept."""


class UpdateRecords(BulkTask):
    """With `values`."""

    name, right, kind, word = "records:update", "update", "updated", "Change"

    def check(
        self, app: Application, collection: Collection, params: Mapping[str, Any], ctx: Context
    ) -> None:
        """The values must fit the fields."""
        values = params.get("values")
        if not isinstance(values, Mapping) or not values:
            raise BadRequest("`values` is required: the fields to change")
        app.records.check(collection, values, restricted(ctx), changing=True)

    async def change(
        self,
        run: TaskRun,
        collection: Collection,
        params: Mapping[str, Any],
        connection: Connection,
    ) -> tuple[int, list[Record]]:
        """See the base class."""
        records = await run.app.records.update(
            collection, params, run.params["values"], run.caller, connection=connection
        )
        return len(records), records


class DestroyRecords(BulkTask):
    """Deletes."""

    name, right, kind, word = "records:destroy", "destroy", "destroyed", "Delete"

    def check(
        self, app: Application, collection: Collection, params: Mapping[str, Any], ctx: Context
    ) -> None:
        """Nothing more."""

    async def change(
        self,
        run: TaskRun,
        collection: Collection,
        params: Mapping[str, Any],
        connection: Connection,
    ) -> tuple[int, list[Record]]:
        """See the base class."""
        count = await run.app.records.destroy(collection, params, run.caller, connection=connection)
        return count, []


class BulkRecords(Plugin):
    """Adds the two kinds of tasks."""

    name = "bulk-records"

    async def install(self, app: Application) -> None:
        """Nothing to make."""

    async def load(self, app: Application) -> None:
        """Adds the kinds."""
        app.tasks.add(UpdateRecords())
        app.tasks.add(DestroyRecords())

    async def start(self, app: Application) -> None:
        """Nothing runs."""

    async def stop(self, app: Application) -> None:
        """Nothing runs."""
