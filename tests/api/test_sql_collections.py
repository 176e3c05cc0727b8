"""Collections that are a statement or a view, and the categories and order of collections."""

from __future__ import annotations

from typing import Any

import pytest

from atoll.application.app import Application
from atoll.application.collections.sql_source import read_select
from atoll.errors import BadRequest

from .conftest import Api

FIELDS = [{"name": "name", "type": "string"}, {"name": "n", "type": "integer"}]


@pytest.fixture
async def source(root: Api) -> Api:
    await root.data("collections:create", {"name": "src", "fields": FIELDS})
    await root.data("src:create", [{"name": each, "n": n} for n, each in enumerate("abc", 1)])
    return root


def statement(sql: str, **more: Any) -> dict[str, Any]:
    return {"name": "big", "template": "sql", "sql": sql, "fields": FIELDS, **more}


async def test_a_statement_is_a_collection_that_can_be_read(source: Api) -> None:
    sql = "SELECT name, sum(n) AS n FROM src WHERE n > 1 AND name <> ':x' GROUP BY name -- a remark"
    made = await source.data("collections:create", statement(sql, filterTargetKey="name"))
    assert (made["template"], made["sql"], len(made["fields"])) == ("sql", sql, 2)
    listed = await source.call("big:list", sort="-n", filter='{"n.$gt":1}', pageSize=1)
    assert listed.json() == {
        "data": [{"name": "c", "n": 3}],
        "meta": {"count": 2, "page": 1, "pageSize": 1, "totalPage": 2},
    }
    assert await source.data("big:get", filterByTk="b") == {"name": "b", "n": 2}
    summed = {"measures": [{"field": "n", "aggregation": "sum", "alias": "s"}]}
    assert await source.data("big:query", summed) == [{"s": 5}]
    for action in ("create", "update", "destroy", "firstOrCreate"):
        params = {"filterByTk": "b"} if action in ("update", "destroy") else {"filterKeys": "name"}
        answer = await source.call(f"big:{action}", {"name": "x"}, **params)
        assert (answer.status_code, "only be read" in answer.text) == (400, True), (action, answer.text)
    await source.data("collections:update", {"sql": "SELECT name, n FROM src"}, filterByTk="big")
    assert len(await source.data("big:list")) == 3
    assert await source.data("collections:destroy", {}, filterByTk="big") == 1
    assert len(await source.data("src:list")) == 3


REFUSED: list[Any] = [
    "DELETE FROM src",
    "SELECT 1; DELETE FROM src",
    "WITH gone AS (DELETE FROM src RETURNING *) SELECT * FROM gone",
    "SELECT name, n INTO other FROM src",
    "SELECT name, n FROM src FOR UPDATE",
    "SELECT password AS name, 1 AS n FROM users",
    'SELECT token AS name, 1 AS n FROM "tokenBlacklist"',
    "SELECT name, 1 AS n FROM sqlite_master",
    "SELECT rolname AS name, 1 AS n FROM pg_catalog.pg_authid",
    "WITH src AS (SELECT 1 AS n) SELECT name, n FROM src",
    "WITH users AS (SELECT password AS name, 1 AS n FROM users) SELECT name, n FROM users",
    "SELECT password AS name, 1 AS n FROM users, (WITH users AS (SELECT 1 AS n) SELECT n FROM users) q",
    "WITH a AS (SELECT password AS name, 1 AS n FROM users), users AS (SELECT 1 AS n) SELECT name, n FROM a",
    'WITH apiKeys AS (SELECT 1 AS n) SELECT name, 1 AS n FROM "apiKeys"',
    "SELECT name, (SELECT count(*) FROM users) AS n FROM src",
    "SELECT pg_read_file('/etc/passwd') AS name, 1 AS n",
    "SELECT load_extension('x') AS name, 1 AS n",
    "SELECT name, pg_sleep(9) AS n FROM src",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r) SELECT n FROM r",
    "SELECT name, n FROM src WHERE n = $1",
    "SELECT name, n FROM src WHERE n = :n",
    "SELECT FROM WHERE",
    "SELECT name, zzz AS n FROM src ORDER BY nowhere.n",
    "COPY src TO PROGRAM 'x'",
    "",
    None,
    5,
]


async def test_statements_that_do_more_than_read_their_own_are_refused(source: Api) -> None:
    for sql in REFUSED:
        for action, values in (
            ("sqlCollection:execute", {"sql": sql}),
            ("collections:create", statement(sql)),
        ):
            answer = await source.call(action, values)
            assert answer.status_code == 400, (sql, answer.text)
    assert len(await source.data("src:list")) == 3


def test_what_runs_is_written_by_the_parser() -> None:
    read = read_select('select a.n /* x */ from "t" a -- y', "postgres", {"t"}, schema="app")
    assert read == 'SELECT a.n FROM "app"."t" AS a'
    with pytest.raises(BadRequest):
        read_select("select n from other.t", "postgres", {"t"}, schema="app")


