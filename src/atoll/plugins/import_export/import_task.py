"""Import as a task: chunks that are committed together with how far it has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from atoll.application.api.actions.records import restricted
from atoll.application.auth.accounts import plain
from atoll.application.collections.model import Collection
from atoll.application.context import Context
from atoll.application.fields.cells import Cell, shown
from atoll.application.records.filter import Caller
from atoll.application.tasks import (
    NewTask,
    TaskFile,
    TaskResult,
    TaskRun,
    TaskType,
    own_collection,
)
from atoll.database.drivers.base import Connection
from atoll.errors import BadRequest
from atoll.plugins.import_export.import_rows import ChunkImport, Outcome, RowFailed, kept_cells
from atoll.plugins.import_export.importing import Parsed, SheetRow, chunk, numbered
from atoll.plugins.import_export.matching import SeenValues
from atoll.plugins.import_export.plan import ImportPlan
from atoll.plugins.import_export.sheets import RowReader, create, open_rows
from atoll.plugins.import_export.uploads import found_upload

if TYPE_CHECKING:
    from atoll.application.app import Application

CHUNK: Final = 500
PREVIEW_ROWS: Final = 20
ERROR_TITLE: Final = "Error"


@dataclass(frozen=True, slots=True)
class Counts:
    """How far an import is: the last row looked at, and what became of the rows."""

    row: int
    done: int = 0
    created: int = 0
    updated: int = 0
    skipped: int = 0
    failed: int = 0

    def plus(self, rows: list[SheetRow], outcome: Outcome) -> Counts:
        """After one more chunk."""
        return Counts(
            rows[-1].number,
            self.done + len(rows),
            self.created + len(outcome.created) + outcome.would_create,
            self.updated + len(outcome.updated) + outcome.would_update,
            self.skipped + outcome.skipped,
            self.failed + len(outcome.failed),
        )

    def summary(self) -> dict[str, int]:
        """For people."""
        numbers = asdict(self)
        return {"rows": numbers.pop("done"), **{k: v for k, v in numbers.items() if k != "row"}}


class ImportTask(TaskType):
    """`{"collection", "upload", "filename", "layout", "columns", "mode", "keys", "emptyCells", "onError",
    "dryRun"}`.
    """

    name = "import"

    def __init__(self, failures: Collection) -> None:
        self._failures = failures

    async def prepare(self, ctx: Context, params: Mapping[str, Any]) -> NewTask:
        """See the base class."""
        collection = own_collection(ctx.app, params.get("collection"))
        plan = ImportPlan.read(ctx.app.collections, collection, params, restricted(ctx))
        ChunkImport(ctx.app, plan, restricted(ctx))  # asks for the rights
        await found_upload(ctx.app, ctx.user.id if ctx.user is not None else 0, params.get("upload"))
        name = params.get("filename")
        title = name if isinstance(name, str) and name else collection.title
        return NewTask(title, params, collection.name)

    async def run(self, run: TaskRun) -> TaskResult:
        """See the base class."""
        collection = own_collection(run.app, run.params.get("collection"))
        plan = ImportPlan.read(run.app.collections, collection, run.params, run.caller)
        path = await found_upload(run.app, run.user.id, run.params.get("upload"))
        work = ChunkImport(run.app, plan, run.caller)
        async with _opened(path, plan) as (reader, titles, rows):
            estimate = await asyncio.to_thread(reader.estimate)
            total = None if estimate is None else max(0, estimate - plan.layout.header_row)
            if plan.dry:
                return await _look(run, plan, work, rows, total)
            counts = await self._write(run, plan, work, rows, total)
        file = None
        if counts.failed:
            file = await self._failed_file(run, titles, plan.layout.format)
        return TaskResult(counts.summary(), file)

    async def _write(
        self, run: TaskRun, plan: ImportPlan, work: ChunkImport, rows: Iterator[SheetRow], total: int | None
    ) -> Counts:
        counts = Counts(**run.cursor) if run.cursor else Counts(plan.layout.header_row)
        await run.progress(counts.done, total)
        while part := await asyncio.to_thread(_next, rows, counts.row):
            parsed = await asyncio.to_thread(_parsed, plan, part)
            try:
                outcome = await self._commit(run, counts, work, part, parsed, apart=False)
            except RowFailed as failure:
                if plan.stops:
                    raise BadRequest(
                        f"Row {failure.parsed.row.number}: {failure.reason}. "
                        f"Imported before it: {counts.created} new, {counts.updated} changed."
                    ) from None
                outcome = await self._commit(run, counts, work, part, parsed, apart=True)
            counts = counts.plus(part, outcome)
            for kind, records in (("created", outcome.created), ("updated", outcome.updated)):
                if records:
                    await run.app.records.announce(plan.collection, kind, records)
            for change in outcome.linked:
                await run.app.records.announce(
                    change.collection, change.kind, change.records, keys=change.keys
                )
        await run.progress(counts.done, counts.done)
        return counts

    async def _commit(
        self,
        run: TaskRun,
        counts: Counts,
        work: ChunkImport,
        part: list[SheetRow],
        parsed: list[Parsed],
        *,
        apart: bool,
    ) -> Outcome:
        """One transaction: the rows, the failed ones for the file, and the cursor behind them."""
        async with run.step(counts.done + len(part)) as step:
            outcome = await work.write(step.connection, parsed, apart=apart)
            await self._keep_failed(run, step.connection, outcome)
            step.cursor = asdict(counts.plus(part, outcome))
        return outcome

    async def _keep_failed(self, run: TaskRun, tx: Connection, outcome: Outcome) -> None:
        rows = [
            {
                "taskId": run.id,
                "row": parsed.row.number,
                "cells": kept_cells(parsed.row.cells),
                "reason": reason,
            }
            for parsed, reason in outcome.failed
        ]
        if rows:
            await run.app.records.create(self._failures, rows, Caller(), connection=tx)

    async def _failed_file(self, run: TaskRun, titles: list[Cell], format_: str) -> TaskFile:
        """The failed rows as they were, with the reason in one more column."""
        part, width = run.folder / "part", len(titles)
        writer = await asyncio.to_thread(create, part, format_)
        try:
            await asyncio.to_thread(writer.write, [[*titles, ERROR_TITLE]])
            batches = run.app.records.scan(
                self._failures, {"filter": {"taskId": run.id}, "sort": "id"}, Caller()
            )
            async for batch in batches:
                lines = []
                for record in map(plain, batch):
                    cells = [*record["cells"], *[None] * width][:width]
                    lines.append([*cells, f"Row {record['row']}: {record['reason']}"])
                await asyncio.to_thread(writer.write, lines)
            await asyncio.to_thread(writer.close)
        except BaseException:
            await asyncio.to_thread(writer.discard)
            raise
        await asyncio.to_thread(part.replace, run.folder / "result")
        stem = Path(str(run.params.get("filename") or "import")).stem
        return TaskFile(run.folder / "result", f"{stem} - failed rows.{format_}")

    async def ended(self, app: Application, task: str, connection: Connection) -> None:
        """Drops the failed rows; they are in the file."""
        await app.records.destroy(
            self._failures, {"filter": {"taskId": task}}, Caller(), connection=connection
        )


def failures_collection(app: Application) -> Collection:
    """Where the failed rows of running imports are kept."""
    fields: list[dict[str, Any]] = [
        {"name": "taskId", "type": "uuid", "allowNull": False},
        {"name": "row", "type": "bigInt", "allowNull": False},
        {"name": "cells", "type": "json"},
        {"name": "reason", "type": "text"},
    ]
    database = app.database
    return Collection(
        "importFailures", {}, fields, kind=database.kind, prefix=database.table_prefix, system=True
    )


@asynccontextmanager
async def _opened(
    path: Path, plan: ImportPlan
) -> AsyncIterator[tuple[RowReader, list[Cell], Iterator[SheetRow]]]:
    """The file behind its header: reader, titles, and the rows that have something in them."""
    reader = await asyncio.to_thread(open_rows, path, plan.layout)
    try:
        rows = reader.rows()
        number = plan.layout.header_row
        titles = await asyncio.to_thread(lambda: next(islice(rows, number - 1, None), None))
        if titles is None:
            raise BadRequest("The file has no such header row")
        yield reader, titles, numbered(rows, number + 1)
    finally:
        await asyncio.to_thread(reader.close)


def _next(rows: Iterator[SheetRow], after: int) -> list[SheetRow]:
    """The next chunk behind a row: what an earlier run has done is passed over."""
    first = next((row for row in rows if row.number > after), None)
    return [] if first is None else [first, *chunk(rows, CHUNK - 1)]


def _parsed(plan: ImportPlan, rows: list[SheetRow]) -> list[Parsed]:
    return [plan.places.parse(row) for row in rows]


async def _look(
    run: TaskRun, plan: ImportPlan, work: ChunkImport, rows: Iterator[SheetRow], total: int | None
) -> TaskResult:
    """A dry run: counts, the first rows with what is wrong in them, and the first reasons."""
    counts = Counts(plan.layout.header_row)
    preview: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    seen = SeenValues()
    try:
        while part := await asyncio.to_thread(_next, rows, counts.row):
            parsed = await asyncio.to_thread(_parsed, plan, part)
            outcome = await work.look(parsed, seen)
            reasons = {each.row.number: reason for each, reason in outcome.failed}
            bad = {each.row.number: each for each, _ in outcome.failed}
            for each in parsed[: PREVIEW_ROWS - len(preview)]:
                preview.append(
                    {
                        "row": each.row.number,
                        "cells": [shown(cell) for cell in each.row.cells],
                        "problems": dict(bad.get(each.row.number, each).problems),
                        "reason": reasons.get(each.row.number),
                    }
                )
            for number, reason in list(reasons.items())[: PREVIEW_ROWS - len(problems)]:
                problems.append({"row": number, "reason": reason})
            counts = counts.plus(part, outcome)
            await run.progress(counts.done, total)
    finally:
        await asyncio.to_thread(seen.close)
    await run.progress(counts.done, counts.done)
    return TaskResult({**counts.summary(), "preview": preview, "problems": problems})
