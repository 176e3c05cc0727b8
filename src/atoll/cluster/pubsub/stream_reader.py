"""Reads and writes the streams of the pub/sub adapter (redis.py says how they work)."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from atoll.cluster.pubsub.base import Gap, Subscription
from atoll.cluster.redis import RedisConnection
from atoll.errors import RedisUnavailable
from atoll.lifecycle import BackgroundTasks

log = logging.getLogger(__name__)
REMEMBERED = 1000  # messages per channel
KEPT_MS = 7 * 24 * 3600 * 1000  # a silent channel disappears
READ_BLOCK_MS = 2000
PUBLISH_SECONDS = 2.0
SHORTEST_PAUSE = 0.05
LONGEST_PAUSE = 1.0

# KEYS: stream, count. ARGV: length, ms to keep, origin, skip_self, kind, message, a random number.
# A stream begins with an id that no other stream of the channel began with: one that was emptied and written
# to within the millisecond of its last message must not look as if nothing had happened.
PUBLISH = """
local number = redis.call('INCR', KEYS[2])
local id = '*'
if redis.call('EXISTS', KEYS[1]) == 0 then
  local now = redis.call('TIME')
  id = string.format('%.0f-%s', now[1] * 1000 + math.floor(now[2] / 1000), ARGV[7])
end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], id,
  'n', number, 'o', ARGV[3], 's', ARGV[4], 'k', ARGV[5], 'm', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return number
