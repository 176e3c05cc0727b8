"""How SQLAlchemy writes SQL and values for SQLite. The Python types are those of the table in base.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import types
from sqlalchemy.dialects.sqlite import base
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.types import TypeEngine, UserDefinedType

from atoll.errors import InvalidValue

Processor = Callable[[Any], Any]
INT64 = 2**63


def _invalid(value: object, expected: str) -> InvalidValue:
    return InvalidValue(
        f"A value does not fit its column: {expected} is expected.", detail=f"got {type(value).__name__}"
    )


def _strict(kind: type, expected: str) -> Processor:
    def process(value: Any) -> Any:
        if type(value) is not kind:
            raise _invalid(value, expected)
        return value

    return process


def _bounded(bits: int) -> Processor:
    limit = 2 ** (bits - 1)

    def process(value: Any) -> Any:
        if type(value) is not int or not -limit <= value < limit:
            raise _invalid(value, f"a whole number of {bits} bits")
        return value

    return process


class _String(types.String):
    def bind_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> Any:
            if not isinstance(value, str) or "\x00" in value:
                raise _invalid(value, "a text without NUL characters")
            return str(value)

        return process


class _SmallInteger(types.SmallInteger):
    def bind_processor(self, dialect: Dialect) -> Processor:
        return _bounded(16)


class _Integer(types.Integer):
    def bind_processor(self, dialect: Dialect) -> Processor:
        return _bounded(32)


class _BigInteger(types.BigInteger):
    def bind_processor(self, dialect: Dialect) -> Processor:
        return _bounded(64)


class _Float(types.Float[Any]):
    def bind_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> Any:
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float | Decimal)
                or not math.isfinite(value)
            ):
                raise _invalid(value, "a finite number")
            return float(value)

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return float


class _Numeric(types.Numeric[Any]):
    """Kept as INTEGER where the value is whole, else as REAL, which keeps 15 digits: more are refused."""

    def bind_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> Any:
            if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
                raise _invalid(value, "a number")
            exact = value if isinstance(value, Decimal) else Decimal(repr(value))
            if not exact.is_finite():
                raise _invalid(value, "a finite number")
            if exact == exact.to_integral_value() and abs(exact) < INT64:
                return int(exact)
            near = float(exact)
            if Decimal(repr(near)) != exact.normalize():
                raise _invalid(value, "a number of at most 15 digits (SQLite)")
            return near

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        if not self.asdecimal:
            return float
        unit = Decimal(1).scaleb(-self.scale) if self.scale is not None else None

        def process(value: Any) -> Any:
            exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
            if unit is None:
                return exact
            try:
                return exact.quantize(unit, ROUND_HALF_UP)
            except InvalidOperation:
                return exact

        return process


class _DateTime(types.DateTime):
    """Text of fixed width, so that text order is time order; a `Z` at the end marks columns with zone."""

    def bind_processor(self, dialect: Dialect) -> Processor:
        if self.timezone:

            def with_zone(value: Any) -> Any:
                if not isinstance(value, datetime) or value.tzinfo is None:
                    raise _invalid(value, "a date and time with zone")
                return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds") + "Z"

            return with_zone

        def wall_clock(value: Any) -> Any:
            if not isinstance(value, datetime) or value.tzinfo is not None:
                raise _invalid(value, "a date and time without zone")
            return value.isoformat(" ", "microseconds")

        return wall_clock

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        if not self.timezone:
            return datetime.fromisoformat

        def process(value: Any) -> datetime:
            moment = datetime.fromisoformat(value)
            return (
                moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
            )  # CURRENT_TIMESTAMP has no Z

        return process


class _Date(types.Date):
    def bind_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> Any:
            if type(value) is not date:
                raise _invalid(value, "a date")
            return value.isoformat()

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return date.fromisoformat


class _Time(types.Time):
    def bind_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> Any:
            if not isinstance(value, time):
                raise _invalid(value, "a time of day")
            return value.isoformat("microseconds")

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return time.fromisoformat


class _JSON(types.JSON):
    def bind_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> Any:
            return "null" if value is types.JSON.NULL else encode_json(value)

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        def process(value: Any) -> Any:
            return msgspec.json.decode(value) if isinstance(value, str | bytes) else value

        return process


class _Uuid(types.Uuid[Any]):
    def bind_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> Any:
            return str(parse_uuid(value))

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return UUID


class _Binary(types.LargeBinary):
    def bind_processor(self, dialect: Dialect) -> Processor:
        return _strict(bytes, "bytes")


class _JSONList(UserDefinedType[Any]):
    """A list as one JSON text, each element bound as its own type: what IN takes."""

    cache_ok = True

    def __init__(self, element: TypeEngine[Any]) -> None:
        self.element = element

    def get_col_spec(self, **_: Any) -> str:
        return "TEXT"

    def bind_processor(self, dialect: Dialect) -> Processor:
        element = self.element.dialect_impl(dialect).bind_processor(dialect)

        def process(values: Any) -> Any:
            bound = [v if v is None or element is None else element(v) for v in values]
            return encode_json(bound)

        return process


def encode_json(value: object) -> str:
    """JSON text; raises `InvalidValue` for what JSON cannot say."""
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise InvalidValue("A value cannot be written as JSON.", detail=str(error)) from None


def parse_uuid(value: object) -> UUID:
    """A UUID from itself or its text; raises `InvalidValue`."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(str(value))
    except ValueError:
        raise _invalid(value, "a UUID") from None


