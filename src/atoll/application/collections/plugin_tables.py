"""Tables of plugins: made when they are not there, whoever comes first."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from atoll.application.collections.ddl import Ddl
from atoll.application.collections.model import Collection
from atoll.database.drivers.base import Database
from atoll.errors import UnknownColumn


async def make_tables(database: Database, collections: Sequence[Collection]) -> None:
    """Makes the missing ones. Any process may call it any time; when all is there it costs a query each."""
    if all([await _exists(database, each) for each in collections]):
        return
    ddl = Ddl(database.kind, database.schema)
    async with database.exclusive("plugin-tables"):
        for collection in collections:
            if not await _exists(database, collection):
                async with database.transaction() as tx:
                    for statement in ddl.create(collection):
                        await tx.execute(statement)


async def _exists(database: Database, collection: Collection) -> bool:
    try:
        await database.run(select(*collection.table.c).limit(0))
    except UnknownColumn:
        return False
    return True