"""
# KEYS: stream, count, stream, count, ... Gives the last id and the count of each.
POSITIONS = """
local result = {}
for i = 1, #KEYS, 2 do
  local last = redis.call('XREVRANGE', KEYS[i], '+', '-', 'COUNT', 1)
  result[#result + 1] = last[1] and last[1][1] or '0-0'
  result[#result + 1] = redis.call('GET', KEYS[i + 1]) or '0'
end
return result
"""


@dataclass
class Channel:
    """What is known of a channel that somebody here listens to.

    Attributes:
        last_id: read up to here; None: not known yet, because Redis was away.
        number: of the last message read.
        behind: the count was ahead of the number at the last idle check already.
    """

    name: str
    subscriptions: list[Subscription] = field(default_factory=list)
    last_id: bytes | None = None
    number: int = 0
    behind: bool = False

    def gap(self) -> None:
        """Tells every subscriber."""
        for subscription in tuple(self.subscriptions):
            subscription.offer(Gap(), "", skip_self=False)


class StreamReader:
    """One per process and Redis."""

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection
        self._channels: dict[str, Channel] = {}
        self._owed: set[str] = set()
        self._tasks = BackgroundTasks("pubsub")
        self._wake = connection.key("pubsub", "wake", secrets.token_hex(8))
        self._wake_id = b"0-0"
        self._publish = connection.client.register_script(PUBLISH)
        self._positions = connection.client.register_script(POSITIONS)
        self._adding = asyncio.Lock()
        self._reading = False
        self._paying = False

    async def publish(self, channel: str, message: bytes, origin: str, skip_self: bool) -> None:
        """Sends it, or remembers that the channel is owed a `Gap`."""
        try:
            await self._send(channel, message, origin, "skip" if skip_self else "", "message")
        except RedisUnavailable as error:
            log.warning(
                "message not sent now, a gap follows", extra={"channel": channel, "reason": error.detail}
            )
            self._owed.add(channel)
            if not self._paying:
                self._paying = True
                _ = self._tasks.spawn("owed", self._pay())

    async def add(self, subscription: Subscription) -> None:
        """Delivers what comes from now on."""
        async with self._adding:
            channel = self._channels.get(subscription.channel)
            if channel is None:
                channel = Channel(subscription.channel)
                try:
                    async with asyncio.timeout(PUBLISH_SECONDS):
                        await self._position([channel])
                        self._channels[channel.name] = channel
                        await self._interrupt()
                except (RedisUnavailable, TimeoutError) as error:
                    log.warning("subscribed while Redis is away", extra={"reason": str(error)})
                    self._channels[channel.name] = channel
            channel.subscriptions.append(subscription)
        if not self._reading:
            self._reading = True
            _ = self._tasks.spawn("reader", self._read_forever())

    def remove(self, subscription: Subscription) -> None:
        """Delivers to it no more."""
        channel = self._channels.get(subscription.channel)
        if channel is not None and subscription in channel.subscriptions:
            channel.subscriptions.remove(subscription)
            if not channel.subscriptions:
                del self._channels[subscription.channel]

    async def close(self) -> None:
        """Stops reading. Idempotent."""
        await self._tasks.cancel_all()

    async def _send(self, channel: str, message: bytes, origin: str, skip: str, kind: str) -> None:
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                with self._connection.errors():
                    args = [REMEMBERED, KEPT_MS, origin, skip, kind, message, secrets.randbelow(1 << 32)]
                    await self._publish(keys=self._keys(channel), args=args)
        except TimeoutError as error:
            raise RedisUnavailable("Redis does not answer.", detail="publish") from error

    async def _pay(self) -> None:
        """Tells the subscribers of the channels whose messages could not be sent."""
        pause = SHORTEST_PAUSE
        while self._owed:
            channel = next(iter(self._owed))
            try:
                await self._send(channel, b"", "", "", "gap")
                self._owed.discard(channel)
                pause = SHORTEST_PAUSE
            except RedisUnavailable:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        self._paying = False

    async def _read_forever(self) -> None:
        pause = SHORTEST_PAUSE
        while True:
            try:
                await self._read()
                pause = SHORTEST_PAUSE
            except RedisUnavailable as error:
                log.warning("messages cannot be read now", extra={"reason": error.detail})
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _read(self) -> None:
        lost = [channel for channel in self._channels.values() if channel.last_id is None]
        if lost:
            await self._position(lost)
            for channel in lost:
                channel.gap()
        by_key = {self._keys(name)[0].encode(): channel for name, channel in self._channels.items()}
        streams: dict[bytes, bytes] = {key: channel.last_id or b"0-0" for key, channel in by_key.items()}
        streams[self._wake.encode()] = self._wake_id
        started = time.monotonic()
        with self._connection.errors():
            answer = await self._connection.client.xread(streams, count=500, block=READ_BLOCK_MS)
        for key, messages in answer:
            if key == self._wake.encode():
                self._wake_id = messages[-1][0]
            elif key in by_key:
                _deliver(by_key[key], messages)
        if not answer or time.monotonic() - started > READ_BLOCK_MS / 1000:
            await self._check()

    async def _check(self) -> None:
        """Finds what numbers cannot tell: a Redis with other data and nothing new in the channel."""
        channels = [channel for channel in self._channels.values() if channel.last_id is not None]
        if not channels:
            return
        for channel, last_id, count in await self._ask(channels):
            channel.behind, behind_before = count > channel.number, channel.behind
            other = count == channel.number and last_id != channel.last_id
            if count < channel.number or other or (channel.behind and behind_before):
                channel.gap()
                channel.last_id, channel.number, channel.behind = last_id, count, False

    async def _position(self, channels: list[Channel]) -> None:
        for channel, last_id, count in await self._ask(channels):
            channel.last_id, channel.number = last_id, count

    async def _ask(self, channels: list[Channel]) -> list[tuple[Channel, bytes, int]]:
        with self._connection.errors():
            keys = [key for channel in channels for key in self._keys(channel.name)]
            flat: list[Any] = await self._positions(keys=keys)
        return [(channel, flat[2 * i], int(flat[2 * i + 1])) for i, channel in enumerate(channels)]

    async def _interrupt(self) -> None:
        """Lets the blocking read start again with the channels of now."""
        with self._connection.errors():
            pipe = self._connection.client.pipeline(transaction=False)
            pipe.xadd(self._wake, {"w": "1"}, maxlen=1)
            pipe.expire(self._wake, 60)
            await pipe.execute()

    def _keys(self, channel: str) -> list[str]:
        return [
            self._connection.key("pubsub", "stream", channel),
            self._connection.key("pubsub", "count", channel),
        ]


def _deliver(channel: Channel, messages: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
    for message_id, fields in messages:
        number = int(fields[b"n"])
        if number != channel.number + 1 or fields[b"k"] == b"gap":
            channel.gap()
        channel.last_id, channel.number, channel.behind = message_id, number, False
        if fields[b"k"] == b"message":
            for subscription in tuple(channel.subscriptions):
                subscription.offer(fields[b"m"], fields[b"o"].decode(), fields[b"s"] == b"skip")
