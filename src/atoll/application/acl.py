"""Who may do what (http-api.md 6.11-6.13): root, rules for one collection, strategies, snippets, unions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from typing_extensions import override

from atoll.application.collections.model import Collection
from atoll.application.context import Right, Role
from atoll.application.records.rights import FULL, Rights, refused

__all__ = ["ACTIONS", "ALIASES", "ROLE_MODES", "UNION", "RoleRights", "refused"]

ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "get": "view",
        "list": "view",
        "query": "view",
        "move": "update",
        "firstOrCreate": "create",
        "updateOrCreate": "create",
    }
)
ACTIONS: Final = ("create", "view", "update", "destroy", "export", "importXlsx")
ROLE_MODES: Final = ("default", "allow-use-union", "only-use-union")
UNION: Final = "__union__"
"""The role of somebody who acts with all roles at once."""
OWN: Final[Mapping[str, Any]] = MappingProxyType({"createdById": "{{ctx.state.currentUser.id}}"})
"""The scope of records that somebody made."""
# What everybody may know of other people: how they are called.
_PEOPLE: Final = Right(fields=frozenset({"id", "nickname", "username"}))


class RoleRights(Rights):
    """The rights of one role, or of several at once: whatever one of them allows."""

    def __init__(self, roles: Sequence[Role]) -> None:
        self.roles = tuple(roles)
        self.unlimited = any(role.name == "root" for role in roles)

    @override
    def on(self, collection: Collection, action: str) -> Right | None:
        """Aliases such as `list` are understood too."""
        if self.unlimited:
            return FULL
        wanted = ALIASES.get(action, action)
        if not collection.ruled:
            if wanted != "view" or collection.name != "users":
                return None
            return FULL if self.may_use("pm.users") else _PEOPLE
        found = [_of_role(role, collection, wanted) for role in self.roles]
        merged = _merged([right for right in found if right is not None])
        if merged is not None and wanted in ("update", "destroy") and collection.flag("ownChanges"):
            return Right({"$and": [OWN, merged.scope]} if merged.scope else OWN, merged.fields)
        return merged

    def may_use(self, snippet: str) -> bool:
        """Whether a part of the system, such as `pm.users`, may be used.

        A role's list has names, `pm.*` and refusals `!pm`.
        """
        return self.unlimited or any(_has(role, snippet) for role in self.roles)


def _of_role(role: Role, collection: Collection, action: str) -> Right | None:
    rules = role.resources.get(collection.name)
    if rules is not None:  # the strategy is not asked then
        found = rules.get(action)
        needs_maker = found is not None and found.scope is OWN
        return None if needs_maker and "createdById" not in collection.fields else found
    if action in role.actions:
        return FULL
    if f"{action}:own" in role.actions and "createdById" in collection.fields:
        return Right(scope=OWN)
    return None


def _merged(rights: Sequence[Right]) -> Right | None:
    """What several roles allow together. Fields and scopes widen each other: not exact, never too little."""
    if len(rights) < 2:
        return rights[0] if rights else None
    if any(right == FULL for right in rights):
        return FULL
    scopes = [right.scope for right in rights if right.scope is not None]
    fields = [right.fields for right in rights if right.fields is not None]
    return Right(
        scope={"$or": scopes} if len(scopes) == len(rights) else None,
        fields=frozenset().union(*fields) if len(fields) == len(rights) else None,
    )


def _has(role: Role, snippet: str) -> bool:
    if any(pattern[:1] == "!" and _covers(pattern[1:], snippet) for pattern in role.snippets):
        return False
    return any(pattern[:1] != "!" and _covers(pattern, snippet) for pattern in role.snippets)


def _covers(pattern: str, snippet: str) -> bool:
    return pattern == snippet or (pattern.endswith(".*") and snippet.startswith(pattern[:-1]))
