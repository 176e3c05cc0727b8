"""Databases and schemas on PostgreSQL. The mark is the object's comment, seen without connecting to it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from atoll.database.config import DatabaseConfig
from atoll.database.drivers.postgres import DRIVER_ERRORS, advisory_number
from atoll.database.drivers.postgres_errors import translate
from atoll.database.drivers.postgres_pool import connect_once
from atoll.database.provision.findings import (
    LONGEST_NAME,
    TEMPORARY_PREFIX,
    Finding,
    name_problem,
    require_name,
)
from atoll.errors import DatabaseError, DatabaseNameTaken, DatabaseUnavailable

log = logging.getLogger(__name__)
OLDEST_VERSION = 140000
MARK = "atoll:owner="
OWNER_TABLE = "atoll_owner"
_DATABASE = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1"
_SCHEMA = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = $1"
_IS_TEMPLATE = "SELECT datistemplate FROM pg_database WHERE datname = current_database()"
_TABLES = """
    SELECT c.relkind::text, format('%I.%I', n.nspname, c.relname) FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') ORDER BY c.relkind = 'S'"""


async def identity(config: DatabaseConfig) -> str:
    """See the package."""
    async with _service(config) as connection:
        query = "SELECT system_identifier::text, pg_postmaster_start_time()::text FROM pg_control_system()"
        system, started = await connection.fetchrow(query)
    return f"postgres:{system}:{started}"


async def check(config: DatabaseConfig, owner: str | None, existing: bool) -> list[Finding]:
    """See the package."""
    problem = None if owner is None or existing else name_problem(config.schema or config.database)
    if problem is not None:
        return [problem]
    try:
        if owner is None or existing or config.schema:
            async with _connected(config) as connection:
                found = await _version(connection)
                if owner is None:
                    return found + await _may_use(connection, config)
                if existing:
                    return (
                        found
                        + await _may_use(connection, config)
                        + await _may_mark(connection, config, owner)
                    )
                return found + await _may_create_schema(connection, config, owner)
        async with _service(config) as connection:
            return await _version(connection) + await _may_create_database(connection, config, owner)
    except DatabaseUnavailable as error:
        return [_unavailable(config, error)]


async def create(config: DatabaseConfig, owner: str, existing: bool) -> None:
    """See the package."""
    if existing:
        async with _connected(config) as connection, connection.transaction():
            await _lock(connection, f"mark:{config.schema}")
            await _mark_existing(connection, config, owner)
    elif config.schema:
        require_name(config.schema)
        async with _connected(config) as connection, connection.transaction():
            await _lock(connection, f"schema:{config.schema}")
            await _create_schema(connection, config.schema, owner)
    else:
        require_name(config.database)
        async with _service(config) as connection:
            await connection.execute("SELECT pg_advisory_lock($1)", _number(config.database))
            await _create_database(connection, config.database, owner)


async def drop(config: DatabaseConfig, owner: str) -> None:
    """See the package."""
    if len((config.schema or config.database).encode()) > LONGEST_NAME:
        return  # PostgreSQL has nothing of that name
    if not config.schema:
        async with _service(config) as connection:
            await connection.execute("SELECT pg_advisory_lock($1)", _number(config.database))
            await connection.execute(
                f"DROP DATABASE IF EXISTS {_temporary(config.database, owner)} WITH (FORCE)"
            )
            known = await connection.fetchrow(_DATABASE, config.database)
            if known is None:
                return
            if known[0] == MARK + owner:
                await connection.execute(f"DROP DATABASE IF EXISTS {_quote(config.database)} WITH (FORCE)")
                return
    try:
        async with _connected(config) as connection, connection.transaction():
            if config.schema:
                await _lock(connection, f"schema:{config.schema}")
                known = await connection.fetchrow(_SCHEMA, config.schema)
                if known is not None and known[0] == MARK + owner:
                    await connection.execute(f"DROP SCHEMA {_quote(config.schema)} CASCADE")
                    return
            # Several environments may remove one app at the same time; without a turn they could deadlock.
            await _lock(connection, f"mark:{config.schema}")
            await _empty_existing(connection, config, owner)
    except DatabaseUnavailable as error:
        if (
            getattr(error.__cause__, "sqlstate", None) != "3D000"
        ):  # the database itself is gone: nothing to drop
            raise


