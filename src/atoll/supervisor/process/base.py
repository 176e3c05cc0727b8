"""The contract between an environment and the apps it runs, implemented by the composition root."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from atoll.supervisor.models import AdminAccount, AppModel, Finding

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class AppRuntime(ABC):
    """One app in this process.

    Making one does nothing yet: no connection, no file. The environment calls the methods one at a time,
    except `stop`, which may follow a cancelled `start`. Every method is idempotent, and repeating it after
    the process was killed in the middle leads to the same end. Errors are `AtollError`s whose text a person
    may see.
    """

    @abstractmethod
    async def check(self) -> list[Finding]:
        """What stands against creating this app here: database unreachable, rights, name taken. Changes
        nothing.
        """

    @abstractmethod
    async def database_identity(self) -> str:
        """Equal in two environments exactly if they reach the same database service."""

    @abstractmethod
    async def provision(self) -> None:
        """Creates database, schema or file with the app's uid as owner marker, and the storage folder."""

    @abstractmethod
    async def install(self, admin: AdminAccount | None) -> None:
        """Creates the tables and the first account; None means the environment's own INIT_ROOT_* account.
        Does nothing when the app is installed already."""

    @abstractmethod
    async def fill(self) -> None:
        """After `install`: makes the collections and sample records of the template in the model's options.
        What is there already is left as it is; does nothing without a template."""

    @abstractmethod
    async def start(self) -> None:
        """Makes `asgi` answer. Raises ApplicationNotInstalled when `provision` and `install` are still
        needed.
        """

    @abstractmethod
    async def stop(self) -> None:
        """Ends everything `start` began and closes connections. May follow a failed or cancelled start."""

    @abstractmethod
    async def destroy(self, *, remove_database: bool) -> None:
        """After `stop`: removes what the app left here; with `remove_database` also its database, if the
        owner marker is the app's.
        """

    @property
    @abstractmethod
    def asgi(self) -> ASGIApp:
        """Serves the app between `start` and `stop`."""


#: Makes the runtime of one app. A new one is made for each start.
AppFactory: TypeAlias = Callable[[AppModel], AppRuntime]
