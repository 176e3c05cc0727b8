"""Messages over Redis streams: one stream per channel, one blocking read per process for all of them.

Each message carries its number in its channel. A number that does not follow the last one tells of lost
messages; so does a channel's count that is below the last number (Redis lost its data). The stream keeps
the last `REMEMBERED` messages: after a broken connection reading goes on where it stopped.
"""

from __future__ import annotations

from typing_extensions import override

from atoll.cluster.pubsub.base import Handler, PubSub, Subscription
from atoll.cluster.pubsub.stream_reader import StreamReader
from atoll.cluster.redis import RedisConnection


class RedisPubSub(PubSub):
    """One node. The connection belongs to the giver, who closes it after this.

    Args:
        reader: shared with the node this one is scoped from.
    """

    def __init__(
        self, connection: RedisConnection, *, prefix: str = "", reader: StreamReader | None = None
    ) -> None:
        self._connection = connection
        super().__init__(prefix)
        self._owns_reader = reader is None
        self._reader = reader or StreamReader(connection)
        self._parent: RedisPubSub | None = None
        self._scopes: set[RedisPubSub] = set()

    @override
    async def send(self, channel: str, message: bytes, skip_self: bool) -> None:
        await self._reader.publish(self._prefix + channel, message, self._origin, skip_self)

    @override
    async def subscribe(self, channel: str, handler: Handler) -> Subscription:
        subscription = Subscription(self._prefix + channel, self._origin, handler, self._ended)
        self._own.append(subscription)
        try:
            await self._reader.add(subscription)
        except BaseException:
            await subscription.close()
            raise
        return subscription

    @override
    def scope(self, name: str) -> PubSub:
        scoped = RedisPubSub(self._connection, prefix=f"{self._prefix}{name}/", reader=self._reader)
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
        if self._owns_reader:
            await self._reader.close()

    def _ended(self, subscription: Subscription) -> None:
        self._reader.remove(subscription)
        if subscription in self._own:
            self._own.remove(subscription)
