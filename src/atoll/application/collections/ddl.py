"""DDL for collections, as text: names are always quoted and always carry the schema."""

from __future__ import annotations

import hashlib
from typing import Any

from atoll.application.collections.model import Collection
from atoll.application.collections.names import LONGEST
from atoll.application.fields.base import DatabaseKind, Field
from atoll.application.fields.sort import SortField
from atoll.errors import BadRequest


def quote(name: str) -> str:
    """An identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A driver value as an SQL literal, for DEFAULT clauses."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


class Ddl:
    """Writes the statements for one database and schema; none for collections without a table."""

    def __init__(self, kind: DatabaseKind, schema: str | None) -> None:
        self._kind = kind
        self._schema = schema

    def table(self, collection: Collection) -> str:
        """The qualified name of the table."""
        return self._qualified(collection.table_name)

    def _qualified(self, name: str) -> str:
        return f"{quote(self._schema)}.{quote(name)}" if self._schema else quote(name)

    def create(self, collection: Collection) -> list[str]:
        """CREATE TABLE and its unique indexes."""
        if collection.read_only:
            return []
        columns = [self._column(field, new_table=True) for field in collection.fields.values()]
        keys = [field for field in collection.fields.values() if field.primary_key]
        if keys and not (len(keys) == 1 and keys[0].auto_increment):
            columns.append(f"PRIMARY KEY ({', '.join(quote(field.name) for field in keys)})")
        body = ", ".join(columns)
        indexes = [
            each for field in collection.fields.values() for each in self._add_indexes(collection, field)
        ]
        return [f"CREATE TABLE {self.table(collection)} ({body})", *indexes]

    def drop(self, collection: Collection) -> list[str]:
        """DROP TABLE."""
        if collection.read_only:
            return []
        return [f"DROP TABLE {self.table(collection)}"]

    def add_field(self, collection: Collection, field: Field) -> list[str]:
        """ADD COLUMN; existing rows get the default value."""
        if collection.read_only:
            return []
        if field.primary_key:
            raise BadRequest(
                f"Field {field.name!r}: a primary key can only be given when the collection is created"
            )
        statements = [
            f"ALTER TABLE {self.table(collection)} ADD COLUMN {self._column(field, new_table=False)}"
        ]
        if isinstance(field, SortField):
            statements += self._number_rows(collection, field)
        return [*statements, *self._add_indexes(collection, field)]

    def _number_rows(self, collection: Collection, field: SortField) -> list[str]:
        """The rows that are there in the order of their keys, each group of equal scope for itself."""
        keys = [quote(each.name) for each in collection.fields.values() if each.primary_key]
        if not keys:
            return []
        scope = field.scope_key if field.scope_key in collection.fields else None
        groups = f"PARTITION BY {quote(scope)} " if scope else ""
        same = " AND ".join(f"numbered.{key} = {self.table(collection)}.{key}" for key in keys)
        statement = (
            f"UPDATE {self.table(collection)} SET {quote(field.name)} = numbered.place FROM ("  # noqa: S608
            f"SELECT {', '.join(keys)}, row_number() OVER ({groups}ORDER BY {', '.join(keys)}) AS place "
            f"FROM {self.table(collection)}) AS numbered WHERE {same}"
        )
        return [statement]

    def drop_field(self, collection: Collection, field: Field) -> list[str]:
        """DROP COLUMN, its unique index first because SQLite insists."""
        if collection.read_only:
            return []
        return [
            *self._drop_indexes(collection, field),
            f"ALTER TABLE {self.table(collection)} DROP COLUMN {quote(field.name)}",
        ]

    def change_field(self, old: Collection, new: Collection, name: str) -> list[str]:
        """What follows from changed options: indexes, NOT NULL."""
        if new.read_only:
            return []
        before, after = old.fields[name], new.fields[name]
        statements = []
        if (before.unique, before.indexed) != (after.unique, after.indexed):
            statements += self._drop_indexes(old, before) + self._add_indexes(new, after)
        if before.allow_null != after.allow_null:
            statements += self.set_null(new, after)
        return statements

    def _add_indexes(self, collection: Collection, field: Field) -> list[str]:
        """The index of one column, if it has one; a unique one serves both."""
        if not (field.unique or field.indexed):
            return []
        kind, suffix = ("UNIQUE INDEX", "uk") if field.unique else ("INDEX", "ix")
        name = quote(self._index_name(collection, field, suffix))
        return [f"CREATE {kind} {name} ON {self.table(collection)} ({quote(field.name)})"]

    def _drop_indexes(self, collection: Collection, field: Field) -> list[str]:
        if not (field.unique or field.indexed):
            return []
        name = self._index_name(collection, field, "uk" if field.unique else "ix")
        return [f"DROP INDEX IF EXISTS {self._qualified(name)}"]

    def set_null(self, collection: Collection, field: Field) -> list[str]:
        """Follows the field's `allowNull`; SQLite cannot change it, there the record engine alone checks."""
        if self._kind == "sqlite":
            return []
        verb = "DROP" if field.allow_null else "SET"
        return [f"ALTER TABLE {self.table(collection)} ALTER COLUMN {quote(field.name)} {verb} NOT NULL"]

    def _index_name(self, collection: Collection, field: Field, suffix: str) -> str:
        name = f"{collection.table_name}_{field.name}_{suffix}"
        if len(name) <= LONGEST:
            return name
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        return f"{name[: LONGEST - 16]}_{digest}_{suffix}"

    def _column(self, field: Field, *, new_table: bool) -> str:
        if field.auto_increment and field.primary_key:
            if self._kind == "sqlite":
                return f"{quote(field.name)} INTEGER PRIMARY KEY AUTOINCREMENT"
            return f"{quote(field.name)} BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
        text = f"{quote(field.name)} {field.column_type(self._kind)}"
        constant = field.options.get("defaultValue")
        if constant is not None and not new_table:
            text += f" DEFAULT {literal(field.parse(constant, self._kind))}"
        if not field.allow_null and (new_table or constant is not None or self._kind == "postgres"):
            text += " NOT NULL"
        return text
