"""Bloom filters: "surely not among them" in little room.

Promised
    What was added exists. What was not added is said to exist with a probability of at most `error_rate`,
    as long as no more than `capacity` different items were added. The answers are of this kind on every
    adapter: in memory, in a Redis with its Bloom filter module (Redis 8, redis-stack), and in one without it
    (a bitmap of the same strength). A filter keeps the kind it was made with.

Not promised
    Which other items are mistaken. The error rate beyond the capacity. That a filter survives: a Redis may
    lose its data. That is never answered with "does not exist" but with `BloomFilterMissing`.

Errors
    `BloomFilterMissing`: it was not reserved, or is lost; reserve it and add everything again.
    `RedisUnavailable`. `ValueError` for a size that cannot be.
"""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from atoll.cluster.redis import RedisConnection
from atoll.errors import BloomFilterMissing

ANSWER_SECONDS = 2.0
MOST_BITS = (1 << 32) - 64  # what one string of Redis holds

# KEYS: description, data. ARGV: error rate, capacity, bits, hashes. The bit behind the last makes the data
# exist at once: whatever is lost afterwards is noticed.
RESERVE = """
if redis.call('EXISTS', KEYS[1], KEYS[2]) == 2 then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
local kind = 'module'
local made = redis.pcall('BF.RESERVE', KEYS[2], ARGV[1], ARGV[2])
if made.err then
  kind = 'bitmap'
  redis.call('SETBIT', KEYS[2], ARGV[3], 1)
end
redis.call('HSET', KEYS[1], 'kind', kind, 'bits', ARGV[3], 'hashes', ARGV[4])
return 1
"""
# KEYS: description, data. ARGV: add or exists, then item and its two hashes for each. Positions as in
# `Shape.positions`; all numbers stay below 2^53.
ASK = """
if redis.call('EXISTS', KEYS[1], KEYS[2]) < 2 then return false end
local about = redis.call('HMGET', KEYS[1], 'kind', 'bits', 'hashes')
local add = ARGV[1] == 'add'
local answers = {}
for at = 2, #ARGV, 3 do
  if about[1] == 'module' then
    answers[#answers + 1] = redis.call(add and 'BF.ADD' or 'BF.EXISTS', KEYS[2], ARGV[at])
  else
    local bits, first, second = tonumber(about[2]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    local all = 1
    for i = 0, tonumber(about[3]) - 1 do
      local position = string.format('%.0f', (first + i * second + (i * i * i - i) / 6) % bits)
      local before
      if add then before = redis.call('SETBIT', KEYS[2], position, 1)
      else before = redis.call('GETBIT', KEYS[2], position) end
      if before == 0 then all = 0 end
    end
    if add then answers[#answers + 1] = 1 - all else answers[#answers + 1] = all end
  end
end
return answers
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """How many bits, and how many of them stand for one item."""

    bits: int
    hashes: int

    @classmethod
    def of(cls, error_rate: float, capacity: int) -> Shape:
        """The smallest that keeps the rate at the capacity."""
        if not 0 < error_rate < 1 or capacity < 1:
            raise ValueError(f"no Bloom filter has error rate {error_rate} and capacity {capacity}")
        bits = math.ceil(-capacity * math.log(error_rate) / math.log(2) ** 2)
        if bits > MOST_BITS:
            raise ValueError(
                f"a Bloom filter for {capacity} items at {error_rate} is too large ({bits} bits)"
            )
        return cls(bits, max(1, round(bits / capacity * math.log(2))))

    def positions(self, item: str) -> list[int]:
        """Enhanced double hashing (Dillinger, Manolios)."""
        first, second = hashes(item)
        return [(first + i * second + (i**3 - i) // 6) % self.bits for i in range(self.hashes)]


def hashes(item: str) -> tuple[int, int]:
    """Two independent numbers of 32 bits."""
    digest = hashlib.blake2b(item.encode(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:], "big")


class BloomFilters(ABC):
    """Filters by key."""

    @abstractmethod
    async def reserve(self, key: str, error_rate: float = 0.001, capacity: int = 10_000) -> bool:
        """Makes an empty filter; False when there is one, which stays as it is."""

    @abstractmethod
    async def madd(self, key: str, items: Iterable[str]) -> list[bool]:
        """Adds items; for each, whether it surely was not in before."""

    @abstractmethod
    async def mexists(self, key: str, items: Iterable[str]) -> list[bool]:
        """For each, whether it may be in. False is certain."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Takes the filter away, if there is one."""

    async def add(self, key: str, item: str) -> bool:
        """Adds one item; whether it surely was not in before."""
        return (await self.madd(key, [item]))[0]

    async def exists(self, key: str, item: str) -> bool:
        """Whether it may be in. False is certain."""
        return (await self.mexists(key, [item]))[0]


