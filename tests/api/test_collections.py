"""Collections and fields: metadata and tables change together."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from atoll.application.app import Application
from atoll.application.collections.ddl import Ddl
from atoll.cluster.pubsub import MemoryPubSub
from atoll.database.drivers import Database
from atoll.errors import UnknownColumn

from .conftest import ROOT, Api, client_of, make_app, until

pytestmark = pytest.mark.anyio

BOOKS: dict[str, Any] = {
    "name": "books",
    "title": "Books",
    "createdAt": True,
    "createdBy": True,
    "fields": [
        {"name": "title", "type": "string", "allowNull": False},
        {"name": "price", "type": "decimal", "precision": 10, "scale": 2},
    ],
}


async def test_every_basic_type_can_be_created_and_read_back(root: Api) -> None:
    values: dict[str, Any] = {
        "string": "x",
        "text": "long",
        "integer": 7,
        "bigInt": 2**60,
        "double": 1.5,
        "decimal": "12.50",
        "boolean": True,
        "date": "2024-03-10T12:34:56.789Z",
        "dateOnly": "2024-03-10",
        "json": {"a": [1, None]},
        "uuid": "6f1f7a52-5d0c-4b0e-9c0e-0d8f2a8f6f10",
        "time": "12:34:00",
        "datetimeNoTz": "2024-03-10 12:34:56",
    }
    fields = [{"name": f"f_{kind}", "type": kind, "scale": 2} for kind in values]
    await root.data("collections:create", {"name": "all", "fields": fields})
    made = await root.data("all:create", {f"f_{kind}": value for kind, value in values.items()})
    expected = {f"f_{kind}": str(2**60) if kind == "bigInt" else value for kind, value in values.items()}
    assert made == {"id": 1, **expected}
    assert await root.data("all:get", filterByTk=1) == made
    empty = await root.data("all:create", {})
    assert {value for name, value in empty.items() if name not in ("id", "f_uuid")} == {None}
    for kind, value in values.items():
        if kind not in ("json", "text"):
            found = await root.data("all:list", filter=json.dumps({f"f_{kind}": value}))
            assert [row["id"] for row in found] == [1], kind


async def test_refused_ddl_leaves_no_metadata(
    app: Application, root: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Ddl, "create", lambda *_: ["CREATE NONSENSE"])
        assert (await root.call("collections:create", BOOKS)).status_code == 500
    assert await root.data("collections:get", filterByTk="books") is None
    assert (await root.call("books:list")).status_code == 404
    assert await root.data("collections:create", BOOKS)
    with monkeypatch.context() as patch:
        patch.setattr(Ddl, "add_field", lambda *_: ["ALTER NONSENSE"])
        refused = await root.call("collections/books/fields:create", {"name": "pages", "type": "integer"})
        assert refused.status_code == 500
        patch.setattr(Ddl, "drop", lambda *_: ["DROP NONSENSE"])
        assert (await root.call("collections:destroy", {}, filterByTk="books")).status_code == 500
    assert [field["name"] for field in await root.data("collections/books/fields:list")] == ["title", "price"]
    assert (await root.data("books:create", {"title": "Fern"}))["id"] == 1


async def test_destroy_removes_table_and_column(app: Application, root: Api) -> None:
    await root.data("collections:create", BOOKS)
    assert await root.data("collections/books/fields:destroy/price", {}) is True
    with pytest.raises(UnknownColumn):
        await app.database.fetch_all('SELECT "books"."price" FROM "books"')
    assert await root.data("collections:destroy", {}, filterByTk="books") == 1
    with pytest.raises(UnknownColumn):
        await app.database.fetch_all('SELECT 1 FROM "books"')
    assert await root.data("collections:destroy", {}, filterByTk="books") == 0


async def test_new_field_gives_existing_rows_its_default(root: Api) -> None:
    await root.data("collections:create", BOOKS)
    await root.data("books:create", {"title": "Fern"})
    field = {"name": "state", "type": "string", "defaultValue": "it's new", "allowNull": False}
    await root.data("collections/books/fields:create", field)
    assert (await root.data("books:get", filterByTk=1))["state"] == "it's new"
    assert (await root.data("books:create", {"title": "Moss"}))["state"] == "it's new"
    refused = await root.call("books:create", {"title": "Reed", "state": None})
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (400, "state cannot be null")


async def test_unique_can_be_switched(root: Api) -> None:
    await root.data("collections:create", BOOKS)
    await root.data("books:create", [{"title": "Fern"}, {"title": "Fern"}])
    assert (await root.call("collections/books/fields:update/title", {"unique": True})).status_code == 400
    await root.data("books:update", {"title": "Moss"}, filterByTk=2)
    await root.data("collections/books/fields:update/title", {"unique": True, "uiSchema": {"title": "Title"}})
    refused = await root.call("books:create", {"title": "Moss"})
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (400, "Title already exists")
    await root.data("collections/books/fields:update/title", {"unique": False})
    assert await root.data("books:create", {"title": "Moss"})


@pytest.mark.parametrize(
    "values",
    [
        {"name": "users"},
        {"name": "auth"},
        {"name": "tokenBlacklist"},
        {"name": "pg_x"},
        {"name": "sqlite_x"},
        {"name": 'a"b'},
        {"name": "a b"},
        {"name": "x" * 64},
        {"name": 5},
        {"name": "a", "fields": [{"name": "x", "type": "nonsense"}]},
        {"name": "a", "fields": [{"name": "x"}]},
        {"name": "a", "fields": "x"},
        {"name": "a", "fields": [5]},
        {"name": "a", "fields": [{"name": "x", "type": "string"}, {"name": "x", "type": "text"}]},
        {"name": "a", "fields": [{"name": "x", "type": "string"}, {"name": "X", "type": "text"}]},
        {"name": "Users"},
        {"name": "a", "fields": [{"name": "__proto", "type": "string", "length": "many"}]},
        {"name": "a", "fields": [{"name": "x", "type": "decimal", "precision": 2, "scale": 5}]},
        {"name": "a", "fields": [{"name": "x", "type": "integer", "defaultValue": "abc"}]},
        {"name": "a", "fields": [{"name": "x", "type": "hasMany", "target": "users"}]},
    ],
)
async def test_bad_collections_are_refused(root: Api, values: dict[str, Any]) -> None:
    before = await root.data("collections:list", paginate="false")
    response = await root.call("collections:create", values)
    assert response.status_code == 400, response.text
    assert response.json()["errors"][0]["message"]
    assert await root.data("collections:list", paginate="false") == before


async def test_system_collections_keep_their_shape(root: Api) -> None:
    assert (await root.call("collections:destroy", {}, filterByTk="users")).status_code == 400
    refused = await root.call("collections/users/fields:create", {"name": "x", "type": "string"})
    assert refused.status_code == 400
    assert {"users", "roles"} <= {row["name"] for row in await root.data("collections:listMeta")}


async def test_changes_reach_other_instances(database: Database, tmp_path: Path) -> None:
    bus = MemoryPubSub()
    one = make_app(database, tmp_path, bus.scope("main"))
    two = make_app(database, tmp_path, bus.scope("main"))
    await one.install(ROOT)
    await one.start()
    await two.start()
    async with client_of(one) as first, client_of(two) as second:
        here = await first.sign_in("nocobase", "admin123")
        there = Api(second.client, here.token)
        await here.data("collections:create", BOOKS)
        await until(lambda: there.call("books:list"), lambda response: response.status_code == 200)
        await here.data("collections/books/fields:create", {"name": "pages", "type": "integer"})
        await until(
            lambda: there.call("books:create", {"title": "Fern", "pages": 7}),
            lambda response: response.json()["data"].get("pages") == 7,
        )
        await here.data("systemSettings:update", {"title": "New"}, filterByTk=1)
        await until(lambda: there.call("systemSettings:get"), lambda r: r.json()["data"]["title"] == "New")
        await here.data("collections:destroy", {}, filterByTk="books")
        await until(lambda: there.call("books:list"), lambda response: response.status_code == 404)
    await one.stop()
    await two.stop()


async def test_same_name_created_at_once_exists_once(database: Database, tmp_path: Path) -> None:
    apps = [make_app(database, tmp_path) for _ in range(3)]
    await apps[0].install(ROOT)
    for each in apps:
        await each.start()
    results = await asyncio.gather(*(each.collections.create(BOOKS) for each in apps), return_exceptions=True)
    assert sum(isinstance(result, dict) for result in results) == 1, results
    names = await database.fetch_all("SELECT count(*) FROM collections WHERE name = 'books'")
    assert names == [(1,)]
    for each in apps:
        await each.stop()


async def test_names_that_differ_in_case_only_are_refused(root: Api) -> None:
    await root.data("collections:create", BOOKS)
    for action, values in (
        ("collections:create", {"name": "Books"}),
        ("collections/books/fields:create", {"name": "TITLE", "type": "string"}),
        ("collections/books/fields:create", {"name": "ID", "type": "string"}),
        ("collections/books/fields:create", {"name": "createdat", "type": "date"}),
    ):
        assert (await root.call(action, values)).status_code == 400, values
    assert (await root.data("books:create", {"title": "Fern"}))["id"] == 1


async def test_the_record_key_stays(root: Api) -> None:
    key = {"name": "id", "type": "bigInt", "interface": "id"}
    await root.data("collections:create", {"name": "things", "fields": [key, BOOKS["fields"][0]]})
    assert (await root.call("collections/things/fields:destroy/id", {})).status_code == 400
    assert [field["name"] for field in await root.data("collections/things/fields:list")] == ["id", "title"]
    assert (await root.data("things:create", {"title": "x"}))["id"] == 1


async def test_kinds_that_this_version_does_not_have_are_refused(root: Api) -> None:
    response = await root.call("collections:create", {"name": "odd", "inherits": ["a"]})
    assert response.json()["errors"][0]["code"] == "NOT_SUPPORTED"
    assert await root.data("collections:get", filterByTk="odd") is None