async def _create_database(connection: Any, name: str, owner: str) -> None:
    known = await connection.fetchrow(_DATABASE, name)
    if known is not None:
        if known[0] == MARK + owner:
            return
        raise DatabaseNameTaken(f"A database named {name} exists already. Choose another name.")
    # CREATE DATABASE cannot be undone by a transaction: until it carries its mark it has a name that tells
    # whose it is, so that a killed attempt is neither orphaned for good nor taken for somebody else's.
    temporary = _temporary(name, owner)
    await connection.execute(f"DROP DATABASE IF EXISTS {temporary} WITH (FORCE)")
    await _create_from_template(connection, temporary)
    await connection.execute(f"COMMENT ON DATABASE {temporary} IS {_literal(MARK + owner)}")
    await connection.execute(f"ALTER DATABASE {temporary} RENAME TO {_quote(name)}")


async def _create_from_template(connection: Any, name: str) -> None:
    """template0 has no other users as a rule; measured 15 ms with PostgreSQL 15+'s own choice of strategy."""
    for attempt in range(5):
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        except DRIVER_ERRORS as error:
            if getattr(error, "sqlstate", None) != "55006" or attempt == 4:
                raise
            await asyncio.sleep(0.1 * 2**attempt)
        else:
            return


async def _create_schema(connection: Any, name: str, owner: str) -> None:
    known = await connection.fetchrow(_SCHEMA, name)
    if known is None:
        await connection.execute(f"CREATE SCHEMA {_quote(name)}")
        await connection.execute(f"COMMENT ON SCHEMA {_quote(name)} IS {_literal(MARK + owner)}")
    elif known[0] != MARK + owner:
        raise DatabaseNameTaken(f"A schema named {name} exists already. Choose another name.")


async def _mark_existing(connection: Any, config: DatabaseConfig, owner: str) -> None:
    schema, holder, empty = await _existing(connection, config)
    if holder == owner:
        return
    if await connection.fetchval(_IS_TEMPLATE):
        raise DatabaseNameTaken(f"{config.address} is a template of new databases. Name one of your own.")
    if holder is not None or not empty:
        raise DatabaseNameTaken(f"{config.address} is not empty. Name an empty database or schema.")
    table = f"{_quote(schema)}.{OWNER_TABLE}"
    await connection.execute(f"CREATE TABLE {table} (uid text PRIMARY KEY)")
    await connection.execute(f"INSERT INTO {table} VALUES ($1)", owner)  # noqa: S608 - a quoted name


async def _empty_existing(connection: Any, config: DatabaseConfig, owner: str) -> None:
    schema, holder, _ = await _existing(connection, config)
    if holder != owner:
        log.info("database left alone, it is not the owner's", extra={"database": config.address})
        return
    kinds = {"v": "VIEW", "m": "MATERIALIZED VIEW", "S": "SEQUENCE", "f": "FOREIGN TABLE"}
    for kind, name in await connection.fetch(_TABLES, schema):
        await connection.execute(f"DROP {kinds.get(kind, 'TABLE')} IF EXISTS {name} CASCADE")


async def _existing(connection: Any, config: DatabaseConfig) -> tuple[str, str | None, bool]:
    """Of a database that was there before: the schema used, whose mark it carries, whether it is empty."""
    schema = config.schema or await connection.fetchval("SELECT current_schema()")
    if schema is None:
        raise DatabaseUnavailable(f"{config.address} has no schema to use. Create it or name another.")
    tables = [str(name) for _, name in await connection.fetch(_TABLES, schema)]
    holder = None
    if any(name.rpartition(".")[2] == OWNER_TABLE for name in tables):
        query = f"SELECT uid FROM {_quote(schema)}.{OWNER_TABLE}"  # noqa: S608 - quoted
        holder = await connection.fetchval(query) or ""
    return schema, holder, not tables


async def _version(connection: Any) -> list[Finding]:
    number = int(await connection.fetchval("SHOW server_version_num"))
    if number >= OLDEST_VERSION:
        return []
    text = f"The server is PostgreSQL {number // 10000}; at least {OLDEST_VERSION // 10000} is needed."
    return [Finding("DATABASE_VERSION_TOO_OLD", text, "Upgrade the database server.")]


async def _may_use(connection: Any, config: DatabaseConfig) -> list[Finding]:
    schema = config.schema or await connection.fetchval("SELECT current_schema()")
    known = schema is not None and await connection.fetchrow(_SCHEMA, schema) is not None
    if known and await connection.fetchval("SELECT has_schema_privilege($1, 'CREATE')", schema):
        return []
    if not known:
        text = f"There is no schema {schema or 'public'} in the database {config.database}."
        return [Finding("DATABASE_MISSING", text, "Create the schema or correct its name.")]
    text = f"The user {config.user} may not create tables in the schema {schema}."
    return [_rights(text, f'GRANT CREATE, USAGE ON SCHEMA "{schema}" TO "{config.user}";')]