class _Compiler(base.SQLiteCompiler):
    """IN takes its whole list as one parameter, so that the text does not depend on the list's length."""

    def visit_in_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._membership(binary, "IN", **kw) or self._generate_generic_binary(binary, " IN ", **kw)

    def visit_not_in_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        text = self._membership(binary, "NOT IN", **kw) or self._generate_generic_binary(
            binary, " NOT IN ", **kw
        )
        return f"({text})"

    def _membership(self, binary: Any, word: str, **kw: Any) -> str | None:
        values = binary.right
        if (
            not isinstance(values, BindParameter)
            or not values.expanding
            or isinstance(values.type, types.TupleType)
        ):
            return None
        listed = values._clone(maintain_key=True)  # noqa: SLF001 - a copy under the same name
        listed.expanding = False
        listed.type = _JSONList(values.type)
        left = self.process(binary.left, **kw)
        values_text = self.process(listed, **kw)
        return f"{left} {word} (SELECT value FROM json_each({values_text}))"  # noqa: S608 - made by SQLAlchemy


class _TypeCompiler(base.SQLiteTypeCompiler):
    def visit_uuid(self, type_: Any, **kw: Any) -> str:
        return "CHAR(36)"

    def visit_UUID(self, type_: Any, **kw: Any) -> str:  # noqa: N802 - the name is SQLAlchemy's
        return "CHAR(36)"

    def visit_BIGINT(self, type_: Any, **kw: Any) -> str:  # noqa: N802
        return "BIGINT"


class AtollSQLiteDialect(base.SQLiteDialect):
    """SQLite's dialect with Atoll's types; compiles only, never connects."""

    supports_statement_cache = False
    statement_compiler = _Compiler
    type_compiler_cls = _TypeCompiler
    colspecs = {  # noqa: RUF012 - declared so by SQLAlchemy
        **base.SQLiteDialect.colspecs,
        types.String: _String,
        types.SmallInteger: _SmallInteger,
        types.Integer: _Integer,
        types.BigInteger: _BigInteger,
        types.Float: _Float,
        types.Numeric: _Numeric,
        types.DateTime: _DateTime,
        types.Date: _Date,
        types.Time: _Time,
        types.JSON: _JSON,
        types.Uuid: _Uuid,
        types.LargeBinary: _Binary,
    }

    def __init__(self) -> None:
        super().__init__(paramstyle="qmark")
