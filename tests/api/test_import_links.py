"""Columns of relations: records are found by what a person writes in a cell, and linked."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Sequence
from typing import Any

import pytest

from atoll.application.app import Application

from .conftest import Api
from .test_import_export import rows_of, upload, workbook
from .test_tasks import counts, do, inspect, start

pytestmark = pytest.mark.anyio

CUSTOMERS = [
    {"name": "name", "type": "string", "uiSchema": {"title": "Name"}},
    {"name": "code", "type": "string", "unique": True, "uiSchema": {"title": "Code"}},
    {"name": "remark", "type": "text", "uiSchema": {"title": "Remark"}},
]
ORDERS = [
    {"name": "no", "type": "string", "unique": True, "uiSchema": {"title": "No"}},
    {"name": "customer", "type": "belongsTo", "target": "customers", "foreignKey": "customerId"},
    {"name": "tags", "type": "belongsToMany", "target": "tags", "through": "ordersTags",
     "foreignKey": "orderId", "otherKey": "tagId"},
    {"name": "items", "type": "hasMany", "target": "items", "foreignKey": "orderId"},
    {"name": "labels", "type": "belongsToArray", "target": "tags", "foreignKey": "labelIds"},
]  # fmt: skip
COLUMNS = [
    {"index": 0, "field": "no"},
    {"index": 1, "field": "customer", "title": "Customer"},
    {"index": 2, "field": "tags", "title": "Tags"},
    {"index": 3, "field": "items.sku", "title": "Items"},
    {"index": 4, "field": "labels", "title": "Labels"},
]
TITLES = ["No", "Customer", "Tags", "Items", "Labels"]
APPENDS = "customer,tags,items,labels"


@pytest.fixture
async def shop(root: Api) -> Api:
    named = [{"name": "name", "type": "string", "uiSchema": {"title": "Name"}}]
    sku = [{"name": "sku", "type": "integer", "unique": True, "uiSchema": {"title": "SKU"}}]
    for name, title, fields in (
        ("customers", "name", CUSTOMERS), ("tags", "name", named), ("items", None, sku),
    ):  # fmt: skip
        given = {"name": name, "title": name.capitalize(), "titleField": title, "fields": fields}
        await root.data("collections:create", given)
    await root.data("collections:create", {"name": "orders", "createdBy": True, "fields": ORDERS})
    await root.data(
        "customers:create",
        [
            {"name": "Acme", "code": "a"},
            {"name": "Bolt, Inc.", "code": "b"},
            {"name": "Twin"},
            {"name": "Twin"},
        ],
    )
    await root.data("tags:create", [{"name": "new"}, {"name": "hot"}, {"name": "big, red"}])
    await root.data("items:create", [{"sku": number} for number in range(1, 6)])
    return root


async def imported(api: Api, rows: Sequence[Sequence[Any]], **params: Any) -> dict[str, Any]:
    seen = await inspect(api, workbook([TITLES, *rows]))
    given = {name: seen[name] for name in ("upload", "filename", "layout")}
    return await do(
        api, "import", collection="orders", **given, **{"columns": COLUMNS, "onError": "continue", **params}
    )


async def links(api: Api) -> dict[str, list[Any]]:
    """What each order is linked to, by its number."""
    rows = await api.data("orders:list", paginate="false", appends=APPENDS, sort="id")
    return {
        row["no"]: [
            row["customer"] and row["customer"]["name"],
            sorted(tag["name"] for tag in row["tags"]),
            sorted(item["sku"] for item in row["items"]),
            sorted(tag["name"] for tag in row["labels"] or []),
        ]
        for row in rows
    }


async def test_records_are_linked_by_what_names_them(shop: Api) -> None:
    rows: list[list[Any]] = [
        ["1", "Acme", "new, hot", 1, "hot"],
        ["2", " Bolt, Inc. ", "big, red", "2;3", "hot\nbig, red"],
        ["3", None, None, None, None],
        ["4", "Nobody", "new,gone", 9, None],
        ["5", "Twin", "new", "x", None],
    ]
    dry = await imported(shop, rows, dryRun=True)
    assert counts(dry) == {"rows": 5, "created": 3, "updated": 0, "skipped": 0, "failed": 2}
    preview = dry["result"]["preview"][3]
    assert preview["problems"] == {
        "customer": "Customer: no record of Customers that you may see has Name 'Nobody'",
        "tags": "Tags: no record of Tags that you may see has Name 'gone'",
        "items": "Items: no record of Items that you may see has SKU '9'",
    }
    assert await links(shop) == {}
    task = await imported(shop, rows)
    assert counts(task) == {"rows": 5, "created": 3, "updated": 0, "skipped": 0, "failed": 2}
    assert await links(shop) == {
        "1": ["Acme", ["hot", "new"], [1], ["hot"]],
        "2": ["Bolt, Inc.", ["big, red"], [2, 3], ["big, red", "hot"]],
        "3": [None, [], [], []],
    }
    file = await shop.call(f"asyncTasks:fetchFile/{task['id']}")
    failed = rows_of(file.content)
    assert failed[1][-1] == "Row 5: " + "; ".join(preview["problems"].values())
    assert failed[2][-1] == (
        "Row 6: Items: SKU: 'x' is not a whole number; "
        "Customer: 2 records have Name 'Twin'; it must be clear which one is meant"
    )


async def test_changed_records_get_the_links_of_the_file(shop: Api) -> None:
    await imported(shop, [["1", "Acme", "new,hot", "1,2", "hot"], ["2", "Acme", "new", 3, "new"]])
    rows: list[list[Any]] = [["1", "Bolt, Inc.", "hot", "2,4", "new"], ["2", None, None, None, None]]
    task = await imported(shop, rows, mode="update", keys=["no"])
    assert counts(task) == {"rows": 2, "created": 0, "updated": 1, "skipped": 1, "failed": 0}
    assert await links(shop) == {
        "1": ["Bolt, Inc.", ["hot"], [2, 4], ["new"]],
        "2": ["Acme", ["new"], [3], ["new"]],
    }
    await imported(shop, rows, mode="update", keys=["no"], emptyCells="clear")
    assert (await links(shop))["2"] == [None, [], [], []]


async def test_rows_may_link_to_rows_above_them(shop: Api) -> None:
    fields = [
        {"name": "name", "type": "string", "unique": True, "uiSchema": {"title": "Name"}},
        {"name": "parent", "type": "belongsTo", "target": "parts", "foreignKey": "parentId",
         "treeParent": True},
        {"name": "children", "type": "hasMany", "target": "parts", "foreignKey": "parentId",
         "treeChildren": True},
    ]  # fmt: skip
    await shop.data("collections:create", {"name": "parts", "tree": "adjacency-list", "fields": fields})
    rows: list[list[Any]] = [
        ["Name", "Parent"],
        ["car", None],
        ["wheel", "car"],
        ["bolt", "wheel"],
        ["odd", "later"],
        ["later", None],
    ]
    seen = await inspect(shop, workbook(rows))
    given = {name: seen[name] for name in ("upload", "filename", "layout")}
    columns = [{"index": 0, "field": "name"}, {"index": 1, "field": "parent.name", "title": "Parent"}]
    expected = {"rows": 5, "created": 4, "updated": 0, "skipped": 0, "failed": 1}
    for dry in (True, False):
        task = await do(
            shop, "import", collection="parts", **given, columns=columns, onError="continue", dryRun=dry
        )
        assert counts(task) == expected
    found = await shop.data("parts:list", appends="parent", sort="id")
    assert [(row["name"], row["parent"] and row["parent"]["name"]) for row in found] == [
        ("car", None), ("wheel", "car"), ("bolt", "wheel"), ("later", None),
    ]  # fmt: skip


async def test_lookups_are_one_query_for_a_chunk(
    shop: Api, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.data("customers:create", [{"name": f"c{number}"} for number in range(600)])
    asked: list[str] = []
    page = app.records.page

    async def counted(collection: Any, *args: Any, **more: Any) -> Any:
        asked.append(collection.name)
        return await page(collection, *args, **more)

    monkeypatch.setattr(app.records, "page", counted)
    task = await imported(
        shop, [[str(n), f"c{n % 400}", None, None, None] for n in range(600)], columns=COLUMNS[:2]
    )
    assert counts(task)["created"] == 600
    assert asked.count("customers") == 2, "600 rows are two chunks"


async def test_only_what_the_person_may_see_and_write_is_linked(shop: Api) -> None:
    own = await shop.data("rolesResourcesScopes:create", {
        "name": "Mine", "resourceName": "customers", "scope": {"code": "a"},
    })  # fmt: skip
    await shop.data("roles:create", {"name": "clerk", "title": "Clerk", "strategy": {"actions": []}})

    async def may(collection: str, *actions: dict[str, Any]) -> None:
        await shop.data(
            "roles/clerk/resources:create",
            {"name": collection, "usingActionsConfig": True, "actions": list(actions)},
        )

    await may("orders", {"name": "importXlsx", "fields": ["no", "customer"]}, {"name": "view"})
    await may("customers", {"name": "view", "fields": ["name"], "scopeId": own["id"]})
    await shop.data("users:create", {"username": "kim", "password": "secret-123", "roles": ["clerk"]})
    kim = await shop.sign_in("kim", "secret-123")
    task = await imported(kim, [["1", "Acme"], ["2", "Bolt, Inc."]], columns=COLUMNS[:2])
    assert counts(task)["failed"] == 1
    assert await links(shop) == {"1": ["Acme", [], [], []]}
    for columns, words in (
        (
            [COLUMNS[0], {"index": 1, "field": "customer.code", "title": "Customer"}],
            "find records of Customers",
        ),
        ([COLUMNS[0], {"index": 1, "field": "tags"}], "may not write the field 'tags'"),
    ):
        seen = await inspect(kim, workbook([TITLES, ["1", "a"]]))
        given = {name: seen[name] for name in ("upload", "filename", "layout")}
        refused = await kim.call(
            "asyncTasks:create",
            {"type": "import", "params": {"collection": "orders", "columns": columns, **given}},
        )
        assert refused.status_code == 403, refused.text
        assert words in refused.text


async def test_columns_that_cannot_be_meant_are_refused(shop: Api) -> None:
    for field, words in (
        ("customer.remark", "does not say which record is meant"),
        ("customer.nope", "Unknown column"),
        ("customer.name.x", "Unknown column"),
        ("createdBy.nickname", "cannot be imported"),
        ("nope.name", "Unknown column"),
    ):
        columns = [{"dataIndex": field.split("."), "title": "X"}]
        response = await upload(shop, "orders:importXlsx", workbook([["X"], ["y"]]), columns)
        assert response.status_code == 400, field
        assert words in response.text

    # A relation and its key are one field.
    columns = [{"dataIndex": ["customer"], "title": "A"}, {"dataIndex": ["customerId"], "title": "B"}]
    response = await upload(shop, "orders:importXlsx", workbook([["A", "B"], ["y", 1]]), columns)
    assert response.status_code == 400
    assert "meant for the same field" in response.text


async def test_what_was_exported_comes_back_with_its_links(shop: Api) -> None:
    columns = [
        {"dataIndex": ["no"], "title": "No"},
        {"dataIndex": ["customer", "code"], "title": "Customer"},
        {"dataIndex": ["tags", "name"], "title": "Tags"},
    ]
    await imported(shop, [["1", "Acme", "new, hot", None, None], ["2", None, "big, red", None, None]])
    before = await links(shop)
    response = await shop.call("orders:export", {"columns": columns}, sort="id")
    assert rows_of(response.content)[1:] == [["1", "a", "new, hot"], ["2", None, "big, red"]]
    await shop.data("orders:destroy", {}, filter='{"id":{"$gt":0}}')
    answer = await upload(shop, "orders:importXlsx", response.content, columns)
    assert answer.json()["data"] == {"successCount": 2}, answer.text
    assert await links(shop) == before


@pytest.mark.slow
async def test_many_rows_with_links_take_no_more_memory_than_few(shop: Api) -> None:
    """200,000 rows, each with a customer, in the memory of 5,000."""
    await shop.data("customers:create", [{"name": f"c{number}"} for number in range(2_000)])

    async def run(first: int, rows: int) -> None:
        lines = (f"{n},c{n % 2_000}" for n in range(first, first + rows))
        seen = await inspect(shop, "\n".join(["No,Customer", *lines]).encode(), "orders.csv")
        given = {name: seen[name] for name in ("upload", "filename", "layout")}
        task = await start(shop, "import", collection="orders", columns=COLUMNS[:2], **given)
        async with asyncio.timeout(600):
            while (row := await shop.data(f"asyncTasks:get/{task['id']}"))["doneAt"] is None:  # noqa: ASYNC110
                await asyncio.sleep(0.5)
        assert counts(row)["created"] == rows

    await run(0, 5_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await run(5_000, 200_000)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # The test's own client holds the file of 3 MB several times.
    assert grown < 30_000, f"{grown} kB more than for 5,000 rows"
    filter_ = '{"customer.name":"c1999"}'
    assert (await shop.call("orders:list", filter=filter_, pageSize="1")).json()["meta"]["count"] == 102
