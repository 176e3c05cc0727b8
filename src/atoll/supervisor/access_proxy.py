"""The access proxy: forwards requests for apps that run elsewhere, on the level of the protocol.

No request objects, no tasks and no waiting on the usual path: a parsed head becomes the head of an upstream
request on a kept connection, bodies are passed on as they come, and each side is read no faster than the
other one takes it.
"""

from __future__ import annotations

import asyncio
import logging

from atoll.errors import AppOverloaded, EnvironmentUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.supervisor.proxy_exchange import Client, Exchange, Order
from atoll.supervisor.proxy_identity import Prover
from atoll.supervisor.proxy_limits import AppLoad, ProxyLimits
from atoll.supervisor.proxy_outbox import Outbox
from atoll.supervisor.proxy_pool import Pool
from atoll.supervisor.proxy_tunnel import GOING_AWAY
from atoll.supervisor.proxy_upstream import Upstream
from atoll.supervisor.routing import Router, Target, Unavailable, reason_code

log = logging.getLogger(__name__)
TICK = 0.5


class AccessProxy:
    """Forwards requests to the targets a `Router` names. Belongs to one event loop.

    Args:
        router: hears how attempts to reach targets went.
        limits: times and sizes.
        load: counts per app; shared with whoever serves local apps, so that the cap is one per app.
        prover: proves to environments that requests come from the Supervisor.
    """

    def __init__(
        self,
        router: Router,
        limits: ProxyLimits | None = None,
        load: AppLoad | None = None,
        prover: Prover | None = None,
    ) -> None:
        self._router = router
        self._prover = prover
        self._limits = limits or ProxyLimits()
        self.load = load or AppLoad(self._limits.per_app)
        self._pools: dict[Target, Pool] = {}
        self._near: dict[
            int, Pool
        ] = {}  # by id of the very object the router names: no hashing of its fields
        self._running: set[Exchange] = set()
        self._loop: asyncio.AbstractEventLoop  # from `start` on
        self.outbox: Outbox
        self._tasks = BackgroundTasks("access proxy")

    async def start(self) -> None:
        """Starts to watch deadlines."""
        self._loop = asyncio.get_running_loop()
        self.outbox = Outbox(self._loop)
        self._watch = self._tasks.keep_running("deadlines", self._tick)

    async def close(self) -> None:
        """Ends all exchanges and connections."""
        await self._tasks.cancel_all()
        for exchange in tuple(self._running):
            exchange.cancel()
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        self._near.clear()

    def forward(self, order: Order, client: Client) -> Exchange | None:
        """Starts to forward a request; the answer goes to `client`.

        Returns None when the app is at its limit; `client` was refused then.
        """
        if not self.load.enter(order.app):
            client.refuse(
                AppOverloaded(f"App {order.app} has too many requests at the moment. Try again in a second."),
                1.0,
            )
            return None
        exchange = Exchange(order, client, self._pool, self._limits, self._ended, self._loop, self.outbox)
        self._running.add(exchange)
        exchange.start()
        return exchange

    def connections(self) -> int:
        """How many upstream connections are open."""
        return sum(len(pool) for pool in self._pools.values())

    @property
    def running(self) -> int:
        """How many requests are being forwarded."""
        return len(self._running)

    def _pool(self, target: Target) -> Pool:
        pool = self._near.get(id(target))
        if pool is not None and pool.target is target:
            return pool
        pool = self._pools.get(target)
        if pool is None:
            pool = self._pools[target] = _ReportingPool(target, self._limits, self._router, self._prover)
        if pool.target is target:
            self._near[id(target)] = pool
        return pool

    def _ended(self, exchange: Exchange) -> None:
        if exchange in self._running:
            self._running.discard(exchange)
            self.load.leave(exchange.app)

    def _gone(self, app: str) -> bool:
        """Whether an app was stopped or removed: its sockets end then. Being out of reach is no reason."""
        route = self._router.route(app, None)
        return isinstance(route, Unavailable) and reason_code(route.error) in ("APP_NOT_FOUND", "APP_STOPPED")

    async def _tick(self) -> None:
        now = asyncio.get_running_loop().time()
        for exchange in tuple(self._running):
            if exchange.deadline < now:
                exchange.expired()
            elif exchange.is_socket and self._gone(exchange.app):
                exchange.end_socket(GOING_AWAY)
        for target, pool in tuple(self._pools.items()):
            pool.expire(now)
            if not len(pool):
                del self._pools[target]
                self._near.pop(id(target), None)
        await asyncio.sleep(TICK)


class _ReportingPool(Pool):
    """A pool that tells the router how connecting went."""

    def __init__(self, target: Target, limits: ProxyLimits, router: Router, prover: Prover | None) -> None:
        super().__init__(target, limits, prover)
        self._router = router

    async def connect(self) -> Upstream:
        """See Pool.connect."""
        try:
            connection = await super().connect()
        except EnvironmentUnavailable as error:
            log.warning(
                "environment cannot be reached",
                extra={"environment": self.target.environment, "reason": error.detail},
            )
            self._router.report(self.target, error)
            raise
        self._router.report(self.target, None)
        return connection
