"""Telling browsers which records changed, so that lists follow without asking again and again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from atoll.application.acl import RoleRights
from atoll.application.api.live import LiveHub
from atoll.application.api.resources import LOGGED_IN, PUBLIC, ResourceRegistry
from atoll.application.auth.accounts import Accounts
from atoll.application.collections.store import CollectionStore
from atoll.application.events import RecordsChanged
from atoll.lifecycle import BackgroundTasks

COLLECTED_FOR = 0.1
"""Seconds in which changes are collected into one message."""
MOST_KEYS = 200
"""More changed records than this are told without their keys: a list then asks anew."""

Topic = tuple[str, str, str]


@dataclass(slots=True)
class _Keys:
    known: dict[Any, None] = field(default_factory=dict)
    """Keys in the order of the changes."""
    complete: bool = True


class LiveRecords:
    """Collects what the hook `records` says and sends `<collection>:changed` to who may see it.

    The payload is `{"collection", "action", "ids", "origin"}`: action "created", "updated" or "destroyed";
    `ids` the keys, null when there are too many or they are not known; `origin` the `X-Client-Id` of the
    request that made the change, "" without one. Nothing of a record's content is in it.

    It goes to connections of users who have a role that may list all records of the collection, on all
    instances. Who may see only records of their own gets none: a key alone would tell of the others.
    """

    def __init__(
        self,
        hub: LiveHub,
        collections: CollectionStore,
        resources: ResourceRegistry,
        accounts: Accounts,
        background: BackgroundTasks,
    ) -> None:
        self._hub = hub
        self._collections = collections
        self._resources = resources
        self._accounts = accounts
        self._background = background
        self._changed: dict[Topic, _Keys] = {}
        self._telling: asyncio.Task[Any] | None = None

    async def note(self, change: RecordsChanged) -> None:
        """A handler of the hook `records`."""
        if not self._changed:
            self._telling = self._background.spawn("live-records", self._tell())
        keys = self._changed.setdefault((change.collection, change.kind, change.origin), _Keys())
        keys.known.update(dict.fromkeys(change.keys))
        if not change.keys or len(keys.known) > MOST_KEYS:
            keys.complete = False
            keys.known.clear()

    def forget(self) -> None:
        """Drops what was not told yet."""
        self._changed = {}

    async def _tell(self) -> None:
        await asyncio.sleep(COLLECTED_FOR)
        changed, self._changed = self._changed, {}
        for (collection, action, origin), keys in changed.items():
            viewers = await self._viewers(collection)
            if not viewers:
                continue
            payload = {
                "collection": collection,
                "action": action,
                "ids": list(keys.known) if keys.complete else None,
                "origin": origin,
            }
            await self._hub.publish(f"{collection}:changed", payload, any_role=viewers)

    async def _viewers(self, collection: str) -> list[str]:
        settings = await self._accounts.settings()
        return [name for name in settings.roles if self._may_list(settings.rights(name, None), collection)]

    def _may_list(self, rights: RoleRights, name: str) -> bool:
        """Whether a role sees all records of a collection; who sees some only is told of none."""
        action = self._resources.find(name, "list")
        if action is not None:
            return action.access in (PUBLIC, LOGGED_IN) or rights.may_use(action.snippet)
        collection = self._collections.own().get(name)
        right = rights.on(collection, "view") if collection is not None else None
        return right is not None and right.scope is None
