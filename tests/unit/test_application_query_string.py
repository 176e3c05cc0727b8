"""Query strings and paths."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atoll.application.api.query_string import parse
from atoll.application.api.route import Route, resolve


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("a=1&b=%20x+y", {"a": "1", "b": " x y"}),
        ("a", {"a": None}),
        ("a=", {"a": ""}),
        ("a=1&a=2", {"a": ["1", "2"]}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[]=1", {"a": ["1"]}),
        ("a[1]=y&a[0]=x", {"a": ["x", "y"]}),
        ("a[100]=x", {"a": ["x"]}),
        ("a[101]=x", {"a": {"101": "x"}}),
        ("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        ("filter[n][$gt]=3", {"filter": {"n": {"$gt": "3"}}}),
        ("filter%5Bn.%24gt%5D=3", {"filter": {"n.$gt": "3"}}),
        ("a[b][c][d][e][f][g]=1", {"a": {"b": {"c": {"d": {"e": {"f": {"[g]": "1"}}}}}}}),
        ("a[0][b]=1&a[0][c]=2", {"a": [{"b": "1", "c": "2"}]}),
        ("a[]=1&a[x]=2", {"a": {"0": "1", "x": "2"}}),
        ("__proto__[x]=1&a[__proto__]=2", {}),
        ("&&=1&", {}),
        ("a=%E0%A4%A", {"a": "\ufffd%A"}),
    ],
)
def test_query_strings(query: str, expected: dict[str, Any]) -> None:
    assert parse(query) == expected


@given(st.text(max_size=60))
def test_any_text_is_read(query: str) -> None:
    assert isinstance(parse(query), dict)


def test_parameters_are_limited() -> None:
    assert len(parse("&".join(f"k{number}=1" for number in range(2000)))) == 1000


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/orders:list", Route("orders", "list")),
        ("POST", "/api/orders:list/", Route("orders", "list")),
        ("GET", "/api/orders:get/42", Route("orders", "get", "42")),
        ("GET", "/api/orders/42", Route("orders", "get", "42")),
        ("GET", "/api/orders/42:get", Route("orders", "get", "42:get")),
        ("PUT", "/api/orders/42", Route("orders", "update", "42")),
        ("DELETE", "/api/orders", Route("orders", "destroy")),
        ("POST", "/api/orders/42", None),
        ("GET", "/api/orders/42/lines:list", Route("orders.lines", "list", source_id="42")),
        ("POST", "/api/orders/42/lines:update/7", Route("orders.lines", "update", "7", "42")),
        ("POST", "/api/orders/a%2Fb/lines/7", Route("orders.lines", "create", "7", "a/b")),
        ("GET", "/api/orders:list:more", Route("orders", "list")),
        ("GET", "/api/", None),
        ("GET", "/api/a//b", None),
        ("GET", "/api/a/b/c/d/e", None),
        ("GET", "/other/a:list", None),
    ],
)
def test_paths(method: str, path: str, expected: Route | None) -> None:
    assert resolve(method, path) == expected
