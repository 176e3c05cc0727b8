"""Records of one app: list, get and create per second, beside the same SQL through the driver alone."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import asyncpg

from atoll.testing.client import Account, AtollClient
from atoll.testing.deployment import PostgresAddress
from atoll.testing.processes import ServerProcess
from benchmarks.measure import Result, load, rate, ratio

ACCOUNT = Account()
FIELDS = [
    {"name": "title", "type": "string", "interface": "input"},
    {"name": "amount", "type": "double", "interface": "number"},
    {"name": "done", "type": "boolean", "interface": "checkbox"},
    {"name": "note", "type": "text", "interface": "textarea"},
]
DRIVER_TASKS = 10
DATABASE = "atoll_bench"


async def run(
    folder: Path, postgres: PostgresAddress, *, rows: int, rounds: int, seconds: float
) -> list[Result]:
    """SQLite and PostgreSQL, one server process each, collection of `rows` records."""
    results = await _on_sqlite(folder / "sqlite", rows, rounds, seconds)
    return results + await _on_postgres(folder / "postgres", postgres, rows, rounds, seconds)


async def _on_sqlite(folder: Path, rows: int, rounds: int, seconds: float) -> list[Result]:
    file = folder / "atoll.sqlite"
    variables = {"DB_DIALECT": "sqlite", "DB_STORAGE": str(file)}
    async with _server(folder, variables, rows) as (server, token):
        floor = {
            name: [await anyio.to_thread.run_sync(_sqlite_rate, file, sql, seconds) for _ in range(rounds)]
            for name, sql in _statements("?").items()
        }
        return await _compared("Records on SQLite", server, token, floor, rounds, seconds)


async def _on_postgres(
    folder: Path, service: PostgresAddress, rows: int, rounds: int, seconds: float
) -> list[Result]:
    login = {"host": service.host, "port": service.port, "user": service.user, "password": service.password}
    keeper = await asyncpg.connect(**login, database="postgres")
    await keeper.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
    await keeper.execute(f'CREATE DATABASE "{DATABASE}"')
    variables = {
        "DB_DIALECT": "postgres",
        "DB_HOST": service.host,
        "DB_PORT": str(service.port),
        "DB_DATABASE": DATABASE,
        "DB_USER": service.user,
        "DB_PASSWORD": service.password,
    }
    try:
        async with _server(folder, variables, rows) as (server, token):
            pool = await asyncpg.create_pool(
                **login, database=DATABASE, min_size=DRIVER_TASKS, max_size=DRIVER_TASKS
            )
            async with pool:
                floor = {
                    name: [await _postgres_rate(pool, sql, seconds) for _ in range(rounds)]
                    for name, sql in _statements("$1").items()
                }
            return await _compared("Records on PostgreSQL", server, token, floor, rounds, seconds)
    finally:
        await keeper.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
        await keeper.close()


@asynccontextmanager
async def _server(
    folder: Path, variables: Mapping[str, str], rows: int
) -> AsyncIterator[tuple[ServerProcess, str]]:
    """A server whose main app has the collection "posts", and a token for it."""
    settings = {**variables, "INIT_ROOT_PASSWORD": ACCOUNT.password, "LOGGER_LEVEL": "warn"}
    async with ServerProcess("records", folder, settings) as server, AtollClient(server.url) as client:
        token = await client.sign_in(ACCOUNT)
        await client.call("collections:create", {"name": "posts", "title": "Posts", "fields": FIELDS})
        limiter = anyio.CapacityLimiter(8)

        async def add(number: int) -> None:
            async with limiter:
                await client.call("posts:create", record(number))

        async with anyio.create_task_group() as group:
            for number in range(rows):
                group.start_soon(add, number)
        yield server, token


async def _compared(
    group: str,
    server: ServerProcess,
    token: str,
    floor: Mapping[str, list[float]],
    rounds: int,
    seconds: float,
) -> list[Result]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    create = script(server.folder)
    base = f"{server.url}/api/posts"
    ways: dict[str, Callable[[], Awaitable[float]]] = {
        "get": lambda: load(f"{base}:get?filterByTk=7", seconds=seconds, headers=headers),
        "list": lambda: load(f"{base}:list?pageSize=20&sort=id", seconds=seconds, headers=headers),
        "create": lambda: load(f"{base}:create", seconds=seconds, headers=headers, script=create),
    }
    results: list[Result] = []
    for name, way in ways.items():
        title = {
            "get": "get one record",
            "list": "list 20 records with total",
            "create": "create one record",
        }[name]
        served = rate(group, f"{title}, signed in, over HTTP", [await way() for _ in range(rounds)])
        bare = rate(group, f"{title}, same SQL through the driver", floor[name], "times/s")
        results += [served, bare, ratio(group, f"{title}: HTTP beside driver", served, bare)]
    return results


def script(folder: Path) -> Path:
    """What makes wrk create records."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "create.lua"
    file.write_text(f"wrk.method = 'POST'\nwrk.body = [==[{json.dumps(record(0))}]==]\n", "utf-8")
    return file


def record(number: int) -> dict[str, Any]:
    """The values of a record."""
    return {"title": f"Post {number}", "amount": number / 7, "done": number % 2 == 0, "note": "text " * 20}


def _statements(mark: str) -> dict[str, tuple[str, ...]]:
    """What one request needs from the database, in SQL."""
    return {
        "get": (f'SELECT * FROM "posts" WHERE id = {mark}',),
        "list": ('SELECT * FROM "posts" ORDER BY id LIMIT 20', 'SELECT count(*) FROM "posts"'),
        "create": (
            'CREATE TABLE IF NOT EXISTS "driver_posts" (id INTEGER, title TEXT, amount FLOAT, note TEXT)',
            f"INSERT INTO \"driver_posts\" (id, title, amount, note) VALUES ({mark}, 'Post', 1.5, 'text')",
        ),
    }


def _sqlite_rate(file: Path, statements: tuple[str, ...], seconds: float) -> float:
    connection = sqlite3.connect(file, timeout=10, isolation_level=None)
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        statements = _prepared(statements, connection.execute)
        number, began = 0, time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            number += 1
            for sql in statements:
                connection.execute(sql, (7,) if "?" in sql else ()).fetchall()
        return number / passed
    finally:
        connection.close()


async def _postgres_rate(pool: Any, statements: tuple[str, ...], seconds: float) -> float:
    for sql in statements:
        if sql.startswith("CREATE"):
            await pool.execute(sql)
    wanted = [sql for sql in statements if not sql.startswith("CREATE")]
    ends = time.perf_counter() + seconds
    done = [0] * DRIVER_TASKS

    async def work(place: int) -> None:
        async with pool.acquire() as connection:
            while time.perf_counter() < ends:
                for sql in wanted:
                    await connection.fetch(sql, *((7,) if "$1" in sql else ()))
                done[place] += 1

    async with anyio.create_task_group() as group:
        for place in range(DRIVER_TASKS):
            group.start_soon(work, place)
    return sum(done) / seconds


def _prepared(statements: tuple[str, ...], execute: Callable[[str], object]) -> tuple[str, ...]:
    """Runs the definitions, gives the rest."""
    for sql in statements:
        if sql.startswith("CREATE"):
            execute(sql)
    return tuple(sql for sql in statements if not sql.startswith("CREATE"))
