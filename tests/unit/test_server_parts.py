"""Generated secrets, and where an app's data lies."""

from __future__ import annotations

import asyncio
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from atoll import settings
from atoll.application.app import RootAccount
from atoll.cluster.cache import LayeredCache, MemoryCache, RedisCache
from atoll.database.drivers import PostgresPools
from atoll.errors import BadRequest, SchemaUpgradeNeeded, StorageUnusable
from atoll.server.apps import ApplicationRuntime, Surroundings, offset
from atoll.server.cluster_parts import ClusterParts
from atoll.server.databases import app_database, main_database
from atoll.server.keys import kept_secret, main_token_secret
from atoll.server.main_app import MainApp
from atoll.server.plugins import PluginsOfEveryApp
from atoll.supervisor.models import AppModel, DatabaseOptions
from atoll.testing.ids import ids

POSTGRES = {
    "DB_DIALECT": "postgres",
    "DB_HOST": "db",
    "DB_DATABASE": "main",
    "DB_USER": "u",
    "DB_PASSWORD": "p",
}


def model(**changes: object) -> AppModel:
    values = {
        "uid": "u1",
        "name": "crm",
        "display_name": "CRM",
        "desired": "running",
        "generation": 1,
        "secret": "00" * 32,
    }
    return AppModel(**(values | changes))  # type: ignore[arg-type]


def loaded(tmp_path: Path, **environ: str) -> settings.Settings:
    return settings.load({"STORAGE_PATH": str(tmp_path), **environ}).settings


def test_a_secret_is_made_once_also_by_many_at_once(tmp_path: Path) -> None:
    file = tmp_path / "apps" / "main" / "key.dat"
    with ThreadPoolExecutor(8) as pool:
        values = set(pool.map(lambda _: kept_secret(file), range(32)))
    assert len(values) == 1
    assert len(values.pop()) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["key.dat"]


@pytest.mark.parametrize("content", [b"", b"short"])
def test_a_damaged_key_stops_the_start_instead_of_protecting_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "jwt_secret.dat"
    file.write_bytes(content)
    with pytest.raises(StorageUnusable, match="damaged"):
        kept_secret(file)
    assert file.read_bytes() == content


def test_a_storage_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnusable, match="STORAGE_PATH"):
        kept_secret(tmp_path / "file" / "key.dat")


def test_a_database_file_that_is_a_folder_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    settings = loaded(tmp_path, DB_STORAGE=str(tmp_path))
    parts, plugins = ClusterParts(settings), PluginsOfEveryApp(settings)
    around = Surroundings(settings, PostgresPools(), parts, ids(), _nobody, plugins, None)
    with pytest.raises(StorageUnusable, match="is a folder"):
        asyncio.run(MainApp(around).reach_database())


@pytest.mark.parametrize(("options", "allowed"), [({}, True), ({"autoUpgrade": False}, False)])
def test_an_app_says_whether_its_tables_may_be_upgraded(
    tmp_path: Path, options: dict[str, bool], allowed: bool
) -> None:
    """Tables of an older version: a start brings what is missing, unless the app forbids it."""
    settings = loaded(tmp_path, DB_STORAGE=str(tmp_path / "db" / "main.sqlite"))
    parts, plugins = ClusterParts(settings), PluginsOfEveryApp(settings)

    async def account() -> RootAccount:
        return RootAccount("root", "", "Root", password="secret-of-root")

    async def run() -> None:
        around = Surroundings(settings, PostgresPools(), parts, ids(), account, plugins, None)
        made = ApplicationRuntime(model(options=options), around)
        await made.provision()
        await made.install(None)
        database = made._database
        assert database is not None
        await database.execute("DELETE FROM migrations WHERE name = '0005-schedule'")
        for table in ("appJobs", "appTicks"):
            await database.execute(f'DROP TABLE "{table}"')
        try:
            await made.start()
        finally:
            await made.stop()

    if allowed:
        asyncio.run(run())
    else:
        with pytest.raises(SchemaUpgradeNeeded):
            asyncio.run(run())


