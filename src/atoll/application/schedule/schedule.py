"""Makes ticks when they are due, and runs them (base.py says what is promised)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from atoll.application.schedule.base import SERVICE, Job, Tick
from atoll.application.schedule.store import ScheduleStore, TickRow, lost, spent
from atoll.database.drivers.base import Database
from atoll.errors import DatabaseUnavailable
from atoll.lifecycle import BackgroundTasks

log = logging.getLogger(__name__)
LEASE_MS = 30_000
LONGEST_SLEEP_MS = 300_000
LONGEST_MISSED_MS = 7 * 24 * 3600 * 1000
"""Times missed before that are not counted one by one."""
KEPT_MS = 30 * 24 * 3600 * 1000


class Schedule:
    """The scheduled work of one app in one instance. It asks the database when something is due, not all the
    time.

    Args:
        instance: identity of this instance.
        serving: whether this instance does the work of a service key.
        now: milliseconds since 1970; None: the database's clock.
        lease_ms: how long a tick belongs to an instance that gives no sign.
    """

    def __init__(
        self,
        app: str,
        database: Database,
        instance: str,
        serving: Callable[[str], bool],
        *,
        now: Callable[[], Awaitable[int]] | None = None,
        lease_ms: int = LEASE_MS,
    ) -> None:
        self._app, self._instance, self._serving = app, instance, serving
        self._store = ScheduleStore(database)
        self._now = now or self._store.now
        self._lease_ms = lease_ms
        self._jobs: dict[str, Job] = {}
        self._running: set[tuple[str, int]] = set()
        self._tasks = BackgroundTasks(f"schedule:{app}")
        self._wake = asyncio.Event()

    def add(self, job: Job) -> None:
        """Schedules a job; raises InvalidValue for an expression that is none. Before `start`."""
        job.after(datetime.now(UTC))
        if job.name in self._jobs:
            raise ValueError(f"a job is added twice: {job.name}")
        self._jobs[job.name] = job

    async def start(self) -> None:
        """Begins. An instance that does other work only makes sure that the jobs are known."""
        known, now = await self._store.known(self._jobs), await self._now()
        for job in self._jobs.values():
            before = known.get(job.name)
            if before is None or before.cron != job.cron:
                await self._store.introduce(job.name, job.cron, _next(job, now), before)
        if self._jobs and self._serving(SERVICE):
            _ = self._tasks.keep_running("ticks", self._loop)

    async def stop(self) -> None:
        """Ends; ticks that are being run are given up and run elsewhere. Idempotent."""
        await self._tasks.cancel_all()
        self._running.clear()

    def look(self) -> None:
        """Looks now instead of when something should be due."""
        self._wake.set()

    async def overview(self) -> list[dict[str, Any]]:
        """For people: each job with its next time and its last ticks."""
        known = await self._store.known(self._jobs)
        result = []
        for job in self._jobs.values():
            ticks = await self._store.last([job.name], 10)
            row = known.get(job.name)
            shown = [_shown(each) for each in ticks]
            result.append(
                {
                    "name": job.name,
                    "cron": job.cron,
                    "nextAt": _time(row.next) if row is not None else None,
                    "ticks": shown,
                }
            )
        return result

    async def forget_old(self) -> None:
        """Removes ticks that ended a month ago."""
        await self._store.forget(await self._now() - KEPT_MS)

    async def _loop(self) -> None:
        while True:
            self._wake.clear()
            pause = await self._turn()
            try:
                async with asyncio.timeout(pause / 1000):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _turn(self) -> int:
        """Does what is due; how many milliseconds there is nothing to do afterwards."""
        now, moments = await self._now(), []
        for row in (await self._store.known(self._jobs)).values():
            following = row.next
            if row.next <= now:
                following = await self._make(self._jobs[row.name], row.next, now)
            moments.append(following)
        for tick in await self._store.open(self._jobs):
            if tick.state == "waiting" or lost(tick, now):
                await self._take(tick, now)
            else:
                moments.append(tick.until + 1)
        return max(1, min([*moments, now + LONGEST_SLEEP_MS]) - now)

    async def _make(self, job: Job, first: int, now: int) -> int:
        due: list[int] = []
        moment = first if first > now - LONGEST_MISSED_MS else _next(job, now - LONGEST_MISSED_MS)
        while moment <= now:
            due.append(moment)
            moment = _next(job, moment)
        due = due or [first]
        cut = max(0, len(due) - job.catch_up)
        skipped, kept = due[:cut], due[cut:]
        row = (await self._store.known([job.name])).get(job.name)
        if row is None or row.next != first:
            return row.next if row is not None else moment
        if await self._store.make(row, kept, skipped, moment) and skipped:
            log.warning(
                "times of a job passed while no instance ran the app",
                extra={"app": self._app, "job": job.name, "left_out": len(skipped), "run": len(kept)},
            )
        return moment

    async def _take(self, tick: TickRow, now: int) -> None:
        if (tick.job, tick.due) in self._running:
            return
        if spent(tick):
            note = f"its instance was lost {tick.tries} times while it ran"
            await self._store.finish(tick, tick.tries, "failed", now, note)
            log.error("a tick was given up", extra={"app": self._app, "job": tick.job, "reason": note})
        elif await self._store.claim(tick, self._instance, now + self._lease_ms):
            self._running.add((tick.job, tick.due))
            _ = self._tasks.spawn(f"job:{tick.job}", self._run(tick, tick.tries + 1))

    async def _run(self, tick: TickRow, number: int) -> None:
        job = self._jobs[tick.job]
        working = asyncio.ensure_future(job.run(Tick(job.name, _moment(tick.due), number)))
        try:
            while not (await asyncio.wait({working}, timeout=self._lease_ms / 3000))[0]:
                if not await self._renewed(tick, number):
                    log.warning("a tick was lost to another instance", extra={"job": tick.job})
                    return
            error = working.exception()
            if error is not None:
                log.error("a scheduled job failed", exc_info=error, extra={"app": self._app, "job": tick.job})
            state, note = ("done", None) if error is None else ("failed", f"{type(error).__name__}: {error}")
            await self._store.finish(tick, number, state, await self._now(), note)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            self._running.discard((tick.job, tick.due))
            self._wake.set()

    async def _renewed(self, tick: TickRow, number: int) -> bool:
        try:
            return await self._store.renew(tick, number, await self._now() + self._lease_ms)
        except DatabaseUnavailable as error:
            log.warning("a tick cannot be renewed now", extra={"job": tick.job, "reason": error.message})
            return True


def _next(job: Job, moment: int) -> int:
    return int(job.after(_moment(moment)).timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _time(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return _moment(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(tick: TickRow) -> dict[str, Any]:
    return {
        "due": _time(tick.due),
        "state": tick.state,
        "tries": tick.tries,
        "instance": tick.instance,
        "finishedAt": _time(tick.finished),
        "note": tick.note,
    }
