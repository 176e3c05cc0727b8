"""Field types without a database."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atoll.application.fields import FIELD_TYPES, make_field
from atoll.application.fields.base import DatabaseKind
from atoll.errors import AtollError, BadRequest, InvalidValue

KINDS: tuple[DatabaseKind, ...] = ("sqlite", "postgres")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("type_", "options", "value", "delivered"),
    [
        ("string", {}, "x", "x"),
        ("string", {}, 5, "5"),
        ("string", {}, True, "true"),
        ("string", {"trim": True}, "  x ", "x"),
        ("text", {}, "a\0b", "a\\0b"),
        ("integer", {}, "42", 42),
        ("integer", {}, 42.0, 42),
        ("bigInt", {}, 2**53 - 1, 2**53 - 1),
        ("bigInt", {}, 2**53, str(2**53)),
        ("bigInt", {}, str(-(2**63)), str(-(2**63))),
        ("double", {}, "1.5", 1.5),
        ("decimal", {"scale": 3}, "1.5", "1.500"),
        ("decimal", {"scale": 2}, 0.1 + 0.2, "0.30"),
        ("decimal", {}, 7, "7"),
        ("boolean", {}, "true", True),
        ("boolean", {}, 0, False),
        ("date", {}, "2024-03-10T12:34:56+08:00", "2024-03-10T04:34:56.000Z"),
        ("date", {}, "2024-03-10", "2024-03-10T00:00:00.000Z"),
        ("date", {}, 1710074096000, "2024-03-10T12:34:56.000Z"),
        ("datetimeNoTz", {}, "2024-07-01T00:30:00+08:00", "2024-06-30 16:30:00"),
        ("time", {}, "12:34", "12:34:00"),
        ("unixTimestamp", {}, "2024-03-10T12:34:56.000Z", "2024-03-10T12:34:56.000Z"),
    ],
)
def test_values_arrive_as_they_should(
    kind: DatabaseKind, type_: str, options: dict[str, Any], value: Any, delivered: Any
) -> None:
    field = make_field("f", {"type": type_, **options})
    stored = field.parse(value, kind)
    decode = field.decoder(kind)
    found = decode(stored) if decode else stored
    assert (found, type(found)) == (delivered, type(delivered))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("string", "x" * 256), ("string", {"a": 1}), ("string", ["a"]), ("integer", ""), ("integer", "1.5"),
        ("integer", 2**31), ("integer", True), ("bigInt", 2**63), ("double", "NaN"), ("double", ""),
        ("double", False), ("decimal", "1e400"), ("decimal", "12.34"), ("decimal", 0.5), ("decimal", "x"),
        ("decimal", "Infinity"), ("boolean", ""), ("boolean", 2), ("date", ""), ("date", "2024-02-30"),
        ("date", 1e300), ("dateOnly", ""), ("dateOnly", 5), ("time", "25:00"), ("uuid", "x"), ("array", 5),
        ("array", "abc"), ("unixTimestamp", "abc"), ("uid", "a b"), ("password", 5),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(kind: DatabaseKind, type_: str, value: Any) -> None:
    with pytest.raises(InvalidValue):
        make_field("f", {"type": type_}).parse(value, kind)


@given(
    st.sampled_from(sorted(FIELD_TYPES)),
    st.sampled_from(KINDS),
    st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.lists(st.integers()), st.just({})),
)
def test_any_value_is_taken_or_refused(type_: str, kind: DatabaseKind, value: Any) -> None:
    field = make_field("f", {"type": type_})
    try:
        field.parse(value, kind)
    except AtollError as error:
        assert error.status == 400


def test_sqlite_refuses_digits_it_cannot_keep() -> None:
    field = make_field("f", {"type": "decimal", "precision": 30, "scale": 10})
    assert field.parse("12345678901234567890.5", "postgres") == Decimal("12345678901234567890.5")
    with pytest.raises(InvalidValue, match="15 digits"):
        field.parse("12345678901234567890.5", "sqlite")


def test_unknown_types_name_the_known_ones() -> None:
    with pytest.raises(BadRequest, match="string"):
        make_field("f", {"type": "nonsense"})
