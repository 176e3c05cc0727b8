"""What a collection is in memory: immutable, shared by all requests until its metadata change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.types import UserDefinedType

from atoll.application.fields import RELATION_TYPES, make_field
from atoll.application.fields.base import DatabaseKind, Field
from atoll.errors import BadRequest, NotSupported


class ColumnType(UserDefinedType[Any]):
    """A column type that is only its DDL: values are converted by the field types, not by SQLAlchemy."""

    cache_ok = True

    def __init__(self, ddl: str) -> None:
        self.ddl = ddl

    def get_col_spec(self, **_: Any) -> str:
        """The DDL text."""
        return self.ddl


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation to another collection.

    To-one: `foreign_key` here holds `target_key` there. To-many (`through` is set): rows of `through` have
    this collection's `source_key` in `foreign_key` and the target's `target_key` in `other_key`.
    """

    name: str
    target: str
    foreign_key: str
    target_key: str
    through: str | None = None
    source_key: str = "id"
    other_key: str = ""


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
    ) -> None:
        self.name = name
        self.options = options
        self.kind: DatabaseKind = kind
        self.system = system
        self.table_name = prefix + name
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
        self.visible = tuple(field.name for field in self.fields.values() if not field.hidden)

    def __repr__(self) -> str:
        return f"<Collection {self.name}>"

    @property
    def title(self) -> str:
        """What people call it."""
        title = self.options.get("title")
        return title if isinstance(title, str) and title else self.name

    def flag(self, name: str) -> bool:
        """Whether an option such as `createdBy` is switched on."""
        return self.options.get(name) is True

    def _add_all(self, declared: list[Mapping[str, Any]]) -> None:
        names = {str(field["name"]) for field in declared}
        has_key = any(field.get("primaryKey") is True for field in declared)
        numbered = self.options.get("autoGenId") is not False and not has_key
        if numbered and "id" not in names:
            self._add("id", {"type": "bigInt", "primaryKey": True, "autoIncrement": True, "allowNull": False})
        for field in declared:
            if numbered and field["name"] == "id":
                field = {**field, "primaryKey": True, "autoIncrement": field.get("type") == "bigInt"}
            self._add(str(field["name"]), field)
        for flag in _TIMES:
            if self.flag(flag) and flag not in self.fields:
                self._add(flag, {"type": "date", "interface": flag})
        for flag, key in _PEOPLE.items():
            if self.flag(flag) or flag in self.relations:
                if key not in self.fields:
                    self._add(key, {"type": "bigInt", "isForeignKey": True})
                self.relations.setdefault(flag, Relation(flag, "users", key, "id"))

    def _add(self, name: str, options: Mapping[str, Any]) -> None:
        if options.get("type") in RELATION_TYPES:
            linked = _through_relation if self.system else relation_to_users
            self.relations[name] = linked(name, options)
        else:
            self.fields[name] = make_field(name, options)

    @cached_property
    def table(self) -> Table:
        """The columns as SQLAlchemy sees them, for queries; made on first use. DDL is written elsewhere."""
        columns = [
            Column(field.name, ColumnType(field.column_type(self.kind)), quote=True)
            for field in self.fields.values()
        ]
        return Table(self.table_name, MetaData(), *columns, quote=True)


def relation_to_users(name: str, options: Mapping[str, Any]) -> Relation:
    """The relation of a `createdBy`/`updatedBy` field; every other relation is refused."""
    if options.get("type") == "belongsTo" and options.get("target") == "users" and name in _PEOPLE:
        if options.get("foreignKey", _PEOPLE[name]) != _PEOPLE[name]:
            raise BadRequest(f"Field {name!r}: its foreign key must be {_PEOPLE[name]!r}")
        return Relation(name, "users", _PEOPLE[name], "id")
    raise NotSupported(
        f"Field {name!r}: relations of type {options.get('type')!r} are not supported by this version. "
        "Only createdBy and updatedBy refer to other records so far."
    )


def _through_relation(name: str, options: Mapping[str, Any]) -> Relation:
    return Relation(
        name,
        options["target"],
        options["foreignKey"],
        options["targetKey"],
        through=options["through"],
        source_key=options["sourceKey"],
        other_key=options["otherKey"],
    )
