"""Field types whose values come from elsewhere: sequences, formulas, radios; places; described ones."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from .conftest import Api


async def make(root: Api, *fields: dict[str, Any], **options: Any) -> None:
    await root.data("collections:create", {"name": "things", "fields": list(fields), **options})


NUMBER = {
    "name": "number",
    "type": "sequence",
    "patterns": [
        {"type": "string", "options": {"value": "INV-"}},
        {"type": "date", "options": {"format": "YYYY"}},
        {"type": "integer", "options": {"digits": 3, "start": 5}},
    ],
}
NAME = {"name": "name", "type": "string", "unique": True}


def numbers(*last: int) -> list[str]:
    return [f"INV-{datetime.now(UTC).year}{each:03}" for each in last]


async def test_each_record_gets_a_number_of_its_own(root: Api) -> None:
    await make(root, NUMBER, NAME)
    made = await asyncio.gather(*(root.data("things:create", {"name": str(each)}) for each in range(6)))
    assert sorted(row["number"] for row in made) == numbers(*range(5, 11))
    assert (await root.call("things:create", {"name": "1"})).status_code == 400
    given = await root.data("things:create", {"name": "x", "number": "mine"})
    assert given["number"] == numbers(11)[0]  # the one that failed left no gap
    changed = await root.data("things:update", {"number": "mine", "name": "y"}, filterByTk=given["id"])
    assert changed[0]["number"] == given["number"]
    await root.data("collections:destroy", {}, filterByTk="things")
    await make(root, NUMBER, NAME)
    assert (await root.data("things:create", {}))["number"] == numbers(5)[0]


async def test_people_may_give_numbers_and_the_counter_goes_on_behind(root: Api) -> None:
    await make(root, {**NUMBER, "inputable": True, "match": True})
    assert (await root.data("things:create", {"number": numbers(40)[0]}))["number"] == numbers(40)[0]
    assert (await root.data("things:create", {}))["number"] == numbers(41)[0]
    assert (await root.call("things:create", {"number": "INV-1"})).status_code == 400


async def test_a_counter_begins_anew_after_its_largest_number_and_with_its_cycle(root: Api) -> None:
    ends = {"type": "integer", "options": {"digits": 1, "start": 8, "key": "a"}}
    daily = {"type": "integer", "options": {"digits": 2, "cycle": "0 0 * * *", "key": "b"}}
    await make(root, {"name": "number", "type": "sequence", "patterns": [ends, daily]})
    made = [await root.data("things:create", {}) for _ in range(3)]
    assert [row["number"] for row in made] == ["800", "901", "802"]
    for wrong in ([], [{"type": "odd"}], [{"type": "integer", "options": {"digits": 0}}], [ends, ends]):
        field = {"name": "n", "type": "sequence", "patterns": wrong}
        assert (await root.call("collections/things/fields:create", field)).status_code == 400


async def test_formulas_follow_the_fields_they_use(root: Api) -> None:
    def formula(name: str, expression: str, kind: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "type": "formula", "expression": expression, "dataType": kind, **more}

    await make(
        root,
        {"name": "price", "type": "decimal", "precision": 10, "scale": 2},
        {"name": "quantity", "type": "integer"},
        formula("total", "{{price}} * {{quantity}}", "double"),
        formula("label", "{{quantity}} x {{price}}!", "string", engine="string"),
        formula("many", "{{quantity}} > 5", "boolean", engine="formula.js"),
    )
    made = await root.data("things:create", {"price": "2.50", "quantity": 4, "total": 99})
    assert (made["total"], made["label"], made["many"]) == (10, "4 x 2.5!", False)
    await root.data("things:create", {"quantity": 2})
    changed = await root.data("things:update", {"quantity": 10, "total": 1}, forceUpdate="true")
    assert [(row["total"], row["many"]) for row in changed] == [(25, True), (None, True)]
    assert [row["id"] for row in await root.data("things:list", filter='{"total.$gt":20}')] == [1]
    for wrong in ("1 +", "open('x')"):
        refused = await root.call("collections/things/fields:create", formula("bad", wrong, "double"))
        assert refused.status_code == 400


async def test_a_radio_is_true_in_one_record(root: Api) -> None:
    await make(root, {"name": "main", "type": "radio"}, NAME)
    await root.data(
        "things:create", [{"main": True, "name": "a"}, {"main": True, "name": "b"}, {"name": "c"}]
    )
    await root.data("things:update", {"main": True}, filterByTk=3)
    assert [row["name"] for row in await root.data("things:list", filter='{"main":true}')] == ["c"]
    assert [row["main"] for row in await root.data("things:list", sort="id")] == [False, False, True]


async def test_places_and_fields_without_a_column(root: Api) -> None:
    shapes = {
        "point": [1.5, 2],
        "circle": [1, 2, 300],
        "lineString": [[0, 0], [1, 1]],
        "polygon": [[0, 0], [1, 1], [1, 0]],
    }
    fields = [{"name": name, "type": name} for name in shapes]
    await make(root, *fields, {"name": "note", "type": "virtual"})
    made = await root.data("things:create", {**shapes, "note": "x"})
    assert {name: made[name] for name in shapes} == shapes
    assert "note" not in made
    for name in shapes:
        assert (await root.call("things:create", {name: [1]})).status_code == 400
    assert len(await root.data("collections/things/fields:list")) == 5
    assert await root.data("collections/things/fields:destroy", {}, filterByTk="note") is True


async def test_sizes_that_make_no_sense_are_refused(root: Api) -> None:
    await make(root, NAME)
    for wrong in (
        {"type": "string", "length": "x"},
        {"type": "string", "length": 0},
        {"type": "nanoid", "size": "x"},
        {"type": "nanoid", "size": 1000},
        {"type": "nanoid", "customAlphabet": "a"},
    ):
        answer = await root.call("collections/things/fields:create", {"name": "odd", **wrong})
        assert answer.status_code == 400, (wrong, answer.text)
