"""`allTasks`: the tasks of everybody, for people who look after an app (snippet `pm.async-tasks`).

Parameters, files and what a check found in a file belong to their owner: they may show records that whoever
looks after tasks has no right to see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from atoll.application.api.actions.records import caller
from atoll.application.context import Context, Page
from atoll.application.records.filter import Caller
from atoll.errors import NotFound
from atoll.plugins.async_tasks.rows import FAILED, Row, TaskRows, shown
from atoll.plugins.async_tasks.runner import Runner

if TYPE_CHECKING:
    from atoll.application.app import Application

SNIPPET: Final = "pm.async-tasks"


class EverybodysTasks:
    """The actions."""

    def __init__(self, rows: TaskRows, runner: Runner) -> None:
        self._rows = rows
        self._runner = runner

    def define(self, app: Application) -> None:
        """Adds the resource."""
        actions = {"list": self.list, "stop": self.stop, "destroy": self.destroy}
        app.resources.define("allTasks", actions, snippet=SNIPPET)

    async def list(self, ctx: Context) -> object:
        """A page of them, each with its owner (`createdBy`) and, when it waits in vain, the reason."""
        params = {name: value for name, value in ctx.params.items() if name not in ("fields", "appends")}
        found = await ctx.app.records.page(self._rows.collection, params, caller(ctx))
        rows = found.rows if isinstance(found, Page) else found
        people = await self._people(ctx.app, {row["createdById"] for row in rows})
        records = [{**_outline(row), "createdBy": people.get(str(row["createdById"]))} for row in rows]
        await self._runner.add_reasons(records)
        return Page(records, found.meta) if isinstance(found, Page) else records

    async def stop(self, ctx: Context) -> object:
        """Ends a task for its owner, who is told."""
        stopped = await self._runner.stop(await self._row(ctx))
        ctx.status = 202
        return _outline(stopped)

    async def destroy(self, ctx: Context) -> object:
        """Removes a finished task and its file."""
        await self._runner.remove_finished(await self._row(ctx))
        return 1

    async def _row(self, ctx: Context) -> Row:
        row = await self._rows.get(str(ctx.params.get("filterByTk", "")))
        if row is None:
            raise NotFound("There is no such task")
        return row

    async def _people(self, app: Application, ids: set[Any]) -> dict[str, Row]:
        users = app.collections.system["users"]
        params = {
            "paginate": False,
            "filter": {"id": {"$in": sorted(ids)}},
            "fields": ["id", "nickname", "username"],
        }
        found = await app.records.page(users, params, Caller())
        rows = found.rows if isinstance(found, Page) else found
        return {str(row["id"]): row for row in rows}


def _outline(row: Row) -> Row:
    record = shown(row)
    record.pop("params", None)
    result = record.get("result") or {}
    kept = {"message": result.get("message")} if record["status"] == FAILED else None
    return {**record, "result": kept}
