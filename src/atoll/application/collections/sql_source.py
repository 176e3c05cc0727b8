"""The statements of SQL collections: one SELECT over collections that people made, and nothing else.

A statement is read by a parser, and what the database gets is written anew from what was understood:
comments, further statements and whatever the parser passes over are not in it. Functions are those that the
parser knows by their meaning; others (that read files, wait, change settings) are refused by being unknown.
"""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from atoll.application.fields.base import DatabaseKind
from atoll.errors import BadRequest

if TYPE_CHECKING:
    from sqlglot import exp

_LONGEST = 20_000


def read_select(sql: Any, kind: DatabaseKind, allowed: Names[str], *, schema: str | None = None) -> str:
    """The statement as the database gets it; raises BadRequest when it is none that may run.

    Args:
        allowed: names of tables that may be read.
        schema: put before the tables' names.
    """
    tree = _parsed(sql, kind)
    _check_nodes(tree)
    _check_tables(tree, kind, allowed, schema)
    return tree.sql(dialect=kind, comments=False)


def read_trial(
    sql: Any, kind: DatabaseKind, tables: Mapping[str, Sequence[str]], *, schema: str | None = None
) -> tuple[str, list[str]]:
    """A statement to be tried, and the names of the columns that it gives; raises BadRequest.

    Args:
        tables: those that may be read, with their columns.
    """
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify

    tree = _parsed(sql, kind)
    _check_nodes(tree)
    _check_tables(tree, kind, tables, None)
    known: dict[str, object] = {table: dict.fromkeys(columns, "text") for table, columns in tables.items()}
    try:
        tree = qualify(tree, dialect=kind, schema=known)
    except (SqlglotError, RecursionError) as error:
        raise BadRequest(f"The statement is not understood: {str(error).splitlines()[0][:200]}") from None
    names = [str(each.alias_or_name) for each in tree.selects] if isinstance(tree, exp.Query) else []
    _check_tables(tree, kind, tables, schema)
    return tree.sql(dialect=kind, comments=False), names


def tables_of(sql: Any, kind: DatabaseKind) -> list[str]:
    """The tables that a statement reads, in their order."""
    return list(dict.fromkeys(_meant(table, kind) for table in _own_tables(_parsed(sql, kind), kind)))


def _parsed(sql: Any, kind: DatabaseKind) -> exp.Expression:
    # Imported here: the parser takes longer to load than most apps without SQL collections take to start.
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    if not isinstance(sql, str) or not sql.strip():
        raise BadRequest("`sql` is required: a SELECT statement")
    if len(sql) > _LONGEST:
        raise BadRequest(f"The statement is too long: at most {_LONGEST} characters")
    try:
        trees = [tree for tree in sqlglot.parse(sql, read=kind) if tree is not None]
    except (SqlglotError, RecursionError) as error:
        reason = str(error).split(". Line", maxsplit=1)[0].splitlines()[0][:200]
        raise BadRequest(f"The statement is not understood: {reason}") from None
    if len(trees) != 1 or not isinstance(trees[0], (exp.Select, exp.SetOperation)):
        raise BadRequest("The statement must be one SELECT (or WITH … SELECT), nothing else")
    return trees[0]


def _check_nodes(tree: exp.Expression) -> None:
    from sqlglot import exp

    for node in tree.walk():
        if isinstance(node, (exp.DML, exp.DDL, exp.Into, exp.Lock, exp.Command)) and not isinstance(
            node, exp.Query
        ):
            raise BadRequest("The statement must only read")
        if isinstance(node, (exp.Placeholder, exp.Parameter, exp.SessionParameter)):
            raise BadRequest("The statement takes no parameters: write the values into it")
        if isinstance(node, (exp.Anonymous, exp.AnonymousAggFunc)):
            raise BadRequest(f"The function {node.name!r} is not known here and cannot be used")
        if isinstance(node, exp.With) and node.args.get("recursive"):
            raise BadRequest("Recursive statements are not possible: they might never end")


def _own_tables(tree: exp.Expression, kind: DatabaseKind) -> list[exp.Table]:
    """The tables that are no WITH parts and no functions."""
    from sqlglot import exp

    named = (table for table in tree.find_all(exp.Table) if isinstance(table.this, exp.Identifier))
    return [table for table in named if table.db or not _is_part(table, kind)]


def _is_part(table: exp.Table, kind: DatabaseKind) -> bool:
    """Whether a name means a WITH part: of a query around it, and none that begins after it.

    A part does not see itself, and is not seen outside of its query: there the same name is a table.
    """
    from sqlglot import exp

    name = _meant(table, kind)
    node, inside = table.parent, None
    while node is not None:
        if isinstance(node, exp.CTE):
            inside = node
        elif isinstance(node, exp.Query):
            for part in node.ctes:
                if part is inside:
                    break
                if _meant(part.args["alias"], kind) == name:
                    return True
            inside = None
        node = node.parent
    return False


def _meant(named: exp.Expression, kind: DatabaseKind) -> str:
    """The name as the database understands it: PostgreSQL has small letters where there are no quotes."""
    name = named.this
    return str(name.name if name.args.get("quoted") or kind != "postgres" else name.name.lower())


def _check_tables(tree: exp.Expression, kind: DatabaseKind, allowed: Names[str], schema: str | None) -> None:
    from sqlglot import exp

    if {_meant(part.args["alias"], kind) for part in tree.find_all(exp.CTE)} & set(allowed):
        raise BadRequest("A WITH part must not have the name of a collection")
    for table in _own_tables(tree, kind):
        if _meant(table, kind) not in allowed or table.catalog or table.db not in ("", schema or ""):
            raise BadRequest(
                f"The statement may read the tables of collections that people made; {table.sql()!r} is none"
            )
        if schema:
            table.set("db", exp.to_identifier(schema, quoted=True))
