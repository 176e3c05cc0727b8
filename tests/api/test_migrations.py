"""F63, F65: tables come from one version to the next once, whoever is killed on the way."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.schema import CreateTable

from atoll.application.app import Application
from atoll.application.collections.system import system_collections
from atoll.application.instances.membership import Membership
from atoll.application.migrations import FIRST, MIGRATIONS, Migration, Schema
from atoll.cluster.pubsub import MemoryPubSub
from atoll.database.drivers import Database, connect
from atoll.database.drivers.base import Connection
from atoll.database.drivers.postgres_pool import PostgresPools
from atoll.errors import SchemaTooNew, SchemaUpgradeBlocked, SchemaUpgradeNeeded

from .conftest import ROOT, client_of, make_app, until

pytestmark = pytest.mark.anyio
LATER = (
    "appInstances",
    "userPreferences",
    "appOutbox",
    "appJobs",
    "appTicks",
    "dataSourcesRolesResources",
    "dataSourcesRolesResourcesActions",
    "dataSourcesRolesResourcesScopes",
    "views",
    "apiKeys",
    "desktopRoutes",
    "rolesDesktopRoutes",
    "mobileRoutes",
    "rolesMobileRoutes",
    "themeConfig",
    "environmentVariables",
    "collectionCategories",
    "collectionCategory",
    "sequences",
    "passwordResets",
    "secondFactors",
    "recoveryCodes",
    "usersAuthenticators",
)
"""Tables that the first version did not have: each migration that makes one adds its name."""
LATER_COLUMNS = {"issuedTokens": ("session", "agent", "address", "seenTime")}
"""The same for columns of tables that it had."""


def table(database: Database, name: str) -> str:
    return f'"{database.schema}"."{name}"' if database.schema else f'"{name}"'


class Killed(BaseException):
    """Stands for the end of the process: no handler of ours catches it."""


class Steps:
    """A next version whose steps count their work in the database, and may be killed at any of them."""

    def __init__(self, kill: int | None = None) -> None:
        self.kill = kill
        self.calls = 0

    async def _call(self) -> None:
        self.calls += 1
        if self.calls == self.kill:
            raise Killed

    async def _add(self, database: Database, tx: Connection) -> None:
        await tx.execute(f'ALTER TABLE {table(database, "users")} ADD COLUMN "shoe" INTEGER')
        await self._call()

    async def _fill(self, database: Database, tx: Connection) -> bool:
        """One row per call."""
        users = table(database, "users")
        first = f'SELECT min(id) FROM {users} WHERE "shoe" IS NULL'
        done = await tx.execute(f'UPDATE {users} SET "shoe" = 40 WHERE id = ({first})')
        await self._call()
        return done > 0

    async def _rename(self, database: Database, tx: Connection) -> None:
        await tx.execute(f'ALTER TABLE {table(database, "users")} RENAME COLUMN "shoe" TO "size"')
        await self._call()

    def migrations(self) -> Sequence[Migration]:
        return (*MIGRATIONS, Migration("0900-shoes", before=(self._add, self._fill), after=(self._rename,)))


async def installed(database: Database, folder: Path, people: int = 3) -> None:
    app = make_app(database, folder)
    await app.install(ROOT)
    await app.start()
    async with client_of(app) as api:
        root = await api.sign_in("nocobase", "admin123")
        for number in range(people - 1):
            await root.data("users:create", {"username": f"u{number}", "password": "secret1"})
    await app.stop()


async def nobody(_: str) -> list[str]:
    return []


async def test_a_database_of_the_first_version_is_upgraded(database: Database, tmp_path: Path) -> None:
    """What was installed before there were migrations: no table of instances, and one row that says so."""
    await installed(database, tmp_path)
    fresh = await _columns(database)
    for name in LATER:
        await database.execute(f"DROP TABLE {table(database, name)}")
    for name, columns in LATER_COLUMNS.items():
        for column in columns:
            await database.execute(f'ALTER TABLE {table(database, name)} DROP COLUMN "{column}"')
    await database.execute(f"DELETE FROM {table(database, 'migrations')} WHERE name <> '{FIRST}'")
    apps = [make_app(database, tmp_path) for _ in range(3)]
    await asyncio.gather(*(app.start() for app in apps))
    for app in apps:
        await app.stop()
    assert await _columns(database) == fresh


async def test_an_upgrade_that_has_nothing_to_do_costs_one_query(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await installed(database, tmp_path)
    schema, queries = Schema(database, MIGRATIONS), 0
    original = database.fetch_all

    async def counted(*args: object) -> object:
        nonlocal queries
        queries += 1
        return await original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "fetch_all", counted)
    await schema.prepare(await schema.applied(), nobody)
    assert queries == 1


@pytest.mark.slow
async def test_a_thousand_apps_that_need_nothing(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """F65: apps of one database that share connections, as after the restart of a server that hosts them."""
    first = await _app_of(database, 0)
    await database.run(CreateTable(system_collections(first.kind, first.table_prefix)["migrations"].table))
    async with first.transaction() as tx:
        await Schema(first, MIGRATIONS).stamp(tx)
    for number in range(1, 1000):
        names = table(database, f"a{number}_migrations"), table(database, "a0_migrations")
        await database.execute("CREATE TABLE {} AS SELECT * FROM {}".format(*names))
    pools = PostgresPools()
    apps = [await _app_of(database, number, pools) for number in range(1000)]
    began = time.monotonic()
    for app in apps:
        schema = Schema(app, MIGRATIONS)
        await schema.prepare(await schema.applied(), nobody)
    took = time.monotonic() - began
    for app in (first, *apps):
        await app.close()
    with capsys.disabled():
        sys.stdout.write(f"1,000 apps looked at in {took:.1f} s ({database.kind})\n")


async def _app_of(database: Database, number: int, pools: PostgresPools | None = None) -> Database:
    app = connect(replace(database.config, table_prefix=f"a{number}_"), pools)
    await app.open()
    return app


@pytest.mark.parametrize("kill", range(1, 7))
async def test_killed_at_any_step_the_next_try_ends_the_same(
    database: Database, tmp_path: Path, kill: int
) -> None:
    await installed(database, tmp_path)
    steps = Steps(kill)
    schema = Schema(database, steps.migrations())
    with pytest.raises(Killed):
        await schema.prepare(await schema.applied(), nobody)
        await schema.finish(nobody)
    schema = Schema(database, Steps().migrations())
    await schema.prepare(await schema.applied(), nobody)
    assert await schema.finish(nobody) is True
    rows = await database.fetch_all(f'SELECT "size" FROM {table(database, "users")}')
    assert rows == [(40,)] * 3
    applied = await schema.applied()
    assert {"0900-shoes", "0900-shoes#closed", "0900-shoes#done"} <= applied


async def test_many_try_at_once_and_each_step_happens_once(database: Database, tmp_path: Path) -> None:
    await installed(database, tmp_path)
    steps = Steps()
    schemas = [Schema(database, steps.migrations()) for _ in range(4)]
    applied = await schemas[0].applied()
    await asyncio.gather(*(schema.prepare(applied, nobody) for schema in schemas))
    assert steps.calls == 1 + 4, "added once; three rows and a look that finds none"


async def test_old_and_new_serve_together_until_the_old_ones_have_left(
    database: Database, tmp_path: Path
) -> None:
    bus = MemoryPubSub()
    old = make_app(database, tmp_path, bus.scope("app"))
    await old.install(ROOT)
    await old.start()
    new = make_app(database, tmp_path, bus.scope("app"), migrations=Steps().migrations())
    await new.start()
    async with client_of(old) as old_api, client_of(new) as new_api:
        for api in (old_api, new_api):
            root = await api.sign_in("nocobase", "admin123")
            await root.data("users:update", {"phone": "1"}, filterByTk=1)
        late = make_app(database, tmp_path, bus.scope("app"))
        await late.start()
        await late.stop()
        assert "0900-shoes#closed" not in await new._schema.applied()
        await old.stop()
        await until(new._schema.applied, lambda applied: not new._schema.unfinished(applied))
        assert (await new_api.call("app:getInfo")).status_code == 200
    with pytest.raises(SchemaTooNew):
        await make_app(database, tmp_path, bus.scope("app")).start()
    await new.stop()


async def test_an_old_instance_that_slept_through_the_upgrade_serves_no_more(
    database: Database, tmp_path: Path
) -> None:
    """Nobody hears it, so it is given up; when it asks again the database is closed to it."""
    old = make_app(database, tmp_path)
    await old.install(ROOT)
    await old.start()
    new = make_app(database, tmp_path, migrations=Steps().migrations())
    await new.start()
    await until(new._schema.applied, lambda applied: not new._schema.unfinished(applied))
    async with client_of(old) as api:
        answer = await api.call("app:getInfo")
        assert answer.status_code == 503
        assert answer.json()["errors"][0]["code"] == "SCHEMA_TOO_NEW"
    await old.stop()
    await new.stop()


async def test_two_versions_ahead_waits_for_the_old_ones(database: Database, tmp_path: Path) -> None:
    await installed(database, tmp_path)
    await Membership(database, "old", [each.name for each in MIGRATIONS]).register()
    migrations = (*Steps().migrations(), Migration("0901-next", before=(_nothing,)))
    with pytest.raises(SchemaUpgradeBlocked):
        await make_app(database, tmp_path, migrations=migrations).start()
    await Membership(database, "old", ()).withdraw()
    app = make_app(database, tmp_path, migrations=migrations)
    await app.start()
    await app.stop()


async def test_a_closed_upgrade_is_refused_by_older_versions_only(database: Database, tmp_path: Path) -> None:
    await installed(database, tmp_path)
    schema = Schema(database, (*MIGRATIONS, Migration("0900-more", before=(_nothing,))))
    await schema.prepare(await schema.applied(), nobody)
    older = make_app(database, tmp_path)
    await older.start()  # an upgrade that only added can be gone back from
    await older.stop()


async def test_an_upgrade_that_was_not_allowed_changes_nothing(database: Database, tmp_path: Path) -> None:
    await installed(database, tmp_path)
    before = await _columns(database)
    app: Application = make_app(database, tmp_path, migrations=Steps().migrations(), upgrade=False)
    with pytest.raises(SchemaUpgradeNeeded):
        await app.start()
    assert await _columns(database) == before


async def _nothing(_: Database, __: Connection) -> None:
    return


async def _columns(database: Database) -> dict[str, list[str]]:
    """The columns of all tables."""
    if database.kind == "sqlite":
        query = (
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
        )
    else:
        query = (
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
    found: dict[str, list[str]] = {}
    for name, column in sorted(await database.fetch_all(query)):
        found.setdefault(str(name), []).append(str(column))
    return found
