"""The composition root: settings and role become running services. The only package that knows everyone."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time

from atoll import __version__, logs
from atoll.application.app import RootAccount
from atoll.application.fields.snowflake_id import SnowflakeIds
from atoll.cluster.worker_id import FileWorkerIds, RedisWorkerIds, WorkerId, WorkerIds
from atoll.database.drivers import PostgresPools
from atoll.gateway.asgi import AppLabel, Gateway
from atoll.gateway.decision import Switchboard
from atoll.gateway.edge import Edge, EdgeLimits
from atoll.gateway.readiness import Check, Readiness
from atoll.gateway.request_log import RequestLog
from atoll.gateway.server import HttpServer
from atoll.gateway.static import BuiltUi
from atoll.plugins.app_supervisor import AppSupervisor
from atoll.server.apps import Surroundings
from atoll.server.cluster_parts import ClusterParts
from atoll.server.halves import Halves, assemble
from atoll.server.mail import mail_sender
from atoll.server.main_app import MainApp
from atoll.server.owners import owned
from atoll.server.place import Place
from atoll.server.plugins import PluginsOfEveryApp
from atoll.settings import Settings
from atoll.supervisor.access_proxy import AccessProxy
from atoll.supervisor.proxy_limits import AppLoad, ProxyLimits
from atoll.supervisor.proxy_trust import TrustedProxies
from atoll.web import load as load_ui

log = logging.getLogger(__name__)


async def serve(settings: Settings, place: Place | None = None) -> int:
    """Runs one server until SIGTERM or SIGINT; gives the exit code.

    Args:
        place: given when several processes serve one address.

    Raises:
        AtollError: the start failed for a reason that a person can mend.
    """
    role: dict[str, str] = {"role": settings.app_mode}
    if settings.environment_name is not None:
        role["environment"] = settings.environment_name
    role["instance"] = socket.gethostname() + (f"-{place.number}" if place is not None else "")
    folder = logs.configure(settings, **role)
    os.environ["TZ"] = settings.timezone
    time.tzset()
    with owned(settings):
        return await _serve(settings, place, RequestLog(folder) if folder is not None else None)


async def _serve(settings: Settings, place: Place | None, requests: RequestLog | None) -> int:
    server = Server(settings, place, requests)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, _asked_to_stop, stopping, server)
    if place is not None:
        place.watch_parent(stopping.set)
    running = asyncio.create_task(_begin(server, place))
    waiting = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
            await stopping.wait()
    finally:
        for task in (running, waiting):
            task.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        await server.stop()
    log.info("server stopped")
    return 0


async def _begin(server: Server, place: Place | None) -> None:
    await server.start()
    log.info("server ready", extra={"port": server.port, "version": __version__})
    if place is not None:
        await place.tell_ready(server.readiness)


def _asked_to_stop(stopping: asyncio.Event, server: Server) -> None:
    if stopping.is_set():
        server.hurry()
    stopping.set()


class Server:
    """All services of one process."""

    def __init__(
        self, settings: Settings, place: Place | None = None, requests: RequestLog | None = None
    ) -> None:
        self._settings = settings
        self._place = place
        self._requests = requests
        self._pools = PostgresPools()
        self._parts = ClusterParts(settings)
        self._worker_id = WorkerId(self._worker_ids())
        ids = SnowflakeIds(self._worker_id)
        plugins = PluginsOfEveryApp(settings)
        mail = mail_sender(settings)
        around = Surroundings(settings, self._pools, self._parts, ids, self._first_account, plugins, mail)
        self._main = MainApp(around)
        self._halves: Halves = assemble(settings, around, self._main.database, self._parts)
        self._started = False
        self._http = self._front()
        self._hurried: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._http.port

    async def start(self) -> None:
        """Listens first, so that health answers while databases are waited for; then begins in order."""
        self._http.bind()
        self._halves.router.announce("main")
        await self._http.start()
        await self._halves.recall()
        await self._parts.check()
        await self._worker_id.start()
        await self._main.reach_database()
        await self._halves.open()
        supervisor, environment = self._halves.supervisor, self._halves.environment
        plugins = [AppSupervisor(supervisor)] if supervisor is not None else []
        if supervisor is not None:
            await supervisor.start()
        application = await self._main.start(plugins)
        self._halves.router.serve("main", application)
        if environment is not None:
            await environment.start()
        self._started = True

    async def stop(self) -> None:
        """Drains requests, says goodbye, ends everything; may follow a failed start."""
        await self._http.stop(self._settings.shutdown_seconds)
        self._halves.router.withdraw("main")
        await self._halves.stop()
        await self._main.stop()
        await self._halves.close()
        await self._worker_id.stop()
        await self._parts.close()

    def _drained(self) -> bool:
        environment = self._halves.environment
        return environment is not None and environment.draining

    def hurry(self) -> None:
        """Asked a second time to stop: no more waiting for requests."""
        self._hurried = asyncio.ensure_future(self._http.stop(0))

    async def _first_account(self) -> RootAccount:
        return await self._main.root_account()

    def _worker_ids(self) -> WorkerIds:
        settings, address = self._settings, self._settings.worker_id_redis_url
        width = (settings.worker_id_bits, settings.worker_id_lease_seconds)
        if address is None:
            return FileWorkerIds(settings.storage_path / "worker_ids", *width)
        return RedisWorkerIds(self._parts.connection(address), *width)

    def _front(self) -> HttpServer:
        settings, router = self._settings, self._halves.router
        limits = ProxyLimits()
        load = AppLoad(limits.per_app)
        switchboard = Switchboard(
            router,
            TrustedProxies(settings.trusted_proxies),
            serves_requests=settings.worker_mode.serves_requests,
        )
        self.readiness = readiness = Readiness(self._checks(), drained=self._drained)
        edge = Edge(
            switchboard,
            AccessProxy(router, limits, load, self._halves.supervisor),
            EdgeLimits(hold=settings.app_hold_seconds),
            self._halves.environment,
        )
        gateway = Gateway(
            switchboard,
            load=load,
            readiness=readiness,
            ui=BuiltUi(load_ui()),
            signer=self._halves.environment,
            traffic=self._halves.environment.traffic if self._halves.environment is not None else None,
            label=self._label,
            requests=self._requests,
            hold=settings.app_hold_seconds,
        )
        return HttpServer(
            host=settings.app_host,
            port=settings.app_port,
            edge=edge,
            gateway=gateway,
            readiness=readiness,
            seat=self._place.seat if self._place is not None else None,
        )

    def _checks(self) -> dict[str, Check]:
        checks: dict[str, Check] = {
            "start": self._is_started,
            "database": self._database_answers,
            "worker id": self._has_worker_id,
        }
        if self._halves.connections:
            checks["redis"] = self._redis_answers
        return checks

    async def _is_started(self) -> str | None:
        if self._started:
            return None
        supervisor = self._halves.supervisor
        known = supervisor is not None and supervisor.directory.records
        return "the server is starting" + ("; apps are reached by their last known routes" if known else "")

    async def _has_worker_id(self) -> str | None:
        return self._worker_id.problem

    async def _database_answers(self) -> str | None:
        await self._main.database.ping()
        return None

    async def _redis_answers(self) -> str | None:
        for connection in self._halves.connections:
            await connection.ping()
        return None

    def _label(self, app: str) -> AppLabel:
        supervisor = self._halves.supervisor
        row = supervisor.get_app(app) if supervisor is not None and app != "main" else None
        return AppLabel(title=str(row["displayName"]) if row else "", lang=self._settings.app_lang)
