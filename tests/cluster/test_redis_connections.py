"""F38, F39: ways to Redis that are more than an address: sentinels, TLS, users, and a Redis that evicts."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from atoll.cluster.cache import RedisCache
from atoll.cluster.lock import RedisLock
from atoll.cluster.pubsub import Gap, RedisPubSub
from atoll.cluster.queue import Item, RedisQueue
from atoll.cluster.redis import RedisConnection
from atoll.errors import QueueUnavailable, RedisEvictsKeys, RedisRefused, RedisUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.testing.conformance.pubsub import Heard
from atoll.testing.conformance.queue import status_is
from atoll.testing.processes import eventually
from atoll.testing.sentinels import PATIENCE, Watched, watched_redis
from atoll.testing.services import RedisServer, redis_server

from .conftest import Say

pytestmark = pytest.mark.anyio


@pytest.fixture
def watched(redis_url: str) -> Iterator[Watched]:
    """`redis_url` has made sure that there is a program for it."""
    with watched_redis() as made:
        yield made


@pytest.mark.parametrize("fault", ["killed", "ordered"])
async def test_a_new_master_is_followed(watched: Watched, fault: str, say: Say) -> None:
    """Locks, messages and cache go on by themselves; the old master, up again as a replica, gets nothing."""
    connection, other = RedisConnection(watched.url, "t"), RedisConnection(watched.url, "t")
    lock, cache = RedisLock(connection), RedisCache(connection)
    node, far_node = RedisPubSub(connection), RedisPubSub(other)
    heard = Heard()
    await node.subscribe("c", heard)
    await far_node.publish("c", b"before")
    await heard.count(1)
    first = await lock.acquire("a", 120.0)
    assert await cache.set("k", 1)
    await asyncio.to_thread(watched.kill_master if fault == "killed" else watched.order_a_switch)
    began = time.monotonic()
    new = watched.servers[1]

    def is_master() -> bool:
        with watched.direct(new) as client:
            return bool(client.info("replication")["role"] == "master")

    async def writes() -> bool:
        try:
            return await asyncio.to_thread(is_master) and await cache.set("k", 2)
        except RedisUnavailable:
            return False

    await eventually(writes, within=PATIENCE, what="the new master takes writes")
    took = time.monotonic() - began
    await other.ping()
    await far_node.publish("c", b"after")
    await heard.until(lambda messages: messages[-1] in {b"after", Gap()})
    assert (await lock.acquire("b", 5.0)).token > first.token
    assert await cache.get("k") == 2
    with watched.direct(new) as client:
        assert client.get("t:cache::value:k") is not None
    say(f"master {fault}: writes again after {took:.1f} s, readers and locks follow")
    sync = connection.sync_client()
    assert await asyncio.to_thread(sync.ping)
    sync.close()
    for each in (cache, node, far_node, lock, connection, other):
        await each.close()


@pytest.mark.parametrize("fault", ["killed", pytest.param("ordered", marks=pytest.mark.slow)])
async def test_items_in_flight_outlast_a_new_master(watched: Watched, fault: str, say: Say) -> None:
    """What the old master took with it is missed and published again under its key, as an outbox does."""
    connection = RedisConnection(watched.url, "t")
    queue = RedisQueue(connection, lease=3.0)
    done: Counter[str] = Counter()
    again = 0

    async def work(item: Item) -> None:
        await asyncio.sleep(0.05)
        done[item.content.decode()] += 1

    async def publish(name: str) -> None:
        async def accepted() -> bool:
            try:
                return bool(await queue.publish("jobs", name.encode(), key=name))
            except QueueUnavailable:
                return False

        await eventually(accepted, within=PATIENCE, what="the queue takes an item")

    _ = await queue.subscribe("jobs", work, concurrency=4)
    names = [str(number) for number in range(120)]
    for name in names[:60]:
        await publish(name)
    switch = watched.kill_master if fault == "killed" else watched.order_a_switch
    switching = asyncio.create_task(asyncio.to_thread(switch))
    for name in names[60:]:
        await publish(name)
    await switching

    async def complete() -> bool:
        nonlocal again
        left = set(names) - set(done)
        try:
            for name in await queue.missing("jobs", left):
                if name not in done:
                    again += 1
                    await publish(name)
        except QueueUnavailable:
            return False
        return not left

    await eventually(complete, within=PATIENCE, what="all items are done")
    with watched.direct(watched.servers[1]) as client:
        assert client.info("replication")["role"] == "master"
    await status_is(queue, "jobs", lambda status: status.depth == status.in_flight == status.dead == 0)
    twice = sum(count > 1 for count in done.values())
    say(
        f"master {fault} among {len(names)} items: done {len(done)}, missed and handed over again {again}, "
        f"done twice {twice}"
    )
    await queue.close()
    await connection.close()


async def test_a_dead_sentinel_is_passed_over(watched: Watched) -> None:
    process = watched.processes[0]
    process.kill()
    process.wait()
    connection = RedisConnection(watched.url, "t")
    async with asyncio.timeout(PATIENCE):
        await connection.ping()
    assert "secret" not in connection.address
    assert connection.address.endswith("/main/0")
    await connection.close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = (folder / "redis.crt", folder / "redis.key")
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


@asynccontextmanager
async def tls_front(server: RedisServer, files: tuple[Path, Path]) -> AsyncIterator[int]:
    """The port of a TLS front for a Redis that may have been built without TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    tasks = BackgroundTasks("front")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection(server.host, server.port)
        _ = tasks.spawn("in", pass_on(reader, back_writer))
        _ = tasks.spawn("out", pass_on(back_reader, writer))

    front = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    async with front:
        yield front.sockets[0].getsockname()[1]
    await tasks.cancel_all()


