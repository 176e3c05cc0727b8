"""What people chose for their own screens."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.application.app import Application
from atoll.application.auth.preferences import LARGEST_VALUE, MOST_KEYS
from atoll.application.migrations import MIGRATIONS
from atoll.application.migrations.m0003_user_preferences import USER_PREFERENCES
from atoll.database.drivers import Database

from .conftest import ROOT, Api, make_app

pytestmark = pytest.mark.anyio

KEY = "list.orders"


async def kept(api: Api) -> dict[str, object]:
    return {each["key"]: each["value"] for each in await api.data("userPreferences:list")}


async def test_values_are_kept_per_user(root: Api) -> None:
    await root.data("users:create", {"username": "kim", "password": "kim-12345"})
    kim = await root.sign_in("kim", "kim-12345")
    assert await kept(kim) == {}
    await kim.data("userPreferences:set", {"key": KEY, "value": {"widths": {"total": 120}}})
    await kim.data("userPreferences:set", {"key": KEY, "value": {"widths": {"total": 90}}})
    await root.data("userPreferences:set", {"key": KEY, "value": [1]})
    assert await kept(kim) == {KEY: {"widths": {"total": 90}}}
    assert await kept(root) == {KEY: [1]}
    await kim.data("userPreferences:set", {"key": KEY, "value": None})
    assert await kept(kim) == {}
    assert await kept(root) == {KEY: [1]}


async def test_they_go_with_their_user(app: Application, root: Api) -> None:
    user = await root.data("users:create", {"username": "kim", "password": "kim-12345"})
    kim = await root.sign_in("kim", "kim-12345")
    await kim.data("userPreferences:set", {"key": KEY, "value": 1})
    await root.data("users:destroy", {}, filterByTk=user["id"])
    assert await app.preferences.all(user["id"]) == {}


async def test_an_older_database_gets_the_table(database: Database, tmp_path: Path) -> None:
    others = tuple(each for each in MIGRATIONS if each is not USER_PREFERENCES)
    older = make_app(database, tmp_path, migrations=others)
    await older.install(ROOT)
    await database.execute('DROP TABLE "userPreferences"')
    newer = make_app(database, tmp_path)
    await newer.install(ROOT)
    await newer.start()
    await newer.preferences.set(1, KEY, 5)
    assert await newer.preferences.all(1) == {KEY: 5}
    await newer.stop()


async def test_limits(root: Api, anonymous: Api) -> None:
    for wrong in (
        {"key": "", "value": 1},
        {"key": "k" * 201, "value": 1},
        {"key": KEY},
        {"value": 1},
        {"key": 3, "value": 1},
        {"key": KEY, "value": "x" * LARGEST_VALUE},
    ):
        assert (await root.call("userPreferences:set", wrong)).status_code == 400, wrong
    assert await kept(root) == {}
    assert (await anonymous.call("userPreferences:list")).status_code == 401
    assert (await anonymous.call("userPreferences:set", {"key": KEY, "value": 1})).status_code == 401


async def test_the_number_of_keys_is_limited(root: Api) -> None:
    for number in range(MOST_KEYS):
        await root.data("userPreferences:set", {"key": f"list.{number}", "value": 1})
    assert (await root.call("userPreferences:set", {"key": "one more", "value": 1})).status_code == 400
    await root.data("userPreferences:set", {"key": "list.7", "value": 2})
    assert len(await kept(root)) == MOST_KEYS
