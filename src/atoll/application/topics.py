"""What the application itself keeps in memory and agrees on with its other instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from atoll.application.api.live import LiveHub
from atoll.application.auth.accounts import Accounts
from atoll.application.auth.sessions import Sessions
from atoll.application.collections.store import CollectionStore
from atoll.application.events import CollectionChanged, Events
from atoll.application.instances.agreement import Topic
from atoll.application.records.engine import RecordEngine


class CollectionsTopic(Topic):
    """The collections people made. A change tells `names`."""

    name = "collections"

    def __init__(self, collections: CollectionStore, records: RecordEngine, events: Events) -> None:
        self._collections, self._records, self._events = collections, records, events

    @override
    async def reload(self) -> None:
        await self._collections.load()
        self._records.forget_plans()

    @override
    async def apply(self, about: Mapping[str, Any]) -> None:
        for name in about.get("names", ()):
            await self._collections.reload(name)
        self._records.forget_plans()
        for name in about.get("names", ()):
            await self._events.collections.emit(CollectionChanged(name))


class AccountsTopic(Topic):
    """Users, roles, settings, blocked tokens.

    A change tells `users` (ids of those who changed, or whose roles did), `settings` (True: settings, roles,
    authenticators or the token policy), `blocked` (a token that is worth nothing any more), `expired` (True:
    blocked tokens were removed because they ended by themselves).
    """

    name = "accounts"

    def __init__(self, accounts: Accounts, sessions: Sessions, live: LiveHub) -> None:
        self._accounts, self._sessions, self._live = accounts, sessions, live

    @override
    async def reload(self) -> None:
        self._accounts.forget_all()
        await self._sessions.load()
        # What was missed may have ended a session or taken a right: all browsers show their tokens again.
        self._live.drop_signed_in()

    @override
    async def apply(self, about: Mapping[str, Any]) -> None:
        if about.get("settings"):
            self._accounts.forget_settings()
        if about.get("expired"):
            await self._sessions.load()
        if (blocked := about.get("blocked")) is not None:
            self._sessions.block(blocked)
        for user_id in about.get("users", ()):
            self._accounts.forget_user(user_id)
            self._live.drop_user(user_id)


class InstancesTopic(Topic):
    """Nothing but the answer: its changes find out which instances live."""

    name = "instances"

    @override
    async def reload(self) -> None:
        return

    @override
    async def apply(self, about: Mapping[str, Any]) -> None:
        return
