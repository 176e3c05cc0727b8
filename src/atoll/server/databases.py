"""Where the data of the main app and of each other app lies, from the settings and the app's options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from atoll.database.config import DatabaseConfig
from atoll.errors import BadRequest
from atoll.settings import Settings
from atoll.supervisor.models import AppModel, DatabaseOptions


def main_database(settings: Settings) -> DatabaseConfig:
    """The database of the main app: DB_*."""
    if settings.db_dialect == "sqlite":
        return DatabaseConfig("sqlite", storage=settings.db_storage, table_prefix=settings.db_table_prefix)
    return DatabaseConfig(
        "postgres",
        host=settings.db_host,
        port=settings.db_port,
        database=settings.db_database or "",
        user=settings.db_user or "",
        password=settings.db_password or "",
        schema=settings.db_schema,
        table_prefix=settings.db_table_prefix,
        pool_max=settings.db_pool_max,
    )


def app_database(settings: Settings, model: AppModel) -> DatabaseConfig:
    """The database of an app that this server runs.

    Raises:
        BadRequest: the options contradict the kind of connection or this environment's database.
    """
    own = replace(main_database(settings), table_prefix=model.database.table_prefix or "")
    options = model.database
    if model.connection == "new_connection":
        return _connection(options, own, model.name)
    if model.connection == "new_schema":
        if own.dialect != "postgres":
            raise BadRequest(
                "A new schema needs an environment on PostgreSQL. Choose a new database instead."
            )
        return replace(own, schema=options.schema or model.name)
    if own.storage is not None:
        return replace(own, storage=_beside(own.storage, options.database or model.name))
    return replace(own, database=options.database or model.name, schema=None)


def _connection(options: DatabaseOptions, own: DatabaseConfig, name: str) -> DatabaseConfig:
    """The connection as given, nothing of it taken from the environment's own database."""
    if options.dialect == "sqlite":
        if own.storage is None:
            raise BadRequest(
                "A SQLite file needs an environment on SQLite, which says in which folder files may lie. "
                "Choose PostgreSQL or another environment."
            )
        return DatabaseConfig(
            "sqlite",
            storage=_beside(own.storage, options.database or name),
            table_prefix=options.table_prefix or "",
        )
    if options.dialect != "postgres":
        raise BadRequest(f"The dialect {options.dialect!r} is not supported. Choose postgres or sqlite.")
    missing = [key for key in ("host", "database", "username") if not getattr(options, key)]
    if missing:
        raise BadRequest(
            f"The database connection lacks {', '.join(missing)}. Give it under options.database."
        )
    return DatabaseConfig(
        "postgres",
        host=options.host or "",
        port=options.port or 5432,
        database=options.database or "",
        user=options.username or "",
        password=options.password or "",
        schema=options.schema,
        table_prefix=options.table_prefix or "",
        pool_max=own.pool_max,
    )


def _beside(file: Path, name: str) -> Path:
    """A SQLite file in the folder of the main app's file; names cannot leave that folder."""
    if not name.replace("_", "").replace("-", "").isalnum():
        raise BadRequest(f"{name!r} cannot be a database name. Use letters, digits, _ and -.")
    return file.with_name(f"{name}.sqlite")
