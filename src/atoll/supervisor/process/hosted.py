"""One app in one environment: brought, step by step, to what its model says."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace

from atoll.errors import (
    AppDataMissing,
    ApplicationNotInstalled,
    AppStepTimedOut,
    AtollError,
    DatabaseUnavailable,
    LeaseLost,
)
from atoll.supervisor.change import Changes
from atoll.supervisor.models import STEPS, AppModel, Desired, Reason, Status, StatusRow, Step, StepState
from atoll.supervisor.process.base import AppFactory, AppRuntime
from atoll.supervisor.routing import reason_code
from atoll.supervisor.start_queue import StartQueue, Turn

log = logging.getLogger(__name__)

#: After this many failed tries in a row an app is left alone until somebody asks for a start.
QUARANTINE = 10
_LONGEST_PAUSE = 60.0
_DATABASE_PAUSE = 3.0


class Host(ABC):
    """What an app needs of the environment it is in."""

    name: str
    instance: str
    version: str
    step_seconds: float
    factory: AppFactory
    queue: StartQueue
    changes: Changes

    @abstractmethod
    def next_sequence(self) -> int:
        """Numbers the rows of this instance."""

    @abstractmethod
    def report(self, row: StatusRow) -> None:
        """Publishes the app's row soon."""

    @abstractmethod
    def settled(self, uid: str, generation: int, failure: Reason | None) -> None:
        """The app is as its model of that generation says, or the try to get there failed."""


class Goal(NamedTuple):
    """What should be the case; a try is given up when this changes."""

    desired: Desired
    restarts: int
    drop: bool


class _Superseded(Exception):
    """What should be the case changed while something was being done for the old goal."""


