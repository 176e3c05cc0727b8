"""Resources whose actions are code, as opposed to the generic actions of collections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from atoll.application.context import Handler

PUBLIC: Final = "public"
LOGGED_IN: Final = "loggedIn"


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `access`: "public", "loggedIn", or None for what a role's snippets decide."""

    handler: Handler
    access: str | None
    snippet: str


@dataclass(frozen=True, slots=True)
class RecordAction:
    """An action on the records of every collection people made.

    Args:
        right: what a role must be allowed to do with the collection: view, create, export, ...; None: the
            handler decides.
        access: with no `right`, who gets as far as the handler: "loggedIn" or "public" (anybody, also with
            the session's cookie; such an action only reads).
        reads_body: the handler reads the body from `Context.receive`, whatever its size; it comes after the
            right was checked.
    """

    handler: Handler
    right: str | None
    reads_body: bool = False
    access: str = LOGGED_IN


class ResourceRegistry:
    """The resources of one app, by name; association resources are written `collections.fields`."""

    def __init__(self) -> None:
        self._resources: dict[str, dict[str, Action]] = {}
        self._on_records: dict[tuple[str | None, str], RecordAction] = {}

    def define_on_records(self, actions: Mapping[str, RecordAction], template: str | None = None) -> None:
        """Adds actions to all collections that people made; an action that was there is replaced.

        Args:
            template: only to collections of that template, where they come before those for all.
        """
        self._on_records.update({(template, name): action for name, action in actions.items()})

    def on_records(self, action: str, template: str | None) -> RecordAction | None:
        """The action on records of that name for collections of a template, or None."""
        return self._on_records.get((template, action)) or self._on_records.get((None, action))

    def define(
        self,
        name: str,
        actions: Mapping[str, Handler],
        access: Mapping[str, str | None] | None = None,
        snippet: str | None = None,
    ) -> None:
        """Adds actions to a resource; an action that was there is replaced.

        Args:
            access: action to "public" or "loggedIn"; all others need a role that has `snippet`.
            snippet: the name of this part of the system for role snippets; default `pm.<name>`.
        """
        rules = access or {}
        for action, rule in rules.items():
            if rule not in (PUBLIC, LOGGED_IN, None):
                raise ValueError(
                    f"access of {name}:{action} must be 'public', 'loggedIn' or None, not {rule!r}"
                )
        resource = self._resources.setdefault(name, {})
        for action, handler in actions.items():
            resource[action] = Action(handler, rules.get(action), snippet or f"pm.{name}")

    def find(self, resource: str, action: str) -> Action | None:
        """The action, or None."""
        return self._resources.get(resource, {}).get(action)

    def actions(self) -> Iterator[tuple[str, str, Action]]:
        """All of them: resource, action, what it is."""
        for resource, actions in sorted(self._resources.items()):
            for name, action in sorted(actions.items()):
                yield resource, name, action

    def names(self) -> frozenset[str]:
        """The names that collections cannot have."""
        return frozenset(name.split(".")[0] for name in self._resources)
