"""SQLAlchemy Core statements as driver-ready SQL text, compiled once and bound many times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Dialect
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

Row = tuple[Any, ...]
Processor = Callable[[Any], Any]


class Required:
    """Stands for "no default": the caller must give this parameter."""


@dataclass(frozen=True, slots=True)
class CompiledStatement:
    """SQL text for one database and what is needed to bind values and to read rows. May be kept and shared.

    The text never changes with the values: `column.in_(...)` takes its list as one parameter.

    Attributes:
        sql: text with the driver's placeholders (`$1` or `?`). Values are never part of it.
        columns: names of the result's columns; empty when the statement returns no rows.
        parameters: the names `bind` takes; parameters made from literal values have none.
    """

    sql: str
    columns: tuple[str, ...]
    parameters: tuple[str, ...]
    slots: tuple[tuple[str, Any, Processor | None], ...]
    readers: tuple[tuple[int, Processor], ...]

    def bind(self, params: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
        """The arguments for the driver, in order.

        `params` maps parameter names to values; parameters with a value in the statement may be left out.
        Raises ValueError for a missing one and `InvalidValue` for a value its column type cannot hold.
        """
        given: Mapping[str, Any] = params or {}
        bound = []
        for key, default, processor in self.slots:
            value = given.get(key, default)
            if value is not None:
                if value is Required:
                    raise ValueError(f"the statement needs a value for parameter {key!r}")
                if processor is not None:
                    value = processor(value)
            bound.append(value)
        return tuple(bound)

    def read(self, rows: list[Row]) -> list[Row]:
        """Rows as the driver gave them, turned into the Python types of the columns (drivers/base.py)."""
        if not self.readers or not rows:
            return rows
        readers = self.readers
        result = []
        for row in rows:
            values = list(row)
            for index, reader in readers:
                value = values[index]
                if value is not None:
                    values[index] = reader(value)
            result.append(tuple(values))
        return result


def compile_statement(
    dialect: Dialect,
    statement: ClauseElement,
    schema: str | None,
    keys: Sequence[str] | None,
    *,
    read_types: bool,
) -> CompiledStatement:
    """Compiles for `dialect`; tables without a schema of their own are put into `schema`.

    Args:
        keys: columns to be written, for `insert(table)` and `update(table)` without `values`.
        read_types: whether the driver needs help to give the Python types of the columns.
    """
    schemas: dict[str, Any] = (
        {"schema_translate_map": {None: schema}, "render_schema_translate": True} if schema else {}
    )
    if isinstance(statement, ExecutableDDLElement):
        return CompiledStatement(str(statement.compile(dialect=dialect, **schemas)).strip(), (), (), (), ())
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(keys) if keys else None, **schemas)
    if not isinstance(compiled, SQLCompiler):
        raise CompileError(f"not a statement: {type(statement).__name__}")
    if compiled.post_compile_params or compiled.literal_execute_params:
        raise CompileError(
            "the text of this statement would change with its values (tuple IN, literal_execute)"
        )
    if compiled.insert_prefetch or compiled.update_prefetch:
        names = ", ".join(c.name for c in (*compiled.insert_prefetch, *compiled.update_prefetch))
        raise CompileError(f"column defaults computed in Python are not supported, pass the values: {names}")
    slots = []
    for name in compiled.positiontup or ():
        parameter = compiled.binds[name]
        processor = parameter.type.dialect_impl(dialect).bind_processor(dialect)
        slots.append(
            (str(parameter.key), Required if parameter.required else parameter.effective_value, processor)
        )
    described = compiled._result_columns  # noqa: SLF001 - the only place that lists types per result position
    readers = []
    if read_types:
        for index, column in enumerate(described):
            reader = column.type.dialect_impl(dialect).result_processor(dialect, None)
            if reader is not None:
                readers.append((index, reader))
    return CompiledStatement(
        sql=compiled.string,
        columns=tuple(column.keyname for column in described),
        parameters=tuple(key for key, _, _ in slots if not key.startswith("%(")),
        slots=tuple(slots),
        readers=tuple(readers),
    )
