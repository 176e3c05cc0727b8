"""F24, F27-F30, F32, F37, F42: workers are killed and starved, brokers restart; no item is lost."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import msgspec
import pytest

from atoll.cluster.queue import Item, Queue, RedisQueue
from atoll.cluster.queue import redis_scripts as scripts
from atoll.cluster.queue.rabbitmq import RabbitQueue
from atoll.cluster.redis import RedisConnection
from atoll.errors import QueueUnavailable
from atoll.testing.conformance.queue import Seen, status_is
from atoll.testing.faults import relay
from atoll.testing.processes import eventually
from atoll.testing.rabbitmq import RabbitServer

from .conftest import Say
from .queue_worker import node
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio

LEASE = 2.0
BOUND = 30.0


@dataclass
class Broker:
    """A broker of the test's own, and how to restart it."""

    adapter: str
    url: str
    restart: Callable[[], None]


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> Broker:
    if request.param == "redis":
        redis: RedisProcess = request.getfixturevalue("redis")
        return Broker("redis", redis.url, lambda: redis.restart(keep=True))
    rabbit: RabbitServer = request.getfixturevalue("own_rabbitmq")

    def restart() -> None:
        rabbit.stop()
        rabbit.start()

    return Broker("rabbitmq", rabbit.url, restart)


