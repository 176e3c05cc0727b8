"""The worker id suite on every adapter, and what only a Redis or a process can do to a number."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from atoll.cluster.redis import RedisConnection
from atoll.cluster.worker_id import (
    FileWorkerIds,
    MemoryWorkerIds,
    RedisWorkerIds,
    WorkerId,
    WorkerIdLease,
    WorkerIds,
)
from atoll.errors import LeaseLost, NoWorkerIdFree
from atoll.testing.conformance.worker_id import LONG, Pool, WorkerIdConformance
from atoll.testing.processes import eventually
from atoll.testing.services import RedisServer, redis_server


class TestMemoryWorkerIds(WorkerIdConformance):
    @pytest.fixture
    def pool(self) -> Pool:
        shared: list[MemoryWorkerIds] = []

        def make(bits: int, lease_seconds: float) -> WorkerIds:
            shared.append(MemoryWorkerIds(bits, lease_seconds, shared[0].numbers if shared else None))
            return shared[-1]

        return make


class TestFileWorkerIds(WorkerIdConformance):
    holders_end = False

    @pytest.fixture
    def pool(self, tmp_path: Path) -> Pool:
        return lambda bits, lease_seconds: FileWorkerIds(tmp_path / "ids", bits, lease_seconds)


class TestRedisWorkerIds(WorkerIdConformance):
    @pytest.fixture
    async def pool(self, redis_connection: RedisConnection) -> AsyncIterator[Pool]:
        yield lambda bits, lease_seconds: RedisWorkerIds(redis_connection, bits, lease_seconds)


@pytest.fixture(scope="module")
def own_redis(redis_url: str) -> Iterator[RedisServer]:
    """One that may be emptied; `redis_url` has made sure that there is a program for it."""
    with redis_server() as server:
        yield server


@pytest.mark.anyio
async def test_after_a_loss_of_data_living_leases_come_back_and_new_ones_begin_later(
    own_redis: RedisServer,
) -> None:
    connection = RedisConnection(own_redis.url, "loss")
    numbers = RedisWorkerIds(connection, lease_seconds=LONG)
    # As it is when Redis has been there for longer than two leases.
    await connection.client.hset(connection.key("worker_id", "ends"), "base", int(time.time()))
    old = [await numbers.acquire() for _ in range(3)]
    await connection.client.flushall()
    new = await numbers.acquire()
    assert new.number in {lease.number for lease in old}, "the worst case: a number that is in use"
    assert new.opens >= max(lease.ends for lease in old)
    for lease in old:
        if lease.number == new.number:
            with pytest.raises(LeaseLost):
                await lease.renew(0)
        else:
            await lease.renew(0)
    taken = {lease.number for lease in old} | {new.number}
    assert (await numbers.acquire()).number not in taken
    await connection.close()


@pytest.mark.anyio
async def test_a_lost_number_is_replaced_and_no_id_is_made_meanwhile(own_redis: RedisServer) -> None:
    connection = RedisConnection(own_redis.url, "replaced")
    worker = WorkerId(RedisWorkerIds(connection, lease_seconds=2.0))
    await worker.start()
    before = worker.lease
    assert before is not None
    await connection.client.hset(connection.key("worker_id", "holders"), before.number, "another")

    async def replaced() -> WorkerIdLease | None:
        return worker.lease if worker.lease is not before else None

    after: WorkerIdLease | None = await eventually(replaced, within=10, what="another number")
    assert after is not None
    assert after.number != before.number
    assert worker.problem is None
    await worker.stop()
    assert worker.lease is None
    assert await connection.client.hlen(connection.key("worker_id", "holders")) == 1, "ours was given back"
    await connection.close()


def test_a_killed_process_leaves_its_number_at_once_and_its_seconds_for_good(tmp_path: Path) -> None:
    """With files: the kernel unlocks what a killed process had locked."""
    code = (
        "import asyncio, sys, time; from pathlib import Path\n"
        "from atoll.cluster.worker_id import FileWorkerIds\n"
        "async def main():\n"
        "    numbers = FileWorkerIds(Path(sys.argv[1]))\n"
        "    held = [await numbers.acquire() for _ in range(32)]\n"
        "    print(max(lease.ends for lease in held), flush=True); time.sleep(600)\n"
        "asyncio.run(main())"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ends = int(process.stdout.readline())
        numbers = FileWorkerIds(tmp_path)
        with pytest.raises(NoWorkerIdFree):
            asyncio.run(numbers.acquire())
        process.kill()
        process.wait()
        lease = asyncio.run(numbers.acquire())
        assert lease.opens >= ends - 1
    finally:
        process.kill()
        process.communicate()
