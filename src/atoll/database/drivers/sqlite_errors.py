"""SQLite's errors in Atoll's words."""

from __future__ import annotations

import re
import sqlite3

from atoll.errors import (
    DatabaseError,
    DatabaseUnavailable,
    ForeignKeyViolation,
    InvalidValue,
    NotNullViolation,
    UniqueViolation,
    UnknownColumn,
)

_FAILED_COLUMNS = re.compile(r"constraint failed: (?!index )(.+)$")
_UNKNOWN = re.compile(r"no such column|no such table|has no column named|unable to identify")
_UNUSABLE = {
    sqlite3.SQLITE_BUSY: "Another process has held the database file for too long. Try again.",
    sqlite3.SQLITE_LOCKED: "Another process has held the database file for too long. Try again.",
    sqlite3.SQLITE_CANTOPEN: "The database file cannot be opened. Check that its folder exists.",
    sqlite3.SQLITE_READONLY: "The database file may not be written. Check the rights of file and folder.",
    sqlite3.SQLITE_PERM: "The database file may not be used. Check the rights of file and folder.",
    sqlite3.SQLITE_FULL: "The disk with the database file is full. Free some space.",
    sqlite3.SQLITE_IOERR: "The database file cannot be read or written. Check the disk.",
    sqlite3.SQLITE_CORRUPT: "The database file is damaged. Restore it from a backup.",
    sqlite3.SQLITE_NOTADB: "The file is not a SQLite database. Check the configured path.",
}


def primary_code(error: BaseException) -> int:
    """SQLite's primary result code, 0 when the error has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def translate(error: Exception, sql: str) -> DatabaseError:
    """The Atoll error for what `sqlite3` raised while it ran `sql`."""
    text = str(error)
    detail = f"{text} [{sql}]"
    code = getattr(error, "sqlite_errorcode", 0)
    if code in {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}:
        columns = _columns(text)
        named = ", ".join(columns) or "a unique field"
        return UniqueViolation(
            f"A row with the same value of {named} exists.", columns=columns, detail=detail
        )
    if code == sqlite3.SQLITE_CONSTRAINT_NOTNULL:
        column = "".join(_columns(text)[:1])
        return NotNullViolation(
            f"{column or 'A required field'} must not be empty.", column=column, detail=detail
        )
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return ForeignKeyViolation(
            "The row is still referenced, or refers to one that does not exist.", detail=detail
        )
    if code & 0xFF in _UNUSABLE:
        return DatabaseUnavailable(_UNUSABLE[code & 0xFF], detail=detail)
    if _UNKNOWN.search(text):
        return UnknownColumn("A field or table that does not exist is named.", detail=detail)
    if code & 0xFF in {sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG} or isinstance(
        error, sqlite3.DataError | ValueError
    ):
        return InvalidValue("A value does not fit its column.", detail=detail)
    return DatabaseError("The database refused a statement. The server's log says why.", detail=detail)


def _columns(text: str) -> tuple[str, ...]:
    found = _FAILED_COLUMNS.search(text)
    return tuple(name.rpartition(".")[2] for name in found.group(1).split(", ")) if found else ()
