"""Redis is killed, paused, emptied, restarted and cut off; locks and messages go on by themselves."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import uvloop

from atoll.cluster.lock import RedisLock
from atoll.cluster.pubsub import Gap, PubSub, RedisPubSub
from atoll.cluster.pubsub.stream_reader import REMEMBERED
from atoll.cluster.redis import RedisConnection
from atoll.errors import LeaseLost, RedisBelongsToAnother, RedisUnavailable
from atoll.testing.conformance.pubsub import Heard
from atoll.testing.faults import Relay, relay
from atoll.testing.processes import eventually
from atoll.testing.services import RedisServer, find_redis, redis_server

pytestmark = pytest.mark.anyio
PATIENCE = 25.0
LONG = 60.0


@pytest.fixture
def server(redis_url: str) -> Iterator[RedisServer]:
    """One that may be hurt; `redis_url` has made sure that there is a program for it."""
    with redis_server() as started:
        yield started


@pytest.fixture
async def way(anyio_backend: str, server: RedisServer) -> AsyncIterator[Relay]:
    async with relay(server.host, server.port) as made:
        yield made


@pytest.fixture
async def connection(anyio_backend: str, way: Relay) -> AsyncIterator[RedisConnection]:
    """Ours, through a cable that can be pulled."""
    made = RedisConnection(f"redis://127.0.0.1:{way.listen_port}", "t")
    yield made
    await made.close()


@pytest.fixture
async def far(anyio_backend: str, server: RedisServer) -> AsyncIterator[RedisConnection]:
    """Somebody else's."""
    made = RedisConnection(server.url, "t")
    yield made
    await made.close()


@pytest.fixture
async def node(connection: RedisConnection) -> AsyncIterator[PubSub]:
    made = RedisPubSub(connection)
    yield made
    await made.close()


@pytest.fixture
async def far_node(far: RedisConnection) -> AsyncIterator[PubSub]:
    made = RedisPubSub(far)
    yield made
    await made.close()


async def test_messages_sent_while_a_node_was_cut_off_arrive_later(
    node: PubSub, far_node: PubSub, way: Relay
) -> None:
    heard = Heard()
    await node.subscribe("c", heard)
    way.refuse()
    for number in range(20):
        await far_node.publish("c", b"%d" % number)
    way.heal()
    await heard.count(20)
    assert heard.messages == [b"%d" % number for number in range(20)]


async def test_more_than_is_remembered_is_a_gap(node: PubSub, far_node: PubSub, way: Relay) -> None:
    heard = Heard()
    await node.subscribe("c", heard)
    way.refuse()
    for number in range(REMEMBERED * 2):
        await far_node.publish("c", b"%d" % number)
    way.heal()
    await heard.until(lambda messages: messages[-1:] == [b"%d" % (REMEMBERED * 2 - 1)])
    assert heard.messages[0] == Gap()
    assert heard.messages.count(Gap()) == 1


async def test_a_message_that_could_not_be_sent_is_a_gap(node: PubSub, far_node: PubSub, way: Relay) -> None:
    heard = Heard()
    await far_node.subscribe("c", heard)
    way.refuse()
    await node.publish("c", b"lost")
    assert heard.messages == []
    way.heal()
    await heard.count(1)
    assert heard.messages[0] == Gap()
    await node.publish("c", b"next")
    await heard.until(lambda messages: messages[-1:] == [b"next"])


async def test_half_open_connections_are_noticed(
    node: PubSub, far_node: PubSub, way: Relay, connection: RedisConnection
) -> None:
    heard = Heard()
    await node.subscribe("c", heard)
    await connection.ping()
    way.silence()
    await far_node.publish("c", b"1")
    # The cable is whole again, but what was on it is lost and nobody is told: no reset, no end.
    await asyncio.sleep(0.5)
    way.mood = "pass"
    await heard.count(1)
    assert b"1" in heard.messages or Gap() in heard.messages
    async with asyncio.timeout(PATIENCE):
        await connection.ping()


