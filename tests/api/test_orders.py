"""Orders made by hand: fields of the type `sort` and `move`."""

from __future__ import annotations

import asyncio
from typing import Any

from .conftest import Api

NAME = {"name": "name", "type": "string", "interface": "input"}
COLUMN = {"name": "column", "type": "string", "interface": "select"}
SORT = {"name": "sort", "type": "sort", "interface": "sort"}


async def make(root: Api, *fields: dict[str, Any], **options: Any) -> None:
    await root.data("collections:create", {"name": "cards", "fields": [NAME, *fields], **options})


async def names(root: Api, **filters: Any) -> str:
    rows = await root.data("cards:list", sort="sort", **filters)
    return "".join(row["name"] for row in rows)


async def fill(root: Api, texts: str, **values: Any) -> dict[str, int]:
    made = await root.data("cards:create", [{"name": each, **values} for each in texts])
    return {row["name"]: row["id"] for row in made}


async def test_a_record_takes_the_place_of_another(root: Api) -> None:
    await make(root, SORT)
    ids = await fill(root, "abcd")
    for moved, target, more, expected in (
        ("a", "c", {}, "bcad"),
        ("d", "b", {}, "dbca"),
        ("b", "a", {"method": "insertAfter"}, "dcab"),
        ("b", "d", {"method": "insertAfter"}, "dbca"),
        ("b", "d", {"method": "insertAfter"}, "dbca"),
        ("c", "c", {}, "dbca"),
    ):
        values = {"sourceId": ids[moved], "targetId": ids[target], **more}
        assert await root.data("cards:move", values) == "ok"
        assert await names(root) == expected


async def test_new_records_come_last_whoever_makes_them_at_once(root: Api) -> None:
    await make(root, SORT)
    await asyncio.gather(*(root.data("cards:create", {"name": str(number)}) for number in range(8)))
    rows = await root.data("cards:list", sort="sort")
    assert [row["sort"] for row in rows] == list(range(1, 9))


async def test_each_group_has_an_order_of_its_own(root: Api) -> None:
    await make(root, COLUMN, {**SORT, "scopeKey": "column"})
    todo, done = await fill(root, "abc", column="todo"), await fill(root, "xyz", column="done")
    await root.data("cards:move", {"sourceId": todo["a"], "targetId": done["y"]})
    rows = await root.data("cards:list", sort="column,sort")
    assert [(row["column"], row["name"]) for row in rows] == [
        ("done", "x"), ("done", "a"), ("done", "y"), ("done", "z"), ("todo", "b"), ("todo", "c"),
    ]  # fmt: skip
    scope = {"targetScope": {"column": "todo"}}
    await root.data("cards:move", {"sourceId": done["z"], **scope})
    await root.data("cards:move", {"sourceId": done["x"], "method": "prepend", **scope})
    rows = await root.data("cards:list", sort="sort", **{"filter[column]": "todo"})
    assert "".join(row["name"] for row in rows) == "xbcz"


async def test_a_record_goes_on_top(root: Api) -> None:
    await make(root, SORT)
    ids = await fill(root, "abc")
    await root.data("cards:move", {"sourceId": ids["c"], "sticky": True})
    assert await names(root) == "cab"
    await root.data("cards:move", {"sourceId": ids["b"], "sticky": True})
    await root.data("cards:move", {"sourceId": ids["a"], "targetId": ids["b"]})
    assert await names(root) == "abc"  # two on top: the next move numbers all anew


async def test_records_that_are_there_get_numbers_with_the_field(root: Api) -> None:
    await make(root, COLUMN)
    await fill(root, "ab", column="x")
    await fill(root, "c", column="y")
    await root.data("collections/cards/fields:create", {**SORT, "scopeKey": "column"})
    rows = await root.data("cards:list", sort="id")
    assert [row["sort"] for row in rows] == [1, 2, 1]


async def test_linked_records_have_an_order(root: Api) -> None:
    lines = {"name": "cards", "type": "hasMany", "target": "cards", "foreignKey": "boardId"}
    await root.data("collections:create", {"name": "boards", "fields": [NAME, lines]})
    await make(root, {"name": "boardIdSort", "type": "sort", "scopeKey": "boardId"}, SORT)
    await root.data("boards:create", {"name": "b"})
    ids = await fill(root, "abc", boardId=1)
    other = await fill(root, "o")
    await root.data("boards/1/cards:move", {"sourceId": ids["c"], "targetId": ids["a"]})
    rows = await root.data("boards/1/cards:list", sort="boardIdSort")
    assert "".join(row["name"] for row in rows) == "cab"
    answer = await root.call("boards/1/cards:move", {"sourceId": other["o"], "targetId": ids["a"]})
    assert answer.status_code == 404


async def test_a_sortable_collection_gets_the_field(root: Api) -> None:
    await make(root, sortable=True)
    await fill(root, "ab")
    assert await names(root) == "ab"


async def test_moving_needs_the_right_to_change_the_record(root: Api) -> None:
    await make(root, SORT, createdBy=True)
    theirs = await fill(root, "ab")
    strategy = {"actions": ["view", "create", "update:own"]}
    await root.data("roles:create", {"name": "own", "strategy": strategy})
    await root.data("users:create", {"username": "ann", "password": "secret-1", "roles": ["own"]})
    ann = await root.sign_in("ann", "secret-1")
    mine = await ann.data("cards:create", {"name": "m"})
    refused = await ann.call("cards:move", {"sourceId": theirs["a"], "targetId": mine["id"]})
    assert refused.status_code == 404
    await ann.data("cards:move", {"sourceId": mine["id"], "targetId": theirs["a"]})
    assert await names(root) == "mab"


async def test_a_move_that_says_too_little_is_refused(root: Api) -> None:
    await make(root, SORT)
    await fill(root, "ab")
    bodies: list[dict[str, Any]] = [
        {},
        {"sourceId": 1},
        {"sourceId": 1, "targetId": 2, "sortField": "name"},
        {"sourceId": 1, "targetScope": {"x": 1}},
    ]
    for body in bodies:
        assert (await root.call("cards:move", body)).status_code == 400
