"""Who may do what (http-api.md 6.13, the parts that exist: access rules, root, role strategies, snippets)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from atoll.application.collections.model import Collection
from atoll.application.context import Role
from atoll.errors import Forbidden

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


@dataclass(frozen=True, slots=True)
class Permission:
    """The answer of a check that succeeded; `only_own` restricts it to records the user created."""

    only_own: bool = False


ALL: Final = Permission()
OWN: Final = Permission(only_own=True)


def refused() -> Forbidden:
    """The one refusal; it does not tell what exists."""
    return Forbidden("No permissions")


def on_records(role: Role, collection: Collection, action: str) -> Permission:
    """Whether a role may run an action on records people made; raises Forbidden."""
    if role.name == "root":
        return ALL
    wanted = ALIASES.get(action, action)
    if wanted in role.actions:
        return ALL
    if f"{wanted}:own" in role.actions and "createdById" in collection.fields:
        return OWN
    raise refused()


def on_system(role: Role, snippet: str) -> None:
    """Whether a role may use a part of the system; raises Forbidden.

    Args:
        snippet: the part's name, such as `pm.users`. A role's list has names, `pm.*` and refusals `!pm`.
    """
    if role.name == "root":
        return
    if any(pattern[:1] == "!" and _covers(pattern[1:], snippet) for pattern in role.snippets):
        raise refused()
    if not any(pattern[:1] != "!" and _covers(pattern, snippet) for pattern in role.snippets):
        raise refused()


def _covers(pattern: str, snippet: str) -> bool:
    return pattern == snippet or (pattern.endswith(".*") and snippet.startswith(pattern[:-1]))
