"""The app store: the durable truth about apps, and about environments that were ever seen.

Promised: what a method returned for is on disk. `update` is atomic among all processes of the database: the
change is applied to the newest record, or not at all. Secrets are encrypted at rest. Not promised: notice
of changes made elsewhere; `versions` tells cheaply what they were. Errors: `AppNameTaken`, `AppNotFound`,
and those of the database. Nothing works before `prepare`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from atoll.supervisor.models import (
    Action,
    AdminAccount,
    ConnectionKind,
    DatabaseOptions,
    Desired,
    EnvironmentCard,
    Reason,
)


class Operation(Struct, frozen=True, kw_only=True, rename="camel"):
    """The last thing a person asked for, so that its receipts can be found."""

    id: str
    action: Action
    at: datetime
    environments: tuple[str, ...] = ()
    by: str = ""


class AppEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """One thing that happened to an app: somebody asked for something, or its status changed somewhere.

    Args:
        key: the same for the same thing, whoever notes it.
        environment: where the status changed, or for which alone somebody asked; "" for all.
        was, became: the status before and after, "" for what somebody asked for.
        action: what was asked for, or what the change followed from. by: user name of who asked.
        seconds: how long the status before lasted.
    """

    key: str
    at: datetime
    environment: str = ""
    was: str = ""
    became: str = ""
    action: str = ""
    by: str = ""
    seconds: float | None = None
    reason: Reason | None = None


class Place(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What one environment is asked for besides what holds for all of them.

    Args:
        stopped: the app does not run here, though it runs elsewhere.
        restarts: grows with every restart asked for here.
        goal_generation: the generation at which one of these last changed.
    """

    stopped: bool = False
    restarts: int = 0
    goal_generation: int = 0


class AppRecord(Struct, frozen=True, kw_only=True):
    """One app as the Supervisor keeps it; see `AppModel` for what an environment gets of it.

    Args:
        environments: where the app is placed. leaving: where it was and is still to be taken down.
        placed: what holds for single environments.
        gone: environments that said nothing of the app is left there, while it is being removed.
        secret, storage_secret, admin, database.password: encrypted at rest. The storage secret is the first
            `secret` once that is another one: what the app encrypted with it must stay readable.
        identity: of the database service the app was created on, "" when that was not asked.
        remove_database: with desired "removed".
        dropped: the database was removed, or is to stay.
        version: grows with every saved change of any kind.
    """

    uid: str
    name: str
    display_name: str
    secret: str
    created_at: datetime
    updated_at: datetime
    storage_secret: str = ""
    icon: str | None = None
    cname: str | None = None
    pinned: bool | None = None
    sort: int = 0
    auto_start: bool = False
    connection: ConnectionKind = "new_database"
    database: DatabaseOptions = DatabaseOptions()
    options: dict[str, Any] = field(default_factory=dict)
    environments: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    placed: dict[str, Place] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    desired: Desired = "running"
    remove_database: bool = False
    dropped: bool = False
    installed: bool = False
    admin: AdminAccount | None = None
    identity: str = ""
    generation: int = 1
    goal_generation: int = 1
    settings_version: int = 0
    restarts: int = 0
    operation: Operation | None = None
    version: int = 1

    def signing_with(self, secret: str) -> AppRecord:
        """The record with another secret for tokens: those signed before are not valid any more."""
        return replace(self, secret=secret, storage_secret=self.storage_secret or self.secret)

    def at(self, environment: str) -> AppRecord:
        """The record as it holds for one environment."""
        place = self.placed.get(environment)
        if place is None:
            return self
        stopped = place.stopped and self.desired in ("running", "ready")
        return replace(
            self,
            desired="stopped" if stopped else self.desired,
            restarts=self.restarts + place.restarts,
            goal_generation=max(self.goal_generation, place.goal_generation),
            placed={},
        )


class KnownEnvironment(Struct, frozen=True, kw_only=True):
    """An environment that was seen. `public_key` is the one trusted since the first time."""

    name: str
    public_key: str
    card: EnvironmentCard
    last_seen: datetime


#: How many events are kept per app.
KEPT_EVENTS = 50

Change = Callable[[AppRecord], AppRecord | None]


class AppStore(ABC):
    """See the module's text."""

    @abstractmethod
    async def prepare(self) -> None:
        """Creates what is missing. Idempotent; several processes may do it at once."""

    @abstractmethod
    async def versions(self) -> dict[str, int]:
        """The version of each record by uid: tells cheaply what was changed, by whomever."""

    @abstractmethod
    async def apps(self, uids: Collection[str] | None = None) -> list[AppRecord]:
        """Those records, or all; also of apps that are being removed."""

    @abstractmethod
    async def insert(self, record: AppRecord) -> None:
        """Adds a record; raises AppNameTaken when name or custom domain belong to another app."""

    @abstractmethod
    async def update(self, uid: str, change: Change) -> AppRecord:
        """Replaces a record by what `change` makes of the newest one; None leaves it. Raises AppNotFound."""

    @abstractmethod
    async def delete(self, uid: str) -> None:
        """Removes a record and what happened to the app for good; none is fine."""

    @abstractmethod
    async def note(self, uid: str, events: Sequence[AppEvent]) -> None:
        """Keeps what happened, each key once; the newest `KEPT_EVENTS` per app stay."""

    @abstractmethod
    async def events(self, uid: str) -> list[AppEvent]:
        """What happened to the app, newest first."""

    @abstractmethod
    async def environments(self) -> list[KnownEnvironment]:
        """All environments ever seen and not forgotten."""

    @abstractmethod
    async def meet(self, environment: KnownEnvironment) -> KnownEnvironment:
        """Remembers an environment. The first key stays; gives what is kept now."""

    @abstractmethod
    async def forget_environment(self, name: str) -> None:
        """Removes an environment, and with it the trust in its key and the wish that it drains."""

    @abstractmethod
    async def draining(self) -> set[str]:
        """The environments that should take no new work."""

    @abstractmethod
    async def drain(self, name: str, wanted: bool) -> None:
        """Keeps whether an environment should drain. Idempotent."""
