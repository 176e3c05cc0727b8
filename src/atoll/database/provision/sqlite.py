"""SQLite files. The mark is a table inside; a file appears under its name only when it carries its mark."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import logging
import os
import shutil
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from atoll.database.config import DatabaseConfig
from atoll.database.drivers.sqlite_errors import translate
from atoll.database.provision.findings import Finding, name_problem, require_name
from atoll.errors import DatabaseNameTaken, DatabaseUnavailable

log = logging.getLogger(__name__)
OLDEST_VERSION = (3, 38)
LEAST_FREE_BYTES = 16 * 1024 * 1024
APPLICATION_ID = 0x41746F6C
OWNER_TABLE = "atoll_owner"


async def identity(config: DatabaseConfig) -> str:
    """See the package."""
    return await asyncio.to_thread(_identity, _path(config).parent)


async def check(config: DatabaseConfig, owner: str | None, existing: bool) -> list[Finding]:
    """See the package."""
    return await asyncio.to_thread(_check, _path(config), owner, existing)


async def create(config: DatabaseConfig, owner: str, existing: bool) -> None:
    """See the package."""
    await asyncio.to_thread(_create, _path(config), owner, existing)


async def drop(config: DatabaseConfig, owner: str) -> None:
    """See the package."""
    await asyncio.to_thread(_drop, _path(config), owner)


def _path(config: DatabaseConfig) -> Path:
    if config.storage is None:
        raise ValueError("a SQLite database needs `storage`")
    return config.storage.absolute()


def _identity(folder: Path) -> str:
    """The folder may not exist yet: then its nearest ancestor and the way from there stand for it."""
    folder = folder.resolve()
    rest: list[str] = []
    while not folder.exists() and folder != folder.parent:
        rest.insert(0, folder.name)
        folder = folder.parent
    known = folder.stat()
    return ":".join(["sqlite", _machine(), str(known.st_dev), str(known.st_ino), "/".join(rest)])


def _machine() -> str:
    """Differs between machines and between boots; containers of one machine share it."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return boot.read_text().strip() if boot.exists() else f"{uuid.getnode():x}"


def _check(path: Path, owner: str | None, existing: bool) -> list[Finding]:
    found = []
    if sqlite3.sqlite_version_info < OLDEST_VERSION:
        text = (
            f"Python {sys.version_info[0]}.{sys.version_info[1]} here brings SQLite {sqlite3.sqlite_version}."
        )
        found.append(Finding("DATABASE_VERSION_TOO_OLD", text, "Use a Python with SQLite 3.38 or newer."))
    problem = name_problem(path.stem) if owner is not None else None
    if problem is not None:
        found.append(problem)
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        text = f"The folder {path.parent} cannot be used for database files."
        return [
            *found,
            Finding("DATABASE_FOLDER_UNUSABLE", text, "Create it or correct its owner and rights."),
        ]
    if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
        text = f"The disk of {path.parent} is full."
        found.append(Finding("DATABASE_DISK_FULL", text, "Free some space."))
    return found + _check_file(path, owner, existing)


def _check_file(path: Path, owner: str | None, existing: bool) -> list[Finding]:
    if not path.exists():
        if owner is not None and not existing:
            return []
        text = f"There is no database file {path}."
        return [] if owner is None else [Finding("DATABASE_MISSING", text, "Correct the path.")]
    try:
        holder, empty = _holder(path)
    except DatabaseUnavailable as error:
        return [Finding("DATABASE_UNREACHABLE", error.message, "Correct the path or restore the file.")]
    if owner is None or holder == owner or (existing and holder is None and empty):
        return []
    text = f"A database file {path.name} exists already."
    return [Finding("DATABASE_NAME_TAKEN", text, "Choose another name.")]


def _create(path: Path, owner: str, existing: bool) -> None:
    require_name(path.stem)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent):
            if path.exists():
                _claim(path, owner, existing)
            else:
                _make(path, owner)
    except OSError as error:
        text = "The folder of the database files cannot be used. Check that it exists and its rights."
        raise DatabaseUnavailable(text, detail=f"{path}: {error}") from error


def _make(path: Path, owner: str) -> None:
    _remove_leftovers(path)
    new = _sibling(path, owner, "new")
    new.unlink(missing_ok=True)
    _mark(new, owner)
    try:
        os.link(new, path)  # unlike a rename it never replaces a file
    except FileExistsError as error:
        raise DatabaseNameTaken(f"A file {path.name} exists already. Choose another name.") from error
    new.unlink()


def _claim(path: Path, owner: str, existing: bool) -> None:
    holder, empty = _holder(path)
    if holder == owner:
        return
    if not existing or holder is not None or not empty:
        raise DatabaseNameTaken(f"A database file {path.name} exists already. Choose another name.")
    _mark(path, owner)


def _drop(path: Path, owner: str) -> None:
    if not path.parent.is_dir():
        return
    with _locked(path.parent):
        if path.exists():
            holder, _ = _holder(path)
            if holder != owner:
                log.info("database file left alone, it is not the owner's", extra={"database": str(path)})
                return
            path.rename(_sibling(path, owner, "dropped"))
        _sibling(path, owner, "new").unlink(missing_ok=True)
        _sibling(path, owner, "dropped").unlink(missing_ok=True)
        _remove_leftovers(path)


def _remove_leftovers(path: Path) -> None:
    """What may lie beside a file that is gone: a stale log must never meet a new file of the same name."""
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    for lock in path.parent.glob(f"{path.name.replace('[', '[[]')}.*.lock"):
        lock.unlink(missing_ok=True)


def _sibling(path: Path, owner: str, kind: str) -> Path:
    digest = hashlib.blake2b(owner.encode(), digest_size=8).hexdigest()
    return path.with_name(f".{path.name}.{digest}.{kind}")


def _mark(path: Path, owner: str) -> None:
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"CREATE TABLE {OWNER_TABLE} (uid TEXT PRIMARY KEY)")
            connection.execute(f"INSERT INTO {OWNER_TABLE} VALUES (?)", (owner,))  # noqa: S608 - a constant
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise translate(error, "mark") from error


def _holder(path: Path) -> tuple[str | None, bool]:
    """Whose mark the file carries, and whether it has no tables."""
    try:
        with closing(
            sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None)
        ) as connection:
            tables = {
                name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
            }
            if OWNER_TABLE not in tables:
                return None, not tables
            row = connection.execute(f"SELECT uid FROM {OWNER_TABLE}").fetchone()  # noqa: S608
            return (row[0] if row else ""), False
    except sqlite3.Error as error:
        raise translate(error, "read mark") from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One creation or removal at a time in a folder, among all processes."""
    held = os.open(folder / ".provision.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
