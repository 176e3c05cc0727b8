"""`dataSources`: there is one, the app's own database (http-api.md 5.9)."""

from __future__ import annotations

from typing import Any

from atoll.application.api.actions.collections import list_collections
from atoll.application.api.resources import LOGGED_IN, ResourceRegistry
from atoll.application.context import Context, Page
from atoll.application.records.parameters import names, paging
from atoll.errors import NotFound

_SNIPPET = "pm.data-source-manager"
_MAIN = {
    "key": "main",
    "displayName": '{{t("Main")}}',
    "type": "main",
    "enabled": True,
    "fixed": True,
    "status": "loaded",
    "options": {},
}


def define(resources: ResourceRegistry) -> None:
    """Adds the resource."""
    resources.define(
        "dataSources",
        {"list": list_sources, "listEnabled": list_enabled, "get": get_source},
        access={"listEnabled": LOGGED_IN},
        snippet=_SNIPPET,
    )
    resources.define("dataSources.collections", {"list": list_of_source}, snippet=_SNIPPET)


async def list_sources(ctx: Context) -> Any:
    """All of them, without what they hold."""
    page = paging(ctx.params)
    if page is None:
        return [dict(_MAIN)]
    number, size = page
    rows = [dict(_MAIN)] if number == 1 and size else []
    return Page(rows, {"count": 1, "page": number, "pageSize": size, "totalPage": 1 if size else None})


async def list_enabled(ctx: Context) -> Any:
    """All that can be used, each with its collections for `appends=collections`."""
    return [await _appended(ctx)]


async def get_source(ctx: Context) -> Any:
    """One of them or null."""
    return await _appended(ctx) if ctx.params.get("filterByTk") == "main" else None


async def _appended(ctx: Context) -> dict[str, Any]:
    source = dict(_MAIN)
    if "collections" in names(ctx.params.get("appends")):
        ctx.params = {"paginate": "false", "appends": ["fields"]}
        source["collections"] = await list_collections(ctx)
    return source


async def list_of_source(ctx: Context) -> Any:
    """The collections of a data source."""
    if ctx.source_id != "main":
        raise NotFound(f"There is no data source {ctx.source_id!r}")
    return await list_collections(ctx)
