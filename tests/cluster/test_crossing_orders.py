"""F04: orders that cross: stop during start, start during stop, delete during both, double clicks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import anyio
import pytest

from atoll.testing.client import CallFailed
from atoll.testing.deployment import Deployment
from atoll.testing.processes import eventually

from .conftest import Say
from .reading import traces

pytestmark = pytest.mark.anyio

#: Orders given one right after another without waiting; the last one decides.
SEQUENCES = {
    "stop during start": ("start", "stop"),
    "start during stop": ("stop", "start"),
    "double start": ("start", "start"),
    "double stop": ("stop", "stop"),
    "nervous": ("start", "stop", "start", "stop", "start", "stop"),
    "restart during stop": ("stop", "restart"),
    "stop during restart": ("restart", "stop"),
}
ENDS = {"start": ("running", 200), "restart": ("running", 200), "stop": ("stopped", 503)}
PAUSES = (0.0, 0.05)


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return itertools.count()


@pytest.mark.parametrize("placed", [("env_a",), ("env_a", "env_b")], ids=["one", "both"])
@pytest.mark.parametrize("case", SEQUENCES)
async def test_last_order_wins(
    deployment: Deployment, case: str, placed: tuple[str, ...], numbers: Iterator[int]
) -> None:
    client = deployment.client
    name = f"cross{next(numbers)}"
    await client.create_app(name, placed)
    for pause in PAUSES:
        for order in SEQUENCES[case]:
            await client.call(f"applications:{order}/{name}")
            await anyio.sleep(pause)
        status, code = ENDS[SEQUENCES[case][-1]]
        await client.wait_status(name, status)
        assert (await client.ask(name)).status_code == code
        row = await client.app_row(name)
        assert row is not None
        assert row["status"] == status, "it must stay so"
    await client.remove_app(name, removeDatabase="true")
    assert await traces(deployment, name) == []


@pytest.mark.parametrize("order", ["start", "stop", "restart", "create"])
async def test_delete_during_anything(
    deployment: Deployment, order: str, numbers: Iterator[int], say: Say
) -> None:
    client = deployment.client
    for pause in (0.0, 0.02, 0.1):
        name = f"gone{next(numbers)}"
        await client.create_app(name, ["env_a", "env_b"], wait=None if order == "create" else 30)
        if order != "create":
            if order == "start":
                await client.call(f"applications:stop/{name}")
                await client.wait_status(name, "stopped")
            await client.call(f"applications:{order}/{name}")
        await anyio.sleep(pause)
        await client.remove_app(name, removeDatabase="true")
        assert await traces(deployment, name) == []
    say(f"delete 0, 20 and 100 ms after {order}: nothing left")


async def test_orders_from_many_people_at_once(deployment: Deployment, numbers: Iterator[int]) -> None:
    """Whatever the order of arrival, the app ends in a clear state, and the next order works."""
    client = deployment.client
    name = f"crowd{next(numbers)}"
    await client.create_app(name, ["env_a", "env_b"])
    async with anyio.create_task_group() as group:
        for order in ("start", "stop", "restart", "stop", "start") * 4:
            group.start_soon(client.call, f"applications:{order}/{name}")
    await client.wait_status(name, "running", "stopped")
    await client.call(f"applications:stop/{name}")
    await client.wait_status(name, "stopped")
    await client.call(f"applications:start/{name}")
    await client.wait_status(name, "running")
    await client.remove_app(name, removeDatabase="true")


async def test_double_create_and_double_delete(deployment: Deployment, numbers: Iterator[int]) -> None:
    client = deployment.client
    name = f"twice{next(numbers)}"
    refused: list[str] = []

    async def create() -> None:
        try:
            await client.create_app(name, ["env_a"], wait=None)
        except CallFailed as error:
            refused.append(error.code)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(create)
    assert refused == ["APP_NAME_TAKEN"] * 4
    await client.wait_status(name, "running")
    statuses: list[int] = []

    async def delete() -> None:
        statuses.append(
            (await client.send(f"applications:destroy/{name}", removeDatabase="true")).status_code
        )

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(delete)
    assert 200 in statuses
    assert set(statuses) <= {200, 404}

    async def clean() -> bool:
        return await traces(deployment, name) == []

    await eventually(clean, within=20, what="nothing is left of the app")


async def test_name_is_free_again_after_delete(deployment: Deployment, numbers: Iterator[int]) -> None:
    client = deployment.client
    name = f"again{next(numbers)}"
    for _ in range(3):
        await client.create_app(name, ["env_a"])
        async with client.other(name) as app:
            await app.sign_in(deployment.account)
            assert len(await app.call("users:list")) == 1
            names = [row["name"] for row in await app.call("collections:list")]
            assert "mine" not in names, "the new app must not see data of the deleted one"
            await app.call("collections:create", {"name": "mine", "fields": []})
        await client.remove_app(name, removeDatabase="true")
