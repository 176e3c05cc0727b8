"""One run with random faults, and the judgement of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import anyio
import asyncpg
import httpx
import psutil

from atoll.testing.fault_run import Fault, FaultLog, Report, Requests, faults_until
from atoll.testing.fault_run.report import KindOfFault
from atoll.testing.fault_run.requests import Failure
from atoll.testing.processes import eventually

from .drill_site import COUNT, PROCESSES_OF_LAST, Site
from .drill_work import DESTROYED, ROWS, Work

PEOPLE_PER_RATE = 0.33  # each may wait a second and more for an answer, and the rate is kept all the same
RECOVERY_SECONDS = 120.0
DRAIN_SECONDS = 180.0
MINUTE = 60


class Run:
    """Puts a site to work, breaks it again and again, and looks at what is left.

    Args:
        seconds: how long faults are injected; the queue is emptied afterwards.
        rate: requests per second that readers and writers aim at.
    """

    def __init__(self, site: Site, *, seconds: float, seed: int, rate: float) -> None:
        self.site, self.seconds, self.seed = site, seconds, seed
        addresses = {f"127.0.0.1:{each.port}": each.name for each in site.instances}
        self.log = FaultLog()
        self.requests = Requests(addresses, self.log)
        self.work = Work(site, self.requests, rate)
        self.began = self.ended = 0.0
        self.not_recovered: list[str] = []
        self.standing: list[int] = []

    async def run(self, faults: Sequence[Fault]) -> Report:
        """Does it. What was wrong stands in the report."""
        await self.work.prepare()
        self.began = time.time()
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch())
            working = group.create_task(self.work.run(round(self.work.rate * PEOPLE_PER_RATE)))
            try:
                await self._break(faults)
            except AssertionError as error:
                last = self.log.happened[-1].name
                self.not_recovered.append(f"after {last}: {error}; failures since: {self._last_failures()}")
            finally:
                self.work.running = False
            await working
            self.ended = time.time()
            with contextlib.suppress(AssertionError):  # what is left then counts as lost
                await eventually(self._drained, within=DRAIN_SECONDS, what="all orders are done", every=0.5)
            watch.cancel()
        return await self._report()

    async def _break(self, faults: Sequence[Fault]) -> None:
        until = self.began + self.seconds
        chance = random.Random(self.seed)
        async for entry in faults_until(until, faults, self.log, chance, recovered=self._recovered):
            took = (entry.recovered or 0) - entry.repaired
            sys.stdout.write(f"{entry.began - self.began:6.1f} s {entry.name} {entry.hurts}: {took:.1f} s\n")
        await anyio.sleep(max(0.0, until - time.time()))

    def _last_failures(self) -> str:
        began = self.log.happened[-1].began
        found = [each for each in self.requests.failures if each.ended >= began]
        return repr(Counter((each.what, each.who, each.reason) for each in found).most_common(20))

    async def _recovered(self) -> None:
        """Each instance is ready and writes, and a new item of the queue is done."""
        for instance in self.site.instances:
            await instance.until_ready(within=RECOVERY_SECONDS)
            async with self.site.http(instance.url, timeout=10) as http:

                async def writes(http: httpx.AsyncClient = http) -> bool:
                    try:
                        return (await http.post("/api/notes:create", json={"s": "probe"})).is_success
                    except httpx.TransportError:
                        return False

                await eventually(writes, within=RECOVERY_SECONDS, what=f"{instance.name} writes")
        async with self.site.http() as http:

            async def ordered() -> str | None:
                return await self.work.order(http, urgent=True)

            key = await eventually(ordered, within=RECOVERY_SECONDS, what="an order is taken")

            async def done() -> bool:
                found = await self._fetch('SELECT 1 FROM "drillEffects" WHERE key = $1', key)
                return bool(found)

            await eventually(done, within=RECOVERY_SECONDS, what="the queue goes on")

    # -- looks past the servers

    async def _fetch(self, statement: str, *values: Any) -> list[Any]:
        at = self.site.postgres
        connection = await asyncpg.connect(
            host=at.host, port=at.port, user=at.user, password=at.password, database=self.site.name
        )
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def _count(self, statement: str) -> int:
        return int((await self._fetch(statement))[0][0])

    async def _watch(self) -> None:
        """Keeps the number of waiting orders up to date."""
        while True:
            self.work.waiting = await self._count(
                'SELECT (SELECT count(*) FROM "drillOrders") - (SELECT count(*) FROM "drillEffects")'
            )
            if self.work.running:
                self.standing.append(self.work.waiting)
            await asyncio.sleep(0.5)

    async def _drained(self) -> bool:
        return self.work.waiting == 0

    # -- judgement

    async def _report(self) -> Report:
        work, requests = self.work, self.requests
        blamed = requests.blamed()
        kept = Counter(row[0] for row in await self._fetch("SELECT s FROM notes WHERE s <> 'probe'"))
        orders = {row[0] for row in await self._fetch('SELECT key FROM "drillOrders"')}
        effects = {row[0] for row in await self._fetch('SELECT key FROM "drillEffects"')}
        twice, unexplained = await self._twice()
        return Report(
            date=datetime.now(UTC).isoformat(" ", "minutes"),
            machine=_machine(),
            queue=self.site.queue,
            seed=self.seed,
            seconds=round(self.ended - self.began, 1),
            instances=f"{COUNT} instances, {COUNT - 1 + PROCESSES_OF_LAST} processes",
            faults=self._kinds(blamed),
            requests=len(requests.times),
            failed=dict(requests.reasons()),
            blamed=[self._in_words(each) for each in blamed],
            standing=round(statistics.median(self.standing)),
            jobs_in=len(orders),
            jobs_done=len(effects),
            jobs_twice=twice,
            jobs_unexplained=unexplained,
            jobs_lost=len(orders - effects),
            effects_twice=len(effects - orders),
            writes=len(work.notes) + len(work.orders),
            writes_lost=len(set(work.notes) - kept.keys()) + len(set(work.orders) - orders),
            writes_twice=sum(count > 1 for count in kept.values()),
            tasks=len(work.tasks),
            tasks_wrong=work.tasks_wrong + await self._wrong_rows(),
            changes=work.changes,
            reads_after_change=work.reads,
            stale=work.stale,
            ids=len(work.ids),
            ids_repeated=len(work.ids) - len(set(work.ids)) + work.shared_worker_ids(),
            worker_ids=len({worker for worker, _ in work.held}),
            ticks=await self._count(f"{_TICKS} AND state = 'done'"),
            ticks_wrong=await self._wrong_ticks(),
            not_recovered=self.not_recovered,
        )

    def _in_words(self, failure: Failure) -> str:
        when = f"{failure.began - self.began:.1f} to {failure.ended - self.began:.1f} s"
        return f"{failure.what} at {failure.who or '?'}: {failure.reason}, {when}"

    def _kinds(self, blamed: Sequence[Failure]) -> list[KindOfFault]:
        kinds = []
        for name in dict.fromkeys(each.name for each in self.log.happened):
            those = [each for each in self.log.happened if each.name == name]
            spans = [(each.began, each.recovered or self.ended) for each in those]
            failed = [
                each
                for each in self.requests.failures
                if any(each.began <= until and since <= each.ended for since, until in spans)
            ]
            kinds.append(
                KindOfFault(
                    name,
                    len(those),
                    [round(e.recovered - e.repaired, 2) for e in those if e.recovered is not None],
                    sum(self.requests.between(*span) for span in spans),
                    sum(each not in blamed for each in failed),
                    sum(each in blamed for each in failed),
                )
            )
        return kinds

    async def _twice(self) -> tuple[int, int]:
        """Orders whose work began more than once, and those of them without a fault in between."""
        rows = await self._fetch(
            'SELECT key, min(at), max(at) FROM "drillBegun" GROUP BY key HAVING count(*) > 1'
        )
        return len(rows), sum(self.log.near(first, last) is None for _, first, last in rows)

    async def _wrong_rows(self) -> list[str]:
        """Tables of imports that ended, without the rows that they must have."""
        ended = Counter(name for _, name in self.work.tasks)
        expected = {name: ROWS - (DESTROYED if count > 1 else 0) for name, count in ended.items()}
        wrong = []
        for name, rows in expected.items():
            found = await self._count(f'SELECT count(DISTINCT code) FROM "{name}"')
            every = await self._count(f'SELECT count(*) FROM "{name}"')
            if (found, every) != (rows, rows):
                wrong.append(f"{name} has {every} rows of {found} codes, not {rows}")
        return wrong

    async def _wrong_ticks(self) -> list[str]:
        """Each full minute of the run has one tick, which is done."""
        rows = await self._fetch(f"{_ROWS_OF_TICKS} ORDER BY due")
        states = {int(row[0]) // 1000: row[1] for row in rows}
        first = int(self.began) // MINUTE * MINUTE + MINUTE
        due = range(first, int(self.ended) - 5, MINUTE)
        seen = [(each, states.get(each, "missing")) for each in due]
        wrong = [f"{_clock(each)}: {state}" for each, state in seen if state != "done"]
        done = {row[0] for row in await self._fetch('SELECT due FROM "drillTicks"')}
        missing = [_clock(each) for each in due if datetime.fromtimestamp(each, UTC).isoformat() not in done]
        return wrong + [f"{each}: noted as done, but was not" for each in missing]


_ROWS_OF_TICKS = """SELECT due, state FROM "appTicks" WHERE job = 'drill/minute'"""
_TICKS = """SELECT count(*) FROM "appTicks" WHERE job = 'drill/minute'"""


def _clock(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%H:%M}"


def _machine() -> str:
    memory = psutil.virtual_memory().total >> 30
    python = platform.python_version()
    return f"{os.cpu_count()} processors, {memory} GB, {platform.system()}, Python {python}"
