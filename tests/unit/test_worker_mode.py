"""Service splitting: what WORKER_MODE means, who subscribes, and the alarm when nobody does."""

from __future__ import annotations

import asyncio
import logging

import pytest

from atoll.application.services import Services
from atoll.cluster.queue import Item, MemoryQueue
from atoll.cluster.queue.memory import MemoryStore
from atoll.settings import load
from atoll.worker_mode import WorkerMode

WORKFLOW, TASKS, OWN = "workflow:process", "async-task:process", "plugin-mail:send"


@pytest.mark.parametrize(
    ("text", "requests", "served"),
    [
        ("", True, {WORKFLOW, TASKS, OWN}),
        ("  ", True, {WORKFLOW, TASKS, OWN}),
        ("!", True, set()),
        ("*", False, {WORKFLOW, TASKS, OWN}),
        ("-", False, set()),
        (WORKFLOW, False, {WORKFLOW}),
        (f"{WORKFLOW},{TASKS}", False, {WORKFLOW, TASKS}),
        (f" {WORKFLOW} , {OWN} ", False, {WORKFLOW, OWN}),
        (f"!,{WORKFLOW}", True, {WORKFLOW}),
        (f"{TASKS},!", True, {TASKS}),
        ("!,*", True, set()),
        (f"*,{WORKFLOW}", False, {WORKFLOW}),
    ],
)
def test_the_table(text: str, requests: bool, served: set[str]) -> None:
    mode = load({"WORKER_MODE": text}).settings.worker_mode
    assert mode.serves_requests is requests
    assert {key for key in (WORKFLOW, TASKS, OWN) if mode.serving(key)} == served


@pytest.mark.parametrize("text", ["!!", "-,!", "-,a", ",", "a,,b", "all services", "!workflow", ":a", "a:"])
def test_what_it_cannot_mean_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="service keys"):
        WorkerMode.parse(text)


def test_a_star_beside_others_deserves_a_word() -> None:
    assert any("WORKER_MODE names *" in each for each in load({"WORKER_MODE": "!,*"}).warnings)
    assert not any("WORKER_MODE" in each for each in load({"WORKER_MODE": "*"}).warnings)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Instance:
    """One instance of an app with one service."""

    def __init__(self, store: MemoryStore, mode: str) -> None:
        self.done: list[bytes] = []
        self.arrived = asyncio.Event()
        self.queue = MemoryQueue(store)
        self.services = Services("crm", self.queue, WorkerMode.parse(mode), look_every=3600)

    async def start(self) -> None:
        await self.services.serve(TASKS, "tasks", self._do)

    async def _do(self, item: Item) -> None:
        self.done.append(item.content)
        self.arrived.set()


@pytest.mark.anyio
async def test_only_instances_that_serve_the_key_subscribe() -> None:
    store = MemoryStore()
    front, worker = Instance(store, "!"), Instance(store, f"{TASKS}")
    await front.start()
    await worker.start()
    assert (await front.queue.status("tasks")).consumers == 1
    await front.queue.publish("tasks", b"1")
    await asyncio.wait_for(worker.arrived.wait(), 10)
    assert (front.done, worker.done) == ([], [b"1"])
    await worker.services.stop()
    assert (await front.queue.status("tasks")).consumers == 0
    await front.services.stop()


@pytest.mark.anyio
async def test_a_queue_nobody_serves_raises_one_alarm_and_gives_the_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="atoll.application.services")
    store = MemoryStore()
    front, other, worker = Instance(store, "!"), Instance(store, f"!,{WORKFLOW}"), Instance(store, "*")
    for each in (front, other):
        await each.start()
    await front.services.look()
    assert front.services.alarms == {}
    assert caplog.records == []

    await front.queue.publish("tasks", b"waits")
    for _ in range(3):
        await front.services.look()
    said = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 1
    reason = await other.services.reason("tasks")
    assert reason is not None
    assert f"No running instance serves {TASKS}" in reason
    assert "WORKER_MODE" in reason
    assert front.services.alarms == {"tasks": reason}
    assert "not active here" in (await front.services.reason("another") or "")

    await worker.start()
    await asyncio.wait_for(worker.arrived.wait(), 10)
    assert worker.done == [b"waits"], "the item stayed for the right consumer"
    await front.services.look()
    assert front.services.alarms == {}
    assert await front.services.reason("tasks") is None
    assert caplog.records[-1].levelno == logging.INFO
    for each in (front, other, worker):
        await each.services.stop()
