"""Tables are changed alike on SQLite and PostgreSQL, and a failed change leaves everything as it was."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from atoll.database.drivers import Database
from atoll.database.schema import IndexInfo, Schema, index_name
from atoll.errors import InvalidValue, NotNullViolation, UniqueViolation

pytestmark = pytest.mark.anyio


def books(*more: sa.Column[object], title: sa.Column[object] | None = None) -> sa.Table:
    heading = title if title is not None else sa.Column("Title", sa.String(50))
    return sa.Table("Books", sa.MetaData(), sa.Column("id", sa.BigInteger, primary_key=True), heading, *more)


BOOKS = books()


@pytest.fixture
async def schema(database: Database) -> Schema:
    schema = Schema(database)
    await schema.create_table(BOOKS)
    await database.run(sa.insert(BOOKS), [{"id": 1, "Title": "12"}, {"id": 2, "Title": "x"}])
    return schema


async def test_what_is_there(schema: Schema, database: Database) -> None:
    assert await schema.tables() == {"Books"}
    columns = await schema.columns("Books")
    assert [(c.name, c.nullable, c.primary_key) for c in columns.values()] == [
        ("id", False, True),
        ("Title", True, False),
    ]
    assert await schema.columns("nothing") == {}
    await schema.drop_table(BOOKS)
    await schema.drop_table(BOOKS)
    assert await schema.tables() == set()


async def test_columns_come_and_go(schema: Schema, database: Database) -> None:
    count: sa.Column[object] = sa.Column("count", sa.Integer, nullable=False, server_default="7")
    counted = books(count)
    await schema.add_column(counted, "count")
    assert (await database.run(sa.select(counted.c.count))).rows == [(7,), (7,)]
    code: sa.Column[object] = sa.Column("code", sa.String(9), unique=True)
    coded = books(code)
    await schema.add_column(coded, "code")
    assert (
        IndexInfo(index_name("Books", ["code"], unique=True), True, ("code",))
        in (await schema.indexes("Books")).values()
    )
    await schema.drop_column(coded, "code")
    await schema.drop_column(BOOKS, "count")
    assert list(await schema.columns("Books")) == ["id", "Title"]


async def test_a_required_column_needs_a_default_when_there_are_rows(
    schema: Schema, database: Database
) -> None:
    with pytest.raises(NotNullViolation):
        await schema.add_column(books(sa.Column("must", sa.Text, nullable=False)), "must")
    assert list(await schema.columns("Books")) == ["id", "Title"]
    await database.run(sa.delete(BOOKS))
    await schema.add_column(books(sa.Column("must", sa.Text, nullable=False)), "must")
    assert not (await schema.columns("Books"))["must"].nullable


async def test_types_change_with_their_values_or_not_at_all(schema: Schema, database: Database) -> None:
    number = books(title=sa.Column("Title", sa.Integer))
    before = await schema.columns("Books")
    with pytest.raises(InvalidValue):
        await schema.alter_column(number, "Title")
    assert await schema.columns("Books") == before
    assert (await database.run(sa.select(BOOKS.c.Title).order_by("id"))).rows == [("12",), ("x",)]
    await database.run(sa.delete(BOOKS).where(BOOKS.c.Title == "x"))
    await schema.create_index(BOOKS, ["Title"])
    await schema.alter_column(number, "Title")
    assert (await database.run(sa.select(number.c.Title))).rows == [(12,)]
    assert [index.columns for index in (await schema.indexes("Books")).values()] == [("Title",)]


async def test_nullability_changes_unless_values_are_missing(schema: Schema, database: Database) -> None:
    required = books(title=sa.Column("Title", sa.String(50), nullable=False))
    await database.run(sa.insert(BOOKS), {"id": 3})
    with pytest.raises(NotNullViolation):
        await schema.alter_column(required, "Title")
    await database.run(sa.delete(BOOKS).where(BOOKS.c.id == 3))
    await schema.alter_column(required, "Title")
    with pytest.raises(NotNullViolation):
        await database.run(sa.insert(BOOKS), {"id": 3})
    await schema.alter_column(BOOKS, "Title")
    await database.run(sa.insert(BOOKS), {"id": 3})


async def test_unique_indexes(schema: Schema, database: Database) -> None:
    name = await schema.create_index(BOOKS, ["Title"], unique=True)
    with pytest.raises(UniqueViolation) as error:
        await database.run(sa.insert(BOOKS), {"id": 3, "Title": "x"})
    assert error.value.columns == ("Title",)
    await schema.drop_index(name)
    await schema.drop_index(name)
    await database.run(sa.insert(BOOKS), {"id": 3, "Title": "x"})
    with pytest.raises(UniqueViolation):
        await schema.create_index(BOOKS, ["Title"], unique=True)


async def test_a_change_is_part_of_the_callers_transaction(schema: Schema, database: Database) -> None:
    with pytest.raises(RuntimeError, match="stop"):
        async with database.transaction() as tx:
            await schema.add_column(books(sa.Column("later", sa.Text)), "later", tx)
            assert "later" in await schema.columns("Books", tx)
            await schema.alter_column(books(sa.Column("later", sa.Integer)), "later", tx)
            raise RuntimeError("stop")
    assert "later" not in await schema.columns("Books")


def test_names_of_indexes_are_never_too_long() -> None:
    names = {index_name("t" * 60, ["a", "b" * n], unique=True) for n in range(1, 30)}
    assert len(names) == 29
    assert max(len(name) for name in names) <= 63
