"""The filter operators: what each one means for a field and an operand, as a small tree of plain conditions.

A condition is a tuple whose text parts depend on the filter's shape only; values go into a separate list. The
same shape is thus compiled to SQL once, whatever the values are.

    ("null", field) ("notnull", field) ("never",) ("always",)
    ("eq" | "ne" | "gt" | "gte" | "lt" | "lte", field)           one value
    ("in" | "notin", field)                                      one value, a list
    ("between" | "notbetween", field)                            two values
    ("like" | "notlike", field)                                  one value, a case-insensitive pattern
    ("pattern", field, operator)                                 one value, a raw pattern
    ("column", field, other field)
    ("size0", field) ("any", field) ("same", field)              list columns
    ("and" | "or", condition, ...) ("not", condition) ("related", relation, condition)
    ("linked", field, through, foreign key, other key)           one value: what is linked to it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import Any, Final

from atoll.application.fields.base import DatabaseKind, Field
from atoll.application.fields.date_only import DateOnlyField
from atoll.application.fields.datetime import stored
from atoll.application.fields.datetime_no_tz import DateTimeNoTzField
from atoll.application.fields.json import ArrayField
from atoll.application.fields.string import StringField
from atoll.application.records.dates import Span, bad_operand, read_between, read_span
from atoll.errors import BadRequest, InvalidValue

Condition = tuple[Any, ...]


@dataclass(slots=True)
class Reading:
    """The state while one filter is read: the values found so far and what they are read with."""

    kind: DatabaseKind
    zone: Callable[[], tzinfo]
    now: datetime
    user_id: int | None
    values: list[Any] = field(default_factory=list)

    def add(self, column: Field, value: Any) -> None:
        """Reads one operand as a value of the column."""
        self.values.append(column.operand(value, self.kind))


Operator = Callable[[Field, Any, Reading], Condition]


def equal(column: Field, operand: Any, reading: Reading) -> Condition:
    """`$eq`: null is IS NULL, a list is IN."""
    if operand is None:
        return ("null", column.name)
    if isinstance(operand, list) and column.category != "array":
        return one_of(column, operand, reading)
    reading.add(column, operand)
    return ("eq", column.name)


def not_equal(column: Field, operand: Any, reading: Reading) -> Condition:
    """`$ne`: rows without a value count as different."""
    if operand is None:
        return ("notnull", column.name)
    if isinstance(operand, list) and column.category != "array":
        reading.values.append([column.operand(item, reading.kind) for item in operand if item is not None])
        return ("notin", column.name)
    reading.add(column, operand)
    return ("or", ("ne", column.name), ("null", column.name))


def is_not(column: Field, operand: Any, reading: Reading) -> Condition:
    """`$not` on a field: plain inequality, rows without a value do not match."""
    if operand is None:
        return ("notnull", column.name)
    reading.add(column, operand)
    return ("ne", column.name)


def one_of(column: Field, operand: Any, reading: Reading) -> Condition:
    """`$in`: a null in the list is ignored."""
    items = operand if isinstance(operand, list) else [operand]
    found = [column.operand(item, reading.kind) for item in items if item is not None]
    if not found:
        return ("never",)
    reading.values.append(found)
    return ("in", column.name)


def none_of(column: Field, operand: Any, reading: Reading) -> Condition:
    """`$notIn`: rows without a value match; of an empty list nothing but those."""
    items = operand if isinstance(operand, list) else [operand]
    found = [column.operand(item, reading.kind) for item in items if item is not None]
    if not found:
        return ("null", column.name)
    reading.values.append(found)
    return ("or", ("notin", column.name), ("null", column.name))


def _compare(name: str) -> Operator:
    def compare(column: Field, operand: Any, reading: Reading) -> Condition:
        if operand is None:
            return ("never",)
        reading.add(column, operand)
        return (name, column.name)

    return compare


def _between(name: str) -> Operator:
    def between(column: Field, operand: Any, reading: Reading) -> Condition:
        if not isinstance(operand, list) or len(operand) != 2 or None in operand:
            raise InvalidValue(f"{column.title}: expected a list of two values")
        for item in operand:
            reading.add(column, item)
        return (name, column.name)

    return between


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _text(before: str, after: str, *, negative: bool) -> Operator:
    verb, joiner, nothing = ("notlike", "and", "notnull") if negative else ("like", "or", "null")

    def match(column: Field, operand: Any, reading: Reading) -> Condition:
        if operand is None:
            return (nothing, column.name)
        items = operand if isinstance(operand, list) else [operand]
        if not all(isinstance(item, str) for item in items):
            raise InvalidValue(f"{column.title}: expected a text to search for")
        if not items:
            return ("always",) if negative else ("never",)
        reading.values.extend(before + _escaped(item) + after for item in items)
        conditions = tuple((verb, column.name) for _ in items)
        return conditions[0] if len(conditions) == 1 else (joiner, *conditions)

    return match


def _pattern(name: str, before: str = "", after: str = "") -> Operator:
    def match(column: Field, operand: Any, reading: Reading) -> Condition:
        if not isinstance(operand, str):
            raise InvalidValue(f"{column.title}: expected a pattern")
        if reading.kind == "sqlite" and name.lower().endswith("regexp"):
            raise InvalidValue(
                "Regular expressions are not supported by this database; use $like or $includes"
            )
        reading.values.append(before + operand + after)
        return ("pattern", column.name, name)

    return match


def _empty(column: Field, operand: Any, reading: Reading) -> Condition:
    if isinstance(column, StringField):
        reading.values.append("")
        return ("or", ("eq", column.name), ("null", column.name))
    if isinstance(column, ArrayField):
        return ("or", ("size0", column.name), ("null", column.name))
    return ("null", column.name)


def _negated(operator: Operator) -> Operator:
    def negated(column: Field, operand: Any, reading: Reading) -> Condition:
        return ("not", operator(column, operand, reading))

    return negated


def _truth(wanted: bool) -> Operator:
    def truth(column: Field, operand: Any, reading: Reading) -> Condition:
        if column.category != "boolean":
            raise InvalidValue(f"{column.title}: the field is not true or false")
        answer = wanted if operand in (True, "true", 1, "1", None, "") else not wanted
        reading.values.append(column.parse(answer, reading.kind))
        return ("eq", column.name) if answer else ("or", ("eq", column.name), ("null", column.name))

    return truth


def _other_column(column: Field, operand: Any, reading: Reading) -> Condition:
    if not isinstance(operand, str):
        raise InvalidValue(f"{column.title}: expected the name of another field")
    return ("column", column.name, operand)


def _current_user(column: Field, operand: Any, reading: Reading) -> Condition:
    reading.add(column, -1 if reading.user_id is None else reading.user_id)
    return ("eq", column.name)


def _other_user(column: Field, operand: Any, reading: Reading) -> Condition:
    reading.add(column, -1 if reading.user_id is None else reading.user_id)
    return ("ne", column.name)


def _list_items(column: Field, operand: Any) -> list[Any]:
    if column.category != "array":
        raise InvalidValue(f"{column.title}: the field is not a list")
    items = operand if isinstance(operand, list) else [operand]
    if not items:
        raise InvalidValue(f"{column.title}: expected at least one value")
    return items


def _same_set(column: Field, operand: Any, reading: Reading) -> Condition:
    reading.values.append(column.parse(_list_items(column, operand), reading.kind))
    return ("same", column.name)


def _any_of(column: Field, operand: Any, reading: Reading) -> Condition:
    reading.values.append([str(item) for item in _list_items(column, operand)])
    return ("any", column.name)


def _or_null(operator: Operator) -> Operator:
    def or_null(column: Field, operand: Any, reading: Reading) -> Condition:
        return ("or", ("not", operator(column, operand, reading)), ("null", column.name))

    return or_null


def _list_empty(column: Field, operand: Any, reading: Reading) -> Condition:
    _list_items(column, [0])
    return ("or", ("size0", column.name), ("null", column.name))


# -- dates -----------------------------------------------------------------------------------------------


def _bound(column: Field, moment: datetime, reading: Reading) -> None:
    if isinstance(column, DateOnlyField):
        value: Any = column.stored(moment.date(), reading.kind)
    elif isinstance(column, DateTimeNoTzField):
        value = column.stored(moment, reading.kind)
    elif column.type == "unixTimestamp":
        value = column.operand(moment.isoformat(), reading.kind)
    else:
        value = stored(moment.astimezone(UTC), reading.kind)
    reading.values.append(value)


def _span(
    column: Field, operand: Any, reading: Reading, read: Callable[[Any, tzinfo, datetime], Span]
) -> Span:
    """Calendar fields take days and times as written; relative spans are the caller's even there."""
    if column.category not in ("instant", "wall", "day") and column.type != "unixTimestamp":
        raise InvalidValue(f"{column.title}: the field is not a date")
    if operand is None or operand == "":
        raise bad_operand(operand)
    if column.category == "instant" or column.type == "unixTimestamp":
        return read(operand, reading.zone(), reading.now)
    if isinstance(operand, Mapping):
        span = read(operand, reading.zone(), reading.now)
        return Span(span.start.replace(tzinfo=UTC), span.end.replace(tzinfo=UTC) if span.end else None)
    return read(operand, UTC, reading.now)


