"""List requests over computed rows."""

from __future__ import annotations

from typing import Any

import pytest

from atoll.application.context import Page
from atoll.errors import BadRequest
from atoll.plugins.app_supervisor.listing import listed, matches

ROWS: list[dict[str, Any]] = [
    {"name": "b", "status": "running", "sort": 2, "pinned": True, "cname": None, "environments": ["env_a"]},
    {
        "name": "a",
        "status": "stopped",
        "sort": 1,
        "pinned": None,
        "cname": "a.test",
        "environments": ["env_a", "env_b"],
    },
    {"name": "C", "status": "running", "sort": 3, "pinned": False, "cname": None, "environments": ["env_b"]},
]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ({}, "baC"),
        ({"name": "a"}, "a"),
        ({"status": {"$eq": "running"}}, "bC"),
        ({"status.$ne": "running"}, "a"),
        ({"name": {"$in": ["a", "b"]}}, "ba"),
        ({"name": {"$notIn": ["a", "b"]}}, "C"),
        ({"name": {"$includes": "c"}}, "C"),
        ({"environments": {"$includes": "env_b"}}, "aC"),
        ({"cname": {"$empty": True}}, "bC"),
        ({"cname": {"$notEmpty": True}}, "a"),
        ({"pinned": {"$isTruly": True}}, "b"),
        ({"sort": {"$gt": 1, "$lte": 2}}, "b"),
        ({"$or": [{"name": "a"}, {"name": "C"}]}, "aC"),
        ({"$and": [{"status": "running"}, {"sort": {"$gte": 3}}]}, "C"),
    ],
)
def test_filters(condition: dict[str, Any], names: str) -> None:
    assert "".join(row["name"] for row in ROWS if matches(row, condition)) == names


@pytest.mark.parametrize(
    "condition", [{"nothing": 1}, {"name": {"$magic": 1}}, {"$not": []}, [1], {"$or": 1}]
)
def test_filters_that_are_refused(condition: Any) -> None:
    with pytest.raises(BadRequest):
        _ = [row for row in ROWS if matches(row, condition)]


def test_pages_and_order() -> None:
    page = listed(ROWS, {"sort": "-name", "pageSize": "2", "page": "1", "fields": "name"})
    assert isinstance(page, Page)
    assert page.rows == [{"name": "C"}, {"name": "b"}]
    assert page.meta == {"count": 3, "page": 1, "pageSize": 2, "totalPage": 2}
    everything = listed(ROWS, {"paginate": "false", "sort": ["status", "-sort"]})
    assert isinstance(everything, list)
    assert [row["name"] for row in everything] == ["C", "b", "a"]
    for wrong in ({"page": "0"}, {"pageSize": "x"}, {"sort": "nothing"}):
        with pytest.raises(BadRequest):
            listed(ROWS, wrong)