class HostedApp:
    """At rest it has no task; `apply` and `visit` give it one until app and model agree.

    Nothing here raises: what goes wrong is in the row (status "error", with reason and next try).
    """

    def __init__(self, model: AppModel, host: Host) -> None:
        self.model = model
        self._host = host
        self._runtime: AppRuntime | None = None
        self._running = False
        self._visited = False
        self._installed = model.installed
        self._removed = False
        self._dropped = False
        self._restarts = model.restarts
        self._settings = model.settings_version
        self._attempts = 0
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._steps = {name: Step(name=name) for name in STEPS}
        self._step_done("record")
        self.row = self._row("initialized" if model.installed else "preparing")
        self._unhurried = asyncio.Event()
        self._unhurried.set()

    # -- asked from outside

    def apply(self, model: AppModel) -> None:
        """Takes a newer model; an older one changes nothing."""
        if model.generation < self.model.generation:
            return
        if model.generation > self.model.generation:
            self._attempts = 0
        self._installed = self._installed or model.installed
        self.model = model
        self._wake()

    def visit(self) -> None:
        """Somebody wants to use the app now: starts it if it waits for its first visit."""
        if self.model.desired == "ready" and not self._visited:
            self._visited = True
            self._wake()

    @property
    def runtime(self) -> AppRuntime | None:
        """The runtime while the app answers, else None."""
        return self._runtime if self._running else None

    @property
    def removed(self) -> bool:
        """Nothing of the app is left here."""
        return self._removed

    @property
    def at_rest(self) -> bool:
        """Nothing is being done."""
        return self._task is None or self._task.done()

    async def close(self) -> None:
        """Stops the app without changing what should be the case."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._halt()

    # -- the loop

    @property
    def goal(self) -> Goal:
        """What should be the case in this environment now."""
        model = self.model
        desired: Desired = "running" if model.desired == "ready" and self._visited else model.desired
        if self._host.name not in model.environments:
            desired = "removed"
        return Goal(desired, model.restarts, model.drop_database and desired == "removed")

    def _wake(self) -> None:
        self._changed.set()
        if self.at_rest:
            self._task = asyncio.create_task(self._run(), name=f"app:{self.model.name}")

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            generation = self.model.generation
            try:
                await self._reach(self.goal)
            except _Superseded:
                continue
            except Exception as error:  # noqa: BLE001 - whatever an app does wrong must stay its own problem
                await self._failed(error, generation)
                continue
            self._attempts = 0
            self._host.settled(self.model.uid, generation, None)
            if self.model.generation == generation and not self._changed.is_set():
                return

    async def _reach(self, goal: Goal) -> None:
        match goal.desired:
            case "removed":
                await self._take_down(goal)
            case "stopped":
                await self._stop()
                self._visited = False
                self._show("stopped")
            case "ready" if not self._installed:
                await self._bring_up(goal, start=False)
                self._show("initialized")
            case "ready":
                self._show("running" if self._running else "initialized")
            case _:
                if self._running and goal.restarts != self._restarts:
                    await self._stop()
                if not self._running:
                    await self._bring_up(goal, start=True)
                self._show("running")
        self._restarts = goal.restarts

    async def _bring_up(self, goal: Goal, *, start: bool) -> None:
        waiting_since = datetime.now(UTC)

        def waiting(why: str) -> None:
            self._show("preparing", step="queue", message=why, queued_since=waiting_since)

        async def work() -> None:
            shared = len(self.model.environments) > 1
            async with self._host.queue.turn(self.model.uid, shared=shared, waiting=waiting) as turn:
                await self._prepare_and_start(turn, goal, start=start)

        await self._unless_changed(work(), goal)

    async def _prepare_and_start(self, turn: Turn, goal: Goal, *, start: bool) -> None:
        runtime = self._runtime = self._host.factory(self.model)
        self._settings = self.model.settings_version
        try:
            if not self._installed:
                await self._install(runtime, turn)
                if self.goal != goal:
                    raise _Superseded
            if start:
                await self._start(runtime, turn)
        except BaseException:
            await self._halt()
            raise
        if not start:
            await self._halt()

    async def _install(self, runtime: AppRuntime, turn: Turn) -> None:
        """Creates what the app needs. Not given up half-way for a new goal: each step ends or times out."""
        self._unhurried.clear()
        try:
            await turn.check()
            await self._step("database", "preparing", runtime.provision())
            await turn.check()
            self._step_ends("administrator", "running")
            await self._step("tables", "initializing", runtime.install(self.model.admin))
            self._step_done("administrator")
            if self.model.options.get("template"):
                await turn.check()
                await self._step("template", "initializing", runtime.fill())
            self._installed = True
        finally:
            self._unhurried.set()

    async def _start(self, runtime: AppRuntime, turn: Turn) -> None:
        for name in ("database", "tables", "administrator", "template"):
            self._step_done(name)
        await turn.check()
        try:
            await self._step("start", "initializing", runtime.start())
        except ApplicationNotInstalled as error:
            # Never installed anew by itself: an empty app in the place of one with data would look like loss.
            raise AppDataMissing(
                f"The app {self.model.name!r} was installed, but its database has no tables now."
                " Bring the database back, or delete the app and create it anew.",
                detail=error.message,
            ) from error
        self._running = True
        log.info("app started", extra={"app": self.model.name, "environment": self._host.name})

    async def _step(self, name: str, status: Status, work: Coroutine[Any, Any, None]) -> None:
        """Runs one visible step with its deadline."""
        self._step_ends(name, "running")
        self._show(status, step=name)
        try:
            await self._limited(name, work)
        except BaseException:
            self._step_ends(name, "failed")
            raise
        self._step_done(name)

    async def _limited(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(self._host.step_seconds):
                await work
        except TimeoutError as error:
            raise AppStepTimedOut(
                f"The step {name!r} did not end within {self._host.step_seconds:g} seconds."
                " Look into the environment's log when this repeats."
            ) from error

    async def _unless_changed(self, work: Coroutine[Any, Any, None], goal: Goal) -> None:
        """Awaits `work`, but cancels it and raises as soon as the goal is another one."""

        async def changed() -> None:
            while self.goal == goal:
                await self._changed.wait()
                if self.goal == goal:
                    self._changed.clear()
            await self._unhurried.wait()

        working = asyncio.create_task(work)
        watching = asyncio.create_task(changed())
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
                return
            raise _Superseded
        finally:
            working.cancel()
            watching.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def _stop(self) -> None:
        if self._runtime is not None:
            self._show("commanding", step="stop")
            await self._halt()
        self._steps["start"] = Step(name="start")

    async def _halt(self) -> None:
        """Frees the runtime, whatever state it is in. A stop that hangs or fails is logged and left."""
        runtime, self._runtime, self._running = self._runtime, None, False
        if runtime is None:
            return
        try:
            await self._limited("stop", runtime.stop())
            log.info("app stopped", extra={"app": self.model.name, "environment": self._host.name})
        except Exception:
            log.exception("an app did not stop cleanly", extra={"app": self.model.name})

    async def _take_down(self, goal: Goal) -> None:
        if self._removed and self._dropped == goal.drop:
            self._show("stopped", step="removed")
            return
        self._show("commanding", step="remove")
        await self._halt()
        if self.model.environments:  # else its record is gone (`Reconciler.clear_away`): nothing is deleted
            await self._limited("remove", self._host.factory(self.model).destroy(remove_database=goal.drop))
        self._removed, self._dropped, self._installed = True, goal.drop, False
        self._show("stopped", step="removed")

    async def _failed(self, error: Exception, generation: int) -> None:
        self._attempts += 1
        log.warning(
            "an app could not be brought to its desired state",
            exc_info=error,
            extra={"app": self.model.name, "attempt": self._attempts},
        )
        if isinstance(error, LeaseLost):
            pause: float | None = 0.5
        elif isinstance(error, DatabaseUnavailable):
            pause = _DATABASE_PAUSE
        elif self._attempts >= QUARANTINE:
            pause = None
        else:
            pause = min(2.0 ** (self._attempts - 1), _LONGEST_PAUSE)
        reason = _reason(error, pause)
        self._show("error", step=self.row.step, message=reason.message, reason=reason)
        self._host.settled(self.model.uid, generation, reason)
        try:
            async with asyncio.timeout(pause):
                await self._changed.wait()
        except TimeoutError:
            return

    # -- what people see

    def show_again(self) -> None:
        """Publishes the row once more, after what was published got lost."""
        self.row = replace(self.row, sequence=self._host.next_sequence(), generation=self.model.generation)
        self._host.report(self.row)

    def _show(
        self,
        status: Status,
        *,
        step: str = "",
        message: str = "",
        reason: Reason | None = None,
        queued_since: datetime | None = None,
    ) -> None:
        self.row = self._row(status, step, message, reason, queued_since, self.row)
        self._host.report(self.row)

    def _row(
        self,
        status: Status,
        step: str = "",
        message: str = "",
        reason: Reason | None = None,
        queued_since: datetime | None = None,
        before: StatusRow | None = None,
    ) -> StatusRow:
        now = datetime.now(UTC)
        passing = status in ("preparing", "initializing", "commanding") and queued_since is None
        return StatusRow(
            app=self.model.name,
            uid=self.model.uid,
            environment=self._host.name,
            instance=self._host.instance,
            sequence=self._host.next_sequence(),
            generation=self.model.generation,
            status=status,
            since=before.since if before is not None and before.status == status else now,
            updated=now,
            step=step,
            steps=tuple(self._steps.values()),
            message=message,
            reason=reason,
            deadline=now + timedelta(seconds=self._host.step_seconds) if passing else None,
            queued_since=queued_since,
            attempts=self._attempts,
            version=self._host.version,
            settings_version=self._settings,
            restarts=self._restarts,
            installed=self._installed,
            removed=self._removed,
            database_dropped=self._dropped,
        )

    def _step_done(self, name: str) -> None:
        if self._steps[name].state != "done":
            self._step_ends(name, "done")

    def _step_ends(self, name: str, state: StepState) -> None:
        self._steps = self._steps | {name: Step(name=name, state=state, at=datetime.now(UTC))}


def _reason(error: Exception, pause: float | None) -> Reason:
    again = (
        "It is not tried again by itself; remove the cause and start the app."
        if pause is None
        else f"It is tried again in {pause:g} seconds; starting the app tries at once."
    )
    if isinstance(error, AtollError):
        return Reason(code=reason_code(error), message=error.message, remedy=again)
    return Reason(
        code="APP_ERROR",
        message=f"The app failed with {type(error).__name__}; the environment's log has the details.",
        remedy=again,
    )
