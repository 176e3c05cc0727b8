"""Commands in Redis: one stream per environment, one stream of receipts, and the receipts themselves.

Keys below the namespace: `command:to:<environment>` (stream of an hour), `command:receipt:<environment>:<id>`
(kept as long, with an answer for a minute), `command:receipts` (stream, capped: says which receipt changed).
What must not happen twice is decided by scripts: `take` and `expire` compete for an accepted command, and a
final receipt stays as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from atoll.cluster.redis import RedisConnection
from atoll.errors import RedisUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.supervisor.command.base import ANSWER_SECONDS, Commands, Delivery, Receipt, ReceiptState

log = logging.getLogger(__name__)

_BLOCK_MS = 2000
_KEPT_MS = 3_600_000
_PAUSE = 0.2
_CLOCK_SECONDS = 60.0
#: Commands this many seconds past their deadline are not even looked at: the sender has expired them.
_LONG_OVER = 300.0

# KEYS: receipt, stream of the environment, stream of receipts. ARGV: receipt, id, message, deadline, ms to
# keep.
# Gives the receipt that is kept, nothing when it is the one given.
SEND = """
local known = redis.call('GET', KEYS[1])
if known then
  return known
end
local oldest = redis.call('TIME')[1] * 1000 - ARGV[5]
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[5])
redis.call('XADD', KEYS[2], 'MINID', '~', oldest, '*', 'id', ARGV[2], 'm', ARGV[3], 'd', ARGV[4])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', 'k', KEYS[1])
"""

# Replaces the receipt if the state kept is one of those allowed ('' for none at all).
# KEYS: receipt, stream of receipts. ARGV: receipt, ms to keep, allowed states (comma list with commas
# around),
# where the state stands in the kept JSON is found by its key.
# Gives the receipt that is kept, nothing when it is the one given.
ADVANCE = """
local known = redis.call('GET', KEYS[1])
local state = known and cjson.decode(known).state or ''
if not string.find(ARGV[3], ',' .. state .. ',', 1, true) then
  return known
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'k', KEYS[1])
"""


class RedisCommands(Commands):
    """See the module's text."""

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection
        self._send = connection.client.register_script(SEND)
        self._advance = connection.client.register_script(ADVANCE)
        self._tasks = BackgroundTasks("commands")
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._offset = 0.0
        self._measured = float("-inf")
        self._reading = False

    async def open(self) -> None:
        """See the base class; a clock that cannot be read now is read with the first command."""
        try:
            await self._read_clock()
        except RedisUnavailable as error:
            log.warning("Redis cannot be reached now", extra={"reason": error.detail})

    async def close(self) -> None:
        """Ends reading; the connection is closed by its giver."""
        await self._tasks.cancel_all()
        self._reading = False

    def now(self) -> float:
        """See the base class."""
        return time.time() + self._offset

    async def send(self, environment: str, delivery: Delivery) -> Receipt:
        """See the base class."""
        await self._read_clock()
        receipt = _receipt(environment, delivery.request_id, "accepted")
        keys = [self._key(environment, delivery.request_id), self._stream(environment), self._receipts]
        args = [
            msgspec.json.encode(receipt),
            delivery.request_id,
            delivery.message,
            repr(delivery.deadline),
            _KEPT_MS,
        ]
        with self._connection.errors():
            return _read(await self._send(keys=keys, args=args)) or receipt

    async def receipt(self, environment: str, request_id: str) -> Receipt | None:
        """See the base class."""
        with self._connection.errors():
            return _read(await self._connection.client.get(self._key(environment, request_id)))

    async def expire(self, environment: str, request_id: str) -> Receipt | None:
        """See the base class."""
        known = await self.receipt(environment, request_id)
        if known is None or known.state != "accepted":
            return known
        return await self._put(replace(known, state="expired", at=datetime.now(UTC)), ("accepted",))

    async def wait(self, environment: str, request_id: str, seconds: float) -> Receipt | None:
        """See the base class."""
        key = self._key(environment, request_id)
        self._start_reading()
        until = time.monotonic() + seconds
        changed = asyncio.Event()
        self._waiting[key].add(changed)
        try:
            while True:
                changed.clear()
                receipt = await self.receipt(environment, request_id)
                left = until - time.monotonic()
                if receipt is None or receipt.final or left <= 0:
                    return receipt
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(left, _BLOCK_MS / 1000)):
                        _ = await changed.wait()
        finally:
            self._waiting[key].discard(changed)
            if not self._waiting[key]:
                del self._waiting[key]

    async def deliveries(self, environment: str) -> AsyncIterator[Delivery]:
        """See the base class. After a restart of the reader old commands come again; `take` tells them
        apart.
        """
        stream = self._stream(environment)
        last = "0-0"
        while True:
            try:
                await self._read_clock()
                with self._connection.errors():
                    answer = await self._connection.client.xread({stream: last}, count=100, block=_BLOCK_MS)
                if not answer and last != "0-0" and await self._lost(stream, last):
                    last = "0-0"
            except RedisUnavailable as error:
                log.warning("commands cannot be read now", extra={"reason": error.detail})
                await asyncio.sleep(_PAUSE)
                continue
            for entry, fields in answer[0][1] if answer else ():
                last = entry.decode()
                delivery = _delivery(fields)
                if delivery is None:
                    log.error("a command was refused", extra={"reason": "An entry is no command."})
                elif not delivery.deadline or delivery.deadline >= self.now() - _LONG_OVER:
                    yield delivery

    async def take(self, environment: str, delivery: Delivery, instance: str) -> Receipt:
        """See the base class."""
        late = bool(delivery.deadline) and self.now() > delivery.deadline
        state: ReceiptState = "expired" if late else "delivered"
        return await self._put(
            _receipt(environment, delivery.request_id, state, instance), ("", "accepted", "delivered")
        )

    async def settle(self, receipt: Receipt) -> Receipt:
        """See the base class."""
        return await self._put(receipt, ("", "accepted", "delivered"))

    async def _put(self, receipt: Receipt, allowed: tuple[ReceiptState | str, ...]) -> Receipt:
        keys = [self._key(receipt.environment, receipt.request_id), self._receipts]
        kept = int(ANSWER_SECONDS * 1000) if receipt.reply else _KEPT_MS
        args = [msgspec.json.encode(receipt), kept, "," + ",".join(allowed) + ","]
        with self._connection.errors():
            return _read(await self._advance(keys=keys, args=args)) or receipt

    # -- hearing of receipts

    def _start_reading(self) -> None:
        if not self._reading:
            self._reading = True
            _ = self._tasks.keep_running("receipts", self._hear)

    async def _hear(self) -> None:
        """Wakes those who wait for a receipt that changed; they also look by themselves now and then."""
        while True:
            try:
                await self._wake_waiting()
            except RedisUnavailable as error:
                log.warning("receipts cannot be heard now", extra={"reason": error.detail})
                await asyncio.sleep(_PAUSE)

    async def _wake_waiting(self) -> None:
        with self._connection.errors():
            newest = await self._connection.client.xrevrange(self._receipts, count=1)
        last = newest[0][0].decode() if newest else "0-0"
        for events in tuple(self._waiting.values()):
            _wake(events)
        while True:
            with self._connection.errors():
                answer = await self._connection.client.xread(
                    {self._receipts: last}, count=500, block=_BLOCK_MS
                )
            for entry, fields in answer[0][1] if answer else ():
                last = entry.decode()
                _wake(self._waiting.get(fields.get(b"k", b"").decode(errors="replace"), set()))

    # -- details

    @property
    def _receipts(self) -> str:
        return self._connection.key("command", "receipts")

    def _stream(self, environment: str) -> str:
        return self._connection.key("command", "to", environment)

    def _key(self, environment: str, request_id: str) -> str:
        return self._connection.key("command", "receipt", environment, request_id)

    async def _lost(self, stream: str, last: str) -> bool:
        """Whether another stream has begun under the name, or none is there."""
        with self._connection.errors():
            newest = await self._connection.client.xrevrange(stream, count=1)
        return not newest or _number(newest[0][0].decode()) < _number(last)

    async def _read_clock(self) -> None:
        """Measures how far this clock is from Redis's, once a minute."""
        if time.monotonic() - self._measured < _CLOCK_SECONDS:
            return
        before = time.time()
        with self._connection.errors():
            seconds, micros = await self._connection.client.time()
        self._offset = seconds + micros / 1e6 - (before + time.time()) / 2
        self._measured = time.monotonic()


def _receipt(environment: str, request_id: str, state: ReceiptState, instance: str = "") -> Receipt:
    return Receipt(
        request_id=request_id, environment=environment, state=state, at=datetime.now(UTC), instance=instance
    )


def _delivery(fields: dict[bytes, bytes]) -> Delivery | None:
    """A command as it was put into the stream; None for what anybody else put there."""
    try:
        return Delivery(request_id=fields[b"id"].decode(), message=fields[b"m"], deadline=float(fields[b"d"]))
    except (KeyError, ValueError):
        return None


def _read(kept: Any) -> Receipt | None:
    return msgspec.json.decode(kept, type=Receipt) if kept else None


def _wake(events: Iterable[asyncio.Event]) -> None:
    for event in events:
        event.set()


def _number(entry: str) -> tuple[int, int]:
    """The id of a stream entry, comparable."""
    at, _, count = entry.partition("-")
    return int(at), int(count)
