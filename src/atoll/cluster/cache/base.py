"""The contract of caches: values that are worth keeping and can be made again at any time.

Promised
    A value is given as it was set, or not at all: after its ttl, after `delete` or `reset`, and whenever the
    store needs the room. Values are what msgspec encodes (None too); they come back as the plain kinds of
    that encoding (a tuple as a list), from every adapter alike, and never share anything with what was set.
    `wrap` fills a missing key once among all that share the cache, however many ask at the same time: the
    others wait for that one. A filler that dies or hangs holds them up no longer than its lease. What a fill
    had read before a key was deleted or set is not stored after it, and not given to those who ask after it.
    `reset` takes the keys of its own scope away and no others. While the store cannot be reached, reads find
    nothing and `wrap` fills by itself; changes raise.

Not promised
    That anything is still there a moment later. That `wrap` fills only once when the store is away, loses
    its data, or the fill gives what is not stored (see `wrap_with_condition`). A layered cache may give a
    value that another process has replaced for as long as a message takes, and for `NEAR_SECONDS` when
    messages do not arrive.

Errors
    `RedisUnavailable` from everything that changes a value: what is not told to the cache would stay in it.
    `TypeError`, `OverflowError` for values that cannot be encoded. An error of a fill reaches all who wait
    for it in this process; others try for themselves. A value above `LARGEST` bytes is not stored, which is
    logged.

Life
    Usable at once and, as far as adapters connect anywhere, until their connection is closed. `close` ends
    fills under way; their callers are cancelled. Idempotent.

Values are neither encrypted nor protected: no secrets.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from atoll.cluster.cache.bloom import BloomFilters
from atoll.cluster.cache.counters import Counters

DEFAULT_TTL = 24 * 3600.0  # nothing stays for ever: a cache without an end is a leak
LARGEST = 1 << 20
FILL_LEASE_SECONDS = 5.0
NEAR_SECONDS = 5.0

Fill = Callable[[], Awaitable[Any]]


def not_none(value: Any) -> bool:
    """What `wrap_with_condition` keeps when nothing else is said."""
    return value is not None


def anything(_value: Any) -> bool:
    """Every value is worth keeping."""
    return True


class Cache(ABC):
    """Keys and values of one scope.

    All times are seconds. `default` tells a missing value from a None that was set.
    """

    @property
    @abstractmethod
    def counters(self) -> Counters:
        """The scope's counters; `reset` leaves them."""

    @property
    @abstractmethod
    def blooms(self) -> BloomFilters:
        """The scope's Bloom filters; `reset` leaves them."""

    @abstractmethod
    async def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default`."""

    @abstractmethod
    async def set(self, key: str, value: Any, ttl: float = DEFAULT_TTL) -> bool:
        """Replaces the value. False: it is too large or there is no room; the key has no value then."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Takes the value away, if there is one."""

    @abstractmethod
    async def mget(self, keys: Iterable[str]) -> dict[str, Any]:
        """The values that are there, by key."""

    @abstractmethod
    async def mset(self, values: Mapping[str, Any], ttl: float = DEFAULT_TTL) -> bool:
        """Replaces several values; False when any of them was not stored."""

    @abstractmethod
    async def mdel(self, keys: Iterable[str]) -> None:
        """Takes several values away."""

    @abstractmethod
    async def ttl(self, key: str) -> float | None:
        """How many seconds the value has left at most; None when there is none."""

    @abstractmethod
    async def reset(self) -> None:
        """Takes all values of this scope away. Scopes inside it are not its own."""

    @abstractmethod
    async def wrap_with_condition(
        self,
        key: str,
        fill: Fill,
        *,
        use_cache: bool = True,
        is_cacheable: Callable[[Any], bool] = not_none,
        ttl: float = DEFAULT_TTL,
    ) -> Any:
        """The value of the key; a missing one is made by `fill` and stored if it is worth it.

        Args:
            fill: runs at most once at a time among all that share the cache, in a task of its own that goes
                on when its caller is cancelled.
            use_cache: False asks `fill` and neither looks for nor stores a value.
            is_cacheable: judges what `fill` gave; what it refuses is given to the caller and not stored, and
                all that wait fill for themselves.
        """

    async def wrap(self, key: str, fill: Fill, ttl: float = DEFAULT_TTL) -> Any:
        """The value of the key; a missing one is made by `fill` and stored, None too."""
        return await self.wrap_with_condition(key, fill, is_cacheable=anything, ttl=ttl)

    @abstractmethod
    def scope(self, name: str) -> Cache:
        """A cache with keys, counters and filters of its own, for one app or one purpose.

        Scopes of one name, in all processes that share the cache, are the same; they share this one's
        connections.
        """

    @abstractmethod
    async def close(self) -> None:
        """Ends fills under way, of this scope and those inside it."""
