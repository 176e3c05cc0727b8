"""Relations: the keys they bring along, linked records, and what happens when the other side goes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from atoll.application.app import Application

from .conftest import Api

pytestmark = pytest.mark.anyio

NAME = {"name": "name", "type": "string"}


async def columns(root: Api, collection: str) -> dict[str, dict[str, Any]]:
    rows = await root.data(f"collections/{collection}/fields:list", paginate="false")
    return {row["name"]: row for row in rows}


async def refusal(root: Api, action: str, values: Any, **params: Any) -> dict[str, Any]:
    response = await root.call(action, values, **params)
    assert response.status_code in (400, 404), response.text
    error: dict[str, Any] = response.json()["errors"][0]
    return error


@pytest.fixture
async def shop(root: Api) -> Api:
    """customers ─< orders >─< products, and orders ─< lines."""
    await root.data("collections:create", {"name": "customers", "fields": [NAME]})
    await root.data("collections:create", {"name": "products", "fields": [NAME]})
    await root.data("collections:create", {"name": "lines", "fields": [NAME]})
    fields = [
        {"name": "title", "type": "string"},
        {
            "name": "customer", "type": "belongsTo", "target": "customers", "foreignKey": "customerId",
            "reverseField": {"name": "orders"},
        },
        {
            "name": "lines", "type": "hasMany", "target": "lines", "foreignKey": "orderId",
            "onDelete": "CASCADE",
        },
        {
            "name": "products", "type": "belongsToMany", "target": "products", "through": "orderProducts",
            "foreignKey": "orderId", "otherKey": "productId", "reverseField": {"name": "orders"},
        },
    ]  # fmt: skip
    await root.data("collections:create", {"name": "orders", "fields": fields})
    return root


# -- what a relation field brings along ----------------------------------------------------------------


async def test_a_relation_brings_its_keys_and_the_other_side(shop: Api) -> None:
    orders, lines = await columns(shop, "orders"), await columns(shop, "lines")
    assert orders["customerId"]["isForeignKey"] is True
    assert orders["customerId"]["type"] == lines["orderId"]["type"] == "bigInt"
    assert (await columns(shop, "customers"))["orders"]["foreignKey"] == "customerId"
    between = await columns(shop, "orderProducts")
    assert {"orderId", "productId"} <= between.keys()
    reverse = (await columns(shop, "products"))["orders"]
    assert (reverse["foreignKey"], reverse["otherKey"]) == ("productId", "orderId")


async def test_keys_have_the_type_of_what_they_refer_to(root: Api) -> None:
    key = {"name": "code", "type": "string", "primaryKey": True, "allowNull": False}
    await root.data("collections:create", {"name": "countries", "autoGenId": False, "fields": [key]})
    country = {"name": "country", "type": "belongsTo", "target": "countries", "foreignKey": "countryCode"}
    await root.data("collections:create", {"name": "people", "fields": [NAME, country]})
    assert (await columns(root, "people"))["countryCode"]["type"] == "string"
    wrong = {**country, "name": "other", "foreignKey": "n"}
    await root.data("collections/people/fields:create", {"name": "n", "type": "integer"})
    assert "'string'" in (await refusal(root, "collections/people/fields:create", wrong))["message"]
    assert "other" not in await columns(root, "people")


async def test_collections_can_be_made_in_any_order(root: Api) -> None:
    many = {"name": "parts", "type": "hasMany", "target": "parts", "foreignKey": "machineId"}
    await root.data("collections:create", {"name": "machines", "fields": [NAME, many]})
    await root.data("collections:create", {"name": "parts", "fields": [NAME]})
    made = await root.data("machines:create", {"name": "m", "parts": [{"name": "a"}]})
    assert made["parts"][0]["machineId"] == made["id"]


@pytest.mark.parametrize(
    ("field", "word"),
    [
        ({"type": "belongsTo"}, "target"),
        ({"type": "belongsTo", "target": "products", "targetKey": "nope"}, "nope"),
        ({"type": "belongsTo", "target": "products", "onDelete": "EXPLODE"}, "onDelete"),
        ({"type": "hasMany", "target": "users"}, "system"),
        ({"type": "belongsToMany", "target": "products", "through": "products"}, "through"),
        (
            {"type": "belongsToMany", "target": "products", "foreignKey": "x", "otherKey": "x"},
            "differ",
        ),
        ({"type": "belongsTo", "target": "products", "reverseField": {"type": "belongsTo"}}, "reverseField"),
    ],
)
async def test_relations_that_make_no_sense_are_refused(shop: Api, field: Any, word: str) -> None:
    before = await columns(shop, "orders")
    error = await refusal(shop, "collections/orders/fields:create", {"name": "odd", **field})
    assert word in error["message"]
    assert await columns(shop, "orders") == before


async def test_what_a_relation_rests_on_stays(shop: Api) -> None:
    error = await refusal(shop, "collections/orders/fields:destroy", {}, filterByTk="customerId")
    assert "customer" in error["message"]
    moved = await refusal(
        shop, "collections/orders/fields:update", {"foreignKey": "other"}, filterByTk="customer"
    )
    assert "foreignKey" in moved["message"]
    assert await shop.data("collections/orders/fields:destroy", {}, filterByTk="customer") is True
    assert "customerId" in await columns(shop, "orders")  # the keys are data


async def test_relations_go_with_the_collection_they_lead_to(shop: Api) -> None:
    assert await shop.data("collections:destroy", {}, filterByTk="products") == 1
    assert "products" not in await columns(shop, "orders")
    assert await shop.data("orders:create", {"title": "still works"})


# -- reading -------------------------------------------------------------------------------------------


@pytest.fixture
async def filled(shop: Api) -> Api:
    await shop.data("products:create", [{"name": "pen"}, {"name": "ink"}, {"name": "pad"}])
    await shop.data(
        "orders:create",
        [
            {"title": "a", "customer": {"name": "Ann"}, "products": [1, 2], "lines": [{"name": "l1"}]},
            {"title": "b", "customer": {"name": "Bob"}, "products": [2]},
            {"title": "c", "products": []},
        ],
    )
    return shop


async def titles(root: Api, **params: Any) -> list[str]:
    given = {key: json.dumps(value) if key == "filter" else value for key, value in params.items()}
    return [row["title"] for row in await root.data("orders:list", **{"sort": "id", **given})]


async def test_appends_are_nested_and_limited(filled: Api) -> None:
    rows = await filled.data(
        "orders:list", sort="id", fields="title,customer.name", appends="products.orders,lines"
    )
    assert rows[0]["customer"] == {"id": 1, "name": "Ann"}
    assert [product["name"] for product in rows[0]["products"]] == ["pen", "ink"]
    assert [order["title"] for order in rows[0]["products"][1]["orders"]] == ["a", "b"]
    assert rows[0]["products"][0]["orderProducts"]["productId"] == 1
    assert (rows[2]["customer"], rows[2]["products"], rows[2]["lines"]) == (None, [], [])


async def test_appends_cost_one_query_each(filled: Api, app: Application) -> None:
    asked: list[str] = []
    fetch = app.database.fetch_all

    async def counted(sql: str, args: Any = ()) -> Any:
        asked.append(sql)
        return await fetch(sql, args)

    app.database.fetch_all = counted  # type: ignore[method-assign]
    await filled.data("orders:list", appends="customer,products,lines", sort="id")
    await filled.data("orders:create", [{"title": f"more {n}", "customer": 1} for n in range(19)])
    asked.clear()
    await filled.data("orders:list", appends="customer,products,lines", sort="id", pageSize="50")
    tables = ("orders", "customers", "products", "lines")
    assert len([sql for sql in asked if any(f'FROM "{table}"' in sql for table in tables)]) == 4


async def test_conditions_on_one_relation_speak_of_one_record(filled: Api) -> None:
    assert await titles(filled, filter={"products.name": "ink"}) == ["a", "b"]
    both = {"$and": [{"products.name": "ink"}, {"products.name": "pen"}]}
    assert await titles(filled, filter=both) == []
    either = {"$or": [{"products.name": "pen"}, {"customer.name": "Bob"}]}
    assert await titles(filled, filter=either) == ["a", "b"]
    assert await titles(filled, filter={"products.id.$notExists": True}) == ["c"]
    assert await titles(filled, filter={"customer.name.$ne": "Ann"}) == ["b", "c"]
    assert await titles(filled, filter={"customer.orders.products.name": "pen"}) == ["a"]


async def test_sorting_follows_one_record_only(filled: Api) -> None:
    assert await titles(filled, sort="-customer.name") == ["b", "a", "c"]
    error = await refusal(filled, "orders:list", None, sort="products.name")
    assert "products" in error["message"]


async def test_changes_and_removals_may_be_chosen_by_relations(filled: Api) -> None:
    condition = json.dumps({"products.name": "ink"})
    changed = await filled.data("orders:update", {"title": "inked"}, filter=condition)
    assert [row["id"] for row in changed] == [1, 2]
    assert await filled.data("orders:destroy", {}, filter=condition) == 2
    assert await titles(filled) == ["c"]


# -- writing -------------------------------------------------------------------------------------------


async def test_nested_values_replace_the_linked_set(filled: Api) -> None:
    await filled.data("orders:update", {"products": [3, {"name": "new"}], "customer": 2}, filterByTk=1)
    row = await filled.data("orders:get", filterByTk=1, appends="products,customer")
    assert ([p["name"] for p in row["products"]], row["customer"]["name"]) == (["pad", "new"], "Bob")
    await filled.data("orders:update", {"lines": None, "customer": None}, filterByTk=1)
    row = await filled.data("orders:get", filterByTk=1, appends="lines,customer")
    assert (row["lines"], row["customer"]) == ([], None)
    assert len(await filled.data("lines:list")) == 1  # unlinked, not destroyed


async def test_linked_records_change_only_when_that_is_said(filled: Api) -> None:
    values = {"customer": {"id": 1, "name": "Changed"}}
    await filled.data("orders:update", values, filterByTk=1)
    assert (await filled.data("customers:get", filterByTk=1))["name"] == "Ann"
    await filled.data("orders:update", values, filterByTk=1, updateAssociationValues="customer")
    assert (await filled.data("customers:get", filterByTk=1))["name"] == "Changed"


async def test_a_failing_nested_value_undoes_everything(shop: Api) -> None:
    await shop.data("collections/lines/fields:create", {"name": "n", "type": "integer"})
    values = {"title": "x", "customer": {"name": "Eve"}, "lines": [{"name": "ok"}, {"n": "no number"}]}
    assert (await shop.call("orders:create", values)).status_code == 400
    for collection in ("orders", "customers", "lines"):
        assert await shop.data(f"{collection}:list") == []


async def test_links_made_at_the_same_time_are_made_once(filled: Api) -> None:
    await asyncio.gather(*(filled.call("orders/3/products:add", [1, 2, 3]) for _ in range(8)))
    assert len(await filled.data("orders/3/products:list")) == 3
    assert len(await filled.data("orderProducts:list", filter='{"orderId": 3}')) == 3


async def test_association_resources_touch_linked_records_only(filled: Api) -> None:
    assert await filled.data("orders/2/products:update", {"name": "hacked"}, filterByTk=1) == []
    assert await filled.data("orders/2/products:destroy", {}, filterByTk=1) is True
    assert (await filled.data("products:get", filterByTk=1))["name"] == "pen"
    assert (await filled.call("orders/99/products:add", [1])).status_code == 404
    assert (await filled.call("orders/1/nothing:list")).status_code == 404


# -- the other side goes -------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["CASCADE", "SET NULL", "RESTRICT", "NO ACTION"])
async def test_on_delete(root: Api, rule: str) -> None:
    await root.data("collections:create", {"name": "teams", "fields": [NAME]})
    team = {"name": "team", "type": "belongsTo", "target": "teams", "foreignKey": "teamId", "onDelete": rule}
    await root.data("collections:create", {"name": "players", "fields": [NAME, team]})
    await root.data("players:create", {"name": "p", "team": {"name": "t"}})
    response = await root.call("teams:destroy", {}, filterByTk=1)
    players = [row["teamId"] for row in await root.data("players:list")]
    if rule == "RESTRICT":
        assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "RECORD_IN_USE")
        assert (players, len(await root.data("teams:list"))) == ([1], 1)
    else:
        assert response.json()["data"] == 1
        assert players == {"CASCADE": [], "SET NULL": [None], "NO ACTION": [1]}[rule]


async def test_destroying_takes_links_and_owned_records_along(filled: Api) -> None:
    await filled.data("orders:destroy", {}, filterByTk=1)
    assert await filled.data("lines:list") == []
    assert await filled.data("orderProducts:list", filter='{"orderId": 1}') == []
    assert len(await filled.data("products:list")) == 3


# -- trees ---------------------------------------------------------------------------------------------


async def test_trees(root: Api) -> None:
    await root.data("collections:create", {"name": "places", "tree": "adjacency-list", "fields": [NAME]})
    await root.data("places:create", {"name": "world", "children": [{"name": "europe"}, {"name": "asia"}]})
    europe = (await root.data("places:list", filter='{"name": "europe"}'))[0]
    await root.data("places:create", {"name": "france", "parentId": europe["id"]})
    tree = await root.data("places:list", tree="true", sort="name")
    assert [node["name"] for node in tree[0]["children"]] == ["asia", "europe"]
    assert tree[0]["children"][1]["children"][0]["__index"] == "0.children.1.children.0"
    circle = await root.call("places:update", {"parentId": 4}, filterByTk=1)
    assert circle.status_code == 400
    assert (await root.data("places:get", filterByTk=1))["parentId"] is None
    assert await root.data("places:destroy", {}, filterByTk=1) == 1
    assert await root.data("places:list") == []
