"""Saved views of lists: whose they are, who sees them, who changes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from atoll.application.app import Application
from atoll.application.auth.views import LARGEST_VIEW, MOST_VIEWS
from atoll.application.migrations import MIGRATIONS
from atoll.application.migrations.m0007_views import VIEWS
from atoll.database.drivers import Database

from .conftest import ROOT, Api, make_app

pytestmark = pytest.mark.anyio

BLOCK = "records.orders"
OPEN = {
    "blockId": BLOCK,
    "title": " Open ",
    "filter": {"done": {"$isFalsy": True}},
    "sort": ["-createdAt"],
    "columns": {"visible": {"note": False}},
    "density": "compact",
}


async def seen(api: Api, block: str = BLOCK) -> dict[str, dict[str, Any]]:
    return {view["title"]: view for view in await api.data("views:list", blockId=block)}


async def person(root: Api, name: str) -> Api:
    await root.data("users:create", {"username": name, "password": "secret-1"})
    return await root.sign_in(name, "secret-1")


async def test_a_view_is_kept_and_changed(root: Api) -> None:
    made = await root.data("views:create", OPEN)
    assert made == {
        **OPEN,
        "id": made["id"],
        "title": "Open",
        "shared": False,
        "ownerId": 1,
        "editable": True,
    }
    assert await seen(root) == {"Open": made}
    assert await seen(root, "records.others") == {}
    changed = await root.data("views:update", {"title": "Closed", "filter": None}, filterByTk=made["id"])
    assert changed == {**made, "title": "Closed", "filter": None}
    assert await seen(root) == {"Closed": changed}
    assert await root.data("views:destroy", {}, filterByTk=made["id"]) == 1
    assert await seen(root) == {}


async def test_private_views_exist_for_their_owner_only(root: Api) -> None:
    kim = await person(root, "kim")
    made = await kim.data("views:create", OPEN)
    assert await seen(root) == {}
    for action, body in (("update", {"title": "x"}), ("destroy", {})):
        response = await root.call(f"views:{action}", body, filterByTk=made["id"])
        assert response.status_code == 404
    assert (await seen(kim))["Open"]["title"] == "Open"


async def test_shared_views_are_seen_by_all_and_changed_by_few(root: Api) -> None:
    kim, lee = await person(root, "kim"), await person(root, "lee")
    made = await kim.data("views:create", {**OPEN, "shared": True})
    assert (await seen(lee))["Open"]["editable"] is False
    assert (await seen(root))["Open"]["editable"] is True
    for action in ("update", "destroy"):
        assert (await lee.call(f"views:{action}", {}, filterByTk=made["id"])).status_code == 403
    assert (await root.data("views:update", {"title": "All"}, filterByTk=made["id"]))["ownerId"] != 1
    await kim.data("views:update", {"shared": False}, filterByTk=made["id"])
    assert await seen(lee) == await seen(root) == {}


async def test_what_somebody_takes_from_everybody_becomes_theirs(root: Api) -> None:
    made = await (await person(root, "kim")).data("views:create", {**OPEN, "shared": True})
    taken = await root.data("views:update", {"shared": False}, filterByTk=made["id"])
    assert taken["ownerId"] == 1
    assert list(await seen(root)) == ["Open"]


async def test_when_their_owner_goes_shared_ones_stay(app: Application, root: Api) -> None:
    kim = await person(root, "kim")
    await kim.data("views:create", OPEN)
    await kim.data("views:create", {**OPEN, "title": "Ours", "shared": True})
    user = (await kim.data("auth:check"))["id"]
    await root.data("users:destroy", {}, filterByTk=user)
    assert [view["title"] for view in await app.views.of_list(user, BLOCK)] == ["Ours"]
    left = await seen(root)
    assert (list(left), left["Ours"]["ownerId"]) == (["Ours"], None)


async def test_limits(root: Api, anonymous: Api) -> None:
    for wrong in (
        {"title": ""},
        {"title": "t" * 101},
        {"title": None},
        {"blockId": ""},
        {"blockId": 3},
        {"shared": "yes"},
        {"filter": [1]},
        {"sort": "a"},
        {"sort": [1]},
        {"density": 3},
        {"columns": {"a": "x" * LARGEST_VIEW}},
    ):
        assert (await root.call("views:create", {**OPEN, **wrong})).status_code == 400, wrong
    assert await seen(root) == {}
    assert (await root.call("views:list")).status_code == 400
    assert (await root.call("views:update", {"title": "x"})).status_code == 400
    assert (await anonymous.call("views:list", blockId=BLOCK)).status_code == 401
    assert (await anonymous.call("views:create", OPEN)).status_code == 401


async def test_a_change_keeps_to_the_limits_too(root: Api) -> None:
    made = await root.data("views:create", OPEN)
    big = {"columns": {"a": "x" * (LARGEST_VIEW // 2)}}
    await root.data("views:update", big, filterByTk=made["id"])
    more = {"filter": {"a": "x" * (LARGEST_VIEW // 2)}}
    assert (await root.call("views:update", more, filterByTk=made["id"])).status_code == 400


async def test_the_number_of_views_is_limited(app: Application, root: Api) -> None:
    for number in range(MOST_VIEWS):
        await app.views.create(1, {**OPEN, "title": f"v{number}"})
    assert (await root.call("views:create", OPEN)).status_code == 400


async def test_an_older_database_gets_the_table(database: Database, tmp_path: Path) -> None:
    others = tuple(each for each in MIGRATIONS if each is not VIEWS)
    older = make_app(database, tmp_path, migrations=others)
    await older.install(ROOT)
    await database.execute('DROP TABLE "views"')
    newer = make_app(database, tmp_path)
    await newer.install(ROOT)
    await newer.start()
    made = await newer.views.create(1, OPEN)
    assert [view["id"] for view in await newer.views.of_list(1, BLOCK)] == [made["id"]]
    await newer.stop()
