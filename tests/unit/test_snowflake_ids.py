"""Ids of records: their layout, and that none comes twice whatever clocks and processes do."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atoll.application.fields.snowflake_id import EPOCH, SnowflakeIds
from atoll.cluster.worker_id import FileWorkerIds, MemoryWorkerIds, WorkerId, WorkerIdLease, base
from atoll.cluster.worker_id.file import FileWorkerIdLease
from atoll.errors import WorkerIdLost
from atoll.testing.ids import ids


class Clocks:
    """The clock people set, and the one that nobody sets."""

    def __init__(self) -> None:
        self.wall = 1_700_000_000.0
        self.steady = 5_000.0

    def pass_time(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


class FakeLease(WorkerIdLease):
    """A lease with a window of a test's choice."""

    def __init__(self, number: int, opens: int, ends: int, bits: int = 5) -> None:
        super().__init__(number, bits, 1)
        self._covers(opens, base.elapsed(), opens, ends)

    async def renew(self, used: int) -> None:
        raise NotImplementedError

    async def release(self, used: int) -> None:
        raise NotImplementedError


def generator(lease: WorkerIdLease | None, bits: int = 5) -> SnowflakeIds:
    return SnowflakeIds(WorkerId(MemoryWorkerIds(bits), lease))


def test_layout_is_the_documented_one() -> None:
    """100 s after the epoch, worker 3, the eighth id of the second: the documents' own example."""
    made = generator(FakeLease(3, EPOCH + 100, EPOCH + 1000))
    assert [made.next() for _ in range(8)][-1] == 209_715_200 + 196_608 + 7


def test_wider_worker_ids_take_bits_from_the_counter() -> None:
    made = generator(FakeLease(777, EPOCH + 100, EPOCH + 1000, bits=10), bits=10)
    first = [made.next() for _ in range(2049)]
    assert first[0] == (100 << 21) | (777 << 11)
    assert first[2047] == (100 << 21) | (777 << 11) | 2047
    assert first[2048] == (101 << 21) | (777 << 11)


def test_a_full_second_takes_the_next_in_advance_and_stays_in_order() -> None:
    source = ids()
    made = [source.next() for _ in range(150_000)]
    assert made == sorted(set(made))
    assert made[-1] < 2**53
    assert abs(EPOCH + (made[0] >> 21) - time.time()) < 5


def test_without_a_lease_and_beyond_the_window_there_are_no_ids() -> None:
    with pytest.raises(WorkerIdLost):
        generator(None).next()
    narrow = generator(FakeLease(0, EPOCH + 100, EPOCH + 102))
    for _ in range(2 << 16):
        narrow.next()
    with pytest.raises(WorkerIdLost):
        narrow.next()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("make"), st.sampled_from([1, 3, 40_000])),
        st.tuples(st.just("pass"), st.sampled_from([0.001, 0.4, 7.0, 45.0, 300.0])),
        st.tuples(st.just("set the clock"), st.sampled_from([-600.0, 600.0, -0.001, -1.0, 3600.0])),
        st.tuples(st.just("renew"), st.just(0)),
        st.tuples(st.sampled_from(["restart", "killed"]), st.just(0)),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=150)
@given(steps=STEPS)
def test_no_id_comes_twice(steps: list[tuple[str, float]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """One number, through restarts and kills, while its clock is set back and forth by anybody."""
    clocks = Clocks()
    folder = tmp_path_factory.mktemp("ids")
    with (
        patch.object(time, "time", lambda: clocks.wall),
        patch.object(time, "time_ns", lambda: int(clocks.wall * 1e9)),
        patch.object(time, "clock_gettime", lambda _which: clocks.steady),
        patch("random.shuffle", lambda numbers: None),
    ):
        asyncio.run(_play(steps, clocks, folder))


async def _play(steps: list[tuple[str, float]], clocks: Clocks, folder: Path) -> None:
    pool = FileWorkerIds(folder)
    lease = await pool.acquire()
    worker = WorkerId(pool, lease)
    source = SnowflakeIds(worker)
    made: list[int] = []
    for step, value in steps:
        if step == "make":
            try:
                made += [source.next() for _ in range(int(value))]
            except WorkerIdLost:
                assert lease.now() >= lease.ends or worker.used >= lease.ends - 1
        elif step == "pass":
            clocks.pass_time(value)
        elif step == "set the clock":
            clocks.wall += value
        elif step == "renew":
            await lease.renew(worker.used)
        else:
            if step == "restart":
                await lease.release(worker.used)
            else:
                assert isinstance(lease, FileWorkerIdLease)
                os.close(lease._descriptor)  # what the kernel does to a killed process
            pool = FileWorkerIds(folder)
            lease = await pool.acquire()
            worker = WorkerId(pool, lease)
            source = SnowflakeIds(worker)
    assert len(made) == len(set(made))
