"""People at work: clients that write or read without pause, each on a connection of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx

from atoll.testing.processes import eventually

KEY = {"name": "id", "type": "snowflakeId", "primaryKey": True, "allowNull": False}
NOTES = {"name": "notes", "autoGenId": False, "fields": [KEY, {"name": "s", "type": "string"}]}
CLIENTS = 8
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@dataclass
class Load:
    """What happened to the requests of some clients, each with a connection of its own that it keeps."""

    ids: list[int] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    running: bool = True

    async def run(self, url: str, token: str, *, create: bool) -> None:
        headers = {"Authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=20, trust_env=False) as http:
            while self.running:
                if create:
                    answer = await http.post("/api/notes:create", json={"s": "x"})
                    if answer.status_code == 200:
                        self.ids.append(answer.json()["data"]["id"])
                else:
                    answer = await self._read(http)
                self.answers[str(answer.status_code)] += 1

    async def _read(self, http: httpx.AsyncClient) -> httpx.Response:
        """Reading may be repeated, so a client does: once, on a new connection."""
        try:
            return await http.get("/api/notes:list", params={"pageSize": 5})
        except httpx.TransportError:
            self.broken += 1
            return await http.get("/api/notes:list", params={"pageSize": 5})

    @property
    def count(self) -> int:
        return sum(self.answers.values())


@contextlib.asynccontextmanager
async def under_load(url: str, token: str, *, create: bool) -> AsyncIterator[Load]:
    load = Load()
    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(load.run(url, token, create=create))
        try:
            yield load
        finally:
            load.running = False


async def seen(load: Load, more: int) -> None:
    """Waits until so many more requests were answered."""
    until = load.count + more

    async def reached() -> bool:
        return load.count >= until

    await eventually(reached, within=60, what=f"{more} more answers")


def makers(ids: list[int]) -> Counter[int]:
    """How many ids each worker id made."""
    return Counter(number >> 16 & 31 for number in ids)
