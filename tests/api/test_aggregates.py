"""`query` and `charts:queryData`: sums, counts and groups."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Api

ORDERS = {
    "name": "orders",
    "createdBy": True,
    "fields": [
        {"name": "state", "type": "string"},
        {"name": "total", "type": "integer"},
        {"name": "price", "type": "decimal", "precision": 12, "scale": 2},
        {"name": "placed", "type": "date"},
        {"name": "due", "type": "dateOnly"},
        {"name": "paid", "type": "unixTimestamp"},
        {"name": "data", "type": "json"},
        {"name": "customer", "type": "belongsTo", "target": "customers", "foreignKey": "customerId"},
    ],
}
ROWS = [
    {"state": "new", "total": 1, "price": "1.10", "placed": "2026-01-31T23:30:00Z", "due": "2026-02-01",
     "paid": "2026-05-05T10:00:00Z", "customerId": 1},
    {"state": "new", "total": 2, "price": "2.20", "placed": "2026-02-10T00:00:00Z", "due": "2026-04-01",
     "paid": "2026-05-06T10:00:00Z", "customerId": 2},
    {"state": "old", "total": 4, "price": None, "placed": "2026-02-11T00:00:00Z", "due": None,
     "customerId": 2},
    {"state": None, "total": 8, "price": "0.05", "placed": None, "due": None},
]  # fmt: skip


@pytest.fixture
async def orders(root: Api) -> Api:
    fields = [{"name": "region", "type": "string"}]
    await root.data("collections:create", {"name": "customers", "fields": fields})
    await root.data("collections:create", ORDERS)
    await root.data("customers:create", [{"region": "north"}, {"region": "south"}])
    await root.data("orders:create", ROWS)
    return root


def measure(kind: str, field: str = "total", **more: Any) -> dict[str, Any]:
    return {"field": [field], "aggregation": kind, "alias": kind, **more}


async def test_the_database_works_out_measures(orders: Api) -> None:
    kinds = ("sum", "count", "avg", "min", "max")
    answer = await orders.data("orders:query", {"measures": [measure(kind) for kind in kinds]})
    assert answer == [{"sum": 15, "count": 4, "avg": 3.75, "min": 1, "max": 8}]
    answer = await orders.data(
        "orders:query",
        {
            "measures": [
                {"field": "state", "aggregation": "count", "distinct": True, "alias": "states"},
                {"field": "placed", "aggregation": "max", "alias": "last"},
                {"field": "price", "aggregation": "sum"},
            ]
        },
    )
    assert answer == [{"states": 2, "last": "2026-02-11T00:00:00.000Z", "price": pytest.approx(3.35)}]


async def test_groups_are_filtered_sorted_and_cut(orders: Api) -> None:
    question = {
        "measures": [measure("sum")],
        "dimensions": [{"field": ["state"], "alias": "s"}],
        "orders": [{"field": ["total"], "alias": "sum", "order": "desc"}],
    }
    groups = [{"sum": 8, "s": None}, {"sum": 4, "s": "old"}, {"sum": 3, "s": "new"}]
    assert await orders.data("orders:query", question) == groups
    assert await orders.data("orders:query", {**question, "limit": 1, "offset": 1}) == groups[1:2]
    for having, expected in (
        ({"sum": {"$gt": 3}}, groups[:2]),
        ({"sum": {"$gte": 3, "$lt": 4}}, groups[2:]),
        ({"sum": {"$between": [4, 8]}, "s": "old"}, groups[1:2]),
        ({"sum": 8}, groups[:1]),
        ({"s": {"$is": None}}, groups[:1]),
    ):
        assert await orders.data("orders:query", {**question, "having": having}) == expected
    kept = {**question, "filter": {"customer.region": "south"}}
    assert await orders.data("orders:query", kept) == [{"sum": 4, "s": "old"}, {"sum": 2, "s": "new"}]


async def test_dates_are_grouped_in_the_zone_of_the_request(orders: Api) -> None:
    async def months(field: str, pattern: str, zone: str = "+00:00") -> list[Any]:
        question = {
            "measures": [measure("count", "id")],
            "dimensions": [{"field": field, "format": pattern, "alias": "t"}],
            "orders": [{"field": field, "alias": "t"}],
        }
        answer = await orders.call("orders:query", question, headers={"X-Timezone": zone})
        assert answer.status_code == 200, answer.text
        return [(row["t"], row["count"]) for row in answer.json()["data"]]

    assert await months("placed", "YYYY-MM") == [("2026-01", 1), ("2026-02", 2), (None, 1)]
    assert await months("placed", "YYYY-MM", "+08:00") == [("2026-02", 3), (None, 1)]
    assert await months("placed", "DD.MM. HH:mm:ss", "-01:30") == [
        ("09.02. 22:30:00", 1), ("10.02. 22:30:00", 1), ("31.01. 22:00:00", 1), (None, 1),
    ]  # fmt: skip
    assert await months("due", "YYYY Q", "+08:00") == [("2026 1", 1), ("2026 2", 1), (None, 2)]
    assert await months("paid", "MM/DD") == [("05/05", 1), ("05/06", 1), (None, 2)]


async def test_linked_fields_and_plain_rows(orders: Api) -> None:
    question = {
        "measures": [measure("sum")],
        "dimensions": [{"field": "customer.region"}],
        "orders": [{"field": "customer.region", "nulls": "first"}],
    }
    assert await orders.data("orders:query", question) == [
        {"sum": 8, "customer.region": None},
        {"sum": 1, "customer.region": "north"},
        {"sum": 6, "customer.region": "south"},
    ]
    plain = {"measures": [{"field": "total"}], "orders": [{"field": "placed", "order": "desc"}], "limit": 2}
    assert await orders.data("orders:query", plain) == [{"total": 4}, {"total": 2}]


REFUSED: list[dict[str, Any]] = [
    {},
    {"measures": "total"},
    {"measures": [{"aggregation": "sum"}]},
    {"measures": [measure("sum", "zzz")]},
    {"measures": [measure("median")]},
    {"measures": [measure("sum", "state")]},
    {"measures": [measure("max", "data")]},
    {"dimensions": [{"field": "data"}]},
    {"dimensions": [{"field": "customer.orders.total"}]},
    {"measures": [measure("sum")], "having": {"zzz": 1}},
    {"measures": [measure("sum")], "having": {"sum": {"$in": [1]}}},
    {"measures": [measure("sum")], "orders": [{"field": "state"}]},
    {"measures": [measure("sum")], "limit": -1},
    {"measures": [measure("sum")], "filter": {"zzz": 1}},
]


async def test_questions_that_make_no_sense_are_refused(orders: Api) -> None:
    for question in REFUSED:
        answer = await orders.call("orders:query", question)
        assert answer.status_code == 400, (question, answer.text)


async def test_sums_tell_nothing_that_lists_do_not(orders: Api) -> None:
    actions = [{"name": "view", "fields": ["state", "total", "customer"], "scope": {"key": "own"}}]
    await orders.data("roles:create", {"name": "own"})
    rules = {"name": "orders", "usingActionsConfig": True, "actions": actions}
    await orders.data("roles/own/resources:create", rules)
    await orders.data("users:create", {"username": "ann", "password": "secret-1", "roles": ["own"]})
    await orders.data("orders:create", {"state": "mine", "total": 100, "createdById": 2})
    ann = await orders.sign_in("ann", "secret-1")
    chart = {"collection": "orders", "mode": "builder"}
    for action, more in (("orders:query", {}), ("charts:queryData", chart)):
        assert await ann.data(action, {"measures": [measure("sum")], **more}) == [{"sum": 100}]
        for refused in (
            {"measures": [measure("sum", "price")]},
            {"measures": [measure("sum")], "filter": {"price": 1}},
            {"dimensions": [{"field": "customer.region"}]},
            {"measures": [{"field": "total"}], "orders": [{"field": "price"}]},
        ):
            assert (await ann.call(action, {**refused, **more})).status_code == 403
    assert (await ann.call("customers:query", {"measures": [measure("count", "id")]})).status_code == 403
    for name, status in (("issuedTokens", 404), ("zzz", 404), (None, 404), (["orders"], 404)):
        answer = await ann.call(
            "charts:queryData", {"measures": [measure("count", "id")], "collection": name}
        )
        assert answer.status_code == status
