"""A queue within one process."""

from __future__ import annotations

import heapq
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
from typing_extensions import override

from atoll.cluster.queue.attempt import Verdict
from atoll.cluster.queue.base import KEY_SECONDS, DeadItem, Item, QueueStatus
from atoll.cluster.queue.pull import Batch, Held, PullQueue, Store
from atoll.errors import StorageUnusable


@dataclass
class _Channel:
    waiting: list[tuple[int, int, float, Item]] = field(default_factory=list)  # priority, number, since
    delayed: list[tuple[float, int, Item]] = field(default_factory=list)  # due, number
    held: dict[str, Held] = field(default_factory=dict)
    dead: dict[str, DeadItem] = field(default_factory=dict)
    keys: dict[str, tuple[str, float]] = field(default_factory=dict)  # id of the first, until
    ids: set[str] = field(default_factory=set)  # of all that is in one of the above
    consumers: set[str] = field(default_factory=set)
    listeners: set[Callable[[], None]] = field(default_factory=set)


class _Kept(msgspec.Struct):
    """The file between two runs. Delays are seconds left, counted from when it was written."""

    waiting: list[Item]
    delayed: list[tuple[float, Item]]
    dead: list[DeadItem]


class MemoryStore(Store):
    """Items of one process. Leases do not end: who holds an item lives as long as the store does.

    Args:
        file: keeps what is left when the store is closed, for the next run; deleted when it has been read.
    """

    lease = 30.0

    def __init__(self, file: Path | None = None) -> None:
        self._channels: dict[str, _Channel] = {}
        self._number = 0
        self._file = file
        if file is not None and file.exists():
            self._load(file)

    @override
    async def add(self, item: Item, delay: float) -> str:
        channel = self._channel(item.channel)
        if item.key is not None:
            now = time.monotonic()
            known = channel.keys.get(item.key)
            if known is not None and known[1] > now:
                return known[0]
            for key in [key for key, (_, until) in channel.keys.items() if until <= now]:
                del channel.keys[key]
            channel.keys[item.key] = (item.id, now + KEY_SECONDS)
            if item.id in channel.ids:
                return item.id
        channel.ids.add(item.id)
        self._put(channel, item, delay)
        return item.id

    @override
    async def exchange(self, channel: str, verdicts: Sequence[tuple[Held, Verdict]], want: int) -> Batch:
        kept = self._channel(channel)
        gone = [held for held, verdict in verdicts if not self._apply(kept, held, verdict)]
        now = time.monotonic()
        while kept.delayed and kept.delayed[0][0] <= now:
            self._put(kept, heapq.heappop(kept.delayed)[2], 0.0)
        items: list[Held] = []
        while kept.waiting and len(items) < want:
            held = Held(heapq.heappop(kept.waiting)[3], secrets.token_hex(4))
            kept.held[held.item.id] = held
            items.append(held)
        return Batch(items, gone, kept.delayed[0][0] - now if kept.delayed else None)

    @override
    async def renew(self, held: Sequence[Held], consumers: Sequence[tuple[str, str]]) -> list[Held]:
        for channel, consumer in consumers:
            self._channel(channel).consumers.add(consumer)
        return []

    @override
    async def leave(self, channel: str, consumer: str) -> None:
        self._channel(channel).consumers.discard(consumer)

    @override
    def listen(self, channel: str, wake: Callable[[], None]) -> None:
        kept = self._channel(channel)
        if kept.waiting:  # added since the exchange
            wake()
        else:
            kept.listeners.add(wake)

    @override
    def ignore(self, channel: str, wake: Callable[[], None]) -> None:
        self._channel(channel).listeners.discard(wake)

    @override
    async def status(self, channel: str) -> QueueStatus:
        kept = self._channel(channel)
        now = time.monotonic()
        since = [entry[2] for entry in kept.waiting] + [due for due, _, _ in kept.delayed if due <= now]
        return QueueStatus(
            depth=len(since),
            in_flight=len(kept.held),
            oldest=now - min(since) if since else None,
            consumers=len(kept.consumers),
            dead=len(kept.dead),
            delayed=sum(due > now for due, _, _ in kept.delayed),
        )

    @override
    async def dead(self, channel: str, limit: int) -> list[DeadItem]:
        return list(self._channel(channel).dead.values())[:limit]

    @override
    async def unbury(self, channel: str, ids: Sequence[str] | None, *, redrive: bool) -> int:
        kept = self._channel(channel)
        chosen = [
            each for each in (tuple(kept.dead) if ids is None else dict.fromkeys(ids)) if each in kept.dead
        ]
        for each in chosen:
            item = kept.dead.pop(each).item
            if redrive:
                self._put(kept, replace(item, retried=0, lost=0), 0.0)
            else:
                kept.ids.discard(item.id)
        return len(chosen)

    @override
    async def missing(self, channel: str, ids: Sequence[str]) -> Sequence[str]:
        kept = self._channel(channel)
        return [id_ for id_ in ids if id_ not in kept.ids]

    @override
    async def close(self) -> None:
        if self._file is not None:
            self._save(self._file)

    def _apply(self, channel: _Channel, held: Held, verdict: Verdict) -> bool:
        item = held.item
        if channel.held.get(item.id) is not held:
            return False
        del channel.held[item.id]
        if verdict.kind == "dead":
            channel.dead[item.id] = DeadItem(item, verdict.reason, time.time())
        elif verdict.kind == "done":
            channel.ids.discard(item.id)
        else:
            again = replace(item, retried=item.retried + 1) if verdict.kind == "retry" else item
            self._put(channel, again, verdict.delay)
        return True

    def _put(self, channel: _Channel, item: Item, delay: float) -> None:
        self._number += 1
        now = time.monotonic()
        if delay > 0:
            heapq.heappush(channel.delayed, (now + delay, self._number, item))
        else:
            heapq.heappush(channel.waiting, (-item.priority, self._number, now, item))
        listeners, channel.listeners = channel.listeners, set()
        for wake in listeners:
            wake()

    def _channel(self, name: str) -> _Channel:
        return self._channels.setdefault(name, _Channel())

    def _load(self, file: Path) -> None:
        try:
            kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError) as error:
            raise StorageUnusable(
                f"The items that the queue kept in {file} cannot be read. Mend the file, or move it away to "
                "go on without them.",
                detail=str(error),
            ) from error
        for item in kept.waiting:
            self._put(self._channel(item.channel), item, 0.0)
        for delay, item in kept.delayed:
            self._put(self._channel(item.channel), item, delay)
        for each in kept.dead:
            self._channel(each.item.channel).dead[each.item.id] = each
        for item in (*kept.waiting, *(item for _, item in kept.delayed), *(each.item for each in kept.dead)):
            self._channel(item.channel).ids.add(item.id)
        file.unlink()

    def _save(self, file: Path) -> None:
        now = time.monotonic()
        channels = self._channels.values()
        kept = _Kept(
            waiting=[entry[3] for channel in channels for entry in sorted(channel.waiting)],
            delayed=[(max(0.0, due - now), item) for channel in channels for due, _, item in channel.delayed],
            dead=[each for channel in channels for each in channel.dead.values()],
        )
        if kept.waiting or kept.delayed or kept.dead:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_bytes(msgspec.json.encode(kept))


class MemoryQueue(PullQueue):
    """One node.

    Args:
        store: shared with the other nodes of this process, and closed by the giver; None: one of its own.
        file: where a store of its own keeps its items between two runs.
    """

    def __init__(self, store: MemoryStore | None = None, *, file: Path | None = None) -> None:
        super().__init__(store or MemoryStore(file), owns_store=store is None)
