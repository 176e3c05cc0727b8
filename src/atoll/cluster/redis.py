"""The way to Redis: one pool of connections per address, that mends itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, OutOfMemoryError, RedisError
from redis.retry import Retry

from atoll.cluster import redis_address
from atoll.errors import (
    RedisBelongsToAnother,
    RedisEvictsKeys,
    RedisFull,
    RedisRefused,
    RedisUnavailable,
)

T = TypeVar("T")
log = logging.getLogger(__name__)
ANSWER_SECONDS = 5.0  # no answer for so long means a half-open connection; blocking reads ask for less
CONNECT_SECONDS = 3.0
IDLE_CHECK_SECONDS = 10
CONNECTIONS = 50
RETRIES = 2
TRANSPORT_CLOSED = "the handler is closed"
"""What uvloop says of a connection that was cut while it was not looked at."""


class RedisConnection:
    """A Redis database and this installation's part of it.

    Connections are made on demand. Restarts, killed connections and half-open sockets are noticed and
    mended without a restart here: a command is tried again up to twice within about a second, then fails. A
    command may thus have been applied twice or, after an error, once: whatever is written must bear that
    (scripts that check first). Scripts come back by themselves after a restart with empty data
    (`client.register_script`).

    Args:
        url: `redis://[user:password@]host:port/db`, `rediss://` for TLS, `unix://path`, or as
            `SentinelAddress` says: then after a switch commands go to the new master.
        namespace: first part of every key.
    """

    def __init__(self, url: str, namespace: str) -> None:
        self._url = url
        self.namespace = namespace
        # Any: the client's types say that each command gives either its result or an awaitable of it.
        self._pool: Any = redis_address.pool(
            url,
            max_connections=CONNECTIONS,
            timeout=ANSWER_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_keepalive=True,
            health_check_interval=IDLE_CHECK_SECONDS,
            retry=AsyncRetry(ExponentialBackoff(cap=0.5, base=0.05), RETRIES),
            protocol=2,
        )
        self.client: Any = redis.asyncio.Redis(connection_pool=self._pool)

    @property
    def address(self) -> str:
        """For messages and logs: where Redis is, without user and password."""
        return redis_address.place(self._url)

    def key(self, *parts: str) -> str:
        """A key of this installation: `<namespace>:a:b`."""
        return ":".join((self.namespace, *parts))

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns what the client raises in the block into `RedisUnavailable`, or into one of its kinds,
        `RedisRefused` and `RedisFull`, if that is why."""
        try:
            yield
        except (AuthenticationError, NoPermissionError) as error:
            raise RedisRefused(
                f"Redis at {self.address} refuses the user: wrong name or password, or an ACL without the "
                f"rights for the keys {self.namespace}:*.",
                detail=str(error),
            ) from error
        except OutOfMemoryError as error:
            raise RedisFull(
                f"Redis at {self.address} has reached its memory limit. Raise maxmemory, or let it do less.",
                detail=str(error),
            ) from error
        except RuntimeError as error:
            if TRANSPORT_CLOSED not in str(error):
                raise
            raise RedisUnavailable(
                f"Redis at {self.address} does not answer. Check that it runs and can be reached.",
                detail="the connection was cut",
            ) from error
        except (RedisError, OSError, TimeoutError) as error:
            remedy = "Check that it runs and can be reached."
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                remedy = "Its certificate is not trusted: name the authority, ?ssl_ca_certs=/path/to/ca.pem."
            raise RedisUnavailable(
                f"Redis at {self.address} does not answer. {remedy}",
                detail=f"{type(error).__name__}: {error}",
            ) from error

    async def ask(self, command: Callable[[], Awaitable[T]], within: float) -> T:
        """The answer to a command; `RedisUnavailable` when there is none within so many seconds."""
        try:
            async with asyncio.timeout(within):
                with self.errors():
                    return await command()
        except TimeoutError as error:
            raise RedisUnavailable(
                f"Redis at {self.address} does not answer in time. Check its load and the network.",
                detail=f"nothing for {within:g} s",
            ) from error

    async def ping(self) -> None:
        """Raises `RedisUnavailable` unless Redis answers."""
        with self.errors():
            await self.client.ping()

    async def claim(self, installation: str) -> None:
        """Marks this namespace of this Redis as the installation's. Call it at start; repeat it after data
        loss.

        Args:
            installation: the same for all processes of one installation, different from any other's.

        Raises RedisBelongsToAnother when it carries another installation's mark, `RedisUnavailable`.
        """
        with self.errors():
            holder = await self.client.set(self.key("installation"), installation, nx=True, get=True)
        if holder is not None and holder.decode() != installation:
            raise RedisBelongsToAnother(
                f"Redis at {self.address} is used by another installation under the same namespace "
                f"({self.namespace}). Set REDIS_NAMESPACE to another name or use another Redis.",
                detail=f"marked {holder.decode()}, we are {installation}",
            )

    async def refuse_eviction(self) -> None:
        """Raises `RedisEvictsKeys` when Redis throws away any key it likes as soon as its memory is full.

        What cannot be asked (Redis is away, the user has no right to INFO) is only logged, and so is a
        policy that spares keys without an end: leases have one.
        """
        try:
            memory = await self.ask(lambda: self.client.info("memory"), CONNECT_SECONDS)
        except RedisUnavailable as error:
            log.warning("eviction policy of Redis is not known", extra={"reason": error.message})
            return
        policy, limit = str(memory.get("maxmemory_policy", "")), int(memory.get("maxmemory", 0))
        if not limit or policy in {"", "noeviction"}:
            return
        text = (
            f"Redis at {self.address} has maxmemory-policy {policy}: when its memory is full it would "
            "silently throw away locks, commands and jobs. Set maxmemory-policy noeviction, or give these a "
            "Redis of their own (only CACHE_REDIS_URL may point to one that evicts)."
        )
        if policy.startswith("allkeys"):
            raise RedisEvictsKeys(text)
        log.error(text)

    def sync_client(self) -> redis.Redis:
        """A client for use in a thread of its own; whoever asks for it closes it."""
        return redis_address.sync_client(
            self._url,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_keepalive=True,
            health_check_interval=IDLE_CHECK_SECONDS,
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), RETRIES),
            protocol=2,
        )

    async def close(self) -> None:
        """Closes all connections. Idempotent; a command after it connects again."""
        await self.client.aclose()
        await self._pool.aclose()
