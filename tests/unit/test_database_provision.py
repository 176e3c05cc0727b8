"""Databases are made for an owner, survive being killed half-way, and are never taken from somebody else."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from atoll.database import provision
from atoll.database.config import DatabaseConfig
from atoll.database.drivers import connect
from atoll.database.provision import postgres as postgres_side
from atoll.database.provision import sqlite as sqlite_side
from atoll.errors import (
    BadRequest,
    DatabaseNameTaken,
    DatabaseRightsMissing,
    DatabaseUnavailable,
    UnknownColumn,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["file", "database", "schema"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseConfig:
    """Where something new can be made, of each kind."""
    if request.param == "file":
        return DatabaseConfig("sqlite", storage=tmp_path / "folder" / "crm.sqlite")
    base: DatabaseConfig = request.getfixturevalue("postgres_config")
    if request.param == "schema":
        return replace(base, schema="crm")
    return replace(base, database=f"{base.database}_new")


async def run(config: DatabaseConfig, *statements: str) -> list[Any]:
    connection = await asyncpg.connect(
        host=config.host,
        port=config.port,
        user=config.user,
        password=config.password,
        database=config.database,
    )
    try:
        return [await connection.fetch(statement) for statement in statements]
    finally:
        await connection.close()


async def put_table(config: DatabaseConfig) -> None:
    database = connect(config)
    await database.open()
    table = f'"{config.schema}".things' if config.schema else "things"
    await database.execute(f"CREATE TABLE {table} (id INTEGER)")
    await database.close()


async def has_table(config: DatabaseConfig) -> bool:
    database = connect(config)
    await database.open()
    try:
        table = f'"{config.schema}".things' if config.schema else "things"
        await database.fetch_all(f"SELECT * FROM {table}")
    except (DatabaseUnavailable, UnknownColumn):
        return False
    else:
        return True
    finally:
        await database.close()


async def test_made_used_and_dropped(place: DatabaseConfig) -> None:
    assert await provision.check(place, owner="a") == []
    await provision.create(place, "a")
    await put_table(place)
    await provision.create(place, "a")
    assert await has_table(place)
    assert await provision.check(place, owner="a") == []
    assert await provision.check(place) == []
    await provision.drop(place, "a")
    await provision.drop(place, "a")
    assert await provision.check(place, owner="b") == []
    await provision.create(place, "b")
    assert not await has_table(place)


async def test_what_is_anothers_is_neither_taken_nor_dropped(place: DatabaseConfig) -> None:
    await provision.create(place, "a")
    await put_table(place)
    with pytest.raises(DatabaseNameTaken):
        await provision.create(place, "b")
    with pytest.raises(DatabaseNameTaken):
        await provision.create(place, "b", existing=True)
    assert [found.code for found in await provision.check(place, owner="b")] == ["DATABASE_NAME_TAKEN"]
    await provision.drop(place, "b")
    assert await has_table(place)


async def test_two_at_once_get_one(place: DatabaseConfig) -> None:
    await asyncio.gather(*(provision.create(place, "a") for _ in range(4)))
    await put_table(place)
    results = await asyncio.gather(
        *(provision.create(place, owner) for owner in ("b", "c")), return_exceptions=True
    )
    assert all(isinstance(result, DatabaseNameTaken) for result in results)


async def test_made_by_others_without_a_mark(place: DatabaseConfig, tmp_path: Path) -> None:
    if place.storage is not None:
        place.storage.parent.mkdir()
        with closing(sqlite3.connect(place.storage)) as file:
            file.execute("CREATE TABLE things (id)")
    elif place.schema:
        await run(place, "CREATE SCHEMA crm", "CREATE TABLE crm.things (id int)")
    else:
        await run(replace(place, database="postgres"), f"CREATE DATABASE {place.database}")
        await run(place, "CREATE TABLE things (id int)")
    for existing in (False, True):
        with pytest.raises(DatabaseNameTaken):
            await provision.create(place, "a", existing=existing)
        found = await provision.check(place, owner="a", existing=existing)
        assert [one.code for one in found] == ["DATABASE_NAME_TAKEN"]
    await provision.drop(place, "a")
    assert await has_table(place)


async def test_an_empty_one_can_be_used_when_it_is_meant(postgres_config: DatabaseConfig) -> None:
    with pytest.raises(DatabaseNameTaken):
        await provision.create(postgres_config, "a")
    assert await provision.check(postgres_config, owner="a", existing=True) == []
    await provision.create(postgres_config, "a", existing=True)
    await provision.create(postgres_config, "a", existing=True)
    await run(postgres_config, "CREATE TABLE t (id serial)", "CREATE VIEW v AS SELECT * FROM t")
    with pytest.raises(DatabaseNameTaken):
        await provision.create(postgres_config, "b", existing=True)
    await provision.drop(postgres_config, "b")
    assert await run(postgres_config, "SELECT * FROM v")
    await provision.drop(postgres_config, "a")
    assert await provision.check(postgres_config, owner="b", existing=True) == []


class Killed(BaseException):
    """Nothing after this runs, as after kill -9."""


@pytest.mark.parametrize("step", range(1, 6))
async def test_killed_at_any_statement_converges(postgres_config: DatabaseConfig, step: int) -> None:
    place = replace(postgres_config, database=f"{postgres_config.database}_k")
    left = step

    class Dying:
        """A connection that is gone after some statements."""

        def __init__(self, real: Any) -> None:
            self._real = real

        async def execute(self, *args: Any) -> Any:
            nonlocal left
            result = await self._real.execute(*args)
            left -= 1
            if left == 0:
                self._real.terminate()
                raise Killed
            return result

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

    admin = await asyncpg.connect(
        host=place.host, port=place.port, user=place.user, password=place.password, database="postgres"
    )
    try:
        with pytest.raises(Killed):
            await postgres_side._create_database(Dying(admin), place.database, "a")
            raise Killed
    finally:
        admin.terminate()
    await provision.create(place, "a")
    await put_table(place)
    await provision.create(place, "a")
    assert await has_table(place)
    await provision.drop(place, "a")
    names = await run(postgres_config, "SELECT datname FROM pg_database WHERE datname LIKE 'atoll_new_%'")
    assert names == [[]]


async def test_a_killed_attempt_is_dropped_with_its_app(postgres_config: DatabaseConfig) -> None:
    place = replace(postgres_config, database=f"{postgres_config.database}_k")
    temporary = postgres_side._temporary(place.database, "a")
    await run(postgres_config, f"CREATE DATABASE {temporary}")
    await provision.drop(place, "b")
    query = f"SELECT 1 FROM pg_database WHERE datname = '{temporary}'"
    assert len((await run(postgres_config, query))[0]) == 1
    await provision.drop(place, "a")
    assert len((await run(postgres_config, query))[0]) == 0


async def test_several_may_empty_one_at_the_same_time(postgres_config: DatabaseConfig) -> None:
    await provision.create(postgres_config, "a", existing=True)
    tables = (f"CREATE TABLE t{number} (id int)" for number in range(30))
    await run(postgres_config, *tables)
    await asyncio.gather(*(provision.drop(postgres_config, "a") for _ in range(4)))
    assert await provision.check(postgres_config, owner="b", existing=True) == []


async def test_a_template_of_databases_is_refused(postgres_admin: DatabaseConfig) -> None:
    template = replace(postgres_admin, database="template1", schema=None)
    assert [f.code for f in await provision.check(template, owner="a", existing=True)] == [
        "DATABASE_NAME_INVALID"
    ]
    with pytest.raises(DatabaseNameTaken, match="template"):
        await provision.create(template, "a", existing=True)


def test_killed_half_way_with_files(tmp_path: Path) -> None:
    path = tmp_path / "crm.sqlite"
    sqlite_side._mark(sqlite_side._sibling(path, "a", "new"), "a")
    path.with_name("crm.sqlite-wal").write_bytes(b"of an older file")
    sqlite_side._create(path, "a", existing=False)
    assert sqlite_side._holder(path)[0] == "a"
    path.rename(sqlite_side._sibling(path, "a", "dropped"))
    path.with_name("crm.sqlite-wal").write_bytes(b"left behind")
    sqlite_side._drop(path, "a")
    assert [each.name for each in tmp_path.iterdir()] == [".provision.lock"]


@pytest.mark.parametrize(
    "name", ["postgres", "Template1", "../up", "a/b", "", "x" * 64, "ü" * 32, "a b", "pg_x", "1a"]
)
async def test_names_that_cannot_be(name: str, postgres_admin: DatabaseConfig, tmp_path: Path) -> None:
    schema = replace(postgres_admin, schema=name or " ")
    assert [f.code for f in await provision.check(schema, owner="a")] == ["DATABASE_NAME_INVALID"]
    with pytest.raises(BadRequest):
        await provision.create(schema, "a")
    await provision.drop(schema, "a")
    if name:
        database = replace(postgres_admin, database=name)
        assert [f.code for f in await provision.check(database, owner="a")] == ["DATABASE_NAME_INVALID"]
        with pytest.raises(BadRequest):
            await provision.create(database, "a")


async def test_rights_are_checked_before(postgres_config: DatabaseConfig) -> None:
    role = f"{postgres_config.database}_r"
    await run(postgres_config, f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
    try:
        poor = replace(postgres_config, user=role, password="secret")
        for place in (replace(poor, database="other"), replace(poor, schema="crm")):
            (found,) = await provision.check(place, owner="a")
            assert (found.code, role in found.message) == ("DATABASE_RIGHTS_MISSING", True)
            with pytest.raises(DatabaseRightsMissing):
                await provision.create(place, "a")
        assert [f.code for f in await provision.check(poor)] == ["DATABASE_RIGHTS_MISSING"]
    finally:
        await run(postgres_config, f"DROP ROLE {role}")


async def test_unreachable_wrong_password_missing(postgres_config: DatabaseConfig) -> None:
    closed = replace(postgres_config, port=1)
    wrong = replace(postgres_config, password="guess")
    gone = replace(postgres_config, database="not_there")
    assert [f.code for f in await provision.check(closed, owner="a")] == ["DATABASE_UNREACHABLE"]
    assert [f.code for f in await provision.check(wrong, owner="a")] == ["DATABASE_SIGN_IN_REFUSED"]
    assert [f.code for f in await provision.check(gone)] == ["DATABASE_MISSING"]
    assert [f.code for f in await provision.check(replace(gone, schema="x"), owner="a")] == [
        "DATABASE_MISSING"
    ]
    for config in (closed, wrong):
        with pytest.raises(DatabaseUnavailable) as error:
            await provision.identity(config)
        assert "guess" not in error.value.message + error.value.detail


async def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = DatabaseConfig("sqlite", storage=tmp_path / "file" / "crm.sqlite")
    assert [f.code for f in await provision.check(place, owner="a")] == ["DATABASE_FOLDER_UNUSABLE"]
    with pytest.raises(DatabaseUnavailable):
        await provision.create(place, "a")


async def test_identity_tells_services_apart(postgres_config: DatabaseConfig, tmp_path: Path) -> None:
    one = await provision.identity(postgres_config)
    assert one == await provision.identity(replace(postgres_config, database="not_there", host="localhost"))
    here = DatabaseConfig("sqlite", storage=tmp_path / "a.sqlite")
    beside = DatabaseConfig("sqlite", storage=tmp_path / "b.sqlite")
    there = DatabaseConfig("sqlite", storage=tmp_path / "sub" / "a.sqlite")
    assert await provision.identity(here) == await provision.identity(beside)
    assert await provision.identity(here) != await provision.identity(there)
