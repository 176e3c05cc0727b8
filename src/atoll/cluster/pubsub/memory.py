"""Messages within one process."""

from __future__ import annotations

from typing_extensions import override

from atoll.cluster.pubsub.base import Handler, PubSub, Subscription


class MemoryBus:
    """Who listens, of all nodes that share it."""

    def __init__(self) -> None:
        self.subscriptions: dict[str, list[Subscription]] = {}

    def add(self, subscription: Subscription) -> None:
        """Delivers to it from now on."""
        self.subscriptions.setdefault(subscription.channel, []).append(subscription)

    def remove(self, subscription: Subscription) -> None:
        """Delivers to it no more."""
        listening = self.subscriptions.get(subscription.channel, [])
        if subscription in listening:
            listening.remove(subscription)
        if not listening:
            self.subscriptions.pop(subscription.channel, None)


class MemoryPubSub(PubSub):
    """One node.

    Args:
        bus: shared with the other nodes of this process; None: a bus of its own.
    """

    def __init__(self, bus: MemoryBus | None = None, *, prefix: str = "") -> None:
        self._bus = bus or MemoryBus()
        super().__init__(prefix)
        self._parent: MemoryPubSub | None = None
        self._scopes: set[MemoryPubSub] = set()

    @override
    async def send(self, channel: str, message: bytes, skip_self: bool) -> None:
        for subscription in tuple(self._bus.subscriptions.get(self._prefix + channel, ())):
            subscription.offer(message, self._origin, skip_self)

    @override
    async def subscribe(self, channel: str, handler: Handler) -> Subscription:
        subscription = Subscription(self._prefix + channel, self._origin, handler, self._ended)
        self._own.append(subscription)
        self._bus.add(subscription)
        return subscription

    @override
    def scope(self, name: str) -> PubSub:
        scoped = MemoryPubSub(self._bus, prefix=f"{self._prefix}{name}/")
        scoped._parent = self
        self._scopes.add(scoped)
        return scoped

    @override
    async def close(self) -> None:
        await self._send_held()
        if self._parent is not None:
            self._parent._scopes.discard(self)  # noqa: SLF001 - of its own kind
        for scoped in tuple(self._scopes):
            await scoped.close()
        for subscription in tuple(self._own):
            await subscription.close()

    def _ended(self, subscription: Subscription) -> None:
        self._bus.remove(subscription)
        if subscription in self._own:
            self._own.remove(subscription)
