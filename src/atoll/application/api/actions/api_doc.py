"""`swagger`: the description of the app's own API (http-api.md A.5)."""

from __future__ import annotations

from typing import Any

import msgspec

from atoll.application.api import openapi
from atoll.application.api.resources import ResourceRegistry
from atoll.application.context import Context, RawAnswer
from atoll.errors import NotFound


def define(resources: ResourceRegistry) -> None:
    """Adds the resource."""
    resources.define(
        "swagger", {"get": get_document, "getUrls": get_urls}, snippet="pm.api-doc.documentation"
    )


async def get_document(ctx: Context) -> Any:
    """An OpenAPI document: `ns` is `core`, `collections` (the default) or `collections/<name>`."""
    space = str(ctx.params.get("ns") or "collections")
    own = ctx.app.collections.own()
    if space in ("core", "plugins"):
        document = openapi.of_resources(ctx.app.name, ctx.app.resources.actions())
    elif space == "collections":
        document = openapi.of_collections(ctx.app.name, own.values())
    else:
        name = space.removeprefix("collections/")
        if name not in own:
            raise NotFound(f"There is no description {space!r}: core, collections or collections/<name>")
        document = openapi.of_collections(ctx.app.name, [own[name]])
    return RawAnswer(msgspec.json.encode(document), "application/json; charset=utf-8")


async def get_urls(ctx: Context) -> Any:
    """The descriptions that there are: `name` and `url`."""
    spaces = ["core", "collections", *(f"collections/{name}" for name in sorted(ctx.app.collections.own()))]
    return [{"name": space, "url": f"/api/swagger:get?ns={space}"} for space in spaces]