def lost(key: str) -> BloomFilterMissing:
    """The error that says so."""
    return BloomFilterMissing(
        "The Bloom filter is not there (any more). Reserve it and add everything again.", detail=key
    )


class MemoryBloomFilters(BloomFilters):
    """In this process."""

    def __init__(self) -> None:
        self._filters: dict[str, tuple[Shape, bytearray]] = {}

    @override
    async def reserve(self, key: str, error_rate: float = 0.001, capacity: int = 10_000) -> bool:
        shape = Shape.of(error_rate, capacity)
        if key in self._filters:
            return False
        self._filters[key] = (shape, bytearray((shape.bits + 7) // 8))
        return True

    @override
    async def madd(self, key: str, items: Iterable[str]) -> list[bool]:
        shape, data = self._filter(key)
        answers = []
        for item in items:
            new = False
            for position in shape.positions(item):
                byte, bit = position >> 3, 1 << (position & 7)
                new = new or not data[byte] & bit
                data[byte] |= bit
            answers.append(new)
        return answers

    @override
    async def mexists(self, key: str, items: Iterable[str]) -> list[bool]:
        shape, data = self._filter(key)
        return [all(data[at >> 3] & (1 << (at & 7)) for at in shape.positions(item)) for item in items]

    @override
    async def delete(self, key: str) -> None:
        self._filters.pop(key, None)

    def _filter(self, key: str) -> tuple[Shape, bytearray]:
        found = self._filters.get(key)
        if found is None:
            raise lost(key)
        return found


class RedisBloomFilters(BloomFilters):
    """In Redis: its module when it has one, else a bitmap.

    Args:
        place: parts of the keys before the filter's own.
    """

    def __init__(self, connection: RedisConnection, *place: str) -> None:
        self._connection = connection
        self._place = place
        self._reserve = connection.client.register_script(RESERVE)
        self._asked = connection.client.register_script(ASK)

    @override
    async def reserve(self, key: str, error_rate: float = 0.001, capacity: int = 10_000) -> bool:
        shape = Shape.of(error_rate, capacity)
        args = [error_rate, capacity, shape.bits, shape.hashes]
        return bool(
            await self._connection.ask(lambda: self._reserve(keys=self._keys(key), args=args), ANSWER_SECONDS)
        )

    @override
    async def madd(self, key: str, items: Iterable[str]) -> list[bool]:
        return await self._ask("add", key, items)

    @override
    async def mexists(self, key: str, items: Iterable[str]) -> list[bool]:
        return await self._ask("exists", key, items)

    @override
    async def delete(self, key: str) -> None:
        await self._connection.ask(lambda: self._connection.client.delete(*self._keys(key)), ANSWER_SECONDS)

    async def _ask(self, what: str, key: str, items: Iterable[str]) -> list[bool]:
        args: list[Any] = [what]
        for item in items:
            args += [item, *hashes(item)]
        answers = await self._connection.ask(
            lambda: self._asked(keys=self._keys(key), args=args), ANSWER_SECONDS
        )
        if answers is None:
            raise lost(key)
        return [bool(answer) for answer in answers]

    def _keys(self, key: str) -> list[str]:
        return [
            self._connection.key(*self._place, "about", key),
            self._connection.key(*self._place, "data", key),
        ]
