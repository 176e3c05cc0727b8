"""Where Redis is: one server, or sentinels that know which server is the master at the moment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import redis
import redis.asyncio
from redis.asyncio.connection import BlockingConnectionPool
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.sentinel import Sentinel as SyncSentinel

SENTINEL_PORT = 26379
SENTINEL_ANSWER_SECONDS = 1.0  # a dead sentinel is passed over before the command's own patience ends


def place(url: str) -> str:
    """The address without user, password and options, for messages and logs."""
    if "+sentinel://" in url:
        known = SentinelAddress.parse(url)
        hosts = ",".join(f"{host}:{port}" for host, port in known.sentinels)
        return f"{url.partition('://')[0]}://{hosts}/{known.service}/{known.database}"
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def pool(url: str, **options: Any) -> Any:
    """Connections to the server of the address, or to whatever server is the master."""
    if "+sentinel://" not in url:
        return BlockingConnectionPool.from_url(url, **options)
    known = SentinelAddress.parse(url)
    sentinel = _typed(Sentinel)(known.sentinels, sentinel_kwargs=known.to_sentinels())
    return _typed(MasterPool)(known.service, sentinel, **known.to_master(), **options)


def sync_client(url: str, **options: Any) -> redis.Redis:
    """A client for a thread of its own."""
    if "+sentinel://" not in url:
        return redis.Redis.from_url(url, **options)
    known = SentinelAddress.parse(url)
    sentinel = _typed(SyncSentinel)(known.sentinels, sentinel_kwargs=known.to_sentinels())
    client: redis.Redis = sentinel.master_for(
        known.service, redis_class=MasterClient, **known.to_master(), **options
    )
    return client


class MasterPool(SentinelConnectionPool, BlockingConnectionPool):
    """The client's pool of connections to a master, which waits for a free one as the other pool does.

    Connections that are made at the same time ask the sentinels once: an instance that has just started opens
    dozens at a time.
    """

    _question: asyncio.Task[Any] | None = None

    async def get_master_address(self) -> Any:
        """Host and port."""
        question = self._question
        if question is None or question.done():
            question = self._question = asyncio.create_task(_typed(super()).get_master_address())
            question.add_done_callback(_seen)
        await asyncio.wait({question})
        return question.result()

    async def aclose(self) -> None:
        """Closes the connections to sentinels too."""
        await super().aclose()
        await self.sentinel_manager.aclose()


class MasterClient(redis.Redis):
    """The client of a master for a thread of its own."""

    def close(self) -> None:
        """Closes the connections to sentinels too."""
        manager = _typed(self.connection_pool).sentinel_manager
        super().close()
        for sentinel in manager.sentinels:
            sentinel.close()


@dataclass(frozen=True)
class SentinelAddress:
    """`redis+sentinel://[user:password@]host[:port],host[:port]/service[/database][?options]`.

    User and password are those of the master. `sentinel_username` and `sentinel_password` among the options
    are those of the sentinels; `ssl_*` options are for both.
    """

    sentinels: tuple[tuple[str, int], ...]
    service: str
    database: int
    tls: bool
    login: Mapping[str, str]
    options: Mapping[str, str]

    @classmethod
    def parse(cls, url: str) -> SentinelAddress:
        """Raises ValueError."""
        scheme, _, rest = url.partition("://")
        rest, _, query = rest.partition("?")
        hosts, _, path = rest.partition("/")
        user, _, hosts = hosts.rpartition("@")
        name, _, password = user.partition(":")
        service, _, database = path.partition("/")
        login = {"username": unquote(name), "password": unquote(password)}
        return cls(
            tuple(_host(each) for each in hosts.split(",")),
            unquote(service),
            int(database or 0),
            scheme == "rediss+sentinel",
            {key: value for key, value in login.items() if value},
            dict(parse_qsl(query)),
        )

    def to_master(self) -> dict[str, Any]:
        """Arguments of connections to the master."""
        return {"db": self.database, **self.login, **self._tls()}

    def to_sentinels(self) -> dict[str, Any]:
        """Arguments of connections to sentinels."""
        login = {name: self.options.get(f"sentinel_{name}") for name in ("username", "password")}
        seconds = {
            "socket_timeout": SENTINEL_ANSWER_SECONDS,
            "socket_connect_timeout": SENTINEL_ANSWER_SECONDS,
        }
        return {**{key: value for key, value in login.items() if value}, **self._tls(), **seconds}

    def _tls(self) -> dict[str, Any]:
        if not self.tls:
            return {}
        given = {key: value for key, value in self.options.items() if key.startswith("ssl_")}
        parsed = redis.asyncio.connection.parse_url(f"rediss://host?{urlencode(given)}")
        return {"ssl": True, **{key: value for key, value in parsed.items() if key.startswith("ssl_")}}


def _seen(question: asyncio.Task[Any]) -> None:
    """Those who wait for the answer may all have given up before an error came."""
    if not question.cancelled():
        question.exception()


def _typed(untyped: Any) -> Any:
    """The client says nothing of the types of its sentinels."""
    return untyped


def _host(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError("a sentinel without a host")
    return parts.hostname, parts.port or SENTINEL_PORT
