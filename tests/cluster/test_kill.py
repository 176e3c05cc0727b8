"""F02: SIGKILL in the middle of create, start, stop and delete; doing it again converges, nothing is left.

Where in the middle is spread over the whole length of each step as measured first, so that the kills fall
into every phase; the last progress row seen before each kill is part of the report.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
import pytest

from atoll.testing.client import AtollClient, CallFailed
from atoll.testing.deployment import Deployment
from atoll.testing.processes import ServerProcess, eventually

from .conftest import Say
from .reading import traces

pytestmark = pytest.mark.anyio

STEPS = ("create", "stop", "start", "delete")
END = {"create": "running", "start": "running", "stop": "stopped", "delete": None}


@dataclass
class Lengths:
    """How long each step takes undisturbed, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)


@pytest.fixture(scope="module")
async def lengths(deployment: Deployment) -> Lengths:
    found = Lengths()
    for step in STEPS:
        began = time.monotonic()
        await _ask(deployment.client, step, "measure")
        await _reached(deployment.client, step, "measure", within=30)
        found.seconds[step] = time.monotonic() - began
    return found


@pytest.mark.parametrize("victim", ["env_a", "supervisor"])
async def test_kills_spread_over_every_step(
    deployment: Deployment, lengths: Lengths, victim: str, say: Say
) -> None:
    await _rounds(deployment, lengths, victim, [0.1, 0.5, 0.9], say)


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["env_a", "supervisor"])
async def test_many_kills_at_random_moments(
    deployment: Deployment, lengths: Lengths, victim: str, say: Say
) -> None:
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    say(f"seed {seed}")
    await _rounds(deployment, lengths, victim, [dice.uniform(0, 1.2) for _ in range(25)], say)


async def _rounds(
    deployment: Deployment, lengths: Lengths, victim: str, parts: list[float], say: Say
) -> None:
    seen: Counter[str] = Counter()
    slowest = 0.0
    for number, part in enumerate(parts):
        name = f"{victim.replace('_', '')}{number}"
        for step in STEPS:
            last = await _killed_in(deployment, victim, step, name, part * lengths.seconds[step])
            seen[f"{step}: {last}"] += 1
            began = time.monotonic()
            await _again(deployment.client, step, name)
            slowest = max(slowest, time.monotonic() - began)
            await _assert_honest(deployment, step, name)
        assert await traces(deployment, name) == []
    say(
        f"{len(parts) * len(STEPS)} x SIGKILL {victim}; slowest convergence {slowest:.1f} s;"
        " killed after seeing:"
    )
    for line, count in sorted(seen.items()):
        say(f"  {count} x {line}")


async def _killed_in(deployment: Deployment, victim: str, step: str, name: str, delay: float) -> str:
    """Asks for a step, kills the victim after `delay`, brings it back; the last progress seen before."""
    server = _server(deployment, victim)
    last = "nothing"

    async def asking() -> None:
        try:
            await _ask(deployment.client, step, name)
        except (httpx.TransportError, CallFailed):
            return

    async def watching() -> None:
        nonlocal last
        async with deployment.client.other("main") as watcher:
            watcher.http.headers.update(deployment.client.http.headers)
            while True:
                try:
                    last = _progress(await watcher.app_row(name))
                except (httpx.TransportError, CallFailed):
                    return
                await anyio.sleep(0.005)

    async with anyio.create_task_group() as group:
        group.start_soon(asking)
        group.start_soon(watching)
        await anyio.sleep(delay)
        await server.kill()
        group.cancel_scope.cancel()
    await server.start()
    await deployment.client.wait_environments(dict.fromkeys(deployment.workers, True))
    return last


async def _again(client: AtollClient, step: str, name: str) -> None:
    """A person repeats what was interrupted. "It exists" and "there is none" are fine answers to that."""
    fine = {"create": ("APP_NAME_TAKEN",), "delete": ("APP_NOT_FOUND",)}.get(step, ())
    try:
        await _ask(client, step, name)
    except CallFailed as error:
        assert error.code in fine, error
    await _reached(client, step, name, within=45)


async def _ask(client: AtollClient, step: str, name: str) -> None:
    if step == "create":
        await client.create_app(name, ["env_a"], wait=None)
    elif step == "delete":
        await client.call(f"applications:destroy/{name}", removeDatabase="true")
    else:
        await client.call(f"applications:{step}/{name}")


async def _reached(client: AtollClient, step: str, name: str, *, within: float) -> None:
    end = END[step]
    if end is not None:
        await client.wait_status(name, end, within=within)
        return

    async def gone() -> bool:
        return await client.app_row(name) is None

    await eventually(gone, within=within, what=f"{name} is gone")


async def _assert_honest(deployment: Deployment, step: str, name: str) -> None:
    """What is listed is what a visitor finds, at the Supervisor and at the worker."""
    expected = {"create": 200, "start": 200, "stop": 503, "delete": 404}[step]
    ways: list[Callable[[], Awaitable[httpx.Response]]] = [lambda: deployment.client.ask(name)]
    async with deployment.worker("env_a") as worker:
        ways.append(lambda: worker.ask(name))
        for way in ways:
            answer = await way()
            assert answer.status_code == expected, (step, answer.url, answer.text[:300])


def _server(deployment: Deployment, name: str) -> ServerProcess:
    return deployment.supervisor if name == "supervisor" else deployment.workers[name]


def _progress(row: dict[str, Any] | None) -> str:
    if row is None:
        return "no row"
    progress = row["progress"]
    return f"{row['status']}, step {progress['step']}" if progress else str(row["status"])