def test_names_mean_what_the_database_takes_them_for() -> None:
    for sql in ("SELECT n FROM T", 'WITH "Part" AS (SELECT n FROM "T") SELECT n FROM Part'):
        with pytest.raises(BadRequest):
            read_select(sql, "postgres", {"T"})
    for sql in (
        'SELECT n FROM "T"',
        "WITH part AS (SELECT n FROM t) SELECT n FROM PART",
        "WITH one AS (SELECT n FROM t), two AS (SELECT n FROM one) SELECT n FROM two UNION SELECT n FROM one",
        "SELECT n FROM (WITH part AS (SELECT n FROM t) SELECT n FROM (SELECT n FROM part) q) r",
    ):
        assert read_select(sql, "postgres", {"T", "t"})


async def test_a_statement_can_be_tried(source: Api) -> None:
    tried = await source.data("sqlCollection:execute", {"sql": "SELECT * FROM src WHERE n > 1 ORDER BY n"})
    assert [(row["name"], row["n"]) for row in tried["data"]] == [("b", 2), ("c", 3)]
    assert (set(tried["fields"]), tried["sources"]) == ({"id", "name", "n"}, ["src"])
    await source.data("users:create", {"username": "ann", "password": "secret-1"})
    ann = await source.sign_in("ann", "secret-1")
    assert (await ann.call("sqlCollection:execute", {"sql": "SELECT 1"})).status_code == 403


async def test_a_column_that_the_statement_lacks_is_refused(source: Api) -> None:
    for wrong in (statement("SELECT name FROM src"), statement("SELECT name FROM src", fields=[])):
        assert (await source.call("collections:create", wrong)).status_code == 400
    assert await source.data("collections:get", filterByTk="big") is None
    link = {"name": "up", "type": "belongsTo", "target": "src", "foreignKey": "upId"}
    fields = [*FIELDS, link]
    answer = await source.call("collections:create", statement("SELECT name, n FROM src", fields=fields))
    assert answer.status_code == 400


async def test_a_column_of_another_type_is_no_fault_of_the_server(source: Api) -> None:
    fields = [{"name": "name", "type": "unixTimestamp"}]
    await source.data("collections:create", statement("SELECT name FROM src", fields=fields))
    answer = await source.call("big:list")
    assert (answer.status_code, "'name'" in answer.text) == (400, True), answer.text


async def test_a_view_is_a_collection_that_can_be_read(source: Api, app: Application) -> None:
    schema = f'"{app.database.schema}".' if app.database.schema else ""
    await app.database.execute(f'CREATE VIEW {schema}"seen" AS SELECT name, n FROM {schema}"src" WHERE n < 3')
    assert [view["name"] for view in await source.data("dbViews:list")] == ["seen"]
    fields = (await source.data("dbViews:get", filterByTk="seen"))["fields"]
    assert {name: field["type"] for name, field in fields.items()} == {"name": "string", "n": "integer"}
    for wrong in ("src", "users", "nothing"):
        values = {"name": "v", "template": "view", "viewName": wrong}
        assert (await source.call("collections:create", values)).status_code == 400
    await source.data("collections:create", {"name": "v", "view": True, "viewName": "seen"})
    assert await source.data("v:list", sort="n") == [{"name": "a", "n": 1}, {"name": "b", "n": 2}]
    assert (await source.call("v:create", {"name": "x"})).status_code == 400
    await source.data("collections:destroy", {}, filterByTk="v")
    assert [view["name"] for view in await source.data("dbViews:list")] == ["seen"]


async def test_collections_have_categories_and_an_order(root: Api) -> None:
    sales, stock = [
        await root.data("collectionCategories:create", {"name": name, "color": "blue"}) for name in ("s", "t")
    ]
    for name, categories in (("a", [sales["id"]]), ("b", [{"id": stock["id"]}]), ("c", [])):
        await root.data("collections:create", {"name": name, "category": categories})
    await root.data("collections:update", {"category": [sales["id"], stock["id"]]}, filterByTk="b")

    async def of(category: dict[str, Any]) -> list[str]:
        condition = f'{{"category.id":{category["id"]}}}'
        return [row["name"] for row in await root.data("collections:list", filter=condition)]

    assert (await of(sales), await of(stock)) == (["a", "b"], ["b"])
    assert (await root.call("collections:update", {"category": [99]}, filterByTk="c")).status_code == 400
    await root.data("collectionCategories:destroy", {}, filterByTk=sales["id"])
    b = await root.data("collections:get", filterByTk="b", appends="category")
    assert [category["name"] for category in b["category"]] == ["t"]
    await root.data("collections:move", {"sourceId": "c", "targetId": "a"})
    listed = [row["name"] for row in await root.data("collections:list", sort="sort")]
    assert [name for name in listed if name in "abc"] == ["c", "a", "b"]


async def test_fields_have_an_order(root: Api) -> None:
    fields = [{"name": name, "type": "string"} for name in ("a", "b", "c")]
    await root.data("collections:create", {"name": "things", "fields": fields})
    await root.data("collections/things/fields:move", {"sourceId": "c", "targetId": "a"})
    listed = await root.data("collections/things/fields:list", sort="sort")
    assert [field["name"] for field in listed] == ["c", "a", "b"]
    answer = await root.call("collections/things/fields:move", {"sourceId": "c", "targetId": "z"})
    assert answer.status_code == 400
