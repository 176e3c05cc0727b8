"""One chunk of an import: created and updated records, and the rows that cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from atoll.application.fields.cells import Cell, shown
from atoll.application.records.filter import Caller
from atoll.application.records.reader import Record
from atoll.application.records.unit_of_work import RecordChange, unit
from atoll.database.drivers.base import Connection
from atoll.errors import AtollError, BadRequest
from atoll.plugins.import_export.columns import ImportColumn
from atoll.plugins.import_export.importing import Parsed
from atoll.plugins.import_export.links import Linked, Links, LinksUnknown, Pending
from atoll.plugins.import_export.matching import Matches, SeenValues, taken
from atoll.plugins.import_export.plan import ImportPlan
from atoll.plugins.import_export.rights import importer

if TYPE_CHECKING:
    from atoll.application.app import Application


@dataclass(slots=True)
class Outcome:
    """What became of the rows of a chunk."""

    created: list[Record] = field(default_factory=list)
    updated: list[Record] = field(default_factory=list)
    skipped: int = 0
    failed: list[tuple[Parsed, str]] = field(default_factory=list)
    would_create: int = 0
    would_update: int = 0
    linked: list[RecordChange] = field(default_factory=list)
    """What became of other records, to be announced after the commit."""


class RowFailed(Exception):
    """A row cannot be imported."""

    def __init__(self, parsed: Parsed, reason: str) -> None:
        super().__init__(reason)
        self.parsed = parsed
        self.reason = reason


class ChunkImport:
    """Writes chunks, or only looks at them."""

    def __init__(self, app: Application, plan: ImportPlan, caller: Caller) -> None:
        self._app = app
        self._plan = plan
        self._caller = importer(caller, plan)
        self._links = Links(app, plan, caller)

    async def write(self, tx: Connection, chunk: Sequence[Parsed], *, apart: bool) -> Outcome:
        """Writes within a transaction.

        Args:
            apart: each row in a savepoint of its own, so that a bad one leaves the others alone; else the
                first bad row raises RowFailed, which is faster when there is none.
        """
        outcome = Outcome()
        matches = Matches(self._plan)
        if self._plan.keys:
            await matches.load(self._app.records, chunk, self._caller, tx)
        await self._links.load(chunk, tx)
        for parsed in chunk:
            try:
                linked = self._linked(parsed)
                if apart:
                    async with tx.transaction() as savepoint:
                        await self._write_row(savepoint, linked, matches, outcome)
                else:
                    await self._write_row(tx, linked, matches, outcome)
            except AtollError as error:
                if error.status >= 500:
                    raise
                if not apart:
                    raise RowFailed(parsed, error.message) from None
                outcome.failed.append((parsed, error.message))
        return outcome

    def _linked(self, parsed: Parsed, pending: Pending | None = None) -> Linked:
        """The row with its links; raises BadRequest with all that is wrong in it."""
        linked = self._links.resolve(parsed, pending)
        if parsed.problems:
            raise BadRequest(parsed.refusal())
        return linked

    async def _write_row(self, tx: Connection, linked: Linked, matches: Matches, outcome: Outcome) -> None:
        plan, records = self._plan, self._app.records
        key = matches.of(linked.values) if plan.keys else None
        if key is not None:
            changes = {name: value for name, value in linked.values.items() if name not in plan.keys}
            if not changes and not linked.others:
                outcome.skipped += 1
                return
            updated = await records.update(
                plan.collection, {"filterByTk": key}, changes, self._caller, connection=tx
            )
            for record in updated:
                await self._write_links(tx, record, linked, outcome, new=False)
            outcome.updated += updated
            return
        self._refuse_missing(linked.values)
        record = await records.create_one(
            plan.collection, linked.values, self._caller, action="importXlsx", connection=tx
        )
        await self._write_links(tx, record, linked, outcome, new=True)
        outcome.created.append(record)
        self._links.add(record)
        if plan.keys:
            matches.add(record)

    async def _write_links(
        self, tx: Connection, record: Record, linked: Linked, outcome: Outcome, *, new: bool
    ) -> None:
        if linked.others:
            begun = unit(tx, self._caller, {})
            await self._links.write(begun, record, linked, new=new)
            outcome.linked += begun.changes

    def _refuse_missing(self, values: Mapping[str, Any]) -> None:
        fields = self._plan.collection.fields
        if self._plan.mode == "update" or any(fields[name].auto_increment for name in self._plan.keys):
            shown_keys = ", ".join(f"{fields[name].title} {values.get(name)}" for name in self._plan.keys)
            raise BadRequest(f"No record has {shown_keys}")

    async def look(self, chunk: Sequence[Parsed], seen: SeenValues) -> Outcome:
        """What `write` would do, as far as that can be told without doing it."""
        plan, records, outcome = self._plan, self._app.records, Outcome()
        matches = Matches(plan)
        if plan.keys:
            await matches.load(records, chunk, self._caller, None)
        unique = [
            column.field
            for _, column in plan.places.places
            if column.relation is None
            and (column.field.unique or column.field.primary_key)
            and column.field.name not in plan.keys
        ]
        known = {each.name: await taken(records, plan, chunk, each) for each in unique}
        await self._links.load(chunk, None)
        for parsed in chunk:
            try:
                linked = self._linked(parsed, lambda column, value: seen.has(_would_be(column), value))
                key = matches.of(linked.values) if plan.keys else None
                if key is None:
                    self._refuse_missing(linked.values)
                records.check(plan.collection, linked.values, self._caller, changing=key is not None)
                for each in unique:
                    value = parsed.values.get(each.name)
                    if value is None:
                        continue
                    comparable = each.operand(value, plan.collection.kind)
                    if known[each.name].get(comparable, key) != key or not seen.add(each.name, comparable):
                        raise BadRequest(f"{each.title} already exists")
                if key is None:
                    outcome.would_create += 1
                    self._remember(parsed, seen)
                else:
                    outcome.would_update += 1
            except AtollError as error:
                if error.status >= 500:
                    raise
                bad = error.parsed if isinstance(error, LinksUnknown) else parsed
                outcome.failed.append((bad, error.message))
        return outcome

    def _remember(self, parsed: Parsed, seen: SeenValues) -> None:
        """Rows below may link to this one, which is not there yet."""
        plan = self._plan
        for _, column in plan.places.places:
            value = parsed.values.get(column.field.name)
            if column.relation and column.relation.target == plan.collection.name and value is not None:
                seen.add(_would_be(column), column.field.operand(value, plan.collection.kind))


def _would_be(column: ImportColumn) -> str:
    return f"new by {column.field.name}"


def kept_cells(cells: Sequence[Cell]) -> list[str | int | float | bool | None]:
    """The cells of a failed row as JSON can keep them."""
    return [cell if cell is None or isinstance(cell, (int, float)) else shown(cell) for cell in cells]
