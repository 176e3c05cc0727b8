"""What goes on at a site during a run: requests, changes of configuration, tasks, a queue with items."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx

from atoll.testing.fault_run import Requests

from .drill_site import Site
from .load import NOTES

ROWS = 2000
DESTROYED = 100
STANDING = 100
CUSTOMERS = 8
CODES = {
    "name": "",
    "fields": [{"name": "code", "type": "string", "unique": True}, {"name": "n", "type": "integer"}],
}


@dataclass
class Work:
    """Everything that is asked of a site, and what was acknowledged.

    Args:
        rate: requests per second of readers and writers that are aimed at.
    """

    site: Site
    requests: Requests
    rate: float
    running: bool = True
    notes: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    held: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)
    tasks: list[tuple[str, str]] = field(default_factory=list)
    tasks_wrong: list[str] = field(default_factory=list)
    changes: int = 0
    reads: int = 0
    stale: list[str] = field(default_factory=list)
    waiting: int = 0
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _checks: set[asyncio.Task[None]] = field(default_factory=set)

    async def prepare(self) -> None:
        """Makes what the work needs, before anything is broken."""
        async with self.site.http() as http:
            (await http.post("/api/collections:create", json=NOTES)).raise_for_status()

    async def run(self, people: int) -> None:
        """Works until `running` is False; then ends what was begun."""
        async with asyncio.TaskGroup() as group:
            for number in range(people):
                group.create_task(self._person(people / self.rate, number / self.rate))
            for _ in range(CUSTOMERS):
                group.create_task(self._customer())
            group.create_task(self._administrator())
            group.create_task(self._importer())
        await asyncio.gather(*self._checks)

    # -- requests

    async def _person(self, every: float, first: float) -> None:
        """Reads four times for each write, on a connection of its own, at a steady pace if it is answered."""
        async with self.site.http() as http:
            due = time.monotonic() + first
            for turn in itertools.count():
                if not self.running:
                    return
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                due = max(due + every, time.monotonic())
                if turn % 5:
                    await self.requests.send(http, "GET", "/api/notes:list?pageSize=5")
                else:
                    text = f"n{next(self._numbers)}"
                    answer = await self.requests.send(http, "POST", "/api/notes:create", json={"s": text})
                    if answer is not None:
                        self.notes.append(text)
                        self.ids.append(answer.json()["data"]["id"])

    async def _customer(self) -> None:
        """Keeps a number of items in the queue, together with others."""
        async with self.site.http() as http:
            while self.running:
                if self.waiting >= STANDING:
                    await asyncio.sleep(0.05)
                    continue
                await self.order(http)

    async def order(self, http: httpx.AsyncClient, *, urgent: bool = False) -> str | None:
        """One order; its key when it was acknowledged."""
        key = f"o{next(self._numbers)}"
        body = {"key": key, "urgent": urgent}
        answer = await self.requests.send(http, "POST", "/api/drill:submit", json=body)
        if answer is None:
            return None
        made = answer.json()["data"]
        self.orders.append(key)
        self.waiting += 1
        self.ids.append(made["id"])
        holder, second = (made["id"] >> 16 & 31, made["process"]), made["id"] >> 21
        first, last = self.held.get(holder, (second, second))
        self.held[holder] = (min(first, second), max(last, second))
        return key

    # -- configuration

    async def _administrator(self) -> None:
        """Changes something each second, and asks every instance for it as soon as it is acknowledged."""
        async with self.site.http() as http:
            for number in itertools.count():
                if not self.running:
                    return
                await self._change(http, number)
                await asyncio.sleep(1)

    async def _change(self, http: httpx.AsyncClient, number: int) -> None:
        name = f"c{number}"
        what: tuple[str, Any, str, Any]
        match number % 3:
            case 0:
                what = ("collections:create", {"name": name}, f"{name}:list", [])
            case 1:
                role = {"name": name, "title": name}
                what = ("roles:create", role, f"roles:get/{name}", name)
            case _:
                what = ("systemSettings:update/1", {"title": f"{number}"}, "systemSettings:get", number)
        action, values, read, expected = what
        if await self.requests.send(http, "POST", f"/api/{action}", json=values) is None:
            return
        self.changes += 1
        for instance in self.site.instances:
            for _ in range(2 if "CLUSTER_MODE" in instance.environment else 1):
                check = asyncio.create_task(self._check(instance.name, instance.url, read, expected))
                self._checks.add(check)
                check.add_done_callback(self._checks.discard)

    async def _check(self, who: str, url: str, read: str, expected: Any) -> None:
        """Also an instance that is paused answers rightly, when it answers."""
        began = time.time()
        async with self.site.http(url, timeout=60) as http:
            try:
                answer = await http.get(f"/api/{read}")
            except httpx.TransportError:
                return
        if answer.status_code >= 500:
            return
        self.reads += 1
        data: Any = answer.json().get("data") if answer.is_success else None
        known = (
            answer.is_success
            and (expected != [] or data == [])
            and (not isinstance(expected, str) or data["name"] == expected)
            and (not isinstance(expected, int) or int(data["title"]) >= expected)
        )
        if not known:
            self.stale.append(f"{who} {read} at {began:.1f}: {answer.status_code} {answer.text[:200]}")

    # -- tasks

    async def _importer(self) -> None:
        """One import after the other, each followed by a bulk change of what it made."""
        async with self.site.http(timeout=60) as http:
            for number in itertools.count():
                if not self.running:
                    return
                await self._import(http, f"i{number}")

    async def _import(self, http: httpx.AsyncClient, name: str) -> None:
        made = await self._post(http, "collections:create", json={**CODES, "name": name})
        content = "Code,N\n" + "".join(f"c{number},{number}\n" for number in range(ROWS))
        file = {"file": ("rows.csv", content.encode())}
        seen = await self._post(http, f"{name}:inspectImport", files=file) if made is not None else None
        if seen is None:
            return
        params = {
            "collection": name,
            "upload": seen["upload"],
            "layout": seen["layout"],
            "columns": [{"index": 0, "field": "code"}, {"index": 1, "field": "n"}],
        }
        if not await self._task(http, "import", name, params):
            return
        params = {"collection": name, "filter": {"n": {"$lt": DESTROYED}}, "expected": DESTROYED}
        await self._task(http, "records:destroy", name, params)

    async def _task(self, http: httpx.AsyncClient, kind: str, name: str, params: dict[str, Any]) -> bool:
        task = await self._post(http, "asyncTasks:create", json={"type": kind, "params": params})
        if task is None:
            return False
        self.tasks.append((kind, name))
        row, deadline = None, time.monotonic() + 240
        while time.monotonic() < deadline:
            await asyncio.sleep(0.5)
            answer = await self.requests.send(http, "GET", f"/api/asyncTasks:get/{task['id']}")
            row = answer.json()["data"] if answer is not None else None
            if row is not None and row["doneAt"] is not None:
                if row["status"] != 1 or row["result"].get("failed"):
                    self.tasks_wrong.append(f"{kind} of {name}: status {row['status']}, {row['result']}")
                return bool(row["status"] == 1)
        self.tasks_wrong.append(f"{kind} of {name}: not done within 240 s: {row}")
        return False

    async def _post(self, http: httpx.AsyncClient, action: str, **more: Any) -> Any:
        answer = await self.requests.send(http, "POST", f"/api/{action}", **more)
        return None if answer is None else answer.json()["data"]

    # -- ids

    def shared_worker_ids(self) -> int:
        """How many worker ids two processes gave ids with at the same time."""
        by_worker: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for (worker, _), times in self.held.items():
            by_worker[worker].append(times)
        return sum(
            any(later[0] < earlier[1] for earlier, later in itertools.pairwise(sorted(times)))
            for times in by_worker.values()
        )
