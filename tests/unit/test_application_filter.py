"""Filters and date operands without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atoll.application.collections.model import Collection
from atoll.application.records.conditions import among
from atoll.application.records.dates import Span, read_between, read_span
from atoll.application.records.filter import Caller, is_empty, read_filter
from atoll.database.drivers.sqlite_dialect import AtollSQLiteDialect
from atoll.errors import AtollError, BadRequest, InvalidValue

NOW = datetime(2024, 3, 13, 22, 30, tzinfo=UTC)  # a Wednesday
EAST = timezone(timedelta(hours=8))


def span(start: str, end: str | None) -> Span:
    def read(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    return Span(read(start), read(end) if end else None)


@pytest.mark.parametrize(
    ("operand", "expected"),
    [
        ("2024-03-10T16:00:00.000Z", span("2024-03-10 16:00", None)),
        ("2024", span("2024-01-01", "2025-01-01")),
        ("2024Q1", span("2024-01-01", "2024-04-01")),
        ("2024W11", span("2024-03-11", "2024-03-18")),
        ("2024-12", span("2024-12-01", "2025-01-01")),
        ("2024-02-29", span("2024-02-29", "2024-03-01")),
        ("2024-03-10 16", span("2024-03-10 16:00", "2024-03-10 17:00")),
        ("2024-03-10T16:05", span("2024-03-10 16:05", "2024-03-10 16:06")),
        ("2024-03-10 16:05:09", span("2024-03-10 16:05:09", "2024-03-10 16:05:10")),
        ("2024-03-10+08:00", span("2024-03-09 16:00", "2024-03-10 16:00")),
        ({"type": "today"}, span("2024-03-13", "2024-03-14")),
        ({"type": "thisWeek"}, span("2024-03-10", "2024-03-17")),
        ({"type": "thisIsoWeek"}, span("2024-03-11", "2024-03-18")),
        ({"type": "lastQuarter"}, span("2023-10-01", "2024-01-01")),
        ({"type": "nextYear"}, span("2025-01-01", "2026-01-01")),
        ({"type": "last7Days"}, span("2024-03-07", "2024-03-14")),
        ({"type": "past", "number": 3, "unit": "day"}, span("2024-03-10", "2024-03-13")),
        ({"type": "next", "number": 2, "unit": "month"}, span("2024-04-01", "2024-06-01")),
        (["2024-01", "2024-03"], span("2024-01-01", "2024-04-01")),
        (["2024-01", "2024-03", "()"], span("2024-02-01", "2024-03-01")),
        ("[2024-03-10,2024-03-11)", span("2024-03-10", "2024-03-11")),
    ],
)
def test_spans(operand: Any, expected: Span) -> None:
    found = read_between(operand, UTC, NOW)
    assert (found.start, found.end) == (expected.start, expected.end)


def test_days_follow_the_zone() -> None:
    assert read_span({"type": "today"}, EAST, NOW).start == datetime(2024, 3, 14, tzinfo=EAST)
    assert read_span("2024-03-10", EAST, NOW).start == datetime(2024, 3, 9, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    "operand",
    [
        "nonsense",
        "2024-13",
        "2024-02-30",
        "2024-03-10 25",
        5,
        {"type": "exact"},
        {"type": "past", "unit": "eon"},
        [],
    ],
)
def test_bad_operands(operand: Any) -> None:
    with pytest.raises(InvalidValue):
        read_span(operand, UTC, NOW)


ITEMS = Collection(
    "items",
    {},
    [
        {"name": "s", "type": "string"},
        {"name": "n", "type": "integer"},
        {"name": "at", "type": "date"},
        {"name": "pin", "type": "string", "hidden": True},
    ],
    kind="sqlite",
)


def compiled(raw: Any) -> tuple[str, list[Any]]:
    condition, values = read_filter(ITEMS, raw, Caller(), lambda name: None)
    if condition is None:
        return "", values
    expression = among(ITEMS, condition, lambda name: None)
    return str(expression.compile(dialect=AtollSQLiteDialect())), values


def test_the_shape_does_not_depend_on_values() -> None:
    one = read_filter(ITEMS, {"n.$in": [1, 2], "s": "a"}, Caller(), lambda name: None)
    two = read_filter(ITEMS, {"n.$in": [1, 2, 3, 4], "s": "b"}, Caller(), lambda name: None)
    assert one[0] == two[0]
    assert (one[1], two[1]) == ([[1, 2], "a"], [[1, 2, 3, 4], "b"])


def test_values_are_never_in_the_text() -> None:
    text, values = compiled({"s": "'; DROP TABLE items; --", "$or": [{"s.$includes": "50%_"}, {"n": "7"}]})
    assert "DROP" not in text
    assert values == ["'; DROP TABLE items; --", "%50\\%\\_%", 7]


@pytest.mark.parametrize(
    "raw",
    [
        {"nope": 1},
        {"pin": "1"},
        {"pin.$startsWith": "1"},
        {"s": {"$col": "pin"}},
        {"s.$nope": 1},
        {"s": {"x": 1}},
        {"n": {}},
        {"$or": 5},
        {"s.n": 1},
        5,
        {"n.$between": [1]},
        {"at.$dateOn": ""},
        {"s.$dateOn": "2024"},
    ],
)
def test_bad_filters_are_refused(raw: Any) -> None:
    with pytest.raises((BadRequest, InvalidValue)):
        compiled(raw)


@pytest.mark.parametrize("raw", [None, {}, {"$and": []}, {"$or": [{}, {"$and": [{}]}]}, [], 5, "x"])
def test_empty_filters_are_seen(raw: Any) -> None:
    assert is_empty(raw)


@pytest.mark.parametrize("raw", [{"s": None}, {"$and": [{"n": 1}]}])
def test_filters_that_say_something(raw: Any) -> None:
    assert not is_empty(raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["s", "n", "at", "pin", "$and", "$or", "$not", "$eq", "$in", "$dateOn", "s.$includes", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(json_values)
def test_any_filter_is_understood_or_refused(raw: Any) -> None:
    try:
        compiled(raw)
    except AtollError as error:
        assert error.status == 400
