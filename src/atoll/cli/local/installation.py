"""One running local installation: starts its processes, keeps them running, stops them in order."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import redis.asyncio
from redis.exceptions import RedisError

from atoll.cli.exits import CommandFailed, ExitCode
from atoll.cli.local import record
from atoll.cli.local.children import Child
from atoll.cli.local.layout import Layout
from atoll.cli.local.screen import Screen

REDIS = "redis"
POLL_SECONDS = 0.05
READY_SECONDS = 120.0
REDIS_STOP_SECONDS = 10.0


class Stopped(Exception):
    """The installation was asked to stop while something else was going on."""


@dataclass(frozen=True)
class RedisProgram:
    """How the private Redis is started and reached."""

    program: Path
    configuration: str
    url: str
    log: Path


class Installation:
    """Redis, Supervisor and workers as child processes.

    Args:
        storage: the folder all of it lives in; the caller holds its lock.
        stop_limit: seconds a server may take to stop before it is killed.
    """

    def __init__(
        self, *, storage: Path, layout: Layout, redis_program: RedisProgram, screen: Screen, stop_limit: float
    ) -> None:
        self._storage = storage
        self._layout = layout
        self._redis_program = redis_program
        self._screen = screen
        self._stop_limit = stop_limit
        self._all_ready = False
        self._stop = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._children = {REDIS: self._redis_child()} | {
            server.name: Child(
                server.name,
                [sys.executable, "-P", "-m", "atoll", "start"],
                server.variables,
                screen.say,
                self._note_processes,
            )
            for server in layout.servers
        }

    def ask_to_stop(self) -> None:
        """Starts the stop; asked a second time, everything is killed."""
        if self._stop.is_set():
            for child in self._children.values():
                child.kill()
        self._stop.set()

    async def run(self, when_ready: Callable[[], Awaitable[None]]) -> None:
        """Runs until `ask_to_stop`. All processes have ended when this returns or raises.

        Raises:
            CommandFailed: a process ended before all were ready, or was not ready in time.
        """
        try:
            await self._start()
            await self._unless_stopped(_finish(when_ready))
            await self._unless_stopped(self._stop.wait())
        except Stopped:
            self._screen.own("stopping")
        finally:
            await self._end()

    async def _start(self) -> None:
        self._launch(REDIS)
        await self._unless_stopped(self._redis_ready())
        for server in self._layout.servers:
            self._launch(server.name)
        waiting = {server.name for server in self._layout.servers}
        with self._screen.waiting("starting " + ", ".join(sorted(waiting))):
            async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
                readiness = asyncio.gather(
                    *(self._server_ready(client, server.name, server.url) for server in self._layout.servers)
                )
                await self._unless_stopped(_finish(lambda: readiness))
        self._all_ready = True
        self._note_processes()

    def _launch(self, name: str) -> None:
        self._tasks[name] = asyncio.create_task(
            self._children[name].run(restart=lambda: self._all_ready), name=f"child:{name}"
        )

    async def _unless_stopped(self, work: Coroutine[Any, Any, Any]) -> None:
        """Waits for `work`, but no longer than until a stop is asked for or a process is gone for good."""
        task = asyncio.create_task(work)
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({task, stop, *self._tasks.values()}, return_when=asyncio.FIRST_COMPLETED)
            if self._stop.is_set():
                raise Stopped
            for name, running in self._tasks.items():
                if running.done():
                    running.result()
                    raise self._died(self._children[name])
            await task
        finally:
            for started in (task, stop):
                started.cancel()
            await asyncio.gather(task, stop, return_exceptions=True)

    def _died(self, child: Child) -> CommandFailed:
        hint = f"See {self._redis_program.log}." if child.name == REDIS else "Its last lines above say why."
        code = ExitCode.BAD_SETTINGS if child.exit_code == ExitCode.BAD_SETTINGS else ExitCode.CHILD_FAILED
        return CommandFailed(code, f"{child.name} ended {child.outcome()} before it was ready. {hint}")

    async def _redis_ready(self) -> None:
        client = redis.asyncio.Redis.from_url(self._redis_program.url, socket_connect_timeout=1)
        try:
            await _until(REDIS, lambda: _pings(client))
        finally:
            await client.aclose()

    async def _server_ready(self, client: httpx.AsyncClient, name: str, url: str) -> None:
        began = asyncio.get_running_loop().time()
        await _until(name, lambda: _answers(client, f"{url}/api/__ready"))
        self._screen.say(name, f"ready on {url} after {asyncio.get_running_loop().time() - began:.1f} s")

    def _note_processes(self) -> None:
        if not self._all_ready or self._stop.is_set():
            return
        members = [
            record.Member(server.name, server.url, self._children[server.name].pid)
            for server in self._layout.servers
        ]
        record.write(self._storage, record.UpRecord(os.getpid(), members[0], members[1:]))

    async def _end(self) -> None:
        self._stop.set()
        record.remove(self._storage)
        workers = [self._children[server.name] for server in self._layout.environments]
        await asyncio.gather(*(child.stop(self._stop_limit) for child in workers))
        await self._children[self._layout.supervisor.name].stop(self._stop_limit)
        await self._children[REDIS].stop(REDIS_STOP_SECONDS)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _redis_child(self) -> Child:
        return Child(
            REDIS,
            [str(self._redis_program.program), "/dev/stdin"],
            {},
            self._screen.say,
            self._note_processes,
            stdin=self._redis_program.configuration.encode(),
        )


async def _finish(work: Callable[[], Awaitable[Any]]) -> None:
    await work()


async def _until(name: str, ready: Callable[[], Awaitable[bool]]) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await ready():  # noqa: ASYNC110 - another process gives no event to wait for
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise CommandFailed(
            ExitCode.TIMED_OUT,
            f"{name} was not ready within {READY_SECONDS:g} s. Its lines above may say why.",
        ) from None


async def _pings(client: redis.asyncio.Redis) -> bool:
    try:
        await client.ping()
    except RedisError:  # not listening yet, or still loading its data
        return False
    return True


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
