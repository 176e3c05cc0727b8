"""Users, roles and settings in memory: a warm request asks the database only for its own rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import select

from atoll.application.auth.durations import seconds
from atoll.application.collections.store import CollectionStore
from atoll.application.context import CurrentUser, Role
from atoll.application.records.engine import RecordEngine
from atoll.application.records.filter import Caller
from atoll.database.drivers.base import Database

POLICY_KEY = "token-policy-config"
DEFAULT_POLICY = {"tokenExpirationTime": "1d", "sessionExpirationTime": "7d", "expiredTokenRenewLimit": "1d"}
_MOST_USERS = 2_000


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """Life times in seconds."""

    token: float
    session: float
    renewal: float


@dataclass(slots=True)
class Settings:
    """The app's settings as the API delivers them."""

    system: Mapping[str, Any]
    authenticators: list[dict[str, Any]]
    policy: TokenPolicy
    roles: dict[str, Role] = field(default_factory=dict)


def plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with its JSON columns decoded."""
    return {
        name: msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value
        for name, value in record.items()
    }


class Accounts:
    """The in-memory copies; `forget_*` is called on every change, here and by sync messages."""

    def __init__(self, database: Database, collections: CollectionStore, records: RecordEngine) -> None:
        self._database = database
        self._collections = collections
        self._records = records
        self._users: dict[int, CurrentUser | None] = {}
        self._generation = 0
        self._settings: Settings | None = None

    # -- settings and roles ----------------------------------------------------------------------------

    async def settings(self) -> Settings:
        """The current settings, roles included."""
        found = self._settings
        if found is None:
            generation = self._generation
            found = await self._load_settings()
            if generation == self._generation:
                self._settings = found
        return found

    async def _load_settings(self) -> Settings:
        system = await self._all("systemSettings")
        policies = {row["key"]: row["config"] for row in await self._all("tokenControlConfig")}
        config = {**DEFAULT_POLICY, **(policies.get(POLICY_KEY) or {})}
        roles = {}
        for row in await self._all("roles"):
            strategy = row["strategy"] if isinstance(row["strategy"], dict) else {}
            roles[row["name"]] = Role(
                row["name"],
                row["title"],
                tuple(strategy.get("actions") or ()),
                tuple(row["snippets"] or ()),
                row["allowConfigure"],
                row["default"] is True,
            )
        return Settings(
            system[0] if system else {},
            await self._all("authenticators"),
            TokenPolicy(
                seconds(config["tokenExpirationTime"]),
                seconds(config["sessionExpirationTime"]),
                seconds(config["expiredTokenRenewLimit"]),
            ),
            roles,
        )

    async def _all(self, name: str) -> list[dict[str, Any]]:
        return [
            plain(row) for row in await self._records.find(self._collections.system[name], None, Caller())
        ]

    def forget_settings(self) -> None:
        """Settings, authenticators, token policy or roles changed."""
        self._generation += 1
        self._settings = None
        self._users.clear()

    # -- users -----------------------------------------------------------------------------------------

    async def user(self, user_id: int) -> CurrentUser | None:
        """The user of that id, or None."""
        if user_id in self._users:
            return self._users[user_id]
        generation = self._generation
        user = await self._load_user(user_id)
        if generation == self._generation:
            if len(self._users) >= _MOST_USERS:
                self._users.clear()
            self._users[user_id] = user
        return user

    async def _load_user(self, user_id: int) -> CurrentUser | None:
        record = await self._records.get(self._collections.system["users"], {"filterByTk": user_id}, Caller())
        if record is None:
            return None
        record = plain(record)
        return CurrentUser(
            id=user_id,
            username=record["username"],
            nickname=record["nickname"],
            roles=await self.roles_of(user_id),
            record=record,
            password_changed_at=record["passwordChangeTz"],
        )

    async def roles_of(self, user_id: int) -> tuple[str, ...]:
        """Names of the user's roles, the default one first."""
        table = self._collections.system["rolesUsers"].table
        statement = select(table.c.roleName, table.c.default).where(table.c.userId == user_id)
        rows = (await self._database.run(statement)).rows
        return tuple(name for name, _ in sorted(rows, key=lambda row: (not row[1], row[0])))

    def forget_user(self, user_id: int) -> None:
        """One user changed."""
        self._generation += 1
        self._users.pop(user_id, None)

    def forget_all(self) -> None:
        """Anything may have changed."""
        self.forget_settings()
