"""Commands: instructions to one environment, and receipts that say what became of each.

Promised
- A command goes accepted -> delivered -> applied | failed, or accepted -> expired. A final state never
  changes.
- `send` is idempotent by request id, and so is carrying out: a command that comes twice (the service lost
  its data and the sender sent it again) is answered with the outcome of the first time, by the environment
  that kept it.
- A command is never both expired and carried out: `take` and `expire` are decided in one place, one of them
  wins.
- Each live instance of the environment gets each command, in the order sent, once per instance while the
  service keeps its data; after a loss possibly again. A command sent while no instance lives waits until
  its deadline.
- `now` is the service's clock; deadlines are measured with it by both sides.

Not promised: that a receipt is kept for longer than an hour, one with an answer for longer than
`ANSWER_SECONDS`, or that it survives a loss of everything: then
`receipt` is None, which means "not known", not "failed".
Errors: `RedisUnavailable`. Messages are opaque here; their authenticity is checked by the receiver.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from atoll.supervisor.models import Reason

ReceiptState: TypeAlias = Literal["accepted", "delivered", "applied", "failed", "expired"]
#: Who asks is waiting for the answer, so there is no use in keeping it.
ANSWER_SECONDS = 60.0
FINAL: frozenset[ReceiptState] = frozenset({"applied", "failed", "expired"})


class Receipt(Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of one command in one environment. `reply` is a sealed answer, for commands that ask."""

    request_id: str
    environment: str
    state: ReceiptState
    at: datetime
    instance: str = ""
    reason: Reason | None = None
    reply: bytes = b""

    @property
    def final(self) -> bool:
        """True when it will not change any more."""
        return self.state in FINAL


class Delivery(Struct, frozen=True, kw_only=True):
    """A command as it arrives."""

    request_id: str
    message: bytes
    deadline: float


class Commands(ABC):
    """See the module's text. The first half is for Supervisors, the second for environments."""

    @abstractmethod
    async def open(self) -> None:
        """Connects and learns the service's clock. Idempotent."""

    @abstractmethod
    async def close(self) -> None:
        """Frees connections. Idempotent."""

    @abstractmethod
    def now(self) -> float:
        """Seconds since 1970 by the service's clock."""

    @abstractmethod
    async def send(self, environment: str, delivery: Delivery) -> Receipt:
        """Accepts a command. Sent again under the same id it changes nothing; gives the receipt as it is
        now.
        """

    @abstractmethod
    async def receipt(self, environment: str, request_id: str) -> Receipt | None:
        """The receipt as it is now, None when nothing is known."""

    @abstractmethod
    async def expire(self, environment: str, request_id: str) -> Receipt | None:
        """Makes an accepted command expired, unless it was taken up; gives what it is after that."""

    @abstractmethod
    async def wait(self, environment: str, request_id: str, seconds: float) -> Receipt | None:
        """The receipt once it is final, or as it is after that many seconds."""

    @abstractmethod
    def deliveries(self, environment: str) -> AsyncIterator[Delivery]:
        """Commands for the environment, oldest kept one first. Never ends by itself; waits out failures."""

    @abstractmethod
    async def take(self, environment: str, delivery: Delivery, instance: str) -> Receipt:
        """Says that the instance takes up the command.

        Carry it out only if the answer's state is "delivered"; one past its deadline becomes expired.
        """

    @abstractmethod
    async def settle(self, receipt: Receipt) -> Receipt:
        """Writes the outcome; the first one stays. Gives what is kept."""
