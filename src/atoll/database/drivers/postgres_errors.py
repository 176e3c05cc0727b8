"""PostgreSQL's errors in Atoll's words."""

from __future__ import annotations

import re

import asyncpg

from atoll.database.config import DatabaseConfig
from atoll.errors import (
    DatabaseError,
    DatabaseMissing,
    DatabaseNameTaken,
    DatabaseRightsMissing,
    DatabaseSignInRefused,
    DatabaseUnavailable,
    ForeignKeyViolation,
    InvalidValue,
    NotNullViolation,
    UniqueViolation,
    UnknownColumn,
)

_KEY_COLUMNS = re.compile(r"\((.+?)\)=\(", re.DOTALL)  # the same in every language of the server


def translate(error: Exception, sql: str = "") -> DatabaseError:
    """The Atoll error for what asyncpg raised while it ran `sql`."""
    state: str = getattr(error, "sqlstate", None) or ""
    detail = f"{type(error).__name__} {state}: {error} {getattr(error, 'detail', None) or ''} [{sql}]"
    if state in {"23505", "23P01"}:
        columns = _columns(getattr(error, "detail", None) or "")
        named = ", ".join(columns) or "a unique field"
        return UniqueViolation(
            f"A row with the same value of {named} exists.", columns=columns, detail=detail
        )
    if state == "23502":
        column = getattr(error, "column_name", None) or ""
        return NotNullViolation(
            f"{column or 'A required field'} must not be empty.", column=column, detail=detail
        )
    if state in {"23503", "23001"}:
        return ForeignKeyViolation(
            "The row is still referenced, or refers to one that does not exist.", detail=detail
        )
    if state in {"42703", "42P01", "3F000"}:
        return UnknownColumn("A field or table that does not exist is named.", detail=detail)
    if state in {"42P04", "42P06"}:
        return DatabaseNameTaken(
            "A database or schema of that name exists. Choose another name.", detail=detail
        )
    if state == "42501":
        return DatabaseRightsMissing(
            "The database user may not do this. Grant the right to it.", detail=detail
        )
    if state[:2] in {"08", "28", "3D"} or state[:3] in {"57P", "533"} or state == "53300":
        return DatabaseUnavailable(
            "The database ended the connection or refused it. Try again.", detail=detail
        )
    if isinstance(error, asyncpg.DataError) or state[:2] == "22":
        return InvalidValue("A value does not fit its column.", detail=detail)
    if isinstance(error, TimeoutError):
        return DatabaseUnavailable(
            "The database did not answer in time; what became of the call is not known.", detail=detail
        )
    if isinstance(error, OSError | asyncpg.InterfaceError | asyncpg.InternalClientError):
        return DatabaseUnavailable("The connection to the database was lost. Try again.", detail=detail)
    if isinstance(error, UnicodeError | OverflowError | ValueError | TypeError):
        return InvalidValue("A value does not fit its column.", detail=detail)
    return DatabaseError("The database refused a statement. The server's log says why.", detail=detail)


def translate_connect(error: Exception, config: DatabaseConfig) -> DatabaseError:
    """The Atoll error for a connection that could not be made; says what to check."""
    state: str = getattr(error, "sqlstate", None) or ""
    detail = f"{type(error).__name__} {state}: {error}"
    where = config.address
    server = f"{config.host}:{config.port}"
    if state in {"28P01", "28000"}:
        return DatabaseSignInRefused(
            f"The database refused the sign-in at {where}. "
            "Check user, password and the server's pg_hba.conf.",
            detail=detail,
        )
    if state == "3D000":
        return DatabaseMissing(
            f"There is no database {config.database!r} at {server}. Create it or correct the name.",
            detail=detail,
        )
    if state == "53300":
        text = f"The database server at {server} has no free connection. Raise max_connections."
    elif state.startswith("57P"):
        text = f"The database server at {server} is starting or stopping. Try again."
    elif isinstance(error, TimeoutError):
        text = f"{where} does not answer. Check host, port and firewalls."
    else:
        text = f"{where} cannot be reached. Check that the server runs and that host and port are right."
    return DatabaseUnavailable(text, detail=detail)


def _columns(detail: str) -> tuple[str, ...]:
    found = _KEY_COLUMNS.search(detail)
    return tuple(name.strip('"') for name in found.group(1).split(", ")) if found else ()