async def test_killed_and_paused_connections(node: PubSub, far: RedisConnection, far_node: PubSub) -> None:
    heard = Heard()
    await node.subscribe("c", heard)
    for number in range(3):
        await far.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await far_node.publish("c", b"%d" % number)
    await heard.count(3)
    assert heard.messages == [b"0", b"1", b"2"]
    await far.client.execute_command("CLIENT", "PAUSE", "1500", "ALL")
    await far_node.publish("c", b"after")
    await heard.until(lambda messages: messages[-1] in {b"after", Gap()})


async def test_emptied_redis_is_a_gap_and_then_goes_on(
    node: PubSub, far: RedisConnection, far_node: PubSub
) -> None:
    heard = Heard()
    await node.subscribe("c", heard)
    await far_node.publish("c", b"1")
    await heard.count(1)
    await far.client.flushall()
    await heard.count(2)
    assert heard.messages == [b"1", Gap()]
    await far_node.publish("c", b"2")
    await heard.until(lambda messages: messages[-1] == b"2")
    await far.client.flushall()
    await far_node.publish("c", b"3")
    await heard.count(4)
    assert heard.messages[3] == Gap(), "it stands for what came too early to be read, or before it"


async def test_emptied_within_the_millisecond_of_the_last_message(
    node: PubSub, far: RedisConnection, far_node: PubSub
) -> None:
    """As many messages as before, at the same time as before: each comes, or a gap in its place."""
    heard = Heard()
    await node.subscribe("c", heard)
    for number in range(30):
        before = len(heard.messages)
        await far_node.publish("c", b"%d" % number)
        await heard.count(before + 1)
        await far.client.flushall()


async def test_restart_with_empty_data(tmp_path: Path, redis_url: str) -> None:
    port = int(redis_url.rpartition(":")[2])
    with redis_server() as probe:
        port = probe.port  # free again when the block ends
    command = [
        str(find_redis()),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(tmp_path),
        "--save",
        "",
    ]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)

    process = start()
    one, two = (RedisConnection(f"redis://127.0.0.1:{port}", "t") for _ in range(2))
    node, far_node, lock = RedisPubSub(one), RedisPubSub(two), RedisLock(one)
    heard = Heard()
    try:
        await eventually(lambda: answers(one), within=PATIENCE, what="Redis")
        await node.subscribe("c", heard)
        await far_node.publish("c", b"1")
        await heard.count(1)
        lease = await lock.acquire("a", LONG)
        process.kill()
        process.wait()
        with pytest.raises(RedisUnavailable):
            await lease.renew()
        late = Heard()
        await node.subscribe("late", late)
        process = start()
        await heard.count(2)
        await late.count(1)
        assert (heard.messages[1], late.messages[0]) == (Gap(), Gap())
        await far_node.publish("c", b"2")
        await far_node.publish("late", b"2")
        await heard.until(lambda messages: messages[-1] == b"2")
        await late.until(lambda messages: messages[-1] == b"2")
        with pytest.raises(LeaseLost):
            await lease.renew()
        assert (await lock.acquire("a", LONG)).token > lease.token
    finally:
        for each in (node, far_node, lock, one, two):
            await each.close()
        process.kill()
        process.wait()


async def answers(connection: RedisConnection) -> bool:
    try:
        await connection.ping()
    except RedisUnavailable:
        return False
    return True


async def test_a_hold_that_cannot_be_renewed_ends_in_time(connection: RedisConnection, way: Relay) -> None:
    lock = RedisLock(connection)
    begun = 0.0
    with pytest.raises(LeaseLost):
        async with asyncio.timeout(PATIENCE), lock.hold("a", 1.0):
            begun = time.monotonic()
            way.refuse()
            await asyncio.Event().wait()
    assert time.monotonic() - begun < PATIENCE
    way.heal()
    await lock.close()


