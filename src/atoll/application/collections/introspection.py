"""What is in the database beside Atoll's own tables: views, and the columns that they have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from atoll.database.drivers.base import Connection, Database

_TYPES: Final = (
    (r"bigint|int8", "bigInt", "integer"),
    (r"int|serial", "integer", "integer"),
    (r"numeric|decimal", "decimal", "number"),
    (r"double|float|real", "double", "number"),
    (r"bool", "boolean", "checkbox"),
    (r"timestamp with time zone|timestamptz", "datetimeTz", "datetime"),
    (r"timestamp|datetime", "datetimeNoTz", "datetimeNoTz"),
    (r"date", "dateOnly", "date"),
    (r"time", "time", "time"),
    (r"jsonb?", "json", "json"),
    (r"uuid", "uuid", "uuid"),
    (r"(var)?char", "string", "input"),
)


@dataclass(frozen=True, slots=True)
class View:
    """A view of the database and the statement that defines it."""

    name: str
    schema: str | None
    definition: str


class Introspection:
    """Reads the database's own catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kind = database.kind

    async def views(self, connection: Connection | None = None) -> list[View]:
        """The views, by name."""
        where = connection or self._database
        if self._kind == "sqlite":
            rows = await where.fetch_all(
                "SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY name"
            )
            return [View(name, None, sql or "") for name, sql in rows]
        rows = await where.fetch_all(
            "SELECT viewname, schemaname, definition FROM pg_catalog.pg_views "
            "WHERE schemaname = coalesce($1, current_schema()) ORDER BY viewname",
            (self._database.schema,),
        )
        return [View(*row) for row in rows]

    async def columns(self, name: str, connection: Connection | None = None) -> list[dict[str, Any]]:
        """The columns of a table or view as descriptions of fields, in their order; empty for none."""
        where = connection or self._database
        if self._kind == "sqlite":
            rows: Sequence[Sequence[Any]] = await where.fetch_all(
                "SELECT name, type FROM pragma_table_info(?) ORDER BY cid", (name,)
            )
        else:
            rows = await where.fetch_all(
                "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) "
                "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
                "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname = coalesce($2, current_schema()) AND c.relname = $1 "
                "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
                (name, self._database.schema),
            )
        return [described(column, kind) for column, kind in rows]


def described(name: str, column_type: str) -> dict[str, Any]:
    """A column as the description of a field."""
    text = column_type.lower()
    found = next((each for each in _TYPES if re.match(each[0], text)), None)
    kind, interface = (found[1], found[2]) if found else ("text", "textarea")
    options: dict[str, Any] = {"name": name, "type": kind, "interface": interface, "rawType": column_type}
    size = re.search(r"\((\d+)(?:,\s*(\d+))?\)", text)
    if kind == "decimal":
        options |= (
            {"precision": int(size[1]), "scale": int(size[2] or 0)}
            if size
            else {"precision": 38, "scale": 10}
        )
    if kind == "string" and size:
        options["length"] = int(size[1])
    return {**options, "uiSchema": {"title": name}}


def by_name(fields: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Descriptions of fields by their names."""
    return {str(field["name"]): field for field in fields}
