"""Records: values, filters, order and guards, on both databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from atoll.application.records.filter import Caller
from atoll.cluster.pubsub import MemoryPubSub
from atoll.database.drivers import Database

from .conftest import ROOT, Api, make_app, until

pytestmark = pytest.mark.anyio

FIELDS = [
    {"name": "s", "type": "string"},
    {"name": "n", "type": "integer"},
    {"name": "d", "type": "decimal", "scale": 3},
    {"name": "at", "type": "date"},
    {"name": "day", "type": "dateOnly"},
    {"name": "b", "type": "boolean"},
]
ROWS = [
    {"s": "apple", "n": 3, "d": "1.5", "at": "2024-03-10T00:00:00Z", "day": "2024-03-10", "b": True},
    {"s": "Apple%", "n": 1, "d": "2.25", "at": "2024-03-10T23:30:00Z", "day": "2024-03-11", "b": False},
    {"s": None, "n": None},
    {"s": "", "n": 2, "d": "-7", "at": "2024-04-01T00:00:00Z", "day": "2024-04-01", "b": None},
]


@pytest.fixture
async def items(root: Api) -> Api:
    await root.data("collections:create", {"name": "items", "fields": FIELDS})
    await root.data("items:create", ROWS)
    return root


async def ids(api: Api, filter_: Any, sort: str = "id", **headers: str) -> list[int]:
    response = await api.call("items:list", filter=json.dumps(filter_), sort=sort, headers=headers)
    assert response.status_code == 200, response.text
    assert response.json()["meta"]["count"] == len(response.json()["data"])
    return [row["id"] for row in response.json()["data"]]


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({"s": "apple"}, [1]),
        ({"s": None}, [3]),
        ({"s": ["apple", ""]}, [1, 4]),
        ({"s.$ne": "apple"}, [2, 3, 4]),
        ({"s.$notIn": ["apple", ""]}, [2, 3]),
        ({"s.$not": "apple"}, [2, 4]),
        ({"s.$includes": "APP"}, [1, 2]),
        ({"s.$includes": "%"}, [2]),
        ({"s.$notIncludes": "app"}, [4]),
        ({"s.$startsWith": "a"}, [1, 2]),
        ({"s.$like": "a%"}, [1]),
        ({"s.$empty": True}, [3, 4]),
        ({"s.$notEmpty": True}, [1, 2]),
        ({"n": {"$gte": 2, "$lt": 9}}, [1, 4]),
        ({"n.$between": [1, 2]}, [2, 4]),
        ({"n.$in": []}, []),
        ({"n.$exists": True}, [1, 2, 4]),
        ({"d.$gt": "1.49"}, [1, 2]),
        ({"d": "1.500"}, [1]),
        ({"b.$isTruly": True}, [1]),
        ({"b.$isFalsy": True}, [2, 3, 4]),
        ({"at.$dateOn": "2024-03-10"}, [1, 2]),
        ({"at.$dateOn": "2024-03"}, [1, 2]),
        ({"at.$dateOn": "2024Q2"}, [4]),
        ({"at.$dateAfter": "2024-03-10"}, [4]),
        ({"at.$dateBetween": ["2024-03-10", "2024-03-31"]}, [1, 2]),
        ({"day.$dateNotAfter": "2024-03-10"}, [1]),
        ({"day.$dateOn": "2024-03"}, [1, 2]),
        ({"$or": [{"n": 1}, {"n": 2}]}, [2, 4]),
        ({"$and": [{"$or": [{"n": 1}, {"n": 3}]}, {"s.$includes": "%"}]}, [2]),
        ({"$not": {"n": 1}}, [1, 4]),
        ({}, [1, 2, 3, 4]),
        ({"$and": []}, [1, 2, 3, 4]),
    ],
)
async def test_filters(items: Api, filter_: Any, expected: list[int]) -> None:
    assert await ids(items, filter_) == expected


async def test_the_time_zone_moves_days(items: Api) -> None:
    assert await ids(items, {"at.$dateOn": "2024-03-11"}, **{"X-Timezone": "+08:00"}) == [2]
    assert await ids(items, {"day.$dateOn": "2024-03-11"}, **{"X-Timezone": "+08:00"}) == [2]


@pytest.mark.parametrize(
    "params",
    [
        {"filter": "{"},
        {"filter": '{"nope":1}'},
        {"filter": '{"n":{"$nope":1}}'},
        {"filter": '{"n":"abc"}'},
        {"filter": '{"n":{}}'},
        {"filter": '{"s.$includes":5}'},
        {"filter": '{"at.$dateOn":"nonsense"}'},
        {"filter": '{"at.$dateOn":"2024-13-45"}'},
        {"filter": '{"n":99999999999999999999999}'},
        {"filter": '{"$or":5}'},
        {"sort": "nope"},
        {"sort": "n, -id"},
        {"fields": "id,(select 1)"},
        {"page": "0"},
        {"page": "abc"},
        {"pageSize": "-1"},
        {"filterByTk": "1 OR 1=1", "action": "get"},
    ],
)
async def test_bad_parameters_are_refused(items: Api, params: dict[str, str]) -> None:
    given = dict(params)
    response = await items.call(f"items:{given.pop('action', 'list')}", **given)
    assert response.status_code == 400, response.text
    assert response.json()["errors"][0]["message"]


async def test_nulls_come_last_both_ways(items: Api) -> None:
    assert await ids(items, {}, "n") == [2, 4, 1, 3]
    assert await ids(items, {}, "-n") == [1, 4, 2, 3]


async def test_pages(items: Api) -> None:
    response = await items.call("items:list", sort="-n", page="2", pageSize="3", fields="id")
    assert response.json() == {
        "data": [{"id": 3}],
        "meta": {"count": 4, "page": 2, "pageSize": 3, "totalPage": 2},
    }
    everything = await items.call("items:list", paginate="false", fields="id,n", **{"except": "n"})
    assert everything.json() == {"data": [{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}]}


async def test_the_count_follows_every_write(items: Api) -> None:
    async def count() -> int:
        return int((await items.call("items:list", pageSize="1")).json()["meta"]["count"])

    assert await count() == 4
    await items.data("items:create", {"n": 5})
    assert await count() == 5
    await items.data("items:destroy", {}, filter='{"n.$gt":2}')
    assert await count() == 3


async def test_update_and_destroy_need_a_target(items: Api) -> None:
    for action in ("update", "destroy"):
        for params in ({}, {"filter": "{}"}, {"filter": '{"$and":[]}'}, {"filter": '{"$or":[{}]}'}):
            assert (await items.call(f"items:{action}", {"n": 1}, **params)).status_code == 400
    for params in ({"filter": '{"id":{}}'}, {"filter": '{"$not":{}}'}):
        assert (await items.call("items:destroy", {}, **params)).status_code == 400
    assert await ids(items, {}) == [1, 2, 3, 4]


async def test_values_that_do_not_fit_change_nothing(items: Api) -> None:
    for values in (
        {"n": "abc"}, {"n": 1.5}, {"n": 2**31}, {"n": ""}, {"n": True}, {"s": "x" * 256}, {"s": {"a": 1}},
        {"d": "1e99"}, {"d": "NaN"}, {"at": "nope"}, {"at": ""}, {"day": "2024-02-30"}, {"b": "maybe"},
    ):  # fmt: skip
        assert (await items.call("items:create", values)).status_code == 400, values
        assert (await items.call("items:update", values, filterByTk=1)).status_code == 400, values
    assert (await items.call("items:create", [{"n": 1}, {"n": "abc"}])).status_code == 400
    assert await ids(items, {}) == [1, 2, 3, 4]


async def test_decimals_keep_their_scale(items: Api) -> None:
    rows = await items.data("items:list", sort="d", fields="d")
    assert [row["d"] for row in rows] == ["-7.000", "1.500", "2.250", None]


async def test_members_see_only_their_own(root: Api) -> None:
    await root.data("collections:create", {"name": "notes", "createdBy": True, "fields": FIELDS[:1]})
    await root.data("collections:create", {"name": "plain", "fields": FIELDS[:1]})
    await root.data("notes:create", {"s": "root's"})
    await root.data("users:create", {"username": "kim", "password": "kim-12345"})
    kim = await root.sign_in("kim", "kim-12345")
    assert await kim.data("notes:list") == []
    assert await kim.data("notes:get", filterByTk=1) is None
    assert (await kim.call("plain:list")).status_code == 403
    for action in ("create", "update?filterByTk=1", "destroy?filterByTk=1", "updateOrCreate?filterKeys=s"):
        assert (await kim.call(f"notes:{action}", {"s": "x"})).status_code == 403
    await root.data("roles:update", {"strategy": {"actions": ["view", "update:own"]}}, filterByTk="member")
    assert len(await kim.data("notes:list")) == 1
    assert await kim.data("notes:update", {"s": "x"}, filterByTk=1) == []


async def test_created_by_is_appended_and_filtered(root: Api) -> None:
    await root.data(
        "collections:create", {"name": "notes", "createdBy": True, "updatedAt": True, "fields": FIELDS[:1]}
    )
    made = await root.data("notes:create", {"s": "a"})
    assert made["createdById"] == 1
    row = await root.data("notes:get", filterByTk=1, appends="createdBy,nothing")
    assert row["createdBy"]["username"] == "nocobase"
    assert "password" not in row["createdBy"]
    found = await root.data("notes:list", filter='{"createdBy.username":"nocobase"}', fields="s")
    assert found == [{"s": "a"}]
    assert await root.data("notes:list", filter='{"createdBy":{"username":"x"}}') == []
    mine = await root.data("notes:list", filter='{"createdById":"{{$user.id}}"}')
    assert len(mine) == 1


async def test_snowflake_keys(root: Api) -> None:
    key = {"name": "id", "type": "snowflakeId", "primaryKey": True, "allowNull": False}
    await root.data("collections:create", {"name": "flakes", "autoGenId": False, "fields": [key, FIELDS[0]]})
    made = await root.data("flakes:create", [{"s": "a"}, {"s": "b"}])
    assert 0 < made[0]["id"] < made[1]["id"] < 2**53
    assert (await root.data(f"flakes:get/{made[0]['id']}"))["s"] == "a"


async def test_totals_of_other_instances_are_dropped(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = MemoryPubSub()
    one = make_app(database, tmp_path, bus.scope("main"))
    two = make_app(database, tmp_path, bus.scope("main"))
    await one.install(ROOT)
    await one.start()
    await two.start()
    await one.collections.create({"name": "notes", "fields": FIELDS[:1]})
    heard: list[str] = []
    monkeypatch.setattr(two.records, "forget_totals", heard.extend)
    notes = one.collections.own()["notes"]
    for number in range(3):
        await one.records.create(notes, {"s": str(number)}, Caller())

    async def names() -> list[str]:
        return heard

    await until(names, lambda found: found == ["notes"])
    await one.stop()
    await two.stop()
