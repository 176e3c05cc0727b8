"""F01: many first visits at once cause one start, and everybody gets its result."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import anyio
import httpx
import pytest

from atoll.testing.client import Account, AtollClient
from atoll.testing.deployment import Deployment
from atoll.testing.processes import ServerProcess

from .conftest import Say
from .reading import starts

pytestmark = pytest.mark.anyio

VISITORS = 100
ACCOUNT = Account()


@pytest.fixture(scope="module")
async def single(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServerProcess]:
    """Everything in one process."""
    variables = {"INIT_ROOT_PASSWORD": ACCOUNT.password}
    async with ServerProcess("single", tmp_path_factory.mktemp("single"), variables) as server:
        yield server


async def test_one_process(single: ServerProcess, say: Say) -> None:
    async with AtollClient(single.url) as client:
        await client.sign_in(ACCOUNT)
        await client.create_app("lazy", ["local"], wait=None, start=False)
        await client.wait_status("lazy", "initialized")
        before = starts(single, "lazy")
        began = time.monotonic()
        _assert_all_served(await _crowd([single.url], "lazy"), "lazy")
        took = time.monotonic() - began
        await client.wait_status("lazy", "running")
    assert starts(single, "lazy") - before == 1
    say(f"{VISITORS} first visits at once, one process: one start, all answered after {took:.2f} s")


async def test_through_the_supervisor_and_at_the_worker(deployment: Deployment, say: Say) -> None:
    worker = deployment.workers["env_a"]
    await deployment.client.create_app("lazy", ["env_a"], wait=None, start=False)
    await deployment.client.wait_status("lazy", "initialized")
    before = starts(worker, "lazy")
    began = time.monotonic()
    answers = await _crowd([deployment.supervisor.url, worker.url], "lazy")
    took = time.monotonic() - began
    _assert_all_served(answers, "lazy")
    assert starts(worker, "lazy") - before == 1
    await deployment.client.wait_status("lazy", "running")
    say(f"{VISITORS} first visits at once, half at Supervisor, half at worker: one start, {took:.2f} s")


async def test_in_two_environments_one_after_another(deployment: Deployment, say: Say) -> None:
    """One start per environment, and the second begins only when the first has ended."""
    await deployment.client.create_app("pair", ["env_a", "env_b"], wait=None, start=False)
    await deployment.client.wait_status("pair", "initialized")
    before = {name: starts(worker, "pair") for name, worker in deployment.workers.items()}
    urls = [deployment.supervisor.url, *(worker.url for worker in deployment.workers.values())]
    _assert_all_served(await _crowd(urls, "pair"), "pair")
    await deployment.client.wait_status("pair", "running")
    counted = {name: starts(worker, "pair") - before[name] for name, worker in deployment.workers.items()}
    assert counted == {"env_a": 1, "env_b": 1}
    say(f"{VISITORS} first visits over two environments: {counted} starts")


async def _crowd(urls: list[str], name: str) -> list[httpx.Response]:
    """All visitors at once, spread over `urls`, half by path and half by header."""
    answers: list[httpx.Response] = []

    async def visit(url: str, number: int) -> None:
        if (number // len(urls)) % 2:
            answers.append(await http.get(f"{url}/api/__app/{name}/app:getInfo"))
        else:
            answers.append(await http.get(f"{url}/api/app:getInfo", headers={"X-App": name}))

    limits = httpx.Limits(max_connections=VISITORS)
    async with (
        httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as http,
        anyio.create_task_group() as group,
    ):
        for number in range(VISITORS):
            group.start_soon(visit, urls[number % len(urls)], number)
    return answers


def _assert_all_served(answers: list[httpx.Response], name: str) -> None:
    assert len(answers) == VISITORS
    wrong = [f"{answer.status_code} {answer.text[:200]}" for answer in answers if answer.status_code != 200]
    assert not wrong, f"{len(wrong)} of {VISITORS}: {wrong[:3]}"
    assert {answer.json()["data"]["name"] for answer in answers} == {name}
