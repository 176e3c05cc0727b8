"""Where a request for an app goes: the answer the gateway gets, in memory only, on every request.

A `Router` never waits, never talks to Redis or a database, and keeps answering from the last known state
when both are away. What it says may be a moment old; the proxy reports failures back (`report`) and the
identity of an upstream is checked when a connection is opened, so an old answer never serves the wrong app.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from atoll.errors import AtollError

if TYPE_CHECKING:
    from starlette.types import ASGIApp


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed proxy URL. `base` is its path without a trailing slash, "" for most."""

    scheme: str
    host: str
    port: int
    base: str = ""

    @classmethod
    def parse(cls, url: str) -> Address:
        """Reads "http://host[:port][/base]" or https; raises ValueError for anything else."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no http:// or https:// address")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))


@dataclass(frozen=True, slots=True)
class Identity:
    """Who must answer at an address: the environment's public key and the process (instance) that announced
    it.
    """

    public_key: str
    instance: str


@dataclass(frozen=True, slots=True)
class Target:
    """One environment that can serve an app."""

    environment: str
    address: Address
    identity: Identity


@dataclass(frozen=True, slots=True)
class Local:
    """The app runs in this process."""

    asgi: ASGIApp = field(compare=False)
    app: str


@dataclass(frozen=True, slots=True)
class Forward:
    """The app runs elsewhere. `targets` is ordered by preference and never empty.

    `pinned` says that the caller asked for one environment, so there is nothing to fall back to and no
    affinity cookie to set.
    """

    app: str
    targets: tuple[Target, ...]
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The app cannot be reached now; `error` is what the client gets.

    Args:
        retry_after: seconds after which another try makes sense, None when it does not (unknown, stopped).
    """

    app: str
    error: AtollError
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Starting:
    """The app is on its way.

    `wait(seconds)` ends as soon as it answers or has failed, at the latest after that time with the
    `Unavailable` of that moment. Abandoning (cancelling) a wait does not disturb the start.
    """

    app: str
    wait: Callable[[float], Awaitable[Local | Forward | Unavailable]] = field(compare=False)


Route: TypeAlias = Local | Forward | Starting | Unavailable


class Router(ABC):
    """Answers the gateway's question for one process."""

    @abstractmethod
    def route(self, app: str, environment: str | None) -> Route:
        """Where requests for `app` go, if asked for in one `environment` only there."""

    @abstractmethod
    def app_by_host(self, host: str) -> str | None:
        """The app whose custom domain `host` is. Takes the header as it came: port, case and final dot are
        ignored.
        """

    @abstractmethod
    def report(self, target: Target, failure: Exception | None) -> None:
        """Tells how an attempt to reach `target` went; a failure puts it behind the others at once."""


def normal_host(host: str) -> str:
    """A Host header as compared with custom domains: lower case, without user, port and final dot."""
    bare = host.rsplit("@", 1)[-1].strip().lower()
    if bare.startswith("["):
        return bare.split("]", 1)[0] + "]"
    return bare.split(":", 1)[0].rstrip(".")


def reason_code(error: AtollError) -> str:
    """The code a client sees for `error`: its own documented one, or that of its class."""
    own: Any = getattr(error, "reason", None)
    return own if isinstance(own, str) else error.code
