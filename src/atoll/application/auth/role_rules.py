"""What roles may do with single collections: rules of actions with fields and scopes (http-api.md 6.12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from atoll.application.acl import OWN
from atoll.application.collections.store import CollectionStore
from atoll.application.context import Page, Right
from atoll.application.records.engine import Record, RecordEngine
from atoll.application.records.filter import Caller
from atoll.database.drivers.base import Connection
from atoll.errors import BadRequest

RESOURCES: Final = "dataSourcesRolesResources"
ACTIONS: Final = "dataSourcesRolesResourcesActions"
SCOPES: Final = "dataSourcesRolesResourcesScopes"
BUILT_IN_SCOPES: Final = (
    {"key": "all", "name": '{{t("All records")}}', "dataSourceKey": "main", "scope": {}},
    {
        "key": "own",
        "name": '{{t("Own records")}}',
        "dataSourceKey": "main",
        "scope": {"createdById": "{{ ctx.state.currentUser.id }}"},
    },
)
_NOBODY: Final = Caller()


class RoleRules:
    """Reads and writes the rules; every change is part of a change of settings that the giver makes."""

    def __init__(self, collections: CollectionStore, records: RecordEngine) -> None:
        self._records = records
        self._resources = collections.system[RESOURCES]
        self._actions = collections.system[ACTIONS]
        self._scopes = collections.system[SCOPES]

    async def create(
        self, role: str, values: Mapping[str, Any], caller: Caller, connection: Connection
    ) -> Record:
        """Rules for one more collection; raises BadRequest when it has some."""
        source, name = values.get("dataSourceKey") or "main", values.get("name")
        if not isinstance(name, str) or not name:
            raise BadRequest("`name` is required: the collection that the rules are for")
        if await self._one(role, {"dataSourceKey": source, "name": name}, connection) is not None:
            raise BadRequest(f"The role {role!r} has rules for {name!r} already; update them")
        row = {
            "roleName": role,
            "dataSourceKey": source,
            "name": name,
            "usingActionsConfig": values.get("usingActionsConfig") is True,
        }
        made = await self._records.create_one(self._resources, row, caller, connection=connection)
        await self._set_actions(made["id"], values.get("actions") or [], caller, connection)
        return made

    async def update(
        self,
        role: str,
        params: Mapping[str, Any],
        values: Mapping[str, Any],
        caller: Caller,
        connection: Connection,
    ) -> list[Record]:
        """Changes the rules for the collection that `filter` (dataSourceKey, name) or `filterByTk` names."""
        found = await self._one(role, _selected(params), connection)
        if found is None:
            return []
        if "usingActionsConfig" in values:
            row = {"usingActionsConfig": values["usingActionsConfig"] is True}
            await self._records.update(
                self._resources, {"filterByTk": found["id"]}, row, caller, connection=connection
            )
            found |= row
        if "actions" in values:
            await self._set_actions(found["id"], values["actions"] or [], caller, connection)
        return [found]

    async def get(self, role: str, params: Mapping[str, Any], caller: Caller) -> Record | None:
        """The rules for one collection, with what is appended; raises BadRequest when none is named."""
        mine = {"$and": [{"roleName": role}, _selected(params)]}
        kept = {name: params[name] for name in ("appends", "fields", "except") if name in params}
        return await self._records.get(self._resources, {**kept, "filter": mine}, caller)

    async def list(self, role: str, params: Mapping[str, Any], caller: Caller) -> Any:
        """All rules of a role."""
        mine = {"$and": [{"roleName": role}, params.get("filter") or {}]}
        return await self._records.page(self._resources, {**params, "filter": mine}, caller)

    async def forget_role(self, role: str, connection: Connection) -> None:
        """The role is gone."""
        await self._records.destroy(
            self._resources, {"filter": {"roleName": role}}, _NOBODY, connection=connection
        )

    async def rights(self) -> dict[str, dict[str, dict[str, Right]]]:
        """All rules that are switched on: role, collection, action."""
        wanted = {"usingActionsConfig": True, "dataSourceKey": "main"}
        params = {"filter": wanted, "appends": "actions.scope", "paginate": False}
        found = await self._records.page(self._resources, params, _NOBODY)
        rules: dict[str, dict[str, dict[str, Right]]] = {}
        for row in found.rows if isinstance(found, Page) else found:
            actions = {action["name"]: _right(action) for action in row["actions"]}
            rules.setdefault(row["roleName"], {})[row["name"]] = actions
        return rules

    async def _one(
        self, role: str, condition: Mapping[str, Any], connection: Connection | None = None
    ) -> Record | None:
        mine = {"$and": [{"roleName": role}, condition]}
        return await self._records.get(self._resources, {"filter": mine}, _NOBODY, connection=connection)

    async def _set_actions(self, resource: int, actions: Any, caller: Caller, connection: Connection) -> None:
        if not isinstance(actions, list) or not all(isinstance(each, Mapping) for each in actions):
            raise BadRequest("`actions` is a list of objects: name, fields, scope")
        await self._records.destroy(
            self._actions, {"filter": {"rolesResourceId": resource}}, caller, connection=connection
        )
        for action in actions:
            name = action.get("name")
            if not isinstance(name, str) or not name:
                raise BadRequest("An action needs its `name`: view, create, update, destroy, …")
            row = {
                "name": name.rpartition(":")[2],
                "fields": _names(action.get("fields") or []),
                "scopeId": await self._scope_id(action, connection),
                "rolesResourceId": resource,
            }
            await self._records.create_one(self._actions, row, caller, connection=connection)

    async def _scope_id(self, action: Mapping[str, Any], connection: Connection) -> int | None:
        scope, wanted = action.get("scope"), action.get("scopeId")
        condition: Mapping[str, Any] | None = None
        if isinstance(scope, Mapping):
            condition = {key: scope[key] for key in ("id", "key") if scope.get(key) is not None}
        elif wanted is not None or scope is not None:
            condition = {"id": wanted if wanted is not None else scope}
        if not condition:
            return None
        found = await self._records.get(self._scopes, {"filter": condition}, _NOBODY, connection=connection)
        if found is None:
            raise BadRequest(f"There is no scope {dict(condition)!r}")
        return int(found["id"])


def _selected(params: Mapping[str, Any]) -> dict[str, Any]:
    if "filterByTk" in params:
        return {"id": params["filterByTk"]}
    condition = params.get("filter")
    if not isinstance(condition, dict) or not condition:
        raise BadRequest("`filter` is required: `dataSourceKey` and `name`")
    return condition


def _names(fields: Any) -> Sequence[str]:
    if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
        raise BadRequest("`fields` is a list of field names")
    return fields


def _right(action: Mapping[str, Any]) -> Right:
    fields, scope = _decoded(action["fields"]), action.get("scope")
    if scope is None:
        condition = None
    elif scope["key"] == "own":
        condition = OWN
    else:
        condition = _decoded(scope["scope"]) or None
    return Right(scope=condition, fields=frozenset(fields) if fields else None)


def _decoded(value: Any) -> Any:
    """JSON columns are text in SQLite."""
    return msgspec.json.decode(value) if isinstance(value, (msgspec.Raw, bytes, str)) else value
