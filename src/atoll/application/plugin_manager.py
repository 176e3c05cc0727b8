"""Plugins: code that adds resources, hooks and background work to an app."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from atoll.application.migrations import Migration

if TYPE_CHECKING:
    from atoll.application.app import Application


class Plugin(ABC):
    """One plugin of one app. Each app gets its own instance, so state may live in it.

    The order is: `install` once in the app's life (inside the lock that keeps other instances out), then at
    each start `load` of all plugins, then `start` of all; at the end `stop` in reverse order, also when
    `start` failed.
    """

    name: str
    migrations: ClassVar[Sequence[Migration]] = ()
    """What makes and changes the plugin's own tables, oldest first; names begin with the plugin's name and a
    slash. They run before `install` and `load`, also in apps that are older than the plugin."""

    @abstractmethod
    async def install(self, app: Application) -> None:
        """Makes what the plugin needs in the app's database; must not mind when it is there."""

    @abstractmethod
    async def load(self, app: Application) -> None:
        """Defines resources and hooks; metadata of the app are loaded, nothing runs yet."""

    @abstractmethod
    async def start(self, app: Application) -> None:
        """Begins background work."""

    @abstractmethod
    async def stop(self, app: Application) -> None:
        """Ends it; idempotent."""


class PluginManager:
    """Runs the life cycle of an app's plugins in their order."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        names = [plugin.name for plugin in plugins]
        if len(set(names)) < len(names):
            raise ValueError(f"a plugin is given twice: {', '.join(names)}")
        for plugin in plugins:
            if strays := [each.name for each in plugin.migrations if each.owner != plugin.name]:
                raise ValueError(f"migrations of {plugin.name} must begin with its name: {strays}")
        self.plugins = tuple(plugins)
        self._begun: list[Plugin] = []

    @property
    def migrations(self) -> list[Migration]:
        """Those of all plugins."""
        return [each for plugin in self.plugins for each in plugin.migrations]

    async def install(self, app: Application) -> None:
        """`install` of all."""
        for plugin in self.plugins:
            await plugin.install(app)

    async def start(self, app: Application) -> None:
        """`load` of all, then `start` of all."""
        for plugin in self.plugins:
            await plugin.load(app)
        for plugin in self.plugins:
            self._begun.append(plugin)
            await plugin.start(app)

    async def stop(self, app: Application) -> None:
        """`stop` of those that began, in reverse order; a failing one does not keep the others running."""
        errors: list[Exception] = []
        while self._begun:
            try:
                await self._begun.pop().stop(app)
            except Exception as error:  # noqa: BLE001 - collected and raised below
                errors.append(error)
        if errors:
            raise ExceptionGroup("plugins failed to stop", errors)
