"""Presence: who is alive, what runs where, and copies of the app models. All of it can be built anew.

Promised
- An environment is alive from `announce` on, until `withdraw`, or until its lease was not renewed for
  `lease_seconds`. Renewal does not need the event loop: a loop blocked for long is reported as lag, not as
  death.
- Time is the service's, not the node's: clocks that differ or jump do no harm.
- Rows and models written are seen by the next `snapshot` and `pull`.
- What an instance counted is kept for `FIGURES_SECONDS` and replaced by what it counts next.
- Changes arrive soon and usually once, in the order of one writer. They may be lost or repeated when the
  service restarts; then a `Gap` comes, and the reader takes a `snapshot`.
- When everything stored was lost, live environments are listed again within seconds without anybody's
  doing, and `Pull.epoch` and `Snapshot.epoch` change, which tells writers to write their rows and models
  again.

Not promised: that a row or model written once stays; who wrote it (bodies are signed by their writers).
Errors: `RedisUnavailable` where there is a service that can be away. Before `open` and after `close`
nothing works.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

from atoll.errors import EnvironmentNameTaken
from atoll.supervisor.models import EnvironmentCard

#: How long figures are kept after they were written.
FIGURES_SECONDS = 60
EventKind = Literal["status", "environment", "goodbye", "gap"]


def place(card: EnvironmentCard) -> str:
    """Where an environment is, for people and for comparing."""
    return card.url if card.url == card.proxy_url else f"{card.url} (proxy {card.proxy_url})"


def name_taken(mine: EnvironmentCard, other: str) -> EnvironmentNameTaken:
    """The error for two environments of one name, naming both places."""
    return EnvironmentNameTaken(
        f"The environment name {mine.name!r} is in use by a live environment at {other};"
        f" this one is at {place(mine)}. Give this one another ENVIRONMENT_NAME, or stop the other one first."
    )


class Vitals(Struct, frozen=True, kw_only=True):
    """How much an instance uses.

    Args:
        cpu: of its process since the last sign of life, as a share (0 to 1) of its machine's processors.
        memory: bytes its process has in memory. machine_memory: bytes its machine has.
    """

    cpu: float = 0.0
    memory: int = 0
    machine_memory: int = 0


class Sighting(Struct, frozen=True, kw_only=True):
    """One announced instance of an environment.

    Args:
        card: its signed card as given to `announce`.
        remaining: seconds its lease still lives; 0 or less is dead.
        lag: seconds its event loop was late at the last sign of life.
        problem: what it cannot cope with, in words for a person; "" for nothing.
        vitals: None when it does not say, as instances of older versions.
    """

    environment: str
    instance: str
    card: bytes
    remaining: float
    lag: float = 0.0
    problem: str = ""
    last_seen: datetime | None = None
    last_heartbeat: datetime | None = None
    renewals: int = 0
    vitals: Vitals | None = None

    @property
    def alive(self) -> bool:
        """True while the lease lives."""
        return self.remaining > 0


class Snapshot(Struct, frozen=True, kw_only=True):
    """All that is known now. `rows` has the signed status rows by (environment, instance, app)."""

    epoch: str
    sightings: tuple[Sighting, ...]
    rows: Mapping[tuple[str, str, str], bytes]


class Pull(Struct, frozen=True, kw_only=True):
    """The copies of the models for one environment. `models` is None when `version` is the one asked with.

    A model that is missing says nothing: only a model that says "removed" removes an app.
    """

    epoch: str
    version: str
    models: Mapping[str, bytes] | None


class Event(Struct, frozen=True, kw_only=True):
    """Something changed. A "status" event has the row in `body` (empty: dropped); "gap" asks for a
    snapshot.
    """

    kind: EventKind
    environment: str = ""
    instance: str = ""
    app: str = ""
    body: bytes = b""


class Announcement(ABC):
    """The presence of one instance, kept up in the background from `announce` to `withdraw`."""

    @abstractmethod
    async def withdraw(self) -> None:
        """Goodbye: the instance is gone at once, with its rows. Idempotent; does not fail when the service
        is away.
        """

    @abstractmethod
    async def write_status(self, app: str, row: bytes) -> None:
        """Replaces the instance's row for the app and tells the readers."""

    @abstractmethod
    async def drop_status(self, app: str) -> None:
        """Removes the instance's row for the app and tells the readers."""

    @abstractmethod
    async def write_traffic(self, report: bytes) -> None:
        """Replaces what the instance counted. Nobody is told: readers look now and then."""

    @abstractmethod
    def complain(self, problem: str) -> None:
        """Shows `problem` with the instance from now on; "" ends it."""


class Presence(ABC):
    """See the module's text. The first half is for environments, the second for Supervisors."""

    lease_seconds: float

    @abstractmethod
    async def open(self) -> None:
        """Connects. Idempotent."""

    @abstractmethod
    async def close(self) -> None:
        """Frees connections; announcements must have been withdrawn. Idempotent."""

    @abstractmethod
    async def announce(self, card: EnvironmentCard, signed: bytes) -> Announcement:
        """Makes the instance known and keeps it alive.

        Raises EnvironmentNameTaken when a live instance of that name has another address. Instances of the
        same address live together; those of a process that is known to be gone are replaced.
        """

    @abstractmethod
    async def pull(self, environment: str, known: str) -> Pull:
        """The models for the environment, left out when the version is still `known`."""

    @abstractmethod
    async def write_models(
        self,
        environment: str,
        changed: Mapping[str, bytes],
        remove: Collection[str],
        version: str,
        *,
        complete: bool = False,
    ) -> None:
        """Writes models by uid, removes others, and sets the version of the whole; all at once.

        With `complete`, `changed` is all there is, and everything else is removed.
        """

    @abstractmethod
    async def models_version(self, environment: str) -> str:
        """The version last written, "" when there is none (also after a loss of everything)."""

    @abstractmethod
    async def sightings(self) -> tuple[str, tuple[Sighting, ...]]:
        """The epoch and all instances: the part of a snapshot that is cheap enough for every second."""

    @abstractmethod
    async def snapshot(self) -> Snapshot:
        """All instances and rows."""

    @abstractmethod
    async def traffic(self, instances: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], bytes]:
        """What those instances (environment, instance) counted last, without those that wrote nothing."""

    @abstractmethod
    async def forget(self, environment: str, instance: str) -> None:
        """Removes a dead instance and its rows; a live one stays."""

    @abstractmethod
    def events(self) -> AsyncIterator[Event]:
        """Changes from now on, for as long as it is iterated. Never ends by itself; waits out failures."""
