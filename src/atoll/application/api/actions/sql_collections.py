"""`sqlCollection` and `dbViews`: collections that are a statement or a view (http-api.md 5.1, 5.9)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import text

from atoll.application.api.actions.collections import set_fields, update_collection
from atoll.application.api.resources import ResourceRegistry
from atoll.application.collections.introspection import Introspection, by_name
from atoll.application.collections.sql_source import tables_of
from atoll.application.context import Context
from atoll.application.fields.integer import safe_number
from atoll.errors import BadRequest, DatabaseError, DatabaseUnavailable

_SNIPPET = "pm.data-source-manager.data-source-main"
_TRIAL = 100


def define(resources: ResourceRegistry) -> None:
    """Adds both resources."""
    resources.define(
        "sqlCollection",
        {"execute": execute, "update": update_collection, "setFields": set_fields},
        snippet=_SNIPPET,
    )
    resources.define("dbViews", {"list": list_views, "get": get_view}, snippet=_SNIPPET)


async def execute(ctx: Context) -> Any:
    """Tries a statement: its first rows in `data`, its columns in `fields`, its tables in `sources`."""
    sql = ctx.values.get("sql") if isinstance(ctx.values, dict) else None
    database = ctx.app.database
    statement, names = ctx.app.collections.trial(sql)
    # The parser has read the statement, and its names and values are written by it.
    trial = text(f"SELECT * FROM ({statement}) AS trial LIMIT {_TRIAL}".replace(":", r"\:"))  # noqa: S608
    try:
        compiled = database.compile(trial)
        rows = await database.fetch_all(compiled.sql, compiled.bind())
    except DatabaseUnavailable:
        raise
    except DatabaseError as error:
        raise BadRequest(
            "The database does not accept the statement: is each name right?", detail=error.detail
        ) from None
    return {
        "data": [{name: _plain(value) for name, value in zip(names, row, strict=True)} for row in rows],
        "fields": {name: {"name": name} for name in names},
        "sources": tables_of(sql, database.kind),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return safe_number(value)
    return None if isinstance(value, bytes) else value


async def list_views(ctx: Context) -> Any:
    """The views of the database."""
    return [
        {"name": view.name, "schema": view.schema, "definition": view.definition}
        for view in await Introspection(ctx.app.database).views()
    ]


async def get_view(ctx: Context) -> Any:
    """One view with its columns as descriptions of fields, or null."""
    key = ctx.params.get("filterByTk")
    introspection = Introspection(ctx.app.database)
    view = next((each for each in await introspection.views() if each.name == key), None)
    if view is None:
        return None
    fields = by_name(await introspection.columns(view.name))
    return {"name": view.name, "schema": view.schema, "definition": view.definition, "fields": fields}