async def _may_mark(connection: Any, config: DatabaseConfig, owner: str) -> list[Finding]:
    if await connection.fetchval(_IS_TEMPLATE):
        text = f"{config.database} is a template: what is in it would be in every new database."
        return [Finding("DATABASE_NAME_INVALID", text, "Name a database of your own.")]
    _, holder, empty = await _existing(connection, config)
    if holder == owner or (holder is None and empty):
        return []
    text = f"{config.address} is not empty."
    return [Finding("DATABASE_NAME_TAKEN", text, "Name an empty database or schema.")]


async def _may_create_schema(connection: Any, config: DatabaseConfig, owner: str) -> list[Finding]:
    found: list[Finding] = []
    known = await connection.fetchrow(_SCHEMA, config.schema)
    if known is not None:
        if known[0] != MARK + owner:
            found.append(_taken(f"A schema named {config.schema} exists already."))
    elif not await connection.fetchval("SELECT has_database_privilege(current_database(), 'CREATE')"):
        text = f"The user {config.user} may not create schemas in the database {config.database}."
        found.append(_rights(text, f'GRANT CREATE ON DATABASE "{config.database}" TO "{config.user}";'))
    return found


async def _may_create_database(connection: Any, config: DatabaseConfig, owner: str) -> list[Finding]:
    found: list[Finding] = []
    known = await connection.fetchrow(_DATABASE, config.database)
    if known is not None:
        if known[0] != MARK + owner:
            found.append(_taken(f"A database named {config.database} exists already."))
    elif not await connection.fetchval(
        "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
    ):
        text = f"The user {config.user} may not create databases."
        found.append(_rights(text, f'ALTER ROLE "{config.user}" CREATEDB;'))
    return found


def _taken(text: str) -> Finding:
    return Finding("DATABASE_NAME_TAKEN", text, "Choose another name.")


def _rights(text: str, grant: str) -> Finding:
    return Finding("DATABASE_RIGHTS_MISSING", text, f"Let an administrator of the database run: {grant}")


def _unavailable(config: DatabaseConfig, error: DatabaseUnavailable) -> Finding:
    state = getattr(error.__cause__, "sqlstate", None)
    if state in {"28P01", "28000"}:
        text = f"The database server refused the sign-in of {config.user}."
        return Finding(
            "DATABASE_SIGN_IN_REFUSED", text, "Check user and password, and pg_hba.conf on the server."
        )
    if state == "3D000":
        text = f"There is no database {config.database}."
        return Finding("DATABASE_MISSING", text, "Create the database or correct its name.")
    return Finding(
        "DATABASE_UNREACHABLE", error.message, "Check host, port, firewall and that the server runs."
    )


@asynccontextmanager
async def _service(config: DatabaseConfig) -> AsyncIterator[Any]:
    """A connection to the service rather than to the database, which may not exist yet."""
    last: DatabaseUnavailable | None = None
    for name in ("postgres", "template1", config.database):
        try:
            connection = await connect_once(replace(config, database=name), patient=True)
        except DatabaseUnavailable as error:
            if getattr(error.__cause__, "sqlstate", None) not in {"3D000", "42501", "28000"}:
                raise
            last = last or error
            continue
        async with _closing(connection):
            yield connection
        return
    raise last or DatabaseUnavailable(f"{config.address} cannot be reached.")


@asynccontextmanager
async def _connected(config: DatabaseConfig) -> AsyncIterator[Any]:
    connection = await connect_once(config, patient=True)
    async with _closing(connection):
        yield connection


@asynccontextmanager
async def _closing(connection: Any) -> AsyncIterator[None]:
    try:
        yield
    except DatabaseError:
        raise
    except DRIVER_ERRORS as error:
        raise translate(error) from error
    finally:
        connection.terminate()


async def _lock(connection: Any, key: str) -> None:
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _number(key))


def _number(key: str) -> int:
    return advisory_number(None, f"provision:{key}")


def _temporary(name: str, owner: str) -> str:
    digest = hashlib.blake2b(f"{owner}\x00{name}".encode(), digest_size=12).hexdigest()
    return f"{TEMPORARY_PREFIX}{digest}"


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
