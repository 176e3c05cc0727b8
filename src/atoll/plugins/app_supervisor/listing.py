"""Filter, sort and pages over rows that are computed and not stored (http-api.md 3.2 and 4, the common
part).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from atoll.application.context import Page
from atoll.errors import BadRequest

Row = Mapping[str, Any]
_PAGE_SIZE = 20


def listed(rows: Sequence[Row], params: Mapping[str, Any]) -> Page | list[Row]:
    """The rows that a list request asks for; a plain list with `paginate=false`."""
    found = [row for row in rows if matches(row, params.get("filter") or {})]
    for part in reversed(_names(params.get("sort"))):
        name, descending = (part[1:], True) if part.startswith("-") else (part, False)
        _known(name, rows)
        found.sort(key=lambda row: _order(row.get(name)), reverse=descending)
    fields = _names(params.get("fields"))
    if fields:
        found = [{name: value for name, value in row.items() if name in fields} for row in found]
    if str(params.get("paginate")).lower() == "false":
        return list(found)
    page, size = _whole(params.get("page"), "page", 1), _whole(params.get("pageSize"), "pageSize", _PAGE_SIZE)
    total = len(found)
    meta = {"count": total, "page": page, "pageSize": size, "totalPage": -(-total // size)}
    return Page(list(found[(page - 1) * size : page * size]), meta)


def matches(row: Row, condition: Any) -> bool:
    """Whether a row fulfils a filter; unknown operators and fields are refused with BadRequest."""
    if not isinstance(condition, Mapping):
        raise BadRequest("`filter` must be a JSON object")
    return all(_part(row, key, value) for key, value in condition.items())


def _part(row: Row, key: str, value: Any) -> bool:
    if key in ("$and", "$or"):
        if not isinstance(value, list):
            raise BadRequest(f"`{key}` takes a list of conditions")
        results = [matches(row, each) for each in value]
        return all(results) if key == "$and" else any(results) or not results
    if key.startswith("$"):
        raise BadRequest(f"Unknown operator {key!r} in `filter`")
    name, _, operator = key.partition(".")
    if name not in row:
        raise BadRequest(f"Unknown field {name!r} in `filter`")
    tests = value if isinstance(value, Mapping) and not operator else {operator or "$eq": value}
    return all(_test(row[name], each, wanted) for each, wanted in tests.items())


_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda value, wanted: bool(value == wanted),
    "$ne": lambda value, wanted: bool(value != wanted),
    "$in": lambda value, wanted: value in _list(wanted),
    "$notIn": lambda value, wanted: value not in _list(wanted),
    "$includes": lambda value, wanted: _contains(value, wanted),
    "$notIncludes": lambda value, wanted: not _contains(value, wanted),
    "$empty": lambda value, _: value in (None, "", [], ()),
    "$notEmpty": lambda value, _: value not in (None, "", [], ()),
    "$isTruly": lambda value, _: value is True,
    "$isFalsy": lambda value, _: value is not True,
    "$gt": lambda value, wanted: _order(value) > _order(wanted),
    "$gte": lambda value, wanted: _order(value) >= _order(wanted),
    "$lt": lambda value, wanted: value is not None and _order(value) < _order(wanted),
    "$lte": lambda value, wanted: value is not None and _order(value) <= _order(wanted),
}


def _test(value: Any, operator: str, wanted: Any) -> bool:
    test = _TESTS.get(operator)
    if test is None:
        raise BadRequest(f"Unknown operator {operator!r} in `filter`; known: {', '.join(_TESTS)}")
    return test(value, wanted)


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return wanted in value
    return any(str(each).lower() in str(value or "").lower() for each in _list(wanted))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _order(value: Any) -> tuple[int, float, str]:
    """Nothing first, then numbers, then texts without regard to case."""
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, (bool, int, float)):
        return (1, float(value), "")
    return (2, 0.0, str(value).lower())


def _names(value: Any) -> list[str]:
    if not value:
        return []
    return [name for part in _list(value) for name in str(part).split(",") if name]


def _known(name: str, rows: Sequence[Row]) -> None:
    if rows and name not in rows[0]:
        raise BadRequest(f"Unknown field {name!r} in `sort`")


def _whole(value: Any, name: str, default: int) -> int:
    if value is None:
        return default
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise BadRequest(f"`{name}` must be a whole number from 1")
    return number