HOLDER = """
import asyncio, sys, time
from atoll.cluster.lock import RedisLock
from atoll.cluster.redis import RedisConnection
from atoll.errors import LeaseLost

async def main():
    connection = RedisConnection(sys.argv[1], "t")
    lease = await RedisLock(connection).acquire("a", 1.0)
    print(lease.token, flush=True)
    sys.stdin.readline()
    for attempt in (lease.renew, lease.release):
        try:
            await attempt()
            print("still mine", flush=True)
        except LeaseLost:
            print("lost", flush=True)
    try:
        lease.check()
        print("still mine", flush=True)
    except LeaseLost:
        print("lost", flush=True)
    await connection.close()

asyncio.run(main())
"""


async def test_a_stopped_holder_comes_back_to_a_lost_lease(far: RedisConnection, server: RedisServer) -> None:
    command = [sys.executable, "-c", HOLDER, server.url]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as holder:  # noqa: ASYNC220 - stopped below
        assert holder.stdin is not None
        assert holder.stdout is not None
        old_token = int(await asyncio.to_thread(holder.stdout.readline))
        holder.send_signal(signal.SIGSTOP)
        lock = RedisLock(far)
        lease = await lock.acquire("a", LONG, PATIENCE)
        assert lease.token > old_token
        holder.send_signal(signal.SIGCONT)
        said = await asyncio.to_thread(holder.communicate, "go on\n", PATIENCE)
        assert said[0].split("\n")[:3] == ["lost", "lost", "lost"]
        await lease.renew()
        await lease.release()
        await lock.close()


async def test_a_deleted_lock_is_noticed_by_its_holder(far: RedisConnection) -> None:
    lock = RedisLock(far)
    with pytest.raises(LeaseLost):
        async with asyncio.timeout(PATIENCE), lock.hold("leader", 1.0) as lease:
            await far.client.flushdb()
            following = await lock.acquire("leader", LONG)
            assert following.token > lease.token
            await asyncio.Event().wait()
    await following.renew()
    await lock.close()


async def test_another_installation_is_refused(far: RedisConnection, server: RedisServer) -> None:
    other = RedisConnection(server.url, "t")
    elsewhere = RedisConnection(server.url, "u")
    await far.claim("one")
    await far.claim("one")
    with pytest.raises(RedisBelongsToAnother, match="REDIS_NAMESPACE"):
        await other.claim("two")
    await elsewhere.claim("two")
    await far.client.flushall()
    await far.claim("one")
    assert far.key("a", "b") == "t:a:b"
    await other.close()
    await elsewhere.close()


async def test_an_address_without_its_secrets() -> None:
    connection = RedisConnection("redis://user:hunter2@127.0.0.1:1/3", "t")
    assert connection.address == "redis://127.0.0.1:1/3"
    with pytest.raises(RedisUnavailable) as error:
        await connection.ping()
    assert "hunter2" not in error.value.message + error.value.detail
    await connection.close()


async def test_closing_leaves_no_task(server: RedisServer) -> None:
    before = len(asyncio.all_tasks())
    for _ in range(3):
        connection = RedisConnection(server.url, "t")
        node = RedisPubSub(connection)
        for name in ("a", "b", "c"):
            await node.scope(name).subscribe("c", Heard())
        await node.subscribe("c", Heard())
        await node.publish("c", b"1")
        await node.close()
        await node.close()
        await connection.close()
    assert len(asyncio.all_tasks()) == before


def test_a_connection_that_uvloop_found_cut_is_an_outage() -> None:
    """uvloop raises RuntimeError, on which background tasks would end for good."""

    async def write() -> None:
        connection = RedisConnection("redis://127.0.0.1:1", "t")
        server = await asyncio.start_server(lambda _, far: far.close(), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b"", "the other side has closed"
        writer.transport.abort()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()
        with pytest.raises(RedisUnavailable), connection.errors():
            writer.writelines([b"PING\r\n"])
        with pytest.raises(RuntimeError, match="ours"), connection.errors():
            raise RuntimeError("ours")
        await connection.close()

    uvloop.run(write())