class Site:
    """A queue with workers in processes of their own."""

    def __init__(self, broker: Broker, folder: Path, queue: Queue, namespace: str) -> None:
        self.queue = queue
        self.workers: list[subprocess.Popen[bytes]] = []
        self._broker = broker
        self._namespace = namespace
        self._log = folder / "events"
        self._log.touch()
        self._published: list[str] = []

    async def start_worker(self, concurrency: int = 4) -> subprocess.Popen[bytes]:
        arguments = [self._broker.adapter, self._broker.url, self._namespace, f"{LEASE}", str(self._log)]
        script = Path(__file__).with_name("queue_worker.py")
        command = [sys.executable, str(script), *arguments, str(concurrency)]
        worker = await asyncio.to_thread(subprocess.Popen, command)
        self.workers.append(worker)
        await self.until(
            lambda: worker.poll() is not None or worker.pid in [each[2] for each in self.events("ready")],
            "worker is ready",
        )
        return worker

    async def publish(self, what: str, *, max_retries: int = 0) -> str:
        content = f"{what}|{secrets.token_hex(4)}"
        await self.queue.publish("jobs", content.encode(), timeout=None, max_retries=max_retries, key=content)
        self._published.append(content)
        return content

    def events(self, kind: str) -> list[tuple[str, str, int, float]]:
        lines = self._log.read_text().splitlines()
        return [event for event in map(json.loads, lines) if event[0].startswith(kind)]

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        async def asked() -> bool:
            return condition()

        await eventually(asked, within=BOUND, what=what)

    async def until_all_done(self) -> None:
        wanted = set(self._published)
        await self.until(lambda: wanted <= {event[1] for event in self.events("done")}, "all are done")
        await status_is(self.queue, "jobs", lambda status: status.depth == status.in_flight == 0)

    def release(self) -> None:
        """Lets held items end."""
        self._log.with_suffix(".release").touch()

    @property
    def summary(self) -> str:
        done = Counter(event[1] for event in self.events("done"))
        lost = len([content for content in self._published if content not in done])
        twice = sum(count > 1 for count in done.values())
        return f"in {len(self._published)}, done {len(done)}, done twice {twice}, lost {lost}"

    @property
    def done_twice(self) -> int:
        return sum(count > 1 for count in Counter(event[1] for event in self.events("done")).values())

    def end(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait(BOUND)


@pytest.fixture
async def site(broker: Broker, tmp_path: Path) -> AsyncIterator[Site]:
    namespace = f"t{secrets.token_hex(6)}"
    queue, connection = node(broker.adapter, broker.url, namespace, LEASE)
    site = Site(broker, tmp_path, queue, namespace)
    yield site
    site.end()
    await queue.close()
    if connection is not None:
        await connection.close()


async def test_a_worker_is_killed_in_the_middle_of_its_items(site: Site, say: Say) -> None:
    """F29, F32: each is taken once more, soon; nothing is left behind."""
    victim = await site.start_worker()
    held = [await site.publish("hold") for _ in range(4)]
    await site.until(lambda: len(site.events("start")) == 4, "the victim has its hands full")
    for _ in range(100):
        await site.publish("quick")
    await site.start_worker()
    victim.send_signal(signal.SIGKILL)
    began = time.time()

    def taken_again() -> list[tuple[str, str, int, float]]:
        return [event for event in site.events("start") if event[1] in held and event[2] != victim.pid]

    await site.until(lambda: len(taken_again()) >= len(held), "another has them")
    site.release()
    await site.until_all_done()
    again = taken_again()
    assert sorted(event[1] for event in again) == sorted(held), "each is tried once more, not more often"
    assert site.done_twice == 0
    recovered = max(event[3] for event in again) - began
    say(f"kill -9 with 4 items in hand: taken by another after {recovered:.1f} s at most; {site.summary}")


async def test_the_broker_restarts(site: Site, broker: Broker, say: Say) -> None:
    """F24, F42: consumers come back by themselves, with a standing queue and items in hand."""
    for _ in range(2):
        await site.start_worker()
    for _ in range(60):
        await site.publish("sleep 0.05")
    await site.until(lambda: len(site.events("done")) >= 5, "work goes on")
    await asyncio.to_thread(broker.restart)
    began = time.time()
    await site.until(lambda: any(event[3] > began for event in site.events("done")), "work goes on again")
    recovered = min(event[3] for event in site.events("done") if event[3] > began) - began
    await site.publish("quick")
    await site.until_all_done()
    assert all(worker.poll() is None for worker in site.workers)
    assert (await site.queue.status("jobs")).dead == 0
    say(f"{broker.adapter} restarted: work again {recovered:.1f} s after it was back; {site.summary}")


async def test_an_item_that_kills_its_process(site: Site, say: Say) -> None:
    """F37: a few tries, then it is parked where people see it, and the others are done."""
    poison = (await site.queue.publish("jobs", b"die|poison", timeout=None, max_retries=50), time.time())
    deaths = 0

    async def over() -> bool:
        return site.workers[-1].poll() is not None or (await site.queue.status("jobs")).dead > 0

    while not (dead := await site.queue.dead("jobs")):
        worker = await site.start_worker(concurrency=1)
        await eventually(over, within=BOUND, what="the item kills its process or is given up")
        deaths += worker.poll() is not None
        assert deaths < 10, "the poison is tried for ever"
    for _ in range(20):
        await site.publish("quick")
    await site.until_all_done()
    assert [letter.item.id for letter in dead] == [poison[0]]
    assert "died" in dead[0].reason
    say(
        f"an item that kills its process: {deaths} processes died, dead letter after "
        f"{time.time() - poison[1]:.1f} s ({dead[0].reason}); the others: {site.summary}"
    )


async def test_a_worker_is_asked_to_stop(site: Site, say: Say) -> None:
    """What it has not finished is done by another at once, without waiting for a lease."""
    worker = await site.start_worker(concurrency=2)
    held = [await site.publish("hold") for _ in range(2)]
    await site.until(lambda: len(site.events("start")) == 2, "it has begun")
    other = await site.start_worker()
    began = time.time()
    worker.terminate()
    await asyncio.to_thread(worker.wait, BOUND)
    assert worker.returncode == 0
    await site.until(lambda: len(site.events("start")) == 4, "the other has them")
    site.release()
    handed = max(event[3] for event in site.events("start")) - began
    assert {event[1] for event in site.events("start") if event[2] == other.pid} == set(held)
    await site.until_all_done()
    assert site.done_twice == 0
    say(f"SIGTERM with 2 items in hand: begun by another after {handed:.2f} s; {site.summary}")


class TestRedis:
    @pytest.fixture
    def broker(self, redis: RedisProcess) -> Broker:
        return Broker("redis", redis.url, lambda: redis.restart(keep=True))

    async def test_a_handler_starves_the_event_loop(self, site: Site, say: Say) -> None:
        """F30, F28: noticed, what it lost is done by another, and the following items are well."""
        starved = await site.start_worker()
        bad = await site.publish(f"block {LEASE * 3}")
        await site.until(lambda: len(site.events("start")) == 1, "it blocks")
        await site.start_worker()
        for _ in range(20):
            await site.publish("quick")
        await site.until_all_done()
        await site.until(
            lambda: any(
                event[2] == starved.pid for event in site.events("error: the event loop was blocked")
            ),
            "the starved process says so",
        )
        after = [await site.publish("sleep 0.3") for _ in range(12)]
        await site.until_all_done()
        assert starved.poll() is None
        done = Counter(event[1] for event in site.events("done"))
        assert all(done[content] == 1 for content in after)
        runs = [event for event in site.events("start") if event[1] == bad]
        assert len(runs) <= 3
        say(f"a handler blocks its loop for {LEASE * 3:.0f} s (lease {LEASE:.0f} s): {site.summary}")

    async def test_a_wake_up_is_lost(self, redis: RedisProcess, say: Say) -> None:
        """F27: the one who was woken died; another finds the item by itself."""
        connection = RedisConnection(redis.url, f"t{secrets.token_hex(6)}")
        queue = RedisQueue(connection)
        seen = Seen()
        await queue.subscribe("jobs", seen)
        await queue.publish("jobs", b"first")
        await seen.until(1)
        await status_is(queue, "jobs", lambda status: status.in_flight == 0)
        base = connection.key("queue", "jobs")
        item = Item("second", "jobs", b"second")
        pipe = connection.client.pipeline(transaction=True)
        pipe.eval(scripts.ADD, 1, base, item.id, msgspec.msgpack.encode(item), 0, 0, "", 0)
        pipe.delete(f"{base}:signal")  # as if the one who got it had died with it
        began = time.monotonic()
        await pipe.execute()
        await seen.until(2)
        say(f"wake-up lost: item found after {time.monotonic() - began:.2f} s")
        await queue.close()
        await connection.close()

    async def test_half_open_connections(self, redis: RedisProcess, say: Say) -> None:
        """F24: bytes vanish and nobody is told; the consumer comes back by itself."""
        namespace = f"t{secrets.token_hex(6)}"
        direct = RedisConnection(redis.url, namespace)
        publisher = RedisQueue(direct)
        async with relay(redis.listen, redis.port) as wire:
            connection = RedisConnection(f"redis://127.0.0.1:{wire.listen_port}", namespace)
            queue = RedisQueue(connection, lease=LEASE)
            seen = Seen()
            await queue.subscribe("jobs", seen)
            await publisher.publish("jobs", b"before")
            await seen.until(1)
            wire.silence()
            await asyncio.sleep(0.5)
            await publisher.publish("jobs", b"meanwhile")
            before = wire.accepted

            async def noticed() -> bool:
                return wire.accepted > before

            began = time.monotonic()
            await eventually(noticed, within=BOUND, what="a new connection is tried")
            gave_up = time.monotonic() - began
            wire.heal()
            began = time.monotonic()
            await seen.until(2)
            say(
                f"half-open connection: given up after {gave_up:.1f} s, item done "
                f"{time.monotonic() - began:.1f} s after healing"
            )
            await queue.close()
            await connection.close()
        await publisher.close()
        await direct.close()


class TestRabbit:
    @pytest.fixture
    def broker(self, own_rabbitmq: RabbitServer) -> Broker:
        return Broker("rabbitmq", own_rabbitmq.url, own_rabbitmq.stop)

    async def test_half_open_connections(self, own_rabbitmq: RabbitServer, say: Say) -> None:
        """F24: bytes vanish and nobody is told. The consumer gives the connection up, its handler ends, the
        item comes again and says so; what was sent into the void is published again by its key."""
        namespace = f"t{secrets.token_hex(6)}"
        publisher = RabbitQueue(own_rabbitmq.url, namespace)
        parts = urlsplit(own_rabbitmq.url)
        async with relay(parts.hostname or "", parts.port or 0) as wire:
            host = f"127.0.0.1:{wire.listen_port}"
            queue = RabbitQueue(
                own_rabbitmq.url.replace(f"{parts.hostname}:{parts.port}", host), namespace, heartbeat=1
            )
            go = asyncio.Event()
            cancelled: list[float] = []

            async def hold(item: Item) -> None:
                if item.content == b"in hand":
                    try:
                        await go.wait()
                    except asyncio.CancelledError:
                        cancelled.append(time.monotonic())
                        raise

            seen = Seen(hold)
            await queue.subscribe("jobs", seen, concurrency=2)
            await queue.publish("jobs", b"in hand", timeout=None)
            await seen.until_running(1)
            wire.silence()
            began = time.monotonic()
            await publisher.publish("jobs", b"meanwhile")
            with pytest.raises(QueueUnavailable):
                await queue.publish("jobs", b"into the void", key="k")

            async def noticed() -> bool:
                return bool(cancelled)

            await eventually(noticed, within=BOUND, what="the handler is cancelled")
            gave_up = cancelled[0] - began
            go.set()
            wire.heal()
            began = time.monotonic()
            await queue.publish("jobs", b"into the void", key="k")
            await queue.publish("jobs", b"into the void", key="k")
            await seen.until(4)
            await status_is(publisher, "jobs", lambda status: status.depth == status.in_flight == 0)
            again = [item for item in seen.items if item.content == b"in hand"]
            assert [item.lost for item in again] == [0, 1], "the second try knows of the first"
            assert sorted(seen.contents) == [b"in hand", b"in hand", b"into the void", b"meanwhile"]
            say(
                f"half-open connection (heartbeat 1 s): given up after {gave_up:.1f} s, items done "
                f"{time.monotonic() - began:.1f} s after healing"
            )
            await queue.close()
        await publisher.close()

    async def test_the_queue_is_deleted(self, site: Site, broker: Broker, say: Say) -> None:
        """F42: RabbitMQ cancels the consumer; it makes the queue again and consumes."""
        await site.start_worker()
        await site.publish("quick")
        await site.until_all_done()
        connection = await aio_pika.connect(broker.url)
        async with connection:
            channel = await connection.channel()
            await channel.queue_delete(f"{site._namespace}.work.jobs")
        began = time.time()
        await site.until(lambda: bool(site.events("warning: the queue was deleted")), "the worker notices")
        await status_is(site.queue, "jobs", lambda status: status.consumers == 1)
        await site.publish("quick")
        await site.until_all_done()
        again = time.time() - began
        say(f"queue deleted under its consumer: consumed again after {again:.2f} s; {site.summary}")
