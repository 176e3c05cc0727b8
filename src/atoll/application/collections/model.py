"""What a collection is in memory: immutable, shared by all requests until its metadata change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, cast

from sqlalchemy import Column, MetaData, Table, text
from sqlalchemy.types import UserDefinedType

from atoll.application.collections.relations import Relation, TreeRole, read_relation
from atoll.application.fields import RELATION_TYPES, WITHOUT_COLUMN, make_field
from atoll.application.fields.base import DatabaseKind, Field
from atoll.application.fields.boolean import RadioField
from atoll.application.fields.formula import FormulaField
from atoll.application.fields.sequence import SequenceField
from atoll.application.fields.sort import SortField


class ColumnType(UserDefinedType[Any]):
    """A column type that is only its DDL: values are converted by the field types, not by SQLAlchemy."""

    cache_ok = True

    def __init__(self, ddl: str) -> None:
        self.ddl = ddl

    def get_col_spec(self, **_: Any) -> str:
        """The DDL text."""
        return self.ddl


_TIMES = {"createdAt": "createdAt", "updatedAt": "updatedAt"}
_PEOPLE = {"createdBy": "createdById", "updatedBy": "updatedById"}


class Collection:
    """A collection with all its columns, those added by flags (`createdAt`, `createdBy`, ...) included.

    Args:
        name: name in the API and of the table (plus `prefix`).
        options: the stored options.
        fields: the stored options of the declared fields, in their order.
        kind: the database kind, which decides column types.
        prefix: put before the table's name.
        system: defined in code; its shape cannot be changed through the API.
        source: gives the statement that a SQL collection reads; raises BadRequest when it may not run.

    Attributes:
        counted: new records get a number that no other may get meanwhile: that takes a transaction.
        completed: records have values that follow from others, or clear those of others: so does that.
        read_only: a SQL collection or a view: its records cannot be written, and it has no table of its own.
    """

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        fields: Iterable[Mapping[str, Any]],
        *,
        kind: DatabaseKind,
        prefix: str = "",
        system: bool = False,
        source: Callable[[], str] | None = None,
    ) -> None:
        self.name = name
        self.options = options
        self.kind: DatabaseKind = kind
        self.system = system
        self._source = source
        self.read_only = source is not None or options.get("view") is True
        self.table_name = str(options.get("viewName") or name) if self.read_only else prefix + name
        self.fields: dict[str, Field] = {}
        self.relations: dict[str, Relation] = {}
        self._add_all(list(fields))
        keys = [field for field in self.fields.values() if field.primary_key]
        self.key: Field | None = keys[0] if len(keys) == 1 else None
        wanted = options.get("filterTargetKey")
        self.target_key: str | None = (
            wanted
            if isinstance(wanted, str) and wanted in self.fields
            else self.key.name
            if self.key
            else None
        )
        self.counted = any(isinstance(field, (SortField, SequenceField)) for field in self.fields.values())
        self.completed = any(isinstance(field, (FormulaField, RadioField)) for field in self.fields.values())
        self.visible = tuple(field.name for field in self.fields.values() if not field.hidden)

    def __repr__(self) -> str:
        return f"<Collection {self.name}>"

    @property
    def title(self) -> str:
        """What people call it."""
        title = self.options.get("title")
        return title if isinstance(title, str) and title else self.name

    @property
    def template(self) -> str | None:
        """The kind of collection it was made as: `general`, `tree`, `file`, ...; None when nobody said."""
        template = self.options.get("template")
        return template if isinstance(template, str) else None

    @property
    def ruled(self) -> bool:
        """Whether the strategies and rules of roles say who may do what with its records.

        So it is with all that people made, and with those of the system that ask for it (`strategy`).
        """
        return not self.system or self.flag("strategy")

    def flag(self, name: str) -> bool:
        """Whether an option such as `createdBy` is switched on."""
        return self.options.get(name) is True

    @property
    def is_query(self) -> bool:
        """Whether it reads a statement instead of a table or view."""
        return self._source is not None

    def relation_of(self, role: TreeRole) -> Relation | None:
        """The relation of a tree collection to its nodes' parents or children; None when it is no tree."""
        if not self.options.get("tree"):
            return None
        return next((relation for relation in self.relations.values() if relation.tree == role), None)

    def _add_all(self, declared: list[Mapping[str, Any]]) -> None:
        names = {str(field["name"]) for field in declared}
        has_key = any(field.get("primaryKey") is True for field in declared)
        numbered = self.options.get("autoGenId") is not False and not has_key and not self.read_only
        if numbered and "id" not in names:
            self._add("id", {"type": "bigInt", "primaryKey": True, "autoIncrement": True, "allowNull": False})
        for field in declared:
            if numbered and field["name"] == "id":
                field = {**field, "primaryKey": True, "autoIncrement": field.get("type") == "bigInt"}
            self._add(str(field["name"]), field)
        if self.flag("sortable") and "sort" not in names and not self.read_only:
            self._add("sort", {"type": "sort", "interface": "sort"})
        for flag in _TIMES:
            if self.flag(flag) and flag not in self.fields and not self.read_only:
                self._add(flag, {"type": "date", "interface": flag})
        for flag, key in _PEOPLE.items():
            if (self.flag(flag) or flag in self.relations) and not self.read_only:
                if key not in self.fields:
                    self._add(key, {"type": "bigInt", "isForeignKey": True})
                self.relations.setdefault(flag, Relation(flag, "belongsTo", "users", key))

    def _add(self, name: str, options: Mapping[str, Any]) -> None:
        if options.get("type") in WITHOUT_COLUMN:
            return
        if options.get("type") in RELATION_TYPES:
            self.relations[name] = read_relation(name, options)
        else:
            self.fields[name] = make_field(name, options)

    @cached_property
    def table(self) -> Table:
        """The columns as SQLAlchemy sees them, for queries; made on first use. DDL is written elsewhere.

        Of a SQL collection it is its statement, which is read like a table.
        """
        columns = [
            Column(field.name, ColumnType(field.column_type(self.kind)), quote=True)
            for field in self.fields.values()
        ]
        if self._source is not None:
            statement = text(self._source().replace(":", r"\:")).columns(*columns)
            return cast("Table", statement.subquery(self.name))
        return Table(self.table_name, MetaData(), *columns, quote=True)


Lookup = Callable[[str], Collection | None]
"""Finds a collection by its name."""
