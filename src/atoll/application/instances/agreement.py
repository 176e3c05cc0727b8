"""What all instances of one app know alike: collections, users, roles, settings, and topics of plugins.

Promised
    Whoever was answered that a change is done finds it on every instance. A change counts up the number of
    its topic in its own transaction, is told to the other instances, and `change` ends only when each of them
    has said that it knows it, or must look before it serves again: an instance answers from memory for
    `LEASE_SECONDS` after it last compared the numbers with the database, and for no longer. So an instance
    that was stopped, cut off or forgotten, and a Redis that is away or lost everything, delay a change by at
    most that time and never lead to an old answer.
Not promised
    That nobody sees a change before everybody does. Answers without the database: an instance that cannot
    compare itself with it does not know whether its memory is old, and says so (`InstanceNotCurrent`).
Cost
    A request compares two numbers. Under traffic an instance asks the database twice a second, beside the
    requests; only the first request after a pause waits for that one query. It waits for no connection that
    others use. Redis is never asked.

An instance that does not answer in time is fenced in its row, and forgotten at the next change: it gets no
new lease without having become a member again (membership.py).
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from atoll.application.instances.membership import Membership, Peer
from atoll.database.drivers.base import Connection, Database
from atoll.errors import AtollError, DatabaseUnavailable, InstanceNotCurrent, SchemaTooNew
from atoll.lifecycle import BackgroundTasks

log = logging.getLogger(__name__)

LEASE_SECONDS = 1.0
_PATIENCE_SECONDS = 30.0
"""How long a request waits when there is much to catch up with, or the database is slow."""
_MOST_ACKNOWLEDGED = 1000
NEVER = float("-inf")


class Topic(ABC):
    """Something that instances keep in memory and must know alike."""

    name: str

    @abstractmethod
    async def reload(self) -> None:
        """Anything may have changed: what is kept is read anew, or forgotten."""

    @abstractmethod
    async def apply(self, about: Mapping[str, Any]) -> None:
        """One change, made by this or another instance, and committed. `about` is what `Change.tell` got."""


class Change:
    """A change that is being made.

    Attributes:
        connection: the transaction; everything the change writes goes through it.
        number: the topic's new number.
    """

    def __init__(self, connection: Connection, number: int) -> None:
        self.connection = connection
        self.number = number
        self.about: dict[str, Any] = {}

    def tell(self, **about: Any) -> None:
        """What the topic's `apply` gets, on each instance. JSON can say it.

        With `everything=True` each of them reads the topic anew instead.
        """
        self.about.update(about)


class Agreement:
    """One instance's part.

    Args:
        publish: sends a message to the other instances; may lose it.
        admit: raises when this instance must not serve (any more); asked whenever it becomes a member.
        tasks: ended by the giver.
    """

    def __init__(
        self,
        database: Database,
        membership: Membership,
        publish: Callable[[Mapping[str, Any]], Coroutine[Any, Any, None]],
        admit: Callable[[], Awaitable[None]],
        tasks: BackgroundTasks,
    ) -> None:
        self._database, self._membership = database, membership
        self._publish, self._admit, self._tasks = publish, admit, tasks
        self._topics: dict[str, Topic] = {}
        self._known: dict[str, int] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._until = NEVER
        self._renew_at = NEVER
        self._looking: asyncio.Task[AtollError | None] | None = None
        self._away = False
        self._acknowledged: dict[tuple[str, str], int] = {}
        self._heard = asyncio.Event()

    def add(self, topic: Topic) -> None:
        """Keeps one more topic, before `join`."""
        self._topics[topic.name] = topic
        self._known[topic.name] = 0
        self._turns[topic.name] = asyncio.Lock()

    async def keep(self, topic: Topic) -> None:
        """Keeps one more topic, after `join`."""
        await self._membership.begin([topic.name])
        self.add(topic)
        await self._catch_up(topic)

    # -- life

    async def join(self) -> None:
        """Becomes a member and loads everything; this instance may serve afterwards."""
        await self._membership.begin(self._topics)
        await self._membership.register()
        await self._admit()
        await self._look()

    async def leave(self) -> None:
        """Nobody waits for this instance any more. A database that is away does not keep it from ending."""
        self._until = self._renew_at = NEVER
        self._known = dict.fromkeys(self._topics, 0)
        try:
            await self._membership.withdraw()
        except DatabaseUnavailable as error:
            log.warning("an instance could not say goodbye", extra={"reason": error.message})

    # -- before serving

    @property
    def due(self) -> bool:
        """Whether `renew` must be called before a request is served."""
        return time.monotonic() >= self._renew_at

    async def renew(self) -> None:
        """Sees to it that this instance is up to date; waits only when that has not been so for a second.

        Raises:
            InstanceNotCurrent: the database does not answer.
            SchemaTooNew: this instance serves no more.
        """
        if time.monotonic() < self._until:
            _ = self._begin_look()
            return
        deadline = time.monotonic() + _PATIENCE_SECONDS
        if self._looking is not None:
            await asyncio.wait({self._looking}, timeout=_PATIENCE_SECONDS)
            if time.monotonic() < self._until:
                return
        # One that begins now, or began while waiting, is newer than the request in any case.
        looking = self._begin_look()
        await asyncio.wait({looking}, timeout=deadline - time.monotonic())
        _judge(looking)

    def _begin_look(self) -> asyncio.Task[AtollError | None]:
        if self._looking is None:
            self._looking = self._tasks.spawn("compare", self._look_quietly())
            self._looking.add_done_callback(self._looked)
        return self._looking

    def _looked(self, _: asyncio.Task[AtollError | None]) -> None:
        self._looking = None

    async def _look_quietly(self) -> AtollError | None:
        """What kept this instance from comparing itself; None: nothing."""
        try:
            await self._look()
        except SchemaTooNew as error:
            log.error("this instance serves no more", extra={"reason": error.message})
            return error
        except DatabaseUnavailable as error:
            if not self._away:
                log.warning(
                    "the database cannot be compared with; requests are refused",
                    extra={"reason": error.message},
                )
            self._away = True
            return error
        self._away = False
        return None

    async def _look(self) -> None:
        """Compares all numbers with the database, and catches up."""
        member = False
        while not member:
            began = time.monotonic()
            numbers, member = await self._membership.look()
            for name, topic in self._topics.items():
                if numbers.get(name) != self._known[name]:
                    await self._catch_up(topic)
            if member:
                self._until = began + LEASE_SECONDS
                self._renew_at = began + LEASE_SECONDS / 2
            else:
                log.warning("this instance was given up by the others and joins again")
                await self._membership.register()
                await self._admit()

    async def _catch_up(self, topic: Topic) -> None:
        """Reads a topic anew. Its number is read before, so that what is read is at least as new."""
        async with self._turns[topic.name]:
            before = self._known[topic.name]
            numbers, _ = await self._membership.look()
            if numbers.get(topic.name) == before:
                return
            await topic.reload()
            self._known[topic.name] = numbers.get(topic.name, 0)
        if before:
            await self._acknowledge(topic.name, self._known[topic.name])

    async def forget(self) -> None:
        """Messages were lost: everything is compared now."""
        self._until = self._renew_at = NEVER
        await asyncio.wait({self._begin_look()})

    # -- changing

    @asynccontextmanager
    async def change(self, topic: str) -> AsyncIterator[Change]:
        """One change of a topic: a transaction. When the block has ended, every instance knows."""
        async with self._database.transaction() as tx:
            change = Change(tx, await self._membership.count_up(topic, tx))
            yield change
        # Finished also when the caller goes away: it is committed.
        await asyncio.shield(self._tasks.spawn("agree", self._agree(topic, change)))

    async def reload_everywhere(self) -> None:
        """Every instance has read all topics anew when this returns."""
        for topic in self._topics:
            async with self.change(topic) as change:
                change.tell(everything=True)

    async def _agree(self, topic: str, change: Change) -> None:
        committed = time.monotonic()
        await self._take(self._topics[topic], change.number, change.about)
        message = {"kind": "changed", "topic": topic, "number": change.number, "about": change.about}
        _ = self._tasks.spawn("tell", self._publish(message))
        try:
            others = await self._membership.others()
        except DatabaseUnavailable as error:
            log.warning("who else serves is not known now", extra={"reason": error.message})
            await asyncio.sleep(committed + LEASE_SECONDS - time.monotonic())
            return
        late = await self._wait(topic, change.number, others, committed + LEASE_SECONDS)
        if late:
            await self._give_up(late)

    async def _wait(self, topic: str, number: int, others: Collection[Peer], deadline: float) -> list[Peer]:
        """Those that have not said by the deadline that they know."""
        while late := [each for each in others if self._acknowledged.get((topic, each.id), 0) < number]:
            self._heard.clear()
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self._heard.wait()
            except TimeoutError:
                return late
        return late

    async def _give_up(self, late: Collection[Peer]) -> None:
        """Fences those that were well, and forgets those that were fenced before and have no lease by now."""
        log.warning("instances did not answer in time", extra={"instances": [each.id for each in late]})
        try:
            await self._membership.fence([each.id for each in late if not each.fenced])
            await self._membership.remove([each.id for each in late if each.fenced], fenced=True)
        except DatabaseUnavailable as error:
            log.warning("they are given up later", extra={"reason": error.message})

    # -- what others tell

    async def hear(self, told: Mapping[str, Any]) -> None:
        """A message that another instance's `publish` got."""
        topic, number = str(told["topic"]), int(told["number"])
        if told["kind"] == "known":
            key = topic, str(told["from"])
            if len(self._acknowledged) >= _MOST_ACKNOWLEDGED:
                self._acknowledged.clear()
            self._acknowledged[key] = max(number, self._acknowledged.get(key, 0))
            self._heard.set()
            return
        if topic in self._topics:
            await self._take(self._topics[topic], number, told["about"])
        await self._acknowledge(topic, number)

    async def _take(self, topic: Topic, number: int, about: Mapping[str, Any]) -> None:
        """Applies one change, or reads everything when the one before it is not known here yet."""
        async with self._turns[topic.name]:
            known = self._known[topic.name]
            if number <= known:
                return
            if number == known + 1 and not about.get("everything"):
                await topic.apply(about)
            else:
                await topic.reload()
            self._known[topic.name] = number

    async def _acknowledge(self, topic: str, number: int) -> None:
        await self._publish({"kind": "known", "topic": topic, "number": number})


def _judge(look: asyncio.Task[AtollError | None]) -> None:
    """Raises unless a look was successful. One that was cancelled belongs to an app that has stopped."""
    if look.cancelled():
        return
    if not look.done():
        raise _not_current("there was no answer in time")
    if look.exception() is not None:  # logged where it ended
        raise _not_current("something is wrong with what is read there; the log says what")
    problem = look.result()
    if isinstance(problem, SchemaTooNew):
        raise problem
    if problem is not None:
        raise _not_current(problem.message)


def _not_current(reason: str) -> InstanceNotCurrent:
    return InstanceNotCurrent(
        "This server cannot ask its database what has changed, and an answer might be old. Try again.",
        detail=reason,
    )