async def test_tls(redis_url: str, tmp_path: Path) -> None:
    files = certificate(tmp_path)
    with redis_server() as server:
        async with tls_front(server, files) as port:
            good = RedisConnection(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={files[0]}", "t")
            await good.ping()
            assert await RedisCache(good).set("k", 1)
            sync = good.sync_client()
            assert await asyncio.to_thread(sync.ping)
            sync.close()
            await good.close()
            strange = RedisConnection(f"rediss://127.0.0.1:{port}/0", "t")
            with pytest.raises(RedisUnavailable, match="ssl_ca_certs"):
                await strange.ping()
            await strange.close()


async def test_a_user_with_the_rights_of_the_documentation_is_enough(redis_url: str) -> None:
    with redis_server() as server:
        admin = RedisConnection(server.url, "t")
        rules = ("on", ">pw", "~t:*", "+@all", "-@admin", "-@dangerous", "+info")
        await admin.client.execute_command("ACL", "SETUSER", "atoll", *rules)
        place = f"{server.host}:{server.port}"
        connection = RedisConnection(f"redis://atoll:pw@{place}", "t")
        lock, cache, node = RedisLock(connection), RedisCache(connection), RedisPubSub(connection)
        heard = Heard()
        await node.subscribe("c", heard)
        await node.publish("c", b"1", skip_self=False)
        await heard.count(1)
        await (await lock.acquire("a", 5.0)).release()
        assert await cache.set("k", 1)
        await cache.reset()
        await cache.blooms.reserve("f")
        await connection.claim("one")
        await connection.refuse_eviction()
        for each in (node, cache, lock, connection):
            await each.close()
        for wrong in (
            RedisConnection(f"redis://atoll:no@{place}", "t"),
            RedisConnection(f"redis://atoll:pw@{place}", "u"),
        ):
            with pytest.raises(RedisRefused, match="refuses the user"):
                await RedisCache(wrong).set("k", 1)
            await wrong.close()
        await admin.close()


async def test_a_redis_that_evicts_is_refused(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with redis_server() as server:
        connection = RedisConnection(server.url, "t")
        await connection.client.config_set("maxmemory-policy", "allkeys-lru")
        await connection.refuse_eviction()
        await connection.client.config_set("maxmemory", "100mb")
        with pytest.raises(RedisEvictsKeys, match="noeviction"):
            await connection.refuse_eviction()
        await connection.client.config_set("maxmemory-policy", "volatile-lru")
        await connection.refuse_eviction()
        assert "volatile-lru" in caplog.text
        await connection.close()
    await connection.refuse_eviction()
    assert "not known" in caplog.text
    await connection.close()
