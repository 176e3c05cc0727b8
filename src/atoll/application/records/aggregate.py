"""`query`: sums, counts and groups, worked out by the database (http-api.md 3.12)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from decimal import Decimal
from functools import reduce
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Double,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import INTERVAL

from atoll.application.collections.model import Collection, Lookup
from atoll.application.fields.base import Field
from atoll.application.fields.integer import safe_number
from atoll.application.fields.unix_timestamp import UnixTimestampField
from atoll.application.records.conditions import Joins, restrict
from atoll.application.records.operators import Condition
from atoll.application.records.rights import Rights, refused, shown
from atoll.errors import BadRequest

Body = Mapping[str, Any]
DEFAULT_LIMIT: Final = 2_000
_AGGREGATIONS: Final = ("sum", "count", "avg", "min", "max")
_TOKEN = re.compile(r"YYYY|MM|DD|HH|mm|ss|Q")
_DATES: Final = frozenset({"instant", "wall", "day"})
_STRFTIME: Final = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_TO_CHAR: Final = {"YYYY": "YYYY", "MM": "MM", "DD": "DD", "HH": "HH24", "mm": "MI", "ss": "SS", "Q": "Q"}
_COMPARISONS: Final = ("$gt", "$gte", "$lt", "$lte", "$between", "$is")
_LARGEST: Final = 2**53


@dataclass(frozen=True, slots=True)
class Selected:
    """One value of each row of the answer.

    Attributes:
        name: its key in the answer.
        path: the field that it comes from.
        number: whether it is worked out as a number, whatever the field is.
        aggregated: whether it is worked out from several records.
        text: whether it is a formatted date.
    """

    name: str
    path: tuple[str, ...]
    field: Field
    expression: ColumnElement[Any]
    number: bool = False
    aggregated: bool = False
    text: bool = False


class Aggregation:
    """One question, read and checked against what its caller may see; raises BadRequest and Forbidden.

    Args:
        zone: formatted dates are wall clock times in it.
    """

    def __init__(
        self, collection: Collection, body: Body, lookup: Lookup, rights: Rights, zone: Callable[[], tzinfo]
    ) -> None:
        self._collection = collection
        self._lookup = lookup
        self._rights = rights
        self._zone = zone
        self._joins = Joins(collection, lookup, collection.table)
        self._body = body
        measures = [self._measure(each) for each in _objects(body, "measures")]
        dimensions = [self._dimension(each) for each in _objects(body, "dimensions")]
        if not measures and not dimensions:
            raise BadRequest("`measures` or `dimensions` is required: what the answer is made of")
        self._selected = [*measures, *dimensions]
        self._aggregated = any(each.aggregated for each in measures)
        self._limited = bool(dimensions) or not measures
        self._others: list[ColumnElement[Any]] = []

    def statement(self, condition: Condition | None) -> Select[Any]:
        """The SELECT; values of the condition are its parameters, all others are bound already."""
        labelled = [each.expression.label(f"c{index}") for index, each in enumerate(self._selected)]
        order = self._order()
        having = self._body.get("having")
        inner = restrict(self._collection, select(*labelled), condition, self._lookup, self._joins)
        if self._aggregated:
            positions = [index for index, each in enumerate(self._selected, 1) if not each.aggregated]
            inner = inner.group_by(*(literal_column(str(index)) for index in positions))
        if having:
            inner = self._having(inner, having)
        inner = inner.order_by(*order)
        limit, offset = self._number("limit", DEFAULT_LIMIT), self._number("offset", 0)
        if self._limited or "limit" in self._body:
            inner = inner.limit(limit)
        return inner.offset(offset) if offset else inner

    def rows(self, found: list[Any]) -> list[dict[str, Any]]:
        """Driver rows in their JSON form."""
        decoders = [self._decoder(each) for each in self._selected]
        return [
            {
                each.name: None if value is None else decode(value)
                for each, decode, value in zip(self._selected, decoders, row, strict=True)
            }
            for row in found
        ]

    # -- what is selected ------------------------------------------------------------------------------

    def _measure(self, given: Body) -> Selected:
        path, field, column = self._place(given)
        name = _alias(given, path)
        kind = given.get("aggregation")
        if not kind:
            return Selected(name, path, field, column)
        if kind not in _AGGREGATIONS:
            raise BadRequest(f"`aggregation` is one of {', '.join(_AGGREGATIONS)}, not {kind!r}")
        if kind in ("sum", "avg") and (field.category != "number" or isinstance(field, UnixTimestampField)):
            raise BadRequest(f"{'.'.join(path)!r} is no number: its {kind} means nothing")
        if field.category in ("json", "array", "boolean", "uuid") and kind in ("min", "max"):
            raise BadRequest(f"Values of {'.'.join(path)!r} have no order: their {kind} means nothing")
        distinct = given.get("distinct") in (True, "true")
        if distinct and field.category == "json":
            raise BadRequest(
                f"Values of {'.'.join(path)!r} cannot be compared: count them without `distinct`"
            )
        value = column.distinct() if distinct else column
        aggregated: ColumnElement[Any] = getattr(func, kind)(value)
        return Selected(
            name, path, field, aggregated, number=kind in ("sum", "count", "avg"), aggregated=True
        )

    def _dimension(self, given: Body) -> Selected:
        path, field, column = self._place(given)
        if field.category == "json":
            raise BadRequest(f"{'.'.join(path)!r} cannot be grouped by: its values cannot be compared")
        pattern = given.get("format")
        dated = field.category in _DATES or isinstance(field, UnixTimestampField)
        if isinstance(pattern, str) and pattern and dated:
            return Selected(
                _alias(given, path), path, field, self._formatted(field, column, pattern), text=True
            )
        return Selected(_alias(given, path), path, field, column)

    def _place(self, given: Body) -> tuple[tuple[str, ...], Field, ColumnElement[Any]]:
        raw = given.get("field")
        path = tuple(raw.split(".")) if isinstance(raw, str) else tuple(raw) if isinstance(raw, list) else ()
        if not path or not all(isinstance(step, str) for step in path):
            raise BadRequest("`field` is required: a name, or a relation and a name")
        if len(path) > 2:
            raise BadRequest(f"{'.'.join(path)!r}: one relation can be followed, not more")
        here = self._collection
        for step in path[:-1]:
            self._check_shown(here, step)
            relation = here.relations.get(step)
            target = self._lookup(relation.target) if relation is not None else None
            if target is None:
                raise BadRequest(f"Unknown field {'.'.join(path)!r} for {self._collection.name!r}")
            right = self._rights.on(target, "view")
            if right is None or right.scope is not None:
                raise refused()  # sums over records that are not all shown would tell about the others
            here = target
        self._check_shown(here, path[-1])
        field = here.fields.get(path[-1])
        if field is None or field.hidden:
            raise BadRequest(f"Unknown field {'.'.join(path)!r} for {self._collection.name!r}")
        _, table = self._joins.place(path[:-1])
        return path, field, table.c[path[-1]]

    def _check_shown(self, collection: Collection, name: str) -> None:
        readable = shown(collection, self._rights.on(collection, "view"))
        if readable is not None and name not in readable:
            raise refused()

    def _formatted(self, field: Field, column: ColumnElement[Any], pattern: str) -> ColumnElement[Any]:
        """A date as text: the tokens YYYY MM DD HH mm ss Q, everything else as it stands."""
        part = self._in_sqlite(field, column)
        if self._collection.kind == "postgres":
            part = self._in_postgres(field, column)
        pieces: list[ColumnElement[Any]] = []
        end = 0
        for match in _TOKEN.finditer(pattern):
            if match.start() > end:
                pieces.append(bindparam(None, pattern[end : match.start()], type_=Text()))
            pieces.append(part(match[0]))
            end = match.end()
        if end < len(pattern):
            pieces.append(bindparam(None, pattern[end:], type_=Text()))
        return reduce(lambda left, right: left.op("||")(right), pieces)

    def _shift(self, field: Field) -> timedelta:
        return (
            (self._zone().utcoffset(None) or timedelta())
            if field.category in ("instant", "number")
            else timedelta()
        )

    def _in_postgres(self, field: Field, column: ColumnElement[Any]) -> Callable[[str], ColumnElement[Any]]:
        moment = column
        if isinstance(field, UnixTimestampField):
            moment = func.to_timestamp(cast(column, Double) / float(field.per_second))
        if field.category in ("instant", "number"):
            shift = cast(bindparam(None, self._shift(field), type_=INTERVAL()), INTERVAL)
            moment = func.timezone(literal_column("'UTC'"), moment) + shift
        return lambda token: func.to_char(moment, literal_column(f"'{_TO_CHAR[token]}'"))

    def _in_sqlite(self, field: Field, column: ColumnElement[Any]) -> Callable[[str], ColumnElement[Any]]:
        minutes = f"{self._shift(field).total_seconds() / 60:+g} minutes"
        more: list[Any] = [minutes]
        if isinstance(field, UnixTimestampField):
            column, more = column / field.per_second, ["unixepoch", minutes]

        def part(what: str) -> ColumnElement[Any]:
            if what == "Q":
                month = cast(func.strftime("%m", column, *more), Integer)
                return cast((month + 2) // 3, Text)
            return func.strftime(_STRFTIME[what], column, *more)

        return part

    # -- order, conditions on results, limits ------------------------------------------------------------

    def _order(self) -> list[ColumnElement[Any]]:
        order: list[ColumnElement[Any]] = []
        for given in _objects(self._body, "orders"):
            column = self._ordered(given)
            column = column.desc() if str(given.get("order")).lower() == "desc" else column.asc()
            order.append(column.nulls_first() if given.get("nulls") == "first" else column.nulls_last())
        return order

    def _ordered(self, given: Body) -> ColumnElement[Any]:
        alias, raw = given.get("alias"), given.get("field")
        path = tuple(raw.split(".")) if isinstance(raw, str) else tuple(raw) if isinstance(raw, list) else ()
        for index, each in enumerate(self._selected, 1):
            if alias == each.name if alias else path == each.path:
                return literal_column(str(index))
        for index, each in enumerate(self._selected, 1):
            if path == each.path:
                return literal_column(str(index))
        if self._aggregated:
            raise BadRequest(f"`orders`: {'.'.join(map(str, path))!r} is not part of the answer")
        if self._body.get("having"):
            raise BadRequest("`orders` beside `having` take what is part of the answer")
        return self._place(given)[2]

    def _having(self, inner: Select[Any], having: Any) -> Select[Any]:
        if not isinstance(having, Mapping):
            raise BadRequest("`having` is an object: names of the answer with conditions")
        rows = inner.subquery("answer")
        by_name = {}
        for index, each in enumerate(self._selected):
            by_name[each.name] = (each, rows.c[f"c{index}"])
            by_name.setdefault(".".join(each.path), (each, rows.c[f"c{index}"]))
        outer = select(*rows.c)
        for name, wanted in having.items():
            if name not in by_name:
                raise BadRequest(f"`having`: {name!r} is not part of the answer")
            conditions = wanted if isinstance(wanted, Mapping) else {"=": wanted}
            for verb, operand in conditions.items():
                outer = outer.where(self._condition(*by_name[name], verb, operand))
        return outer

    def _condition(
        self, each: Selected, column: ColumnElement[Any], verb: str, operand: Any
    ) -> ColumnElement[bool]:
        if verb not in (*_COMPARISONS, "="):
            raise BadRequest(
                f"`having`: {verb!r} is not possible on results; a value, or one of {', '.join(_COMPARISONS)}"
            )
        if operand is None:
            return column.is_(None)
        if verb == "$is":
            raise BadRequest("`having`: `$is` takes null")
        if each.number:
            column = cast(column, Double)
        if verb == "$between":
            if not isinstance(operand, list) or len(operand) != 2:
                raise BadRequest("`having`: `$between` takes two values")
            return column.between(self._operand(each, operand[0]), self._operand(each, operand[1]))
        value = self._operand(each, operand)
        comparisons: Mapping[str, Callable[[], ColumnElement[bool]]] = {
            "=": lambda: column == value,
            "$gt": lambda: column > value,
            "$gte": lambda: column >= value,
            "$lt": lambda: column < value,
            "$lte": lambda: column <= value,
        }
        return comparisons[verb]()

    def _operand(self, each: Selected, value: Any) -> ColumnElement[Any]:
        if each.number:
            try:
                return bindparam(None, float(value), type_=Double())
            except (TypeError, ValueError, OverflowError):
                raise BadRequest(f"`having`: {value!r} is not a number") from None
        if each.text:
            return bindparam(None, str(value), type_=Text())
        place, _ = self._joins.place(each.path[:-1])
        kind = place.table.c[each.path[-1]].type
        return bindparam(None, each.field.operand(value, self._collection.kind), type_=kind)

    def _number(self, name: str, default: int) -> int:
        value = self._body.get(name)
        if value is None:
            return default
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
            raise BadRequest(f"`{name}` must be a whole number from 0")
        return value

    def _decoder(self, each: Selected) -> Callable[[Any], Any]:
        if each.number:
            return _as_number
        decode = None if each.text else each.field.decoder(self._collection.kind)
        return decode or _as_number


def _objects(body: Body, name: str) -> list[Body]:
    given = body.get(name) or []
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        raise BadRequest(f"`{name}` is a list of objects")
    return given


def _alias(given: Body, path: tuple[str, ...]) -> str:
    alias = given.get("alias")
    return alias if isinstance(alias, str) and alias else ".".join(path)


def _as_number(value: Any) -> Any:
    """Numbers as JSON has them; anything else as it is."""
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    return safe_number(value) if isinstance(value, int) and not isinstance(value, bool) else value
