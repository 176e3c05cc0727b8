"""What an import may write."""

from __future__ import annotations

from dataclasses import replace

from typing_extensions import override

from atoll.application.collections.model import Collection
from atoll.application.context import Right
from atoll.application.records.filter import Caller
from atoll.application.records.rights import Rights
from atoll.errors import Forbidden
from atoll.plugins.import_export.plan import ImportPlan


class ImportRights(Rights):
    """The rights of a person, for whom a relation that may be written means its column too."""

    def __init__(self, of: Rights, collection: Collection) -> None:
        self._of = of
        self._collection = collection.name
        self._columns = {
            relation.name: relation.foreign_key
            for relation in collection.relations.values()
            if relation.holds_key
        }

    @override
    def on(self, collection: Collection, action: str) -> Right | None:
        """See the base class."""
        right = self._of.on(collection, action)
        if right is None or right.fields is None or collection.name != self._collection:
            return right
        columns = {column for name, column in self._columns.items() if name in right.fields}
        return replace(right, fields=right.fields | columns)


def importer(caller: Caller, plan: ImportPlan) -> Caller:
    """The caller as the import writes; raises Forbidden unless it may write all columns of the plan."""
    actions = ["importXlsx"] if plan.mode == "create" else ["importXlsx", "update"]
    limited = False
    for action in actions:
        right = caller.rights.need(plan.collection, action)
        limited = limited or right.fields is not None
        for _, column in plan.places.places:
            by_key = action == "update" and column.name in plan.keys
            if right.fields is not None and not by_key and not column.written & right.fields:
                raise Forbidden(f"Your role may not write the field {column.title!r}; leave the column out")
    return caller.with_rights(ImportRights(caller.rights, plan.collection)) if limited else caller
