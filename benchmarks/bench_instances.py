"""What a second and a third instance of an app cost the first one: agreement, messages, dropped totals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from atoll.testing.client import Account, AtollClient
from atoll.testing.deployment import PostgresAddress
from atoll.testing.processes import ServerProcess, closing
from benchmarks.measure import Result, load, rate, ratio
from benchmarks.records import FIELDS, record, script

ACCOUNT = Account()
DATABASE = "atoll_bench_instances"
GROUP = "Several instances of one app"


async def run(
    folder: Path, redis_url: str, service: PostgresAddress, *, rows: int, rounds: int, seconds: float
) -> list[Result]:
    """The same requests to one server while none, one and two others serve the same app."""
    samples: dict[tuple[str, int], list[float]] = {}
    async with _servers(folder, redis_url, service) as (servers, token):
        await _fill(servers[0], token, rows)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        create = script(folder)
        base = f"{servers[0].url}/api/posts"
        for count in (1, 2, 3):
            if count > 1:
                servers[count - 1].spawn()
                await servers[count - 1].until_ready(within=60)
            for _ in range(rounds):
                listed = await load(f"{base}:list?pageSize=20&sort=id", seconds=seconds, headers=headers)
                samples.setdefault(("list 20 records with total", count), []).append(listed)
                made = await load(f"{base}:create", seconds=seconds, headers=headers, script=create)
                samples.setdefault(("create one record", count), []).append(made)
    results: list[Result] = []
    for what in dict.fromkeys(name for name, _ in samples):
        alone = rate(GROUP, f"{what}, one instance", samples[what, 1])
        results.append(alone)
        for count in (2, 3):
            among = rate(GROUP, f"{what}, one of {count} instances", samples[what, count])
            results += [among, ratio(GROUP, f"{what}: one of {count} beside one alone", among, alone)]
    return results


@asynccontextmanager
async def _servers(
    folder: Path, redis_url: str, service: PostgresAddress
) -> AsyncIterator[tuple[list[ServerProcess], str]]:
    login = {"host": service.host, "port": service.port, "user": service.user, "password": service.password}
    keeper = await asyncpg.connect(**login, database="postgres")
    await keeper.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
    await keeper.execute(f'CREATE DATABASE "{DATABASE}"')
    settings = {
        "DB_DIALECT": "postgres",
        "DB_HOST": service.host,
        "DB_PORT": str(service.port),
        "DB_DATABASE": DATABASE,
        "DB_USER": service.user,
        "DB_PASSWORD": service.password,
        "REDIS_URL": redis_url,
        "REDIS_NAMESPACE": "bench_instances",
        "STORAGE_PATH": str(folder / "storage"),
        "INIT_ROOT_PASSWORD": ACCOUNT.password,
        "LOGGER_LEVEL": "warn",
    }
    try:
        servers = [ServerProcess(f"instance{number}", folder, settings) for number in range(3)]
        async with closing(*servers):
            servers[0].spawn()
            await servers[0].until_ready(within=60)
            async with AtollClient(servers[0].url) as client:
                yield servers, await client.sign_in(ACCOUNT)
    finally:
        await keeper.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
        await keeper.close()


async def _fill(server: ServerProcess, token: str, rows: int) -> None:
    async with AtollClient(server.url) as client:
        client.http.headers["Authorization"] = f"Bearer {token}"
        await client.call("collections:create", {"name": "posts", "title": "Posts", "fields": FIELDS})
        for start in range(0, rows, 500):
            await client.call("posts:create", [record(number) for number in range(start, start + 500)])
