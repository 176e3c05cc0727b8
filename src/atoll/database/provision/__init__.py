"""Databases that come and go with apps: made for an owner, marked as the owner's, dropped only by the owner.

What is made depends on the configuration: a file (SQLite), a schema (PostgreSQL with `schema`) or a database
(PostgreSQL without). With `existing=True` nothing is made: an empty database or schema of somebody else's is
marked and used; dropping it then empties it (SQLite: deletes the file).

`create` and `drop` may be killed at any step and repeated: they converge. Neither ever takes or destroys what
carries another owner's mark or none. `owner` is the app's uid, never its name: a name may be used again.
"""

from __future__ import annotations

from atoll.database.config import DatabaseConfig
from atoll.database.provision import postgres, sqlite
from atoll.database.provision.findings import Finding

__all__ = ["Finding", "check", "create", "drop", "identity"]


async def identity(config: DatabaseConfig) -> str:
    """A value that is the same if and only if two environments reach the same database service.

    Compare values taken at about the same time: it changes when the service restarts, because replicas and
    copied data directories have everything else in common. SQLite: the same folder of the same machine.
    Raises `DatabaseUnavailable`.
    """
    if config.dialect == "postgres":
        return await postgres.identity(config)
    return await sqlite.identity(config)


async def check(config: DatabaseConfig, *, owner: str | None = None, existing: bool = False) -> list[Finding]:
    """What stands in the way, empty when nothing does; changes nothing.

    Args:
        owner: who wants to `create`; None checks a database that is there and in use already.
    """
    if config.dialect == "postgres":
        return await postgres.check(config, owner, existing)
    return await sqlite.check(config, owner, existing)


async def create(config: DatabaseConfig, owner: str, *, existing: bool = False) -> None:
    """Makes the database, schema or file unless the owner has it already.

    Raises `DatabaseNameTaken`, `DatabaseRightsMissing`, `DatabaseUnavailable`, `BadRequest` (name).
    """
    if config.dialect == "postgres":
        await postgres.create(config, owner, existing)
    else:
        await sqlite.create(config, owner, existing)


async def drop(config: DatabaseConfig, owner: str) -> None:
    """Drops what `create` made for this owner, with all data; what is not the owner's stays as it is."""
    if config.dialect == "postgres":
        await postgres.drop(config, owner)
    else:
        await sqlite.drop(config, owner)
