"""F38, F39: ways to Redis that are more than an address: sentinels, TLS, users, and a Redis that evicts."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.exceptions import ResponseError

from atoll.cluster.cache import RedisCache
from atoll.cluster.lock import RedisLock
from atoll.cluster.pubsub import Gap, RedisPubSub
from atoll.cluster.redis import RedisConnection
from atoll.errors import RedisEvictsKeys, RedisRefused, RedisUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.testing.conformance.pubsub import Heard
from atoll.testing.processes import eventually, free_port
from atoll.testing.services import RedisServer, find_redis, redis_server

from .conftest import Say

pytestmark = pytest.mark.anyio
PATIENCE = 40.0
PASSWORD = "master-secret"


@contextmanager
def sentinel(folder: Path, master_port: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """One that agrees with itself; with a password of its own."""
    port = free_port()
    folder.mkdir()
    file = folder / "sentinel.conf"
    file.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\nrequirepass watch-secret\n"
        f"sentinel monitor main 127.0.0.1 {master_port} 2\n"
        f"sentinel auth-pass main {PASSWORD}\n"
        "sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 4000\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(find_redis()), str(file), "--sentinel"], stdout=log, stderr=log)
    try:
        yield port, process
    finally:
        process.kill()
        process.wait()


class Watched:
    """A master, a replica, three sentinels."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        login = ("--requirepass", PASSWORD, "--masterauth", PASSWORD)
        self.servers = [stack.enter_context(redis_server(*login)) for _ in range(2)]
        self.processes: list[subprocess.Popen[bytes]] = []
        ports = []
        for number in range(3):
            port, process = stack.enter_context(sentinel(folder / str(number), self.servers[0].port))
            ports.append(port)
            self.processes.append(process)
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        self.url = f"redis+sentinel://:{PASSWORD}@{hosts}/main/0?sentinel_password=watch-secret"

    async def replicate(self) -> None:
        """The second server follows the first, and the sentinels know of it and of each other."""
        second = direct(self.servers[1])
        await second.client.execute_command("REPLICAOF", "127.0.0.1", str(self.servers[0].port))
        await second.close()
        watcher = self._watcher()

        async def known() -> bool:
            state = (await watcher.client.sentinel_masters())["main"]
            return bool(state["num-slaves"] == 1 and state["num-other-sentinels"] == 2)

        await eventually(known, within=PATIENCE, what="sentinels know each other and the replica")
        await watcher.close()

    async def order_a_switch(self) -> None:
        """Sentinels refuse until they have seen the replica in good health for a moment."""
        watcher = self._watcher()

        async def ordered() -> bool:
            try:
                await watcher.client.execute_command("SENTINEL", "FAILOVER", "main")
            except ResponseError:
                return False
            return True

        await eventually(ordered, within=PATIENCE, what="the sentinel accepts the order")
        await watcher.close()

    def _watcher(self) -> RedisConnection:
        return RedisConnection(f"redis://:watch-secret@{self.url.split('@')[1].split(',')[0]}", "t")


def direct(server: RedisServer) -> RedisConnection:
    return RedisConnection(f"redis://:{PASSWORD}@{server.host}:{server.port}", "t")


@pytest.fixture
async def watched(anyio_backend: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Watched]:
    """`redis_url` has made sure that there is a program for it."""
    with ExitStack() as stack:
        made = Watched(tmp_path, stack)
        await made.replicate()
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
    old, new = watched.servers
    if fault == "killed":
        watched_old = direct(old)
        with pytest.raises(RedisUnavailable), watched_old.errors():
            await watched_old.client.execute_command("SHUTDOWN", "NOSAVE")
            await watched_old.ping()
        await watched_old.close()
    else:
        await watched.order_a_switch()
    began = time.monotonic()

    async def writes() -> bool:
        successor = direct(new)
        try:
            if (await successor.client.info("replication"))["role"] != "master":
                return False
            return await cache.set("k", 2)
        except RedisUnavailable:
            return False
        finally:
            await successor.close()

    await eventually(writes, within=PATIENCE, what="the new master takes writes")
    took = time.monotonic() - began
    await other.ping()
    await far_node.publish("c", b"after")
    await heard.until(lambda messages: messages[-1] in {b"after", Gap()})
    assert (await lock.acquire("b", 5.0)).token > first.token
    assert await cache.get("k") == 2
    successor = direct(new)
    assert await successor.client.get("t:cache::value:k") is not None
    await successor.close()
    say(f"master {fault}: writes again after {took:.1f} s, readers and locks follow")
    sync = connection.sync_client()
    assert await asyncio.to_thread(sync.ping)
    sync.close()
    for each in (cache, node, far_node, lock, connection, other):
        await each.close()


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
