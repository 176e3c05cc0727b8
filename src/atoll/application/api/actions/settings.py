"""Writing what all instances keep in memory: settings, roles, authenticators, the token policy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from atoll.application.api.actions.records import caller
from atoll.application.collections.model import Collection
from atoll.application.context import Context
from atoll.database.drivers.base import Connection


@dataclass
class SettingsChange:
    """A change that is being made. `records`: what was written, for those who listen to records."""

    connection: Connection
    records: Any = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=lambda: {"settings": True})

    def tell(self, **about: Any) -> None:
        """More of what changed, for the topic of accounts."""
        self.about.update(about)


@asynccontextmanager
async def changed_settings(ctx: Context, collection: Collection, kind: str) -> AsyncIterator[SettingsChange]:
    """One change on all instances; records are announced as `kind` ("created", ...) once it is committed."""
    async with ctx.app.agreement.change("accounts") as agreed:
        change = SettingsChange(agreed.connection)
        yield change
        agreed.tell(**change.about)
    records = change.records if isinstance(change.records, list) else [change.records]
    await ctx.app.records.announce(collection, kind, records)


async def create_setting(ctx: Context, name: str) -> Any:
    """Creates from the request's values."""
    collection = ctx.app.collections.system[name]
    async with changed_settings(ctx, collection, "created") as change:
        created = await ctx.app.records.create(
            collection, ctx.values, caller(ctx), ctx.params, connection=change.connection
        )
        change.records = created
    return created


async def update_setting(ctx: Context, name: str, params: Mapping[str, Any]) -> Any:
    """Changes what `params` select to the request's values."""
    collection = ctx.app.collections.system[name]
    async with changed_settings(ctx, collection, "updated") as change:
        changed = await ctx.app.records.update(
            collection, params, ctx.values, caller(ctx), connection=change.connection
        )
        change.records = changed
    return changed


async def destroy_setting(ctx: Context, name: str) -> int:
    """Removes what the request selects."""
    collection = ctx.app.collections.system[name]
    async with changed_settings(ctx, collection, "destroyed") as change:
        return await ctx.app.records.destroy(
            collection, ctx.params, caller(ctx), connection=change.connection
        )
