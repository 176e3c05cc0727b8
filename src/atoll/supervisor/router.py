"""The router of one server: its own apps first, then what the Supervisor in this process knows of others."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from atoll.errors import AppNotFound, AppNotReady, AtollError, EnvironmentUnavailable
from atoll.supervisor.change import Changes
from atoll.supervisor.directory import Directory, Placement, overall
from atoll.supervisor.models import Status
from atoll.supervisor.process.hosted import HostedApp
from atoll.supervisor.routing import (
    Address,
    Forward,
    Identity,
    Local,
    Route,
    Router,
    Starting,
    Target,
    Unavailable,
    normal_host,
)
from atoll.supervisor.store.base import AppRecord
from atoll.supervisor.supervisor import Supervisor
from atoll.supervisor.worker import Environment

if TYPE_CHECKING:
    from starlette.types import ASGIApp

#: How long a target that could not be reached stands behind the others.
_SUSPECT_SECONDS = 10.0
#: How long a look at what should run may delay a refusal.
_LOOK_SECONDS = 1.0
_CODES: dict[Status, tuple[str, str]] = {
    "preparing": ("APP_PREPARING", "is being prepared"),
    "initializing": ("APP_INITIALIZING", "is starting"),
    "initialized": ("APP_INITIALIZED", "is installed and starts with the first visit"),
    "commanding": ("APP_COMMANDING", "is being stopped, restarted or removed"),
    "stopped": ("APP_STOPPED", "is stopped; it can be started in the list of applications"),
    "error": ("APP_ERROR", "could not be started"),
}


class AppRouter(Router):
    """Routes for one process.

    Args:
        environment: the hosting half in this process. supervisor: the control half in this process.
    """

    def __init__(
        self, *, environment: Environment | None = None, supervisor: Supervisor | None = None
    ) -> None:
        self._environment, self._supervisor = environment, supervisor
        self._own: dict[str, ASGIApp | None] = {}
        self._served = Changes()
        self._suspects: dict[Target, float] = {}
        self._known: dict[str, tuple[Target, ...]] = {}
        if supervisor is not None:
            _ = supervisor.directory.follow(self._forget)

    def announce(self, app: str) -> None:
        """Says that `serve` will follow for `app`; requests wait for it."""
        self._own[app] = None

    def serve(self, app: str, asgi: ASGIApp) -> None:
        """Serves `app` (main) here, whatever else is known."""
        self._own[app] = asgi
        self._served.notify()

    def withdraw(self, app: str) -> None:
        """Ends `serve`."""
        self._own.pop(app, None)
        self._served.notify()

    # -- Router

    def route(self, app: str, environment: str | None) -> Route:
        """See the base class."""
        if app in self._own:
            own = self._own[app]
            return (
                Local(own, app)
                if own is not None
                else Starting(app, lambda limit: self._wait_own(app, limit))
            )
        here = self._environment
        if here is not None and environment in (None, here.name):
            hosted = here.app(app)
            route = self._hosted(hosted) if hosted is not None else None
            refused = hosted is None or hosted.goal.desired == "stopped"
            if refused and self._supervisor is None and (hosted is None or here.informed):
                return Starting(app, lambda seconds: self._look_first(app, here, seconds))
            if hosted is not None and refused and self._untold(hosted, here):
                return Starting(app, lambda seconds: self._wait_told(hosted, here, seconds))
            if route is not None:
                return route
        supervisor = self._supervisor
        if supervisor is None:
            return _unknown(app)
        record = supervisor.directory.app(app)
        if record is not None:
            return self._remote(record, environment, supervisor)
        if supervisor.whole:
            return _unknown(app)
        return Starting(app, lambda seconds: self._wait_whole(app, environment, supervisor, seconds))

    def app_by_host(self, host: str) -> str | None:
        """See the base class."""
        if self._supervisor is not None:
            return self._supervisor.directory.app_by_host(host)
        if self._environment is None:
            return None
        wanted = normal_host(host)
        for hosted in self._environment.apps:
            if hosted.model.cname and normal_host(hosted.model.cname) == wanted and not hosted.removed:
                return hosted.model.name
        return None

    def report(self, target: Target, failure: Exception | None) -> None:
        """See the base class."""
        if failure is None:
            self._suspects.pop(target, None)
            return
        self._suspects[target] = time.monotonic() + _SUSPECT_SECONDS
        if self._supervisor is not None:
            self._supervisor.doubt(target.environment)

    # -- apps in this process

    async def _wait_own(self, app: str, seconds: float) -> Local | Forward | Unavailable:
        def served() -> bool:
            return app not in self._own or self._own[app] is not None

        await self._served.until(served, seconds)
        own = self._own.get(app)
        return Local(own, app) if own is not None else _not_ready(app, "initializing", retry_after=2.0)

    def _hosted(self, app: HostedApp) -> Route:
        runtime = app.runtime
        name = app.model.name
        if runtime is not None:
            return Local(runtime.asgi, name)
        desired = app.goal.desired
        if desired == "ready" or (desired == "running" and app.row.status != "error"):
            return Starting(name, lambda seconds: self._wait_here(app, seconds))
        return _not_ready(name, app.row.status, app.row.reason.message if app.row.reason is not None else "")

    async def _wait_here(self, app: HostedApp, seconds: float) -> Local | Forward | Unavailable:
        environment = self._environment
        app.visit()
        if environment is not None:
            await environment.changes.until(lambda: not isinstance(self._hosted(app), Starting), seconds)
        route = self._hosted(app)
        if not isinstance(route, Starting):
            return route
        return _not_ready(app.model.name, _on_its_way(app.row.status), app.row.message, retry_after=2.0)

    def _untold(self, hosted: HostedApp, here: Environment) -> bool:
        """Whether the Supervisor in this process wants a stopped app to run, and its order is on the way."""
        record = self._supervisor.directory.record(hosted.model.uid) if self._supervisor is not None else None
        return (
            record is not None
            and record.at(here.name).desired in ("running", "ready")
            and here.name in record.environments
            and record.generation > hosted.model.generation
        )

    async def _wait_told(
        self, hosted: HostedApp, here: Environment, seconds: float
    ) -> Local | Forward | Unavailable:
        await here.changes.until(lambda: not self._untold(hosted, here), min(seconds, _LOOK_SECONDS))
        route = self._hosted(hosted)
        return await route.wait(seconds) if isinstance(route, Starting) else route

    async def _look_first(self, app: str, here: Environment, seconds: float) -> Local | Forward | Unavailable:
        """Before a refusal: another instance of the environment may have heard a moment earlier."""
        await here.catch_up(min(seconds, _LOOK_SECONDS))
        hosted = here.app(app)
        if hosted is None:
            return _unknown(app) if here.informed else _cannot_tell(app)
        route = self._hosted(hosted)
        return await route.wait(seconds) if isinstance(route, Starting) else route

    # -- apps elsewhere

    async def _wait_whole(
        self, app: str, environment: str | None, supervisor: Supervisor, seconds: float
    ) -> Local | Forward | Unavailable:
        """Before a refusal: a Supervisor that starts does not know what others were told meanwhile."""

        def knows() -> bool:
            return supervisor.whole or supervisor.directory.app(app) is not None

        if not await supervisor.directory.changes.until(knows, seconds):
            return _cannot_tell(app)
        route = self.route(app, environment)
        return await route.wait(seconds) if isinstance(route, Starting) else route

    def _remote(self, record: AppRecord, environment: str | None, supervisor: Supervisor) -> Route:
        directory = supervisor.directory
        if environment is None:
            targets = self._known.get(record.uid)
            if targets is None:
                targets = self._known[record.uid] = _steady(_targets(record, directory), directory)
            if targets:
                return Forward(record.name, self._preferred(targets))
            placements = directory.placements(record)
        else:
            if environment not in record.environments:
                return Unavailable(
                    record.name,
                    EnvironmentUnavailable(
                        f"The app {record.name!r} is not placed in the environment {environment!r}."
                    ),
                )
            targets = tuple(each for each in _targets(record, directory) if each.environment == environment)
            if targets:
                return Forward(record.name, targets, pinned=True)
            placements = [directory.placement(record, environment)]
        return self._not_running(record, placements, environment, supervisor)

    def _not_running(
        self, record: AppRecord, placements: list[Placement], environment: str | None, supervisor: Supervisor
    ) -> Route:
        status = overall([each for each in placements if each.status != "unknown"] or placements)
        reason = next((each.reason for each in placements if each.reason is not None), None)
        text = reason.message if reason is not None else ""
        if status == "unknown":
            error = EnvironmentUnavailable(text or f"No environment of the app {record.name!r} is available.")
            return Unavailable(record.name, error, retry_after=5.0)
        wanted = (record if environment is None else record.at(environment)).desired in ("running", "ready")
        if wanted and status in (
            "initialized",
            "preparing",
            "initializing",
            "commanding",
            "running",
            "stopped",
        ):
            return Starting(
                record.name, lambda seconds: self._wait_there(record.uid, environment, supervisor, seconds)
            )
        return _not_ready(record.name, status, text)

    async def _wait_there(
        self, uid: str, environment: str | None, supervisor: Supervisor, seconds: float
    ) -> Local | Forward | Unavailable:
        directory = supervisor.directory

        def look() -> Route:
            record = directory.record(uid)
            return _unknown("") if record is None else self._remote(record, environment, supervisor)

        def arrived() -> bool:
            record = directory.record(uid)
            if record is not None and record.desired == "ready":
                supervisor.wake(uid)
            return not isinstance(look(), Starting)

        await directory.changes.until(arrived, seconds)
        route = look()
        if not isinstance(route, Starting):
            return route
        record = directory.record(uid)
        status: Status = "preparing"
        if record is not None:
            status = _on_its_way(overall(directory.placements(record)))
        return _not_ready(route.app, status, retry_after=2.0)

    def _preferred(self, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        """Those that could be reached last time first; among equals by chance, so that load is spread."""
        if len(targets) == 1:
            return targets
        shuffled = random.sample(targets, len(targets))
        if self._suspects:
            now = time.monotonic()
            self._suspects = {target: until for target, until in self._suspects.items() if until > now}
            shuffled.sort(key=self._suspects.__contains__)
        return tuple(shuffled)

    def _forget(self, uid: str | None, environment: str | None) -> None:
        if environment is not None:
            self._known.clear()
        elif uid is not None:
            self._known.pop(uid, None)


def _targets(record: AppRecord, directory: Directory) -> tuple[Target, ...]:
    found = []
    for placement in directory.placements(record):
        view = directory.environments.get(placement.environment)
        if placement.status == "running" and placement.row is not None and view is not None:
            try:
                address = Address.parse(view.card.proxy_url)
            except ValueError:
                continue
            found.append(Target(view.name, address, Identity(view.public_key, placement.row.instance)))
    return tuple(found)


def _steady(targets: tuple[Target, ...], directory: Directory) -> tuple[Target, ...]:
    """Without those in environments that drain, unless the app runs nowhere else."""
    steady = tuple(each for each in targets if each.environment not in directory.draining)
    return steady or targets


def _on_its_way(status: Status) -> Status:
    """For an app that is starting, whatever its row said last."""
    return status if status in ("preparing", "initializing", "commanding") else "preparing"


def _unknown(app: str) -> Unavailable:
    return Unavailable(app, AppNotFound(f"There is no application {app!r} here."))


def _cannot_tell(app: str) -> Unavailable:
    error = AppNotReady(
        f"This server cannot tell yet whether there is an application {app!r}: it is starting, or what it"
        " needs to know that is away.",
        code="APP_PREPARING",
    )
    return Unavailable(app, error, 2.0)


def _not_ready(app: str, status: Status, text: str = "", *, retry_after: float | None = None) -> Unavailable:
    code, words = _CODES.get(status, ("APP_PREPARING", "is being prepared"))
    error: AtollError = AppNotReady(
        f"The application {app!r} {words}." + (f" {text}" if text else ""), code=code
    )
    if retry_after is None and status in ("preparing", "initializing", "commanding", "error"):
        retry_after = 5.0 if status == "error" else 2.0
    return Unavailable(app, error, retry_after)
