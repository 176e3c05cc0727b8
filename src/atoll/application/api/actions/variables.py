"""`environmentVariables`: named values; secrets go in and never come out (http-api.md A.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atoll.application.api.actions.records import caller
from atoll.application.api.actions.settings import changed_settings, destroy_setting
from atoll.application.api.resources import LOGGED_IN, ResourceRegistry
from atoll.application.auth.variables import NAME, sealed_as
from atoll.application.context import Context, Page
from atoll.errors import BadRequest

_NAME = "environmentVariables"
_TYPES = ("default", "secret")


def define(resources: ResourceRegistry) -> None:
    """Adds the resource."""
    actions = {"list": list_variables, "get": get_variable, "create": create_variables}
    actions |= {"update": update_variables, "destroy": destroy_variables}
    resources.define(
        _NAME, actions, access={"list": LOGGED_IN}, snippet="pm.environment-variables.environmentVariables"
    )


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without the value of a secret."""
    return {key: value for key, value in row.items() if key != "value" or row.get("type") != "secret"}


async def _page(ctx: Context) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and meta for the client's parameters; conditions and order see no value of a secret."""
    variables = ctx.app.collections.system[_NAME]
    if _speaks_of_values(ctx.params.get("filter")) or _speaks_of_values(ctx.params.get("sort")):
        ctx.params["filter"] = {"$and": [{"type": {"$ne": "secret"}}, ctx.params.get("filter") or {}]}
    fields = ctx.params.pop("fields", None)
    found = await ctx.app.records.page(variables, ctx.params, caller(ctx))
    rows = [_shown(row) for row in (found.rows if isinstance(found, Page) else found)]
    if fields:
        names = fields.split(",") if isinstance(fields, str) else fields
        rows = [{name: row[name] for name in row if name in names} for row in rows]
    return rows, found.meta if isinstance(found, Page) else {}


def _speaks_of_values(part: Any) -> bool:
    if isinstance(part, Mapping):
        return any(str(key).split(".")[0] == "value" or _speaks_of_values(part[key]) for key in part)
    if isinstance(part, list):
        return any(_speaks_of_values(item) for item in part)
    return isinstance(part, str) and "value" in part


async def list_variables(ctx: Context) -> Any:
    """The variables; `meta.updated` is false, as changes need no restart."""
    rows, meta = await _page(ctx)
    return Page(rows, {**meta, "updated": False})


async def get_variable(ctx: Context) -> Any:
    """One variable or null."""
    variables = ctx.app.collections.system[_NAME]
    params = {name: ctx.params[name] for name in ("filterByTk",) if name in ctx.params}
    if not params:
        raise BadRequest("`filterByTk` is required: the name of a variable")
    found = await ctx.app.records.get(variables, params, caller(ctx))
    return None if found is None else _shown(found)


async def create_variables(ctx: Context) -> Any:
    """A new variable, or several."""
    several = isinstance(ctx.values, list)
    given = [_complete(ctx, values) for values in (ctx.values if several else [ctx.values])]
    variables, made = ctx.app.collections.system[_NAME], []
    async with changed_settings(ctx, variables, "created") as change:
        for values in given:
            made.append(
                await ctx.app.records.create_one(variables, values, caller(ctx), connection=change.connection)
            )
        change.records = [_shown(row) for row in made]
    return [_shown(row) for row in made] if several else _shown(made[0])


async def update_variables(ctx: Context) -> Any:
    """The changed variable; its type stays, and a secret without a new value keeps the old one."""
    variables, records = ctx.app.collections.system[_NAME], ctx.app.records
    values = ctx.values if isinstance(ctx.values, Mapping) else {}
    async with changed_settings(ctx, variables, "updated") as change:
        params = {"filterByTk": ctx.params.get("filterByTk")}
        if not isinstance(params["filterByTk"], str):
            raise BadRequest("`filterByTk` is required: the name of a variable")
        found = await records.get(variables, params, caller(ctx), connection=change.connection)
        if found is None:
            return []
        if (
            values.get("name", found["name"]) != found["name"]
            or values.get("type", found["type"]) != found["type"]
        ):
            raise BadRequest("Name and type of a variable stay as they are: make another one")
        given: dict[str, Any] = {}
        if values.get("value") is not None:
            given = {"value": _stored(ctx, found["name"], found["type"], values["value"])}
        changed = await records.update(variables, params, given, caller(ctx), connection=change.connection)
        change.records = [_shown(row) for row in changed]
    return [_shown(row) for row in changed]


async def destroy_variables(ctx: Context) -> Any:
    """How many are gone."""
    return await destroy_setting(ctx, _NAME)


def _complete(ctx: Context, values: Any) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise BadRequest("A variable is an object: name, type, value")
    name, kind = values.get("name"), values.get("type") or "default"
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BadRequest("The name of a variable has letters, digits and _, and begins with no digit")
    if kind not in _TYPES:
        raise BadRequest(f"The type of a variable is one of {', '.join(_TYPES)}")
    return {"name": name, "type": kind, "value": _stored(ctx, name, kind, values.get("value"))}


def _stored(ctx: Context, name: str, kind: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise BadRequest("The value of a variable is a text")
    return ctx.app.vault.seal(value, sealed_as(name)) if kind == "secret" else value
