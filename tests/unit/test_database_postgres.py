"""PostgreSQL goes away, comes back, hangs and runs out of connections; apps in schemas share a pool."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateSchema, CreateTable

from atoll.database.config import DatabaseConfig, SslConfig
from atoll.database.drivers import PostgresPools, connect
from atoll.database.drivers.postgres_pool import tls
from atoll.errors import DatabaseMissing, DatabaseSignInRefused, DatabaseUnavailable, SettingsError
from atoll.testing.faults import relay
from atoll.testing.processes import eventually

pytestmark = pytest.mark.anyio
THINGS = sa.Table("things", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
PATIENCE = 15.0


async def backends(config: DatabaseConfig) -> int:
    """How many connections the server has to this database, besides the one that asks."""
    admin = connect(replace(config, database="postgres"))
    await admin.open()
    row = await admin.fetch_one(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = $1", (config.database,)
    )
    await admin.close()
    assert row is not None
    return int(row[0])


async def until_backends(config: DatabaseConfig, number: int) -> None:
    async def reached() -> bool:
        return await backends(config) == number

    await eventually(reached, within=PATIENCE, what=f"{number} connections")


async def test_apps_in_schemas_share_connections_but_no_tables(postgres_config: DatabaseConfig) -> None:
    pools = PostgresPools()
    names = [f"app{number}" for number in range(8)]
    apps = [connect(replace(postgres_config, schema=name, pool_max=3), pools) for name in names]
    for number, app in enumerate(apps):
        await app.open()
        await app.run(CreateSchema(names[number]))
        await app.run(CreateTable(THINGS))
        await app.run(sa.insert(THINGS), {"id": number})

    async def read(number: int) -> Any:
        return (await apps[number].run(sa.select(THINGS))).rows

    for _ in range(5):
        assert await asyncio.gather(*map(read, range(8))) == [[(number,)] for number in range(8)]
    assert await backends(postgres_config) <= 3
    for app in apps[1:]:
        await app.close()
    assert await read(0) == [(0,)]
    await apps[0].close()
    await until_backends(postgres_config, 0)


async def test_idle_connections_close(postgres_config: DatabaseConfig) -> None:
    app = connect(replace(postgres_config, pool_idle=0.2))
    await app.open()
    await until_backends(postgres_config, 0)
    await app.ping()
    await until_backends(postgres_config, 0)
    await app.ping()
    await app.close()


async def test_connections_cut_under_way_and_a_server_that_is_away(postgres_config: DatabaseConfig) -> None:
    async with relay(postgres_config.host, postgres_config.port) as way:
        app = connect(replace(postgres_config, port=way.listen_port))
        way.refuse()
        await app.open()
        with pytest.raises(DatabaseUnavailable):
            await app.ping()
        way.heal()
        await app.run(CreateTable(THINGS))
        sleeping = [asyncio.create_task(app.fetch_one("SELECT pg_sleep(60)")) for _ in range(3)]
        await asyncio.sleep(0.2)
        way.cut()
        results = await asyncio.gather(*sleeping, return_exceptions=True)
        assert [type(result) for result in results] == [DatabaseUnavailable] * 3
        await app.ping()
        with pytest.raises(DatabaseUnavailable):
            async with app.transaction() as tx:
                await app.run(sa.insert(THINGS), {"id": 1}, connection=tx)
                way.cut()
                await app.run(sa.insert(THINGS), {"id": 2}, connection=tx)
        assert (await app.run(sa.select(THINGS))).rows == []
        await app.close()


async def test_a_half_open_connection_is_given_up(postgres_config: DatabaseConfig) -> None:
    async with relay(postgres_config.host, postgres_config.port) as way:
        patient = replace(postgres_config, port=way.listen_port, command_timeout=0.5, connect_timeout=0.5)
        app = connect(patient)
        await app.open()
        await app.ping()
        way.silence()
        async with asyncio.timeout(PATIENCE):
            for _ in range(3):
                with pytest.raises(DatabaseUnavailable):
                    await app.ping()
        way.heal()
        async with asyncio.timeout(PATIENCE):
            await app.ping()
            await app.close()


async def test_backends_ended_by_the_administrator(postgres_config: DatabaseConfig) -> None:
    app = connect(postgres_config)
    await app.open()
    for _ in range(5):
        await app.ping()
        admin = connect(replace(postgres_config, database="postgres"))
        await admin.open()
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
        await admin.fetch_all(query, (postgres_config.database,))
        await admin.close()
        await until_backends(postgres_config, 0)
    await app.ping()
    await app.close()


async def test_a_full_pool_says_so(postgres_config: DatabaseConfig) -> None:
    app = connect(replace(postgres_config, pool_max=1, pool_acquire=0.2))
    await app.open()
    async with app.transaction():
        with pytest.raises(DatabaseUnavailable):
            await app.ping()
    await app.ping()
    await app.close()


async def test_losing_the_exclusive_connection_stops_the_work(postgres_config: DatabaseConfig) -> None:
    async with relay(postgres_config.host, postgres_config.port) as way:
        app = connect(replace(postgres_config, port=way.listen_port))
        await app.open()
        with pytest.raises(DatabaseUnavailable):
            async with asyncio.timeout(PATIENCE), app.exclusive("install"):
                way.cut()
                await asyncio.Event().wait()
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await app.close()


async def test_no_secret_in_errors_and_texts(postgres_config: DatabaseConfig) -> None:
    config = replace(postgres_config, password="hunter2")
    app = connect(config)
    await app.open()
    with pytest.raises(DatabaseSignInRefused) as error:
        await app.ping()
    assert "hunter2" not in f"{error.value.message} {error.value.detail} {config!r} {config.address}"
    await app.close()


async def test_a_database_that_does_not_exist_is_told_from_a_server_that_is_away(
    postgres_config: DatabaseConfig,
) -> None:
    app = connect(replace(postgres_config, database="nowhere"))
    await app.open()
    with pytest.raises(DatabaseMissing, match="nowhere"):
        await app.ping()
    await app.close()


def test_tls_modes() -> None:
    config = DatabaseConfig("postgres", host="db.example.org", database="x")
    assert tls(config) == "prefer"
    assert tls(replace(config, host="127.0.0.1")) is False
    assert tls(replace(config, ssl=SslConfig(mode="disable"))) is False
    required: Any = tls(replace(config, ssl=SslConfig(mode="require")))
    assert required.check_hostname is False
    full: Any = tls(replace(config, ssl=SslConfig(mode="verify-full")))
    assert full.check_hostname is True
    with pytest.raises(SettingsError):
        tls(replace(config, ssl=SslConfig(ca="/no/such/file")))


async def test_waiting_for_the_pool_is_not_forever_when_the_server_is_gone() -> None:
    app = connect(DatabaseConfig("postgres", port=1, database="x", user="x"))
    await app.open()
    begun = time.monotonic()
    results = await asyncio.gather(*(app.ping() for _ in range(50)), return_exceptions=True)
    assert all(isinstance(result, DatabaseUnavailable) for result in results)
    assert time.monotonic() - begun < PATIENCE
    await app.close()
