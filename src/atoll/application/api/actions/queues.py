"""`queues`: what waits in the app's queues, and its dead letters, for people who look after the app."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from atoll.application.api.resources import ResourceRegistry
from atoll.application.context import Context
from atoll.cluster.queue import DeadItem
from atoll.errors import BadRequest, NotFound

MOST_LETTERS = 200


def define(resources: ResourceRegistry) -> None:
    """Adds the resource."""
    resources.define(
        "queues",
        {"list": list_queues, "dead": list_dead, "redrive": redrive, "drop": drop},
        snippet="pm.queues",
    )


async def list_queues(ctx: Context) -> Any:
    """The channels of the app with their numbers; `reason` says why nobody takes what waits."""
    services = ctx.app.services
    rows = []
    for channel, key in sorted(services.channels.items()):
        status = await ctx.app.queue.status(channel)
        rows.append(
            {
                "channel": channel,
                "serviceKey": key,
                "waiting": status.depth,
                "delayed": status.delayed,
                "oldestSeconds": None if status.oldest is None else round(status.oldest, 1),
                "inFlight": status.in_flight,
                "consumers": status.consumers,
                "dead": status.dead,
                "reason": await services.reason(channel) if status.unserved else None,
            }
        )
    return rows


async def list_dead(ctx: Context) -> Any:
    """Dead letters of a channel, the oldest first. Not their contents: these may hold what is private."""
    letters = await ctx.app.queue.dead(_channel(ctx), MOST_LETTERS)
    return [_shown(letter) for letter in letters]


async def redrive(ctx: Context) -> Any:
    """Lets dead letters be tried again: those of `values.ids`, or all with `values.all`."""
    return {"count": await ctx.app.queue.redrive(_channel(ctx), _chosen(ctx))}


async def drop(ctx: Context) -> Any:
    """Deletes dead letters for good: those of `values.ids`, or all with `values.all`."""
    return {"count": await ctx.app.queue.drop(_channel(ctx), _chosen(ctx))}


def _channel(ctx: Context) -> str:
    channel = ctx.params.get("filterByTk")
    if not isinstance(channel, str) or channel not in ctx.app.services.channels:
        raise NotFound("There is no such queue. Ask queues:list for the channels of this app.")
    return channel


def _chosen(ctx: Context) -> list[str] | None:
    values = ctx.values if isinstance(ctx.values, dict) else {}
    ids = values.get("ids")
    if values.get("all") is True and ids is None:
        return None
    if isinstance(ids, list) and ids and all(isinstance(each, str) for each in ids):
        return ids
    raise BadRequest('Say which: {"ids": [...]}, or {"all": true} for all of them.')


def _shown(letter: DeadItem) -> dict[str, Any]:
    item = letter.item
    return {
        "id": item.id,
        "reason": letter.reason,
        "diedAt": _moment(letter.died),
        "publishedAt": _moment(item.published),
        "retried": item.retried,
        "bytes": len(item.content),
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
