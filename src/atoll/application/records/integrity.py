"""What happens to others when records are destroyed: `onDelete` of the relations (http-api.md 5.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from atoll.application.collections.model import Collection, Lookup
from atoll.application.collections.relations import OnDelete, Relation
from atoll.application.records.operators import Condition
from atoll.application.records.plans import PlanCache
from atoll.application.records.rows import RowWriter
from atoll.application.records.unit_of_work import Record, UnitOfWork
from atoll.errors import RecordInUse


@dataclass(frozen=True, slots=True)
class Reference:
    """A column elsewhere that holds keys of a collection's records.

    Attributes:
        collection, column: where the keys are.
        key: the field of the referenced records that they are values of.
    """

    collection: str
    column: str
    key: str
    on_delete: OnDelete


def references(collection: Collection, others: Iterable[Collection]) -> tuple[Reference, ...]:
    """The references to a collection for which something must be done; people's choice beats a default."""
    found: dict[tuple[str, str], tuple[Reference, bool]] = {}

    def add(where: str, column: str, key: str, relation: Relation) -> None:
        known = found.get((where, column))
        if known is None or (relation.explicit and not known[1]):
            reference = Reference(where, column, key, relation.on_delete)
            found[where, column] = (reference, relation.explicit)

    for other in others:
        for relation in other.relations.values():
            if other.name == collection.name and relation.kind in ("hasOne", "hasMany"):
                add(relation.target, relation.foreign_key, relation.source_key, relation)
            if other.name == collection.name and relation.through is not None:
                add(relation.through, relation.foreign_key, relation.source_key, relation)
            if relation.target == collection.name and relation.through is not None:
                add(relation.through, relation.other_key, relation.target_key, relation)
            if relation.target == collection.name and relation.kind == "belongsTo":
                add(other.name, relation.foreign_key, relation.target_key, relation)
    return tuple(reference for reference, _ in found.values() if reference.on_delete != "NO ACTION")


class Integrity:
    """Destroys records with what hangs on them."""

    def __init__(
        self, rows: RowWriter, plans: PlanCache, lookup: Lookup, everything: Callable[[], list[Collection]]
    ) -> None:
        self._rows = rows
        self._plans = plans
        self._lookup = lookup
        self._everything = everything

    def referenced(self, collection: Collection) -> tuple[Reference, ...]:
        """The references that `destroy` looks after."""
        return self._plans.get(("references", collection), lambda: references(collection, self._everything()))

    async def destroy(
        self, unit: UnitOfWork, collection: Collection, condition: Condition, values: list[object]
    ) -> int:
        """Destroys the records that match, after what refers to them; answers how many of them there were.

        Raises RecordInUse when a relation forbids it.
        """
        return await self._destroy(unit, collection, condition, values, set())

    async def _destroy(
        self,
        unit: UnitOfWork,
        collection: Collection,
        condition: Condition,
        values: list[object],
        seen: set[tuple[str, object]],
    ) -> int:
        found = self.referenced(collection)
        if not found:
            return await self._rows.delete(unit, collection, condition, values)
        names = tuple(
            dict.fromkeys(
                [
                    *(reference.key for reference in found),
                    *(field.name for field in collection.fields.values() if field.primary_key),
                ]
            )
        )
        doomed = await self._rows.keys(unit, collection, condition, values, names)
        doomed = [row for row in doomed if _unseen(collection, row, seen)]
        if not doomed:
            return 0
        for reference in found:
            await self._let_go(unit, collection, reference, doomed, seen)
        if collection.key is not None:  # the condition may speak of links that are gone by now
            key = collection.key
            condition = ("in", key.name)
            values = [[key.operand(row[key.name], collection.kind) for row in doomed]]
        return await self._rows.delete(unit, collection, condition, values)

    async def _let_go(
        self,
        unit: UnitOfWork,
        collection: Collection,
        reference: Reference,
        doomed: list[Record],
        seen: set[tuple[str, object]],
    ) -> None:
        other = self._lookup(reference.collection)
        if other is None or reference.column not in other.fields:
            return
        field = other.fields[reference.column]
        keys = [
            field.operand(row[reference.key], other.kind) for row in doomed if row[reference.key] is not None
        ]
        if not keys:
            return
        condition: Condition = ("in", reference.column)
        if reference.on_delete == "SET NULL":
            row = self._rows.touched(other, {reference.column: None}, unit.caller)
            await self._rows.update(unit, other, row, condition, [keys])
        elif reference.on_delete == "CASCADE":
            await self._destroy(unit, other, condition, [keys], seen)
        else:
            users = await self._rows.keys(unit, other, condition, [keys], (reference.column,))
            if users:
                raise RecordInUse(
                    f"Still used by {len(users)} record(s) of {other.title}: change or destroy those first."
                )


def _unseen(collection: Collection, row: Record, seen: set[tuple[str, object]]) -> bool:
    """Whether a record is not being destroyed already, further up in a circle of references."""
    mark = (collection.name, tuple(row.values()))
    if mark in seen:
        return False
    seen.add(mark)
    return True