def _date(when_span: tuple[tuple[str, str], ...], when_instant: str, joiner: str = "and") -> Operator:
    def compare(column: Field, operand: Any, reading: Reading) -> Condition:
        span = _span(column, operand, reading, read_span)
        if span.end is None:
            _bound(column, span.start, reading)
            return (when_instant, column.name)
        for _, edge in when_span:
            _bound(column, span.start if edge == "start" else span.end, reading)
        conditions = tuple((verb, column.name) for verb, _ in when_span)
        return conditions[0] if len(conditions) == 1 else (joiner, *conditions)

    return compare


def _date_between(column: Field, operand: Any, reading: Reading) -> Condition:
    if column.category == "instant" and isinstance(operand, list) and len(operand) < 4:
        span = read_between(
            operand, UTC, reading.now
        )  # plain days of a pair are not shifted to the caller's zone
    else:
        span = _span(column, operand, reading, read_between)
    if span.end is None:
        _bound(column, span.start, reading)
        return ("eq", column.name)
    _bound(column, span.start, reading)
    _bound(column, span.end, reading)
    return ("and", ("gte", column.name), ("lt", column.name))


OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType(
    {
        "$eq": equal,
        "$is": equal,
        "$ne": not_equal,
        "$not": is_not,
        "$gt": _compare("gt"),
        "$gte": _compare("gte"),
        "$lt": _compare("lt"),
        "$lte": _compare("lte"),
        "$in": one_of,
        "$notIn": none_of,
        "$notin": none_of,
        "$not_in": none_of,
        "$between": _between("between"),
        "$notBetween": _between("notbetween"),
        "$includes": _text("%", "%", negative=False),
        "$notIncludes": _text("%", "%", negative=True),
        "$startsWith": _text("", "%", negative=False),
        "$notStartsWith": _text("", "%", negative=True),
        "$endWith": _text("%", "", negative=False),
        "$notEndWith": _text("%", "", negative=True),
        "$like": _pattern("like"),
        "$notLike": _pattern("notlike"),
        "$iLike": _pattern("ilike"),
        "$notILike": _pattern("notilike"),
        "$endsWith": _pattern("like", before="%"),
        "$substring": _pattern("like", before="%", after="%"),
        "$regexp": _pattern("regexp"),
        "$notRegexp": _pattern("notregexp"),
        "$iRegexp": _pattern("iregexp"),
        "$notIRegexp": _pattern("notiregexp"),
        "$exists": lambda column, operand, reading: ("notnull", column.name),
        "$notExists": lambda column, operand, reading: ("null", column.name),
        "$empty": _empty,
        "$notEmpty": _negated(_empty),
        "$isTruly": _truth(True),
        "$isFalsy": _truth(False),
        "$col": _other_column,
        "$isCurrentUser": _current_user,
        "$isNotCurrentUser": _other_user,
        "$match": _same_set,
        "$notMatch": _negated(_same_set),
        "$anyOf": _any_of,
        "$noneOf": _or_null(_any_of),
        "$arrayEmpty": _list_empty,
        "$arrayNotEmpty": _negated(_list_empty),
        "$dateOn": _date((("gte", "start"), ("lt", "end")), "eq"),
        "$dateNotOn": _date((("lt", "start"), ("gte", "end")), "ne", joiner="or"),
        "$dateBefore": _date((("lt", "start"),), "lt"),
        "$dateNotBefore": _date((("gte", "start"),), "gte"),
        "$dateAfter": _date((("gte", "end"),), "gt"),
        "$dateNotAfter": _date((("lt", "end"),), "lte"),
        "$dateBetween": _date_between,
    }
)


def operator(name: str) -> Operator:
    """The operator of that name; raises BadRequest for an unknown one."""
    found = OPERATORS.get(name)
    if found is None:
        raise BadRequest(f"Unknown filter operator {name!r}")
    return found