async def _nobody() -> RootAccount:
    raise AssertionError("nobody asks for an account here")


def test_app_key_signs_tokens_when_it_is_given(tmp_path: Path) -> None:
    key = "k" * 32
    assert main_token_secret(loaded(tmp_path, APP_KEY=key)) == key.encode()
    assert main_token_secret(loaded(tmp_path)) == main_token_secret(loaded(tmp_path))


def test_a_new_sqlite_database_lies_beside_the_main_one(tmp_path: Path) -> None:
    config = app_database(loaded(tmp_path), model())
    assert config.storage == tmp_path / "db" / "crm.sqlite"


def test_a_new_postgres_database_has_the_apps_name(tmp_path: Path) -> None:
    chosen = loaded(tmp_path, **POSTGRES)
    config = app_database(chosen, model())
    assert (config.database, config.schema, config.host) == ("crm", None, "db")
    assert main_database(chosen).database == "main"


def test_a_new_schema_lies_in_the_main_database(tmp_path: Path) -> None:
    config = app_database(loaded(tmp_path, **POSTGRES), model(connection="new_schema"))
    assert (config.database, config.schema) == ("main", "crm")


def test_a_new_schema_needs_postgres(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="Choose a new database"):
        app_database(loaded(tmp_path), model(connection="new_schema"))


def test_a_connection_takes_nothing_from_the_environment(tmp_path: Path) -> None:
    options = DatabaseOptions(dialect="postgres", host="other", database="d", username="x", password="y")
    config = app_database(loaded(tmp_path, **POSTGRES), model(connection="new_connection", database=options))
    assert (config.host, config.database, config.user, config.password) == ("other", "d", "x", "y")


@pytest.mark.parametrize("missing", ["host", "database", "username"])
def test_an_incomplete_connection_names_what_is_missing(tmp_path: Path, missing: str) -> None:
    values = {"host": "h", "database": "d", "username": "u"} | {missing: None}
    options = DatabaseOptions(dialect="postgres", **values)  # type: ignore[arg-type]
    with pytest.raises(BadRequest, match=missing):
        app_database(loaded(tmp_path), model(connection="new_connection", database=options))


@pytest.mark.parametrize("name", ["../evil", "a/b", "a.b", ""])
def test_a_file_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    options = DatabaseOptions(dialect="sqlite", database=name)
    chosen = loaded(tmp_path)
    if not name:
        assert app_database(chosen, model(database=options)).storage == tmp_path / "db" / "crm.sqlite"
        return
    with pytest.raises(BadRequest, match="cannot be a database name"):
        app_database(chosen, model(database=options))


def test_the_time_zone_is_told_as_an_offset() -> None:
    assert offset("UTC") == "UTC"
    assert offset("Asia/Shanghai") == "+08:00"


@pytest.mark.anyio
async def test_parts_are_what_the_settings_ask_for(tmp_path: Path, redis_url: str) -> None:
    parts = ClusterParts(loaded(tmp_path, CACHE_MEMORY_MAX="2"))
    assert isinstance(parts.cache, MemoryCache)
    await parts.cache.mset({"a": 1, "b": 2, "c": 3})
    assert await parts.cache.mget("abc") == {"b": 2, "c": 3}
    await parts.close()
    far = {"CACHE_DEFAULT_STORE": "redis", "LOCK_ADAPTER_DEFAULT": "redis", "REDIS_NAMESPACE": "parts"}
    own = {"CACHE_REDIS_URL": redis_url, "LOCK_ADAPTER_REDIS_URL": redis_url}
    parts = ClusterParts(loaded(tmp_path, **far, **own))
    assert isinstance(parts.cache, RedisCache), "nobody tells of changes, so that nothing is remembered"
    assert parts.connection(redis_url) is parts.lock_redis
    await parts.close()
    parts = ClusterParts(loaded(tmp_path, **far, REDIS_URL=redis_url))
    assert isinstance(parts.cache, LayeredCache)
    scope = parts.cache.scope("one")
    assert await scope.set("a", 1)
    assert await scope.get("a") == 1
    await scope.reset()
    await parts.close()
