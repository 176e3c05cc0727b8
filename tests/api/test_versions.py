"""`ETag` and `If-Match`: nobody overwrites what somebody else has changed meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from .conftest import Api

pytestmark = pytest.mark.anyio

FIELDS = [
    {"name": "title", "type": "string"},
    {"name": "price", "type": "decimal", "scale": 2},
    {"name": "at", "type": "date"},
    {"name": "more", "type": "json"},
]
LAMP = {"title": "Lamp", "price": "2.5", "at": "2026-01-02T03:04:05Z", "more": {"b": [1, None], "a": "x"}}


@pytest.fixture
async def things(root: Api) -> Api:
    """One record; the collection has neither times nor people."""
    await root.data("collections:create", {"name": "things", "fields": FIELDS})
    await root.data("things:create", LAMP)
    return root


async def save(api: Api, values: Any, tag: str, key: Any = 1, **params: Any) -> httpx.Response:
    return await api.call("things:update", values, filterByTk=key, headers={"If-Match": tag}, **params)


async def tag_of(api: Api, **params: Any) -> str:
    return (await api.call("things:get", filterByTk=1, **params)).headers["etag"]


async def test_a_stale_version_is_refused_with_the_record_as_it_is(things: Api) -> None:
    tag = await tag_of(things)
    mine = await save(things, {"title": "Mine"}, tag)
    assert (mine.status_code, mine.json()["data"][0]["title"]) == (200, "Mine")
    theirs = await save(things, {"title": "Theirs"}, tag)
    assert theirs.status_code == 409
    assert theirs.json()["errors"][0]["code"] == "RECORD_CHANGED"
    assert theirs.json()["data"]["title"] == "Mine"
    assert theirs.headers["etag"] == mine.headers["etag"] == await tag_of(things) != tag
    assert (await things.data("things:get", filterByTk=1))["title"] == "Mine"
    assert (await save(things, {"title": "Theirs"}, theirs.headers["etag"])).status_code == 200


async def test_the_same_values_have_the_same_version_wherever_they_are_answered(things: Api) -> None:
    made = await things.call("things:create", LAMP)
    tag = await tag_of(things)
    assert made.headers["etag"] != tag  # another key
    listed = await things.call("things:list", headers={"X-With-ETags": "true"}, sort="id")
    assert listed.json()["meta"]["etags"] == {"1": tag, "2": made.headers["etag"]}
    assert "etags" not in (await things.call("things:list")).json()["meta"]
    same = await things.call("things:update", {"title": "Lamp"}, filterByTk=1)
    assert same.headers["etag"] == tag
    assert "etag" not in (await things.call("things:get", filterByTk=1, fields="title")).headers


async def test_no_condition_and_any_version_change_whatever_is_there(things: Api) -> None:
    assert (await things.call("things:update", {"title": "a"}, filterByTk=1)).status_code == 200
    assert (await save(things, {"title": "b"}, "*")).status_code == 200
    assert (await save(things, {"title": "c"}, f'"other", W/{await tag_of(things)}')).status_code == 200


async def test_a_condition_is_about_one_record_that_is_there(things: Api) -> None:
    await things.data("things:create", LAMP)
    tag = await tag_of(things)
    several = await things.call(
        "things:update", {"title": "x"}, filter="{}", filterByTk="[1,2]", headers={"If-Match": tag}
    )
    assert several.status_code == 400
    await things.data("things:destroy", {}, filterByTk=1)
    gone = await save(things, {"title": "x"}, tag)
    assert (gone.status_code, gone.json()["errors"][0]["code"]) == (404, "NOT_FOUND")
    assert (await things.data("things:get", filterByTk=2))["title"] == "Lamp"


async def test_of_many_at_once_one_is_first(things: Api) -> None:
    tag = await tag_of(things)
    answers = await asyncio.gather(*(save(things, {"title": f"t{n}"}, tag) for n in range(8)))
    assert sorted(each.status_code for each in answers) == [200] + [409] * 7
    winner = next(each for each in answers if each.status_code == 200)
    assert await things.data("things:get", filterByTk=1) == winner.json()["data"][0]


async def test_what_is_hidden_from_somebody_is_no_change_for_them(things: Api) -> None:
    await things.data("users:create", {"username": "kim", "password": "kim-12345"})
    actions = [
        {"name": "view", "fields": ["title"]},
        {"name": "update", "fields": ["title"]},
    ]
    rule = {"name": "things", "usingActionsConfig": True, "actions": actions}
    await things.data("roles/member/resources:create", rule)
    kim = await things.sign_in("kim", "kim-12345")
    tag = await tag_of(kim)
    assert tag != await tag_of(things)
    await things.data("things:update", {"price": "9"}, filterByTk=1)
    assert (await save(kim, {"title": "kim's"}, tag)).status_code == 200
    refused = await save(kim, {"title": "again"}, tag)
    assert refused.status_code == 409
    assert refused.json()["data"] == {"id": 1, "title": "kim's"}


async def test_a_linked_record_and_a_tree_have_versions_too(root: Api) -> None:
    below = {"target": "places", "foreignKey": "parentId"}
    await root.data(
        "collections:create",
        {
            "name": "places", "tree": "adjacency-list", "fields": [
                {"name": "title", "type": "string"},
                {"name": "parent", "type": "belongsTo", "treeParent": True, **below},
                {"name": "children", "type": "hasMany", "treeChildren": True, **below},
            ],
        },
    )  # fmt: skip
    await root.data("places:create", {"title": "top", "children": [{"title": "below"}]})
    listed = await root.call("places:list", tree="true", headers={"X-With-ETags": "true"})
    tags = listed.json()["meta"]["etags"]
    assert set(tags) == {"1", "2"}
    path = "places/1/children:update?filterByTk=2"
    assert (await root.call(path, {"title": "x"}, headers={"If-Match": tags["1"]})).status_code == 409
    assert (await root.call(path, {"title": "x"}, headers={"If-Match": tags["2"]})).status_code == 200


async def test_links_are_added_and_removed_without_the_others(root: Api) -> None:
    name = {"name": "name", "type": "string"}
    await root.data("collections:create", {"name": "tags", "fields": [name]})
    await root.data("collections:create", {"name": "lines", "fields": [name]})
    fields = [
        {"name": "tags", "type": "belongsToMany", "target": "tags", "through": "orderTags",
         "foreignKey": "orderId", "otherKey": "tagId"},
        {"name": "lines", "type": "hasMany", "target": "lines", "foreignKey": "orderId"},
    ]  # fmt: skip
    await root.data("collections:create", {"name": "orders", "fields": fields})
    for number in range(1, 5):
        await root.data("tags:create", {"name": f"t{number}"})
        await root.data("lines:create", {"name": f"l{number}"})
    await root.data("orders:create", {"tags": [1, 2], "lines": [1, 2]})
    await root.data("orders/1/tags:add", [3])  # somebody else
    difference = {"$add": [{"id": 4}, 2], "$remove": [1]}
    await root.data("orders:update", {"tags": difference, "lines": difference}, filterByTk=1)
    record = await root.data("orders:get", filterByTk=1, appends="tags,lines")
    assert sorted(each["id"] for each in record["tags"]) == [2, 3, 4]
    assert sorted(each["id"] for each in record["lines"]) == [2, 4]
    assert (await root.call("orders:update", {"tags": {"$add": [[1]]}}, filterByTk=1)).status_code == 400
