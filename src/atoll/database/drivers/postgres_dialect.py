"""How SQLAlchemy writes SQL and values for asyncpg. The Python types are those of the table in base.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import types
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import BindParameter

from atoll.database.drivers.sqlite_dialect import encode_json, parse_uuid

Processor = Callable[[Any], Any]


def _json_text(value: Any) -> str:
    return "null" if value is types.JSON.NULL else encode_json(value)


class _JSON(postgresql.JSON):
    render_bind_cast = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _json_text


class _JSONB(postgresql.JSONB):
    render_bind_cast = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _json_text


class _Uuid(types.Uuid[Any]):
    render_bind_cast = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return parse_uuid


class _Compiler(asyncpg.PGCompiler_asyncpg):
    """IN takes its list as one array parameter, so that the text does not depend on its length."""

    def visit_in_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._membership(binary, "= ANY", **kw) or self._generate_generic_binary(binary, " IN ", **kw)

    def visit_not_in_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        text = self._membership(binary, "<> ALL", **kw) or self._generate_generic_binary(
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
        listed.type = postgresql.ARRAY(values.type)
        return f"{self.process(binary.left, **kw)} {word} ({self.process(listed, **kw)})"

    def render_bind_cast(self, type_: Any, dbapi_type: Any, sqltext: str) -> str:
        # A cast to NUMERIC(p, s) would round what a filter compares with, before the comparison.
        if isinstance(dbapi_type, types.Numeric) and not isinstance(dbapi_type, types.Float):
            return f"{sqltext}::NUMERIC"
        return str(super().render_bind_cast(type_, dbapi_type, sqltext))  # type: ignore[no-untyped-call]


class AtollPostgresDialect(asyncpg.PGDialect_asyncpg):
    """PostgreSQL's dialect with Atoll's types; compiles only, never connects."""

    supports_statement_cache = False
    statement_compiler = _Compiler
    colspecs = {  # noqa: RUF012 - declared so by SQLAlchemy
        **asyncpg.PGDialect_asyncpg.colspecs,
        types.JSON: _JSON,
        postgresql.JSON: _JSON,
        postgresql.JSONB: _JSONB,
        types.Uuid: _Uuid,
    }

    def __init__(self) -> None:
        super().__init__(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
