"""Users, roles and settings in memory: a warm request asks the database only for its own rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import select

from atoll.application.acl import UNION, RoleRights
from atoll.application.auth.durations import seconds
from atoll.application.auth.role_rules import RoleRules
from atoll.application.auth.variables import NO_VARIABLES, Variables, read_variables
from atoll.application.collections.store import CollectionStore
from atoll.application.context import CurrentUser, Role
from atoll.application.records.engine import RecordEngine
from atoll.application.records.filter import Caller
from atoll.database.drivers.base import Database
from atoll.errors import Unauthenticated

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
    variables: Variables = NO_VARIABLES
    _rights: dict[tuple[str, ...], RoleRights] = field(default_factory=dict)

    def role_for(self, wanted: str | None, held: Sequence[str], *, bound: bool) -> str:
        """The role that a request acts as: the one it names, all at once (`UNION`), or the first.

        Args:
            wanted: what the request names.
            held: the roles of the user, the default one first; not empty.
            bound: the request's key stands for that one role.
        """
        mode = self.system.get("roleMode") or "default"
        if wanted and wanted not in (UNION, "anonymous"):
            if wanted not in held:
                raise Unauthenticated("This account does not have that role.", code="ROLE_NOT_FOUND_FOR_USER")
            if bound or mode != "only-use-union":
                return wanted
        if mode == "only-use-union" or (mode == "allow-use-union" and wanted == UNION):
            return UNION
        return held[0]

    def rights(self, role: str, user: CurrentUser | None) -> RoleRights:
        """The rights of a role, or of all of a user's; raises Unauthenticated when there is no such role."""
        names = tuple(sorted(user.roles)) if role == UNION and user is not None else (role,)
        found = self._rights.get(names)
        if found is None:
            roles = [self.roles[name] for name in names if name in self.roles]
            if not roles:
                raise Unauthenticated("The role does not exist any more.", code="ROLE_NOT_FOUND_ERR")
            found = self._rights[names] = RoleRights(roles)
        return found


def plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with its JSON columns decoded."""
    return {
        name: msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value
        for name, value in record.items()
    }


class Accounts:
    """The in-memory copies; `forget_*` is called on every change, here and by sync messages."""

    def __init__(
        self, database: Database, collections: CollectionStore, records: RecordEngine, rules: RoleRules
    ) -> None:
        self._database = database
        self._rules = rules
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
        rules, roles = await self._rules.rights(), {}
        for row in await self._all("roles"):
            strategy = row["strategy"] if isinstance(row["strategy"], dict) else {}
            roles[row["name"]] = Role(
                row["name"],
                row["title"],
                tuple(strategy.get("actions") or ()),
                tuple(row["snippets"] or ()),
                row["allowConfigure"],
                row["allowNewMenu"] is True,
                row["default"] is True,
                rules.get(row["name"], {}),
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
            read_variables(await self._all("environmentVariables")),
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
