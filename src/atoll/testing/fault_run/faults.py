"""Faults in an order that a seed decides, one at a time, and the log of what happened."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import anyio

EVERYBODY = "everybody"


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    Attributes:
        name: what the table calls it.
        inject: takes the seeded source of chance; the fault lasts for the block, which is then left at once.
            It gives whom it hurts: the name of an instance, `EVERYBODY`, or "" for nobody, when requests
            are to be answered all the same.
        seconds: shortest and longest time between injection and repair.
    """

    name: str
    inject: Callable[[random.Random], AbstractAsyncContextManager[str]]
    seconds: tuple[float, float]


@dataclass
class Happened:
    """One fault that was injected. Times are seconds since 1970.

    Attributes:
        began: before it was injected.
        repaired: when its cause was gone.
        recovered: when all instances and the queue did their work again; None: not in time.
    """

    name: str
    hurts: str
    began: float
    repaired: float = float("inf")
    recovered: float | None = None

    def hurt(self, who: str, since: float, until: float) -> bool:
        """Whether it hurt that instance at any moment of a time."""
        return self.hurts in (who, EVERYBODY) and self.began <= until and since <= self._over

    @property
    def _over(self) -> float:
        return self.recovered if self.recovered is not None else float("inf")


@dataclass
class FaultLog:
    """Everything that was injected so far."""

    happened: list[Happened] = field(default_factory=list)

    def excuses(self, who: str, since: float, until: float) -> bool:
        """Whether an instance cannot be blamed for what it failed to do in a time."""
        return any(each.hurt(who, since, until) for each in self.happened)

    def near(self, since: float, until: float) -> Happened | None:
        """The first fault, whomever it hurt, that was not recovered from in a time."""
        for each in self.happened:
            if each.began <= until and since <= (each.recovered or float("inf")):
                return each
        return None


async def faults_until(
    deadline: float,
    faults: Sequence[Fault],
    log: FaultLog,
    chance: random.Random,
    *,
    recovered: Callable[[], Awaitable[None]],
    calm: tuple[float, float] = (1.0, 3.0),
) -> AsyncGenerator[Happened, None]:
    """Injects one fault after another until `time.time()` reaches `deadline`; yields each when it is over.

    The order is shuffled anew each round, so that each kind comes once per round.

    Args:
        recovered: returns when everything works again, and raises when it does not in time.
        calm: shortest and longest time before each.
    """
    while True:
        for fault in chance.sample(faults, len(faults)):
            pause, length = chance.uniform(*calm), chance.uniform(*fault.seconds)
            if time.time() + pause + length > deadline:
                return
            await anyio.sleep(pause)
            entry = Happened(fault.name, EVERYBODY, time.time())
            async with fault.inject(chance) as hurts:
                entry.hurts = hurts
                log.happened.append(entry)
                await anyio.sleep(length)
            entry.repaired = time.time()
            await recovered()
            entry.recovered = time.time()
            yield entry
