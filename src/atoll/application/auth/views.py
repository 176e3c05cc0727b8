"""Saved views of lists: a name for a filter, an order and a look, for their owner or for everybody."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, or_, select, update

from atoll.application.collections.store import CollectionStore
from atoll.application.fields.uuid import random_name
from atoll.database.drivers.base import Connection, Database
from atoll.errors import BadRequest, Forbidden, NotFound

LONGEST_TITLE = 100
LONGEST_BLOCK = 200
LARGEST_VIEW = 16_000
"""Bytes of filter, sort, columns and density together, as JSON."""
MOST_VIEWS = 200
"""Of one owner."""

_CONTENT: Mapping[str, type] = {"filter": dict, "sort": list, "columns": dict, "density": str}
_CHANGEABLE = ("title", "shared", *_CONTENT)


class Views:
    """The saved views of one app.

    A view is `{"id", "blockId", "title", "shared", "ownerId", "filter", "sort", "columns", "density"}`:
    `blockId` names the list it belongs to, `sort` is a list of fields (`-f` descending), `columns` is what
    the user interface keeps of order, widths, pins and visibility. Filter, sort, columns and density may be
    null.
    """

    def __init__(self, database: Database, collections: CollectionStore) -> None:
        self._database = database
        self._table = collections.system["views"].table

    async def of_list(self, user_id: int, block: str) -> list[dict[str, Any]]:
        """The views of a list that a user sees: the own ones and the shared ones, by title."""
        table = self._table
        seen = or_(table.c.ownerId == user_id, table.c.shared.is_(True))
        query = select(*table.c).where(table.c.blockId == block, seen).order_by(table.c.title, table.c.id)
        return [_view(row) for row in (await self._database.run(query)).rows]

    async def create(self, user_id: int, values: Mapping[str, Any]) -> dict[str, Any]:
        """Saves a view of a list (`blockId`) and answers it.

        Raises:
            BadRequest: a value has the wrong shape, or the user has too many views.
        """
        block = values.get("blockId")
        if not isinstance(block, str) or not 0 < len(block) <= LONGEST_BLOCK:
            raise BadRequest(f"`blockId` is required: the name of a list, 1 to {LONGEST_BLOCK} characters")
        table = self._table
        count = select(func.count()).select_from(table).where(table.c.ownerId == user_id)
        if (await self._database.run(count)).rows[0][0] >= MOST_VIEWS:
            raise BadRequest(f"A user has at most {MOST_VIEWS} views. Delete some that are not used any more")
        view = {
            "id": random_name("v_"), "blockId": block, "title": None, "shared": False, "ownerId": user_id,
            **dict.fromkeys(_CONTENT), **_checked(values),
        }  # fmt: skip
        if view["title"] is None:
            raise BadRequest("`title` is required")
        await self._database.run(insert(table).values(**_row(view)))
        return view

    async def update(
        self, user_id: int, key: str, values: Mapping[str, Any], *, any_shared: bool
    ) -> dict[str, Any]:
        """Changes what is given of a view and answers it; of two writers the later one wins.

        Args:
            any_shared: the user may change views that others share.

        Raises:
            BadRequest: a value has the wrong shape.
            NotFound: the user sees no view of this id.
            Forbidden: it is somebody else's.
        """
        view = {**await self._mine(user_id, key, any_shared=any_shared), **_checked(values)}
        if not view["shared"] and view["ownerId"] != user_id:
            view["ownerId"] = user_id  # whoever takes it away from everybody keeps it
        await self._database.run(update(self._table).where(self._table.c.id == key).values(**_row(view)))
        return view

    async def destroy(self, user_id: int, key: str, *, any_shared: bool) -> None:
        """Removes a view; the arguments and errors are those of `update`."""
        await self._mine(user_id, key, any_shared=any_shared)
        await self._database.run(delete(self._table).where(self._table.c.id == key))

    async def forget_users(self, user_ids: Collection[int], connection: Connection) -> None:
        """Removes the private views of users who are being removed; what they shared stays, without owner."""
        table = self._table
        theirs = table.c.ownerId.in_(user_ids)
        await self._database.run(
            delete(table).where(theirs, table.c.shared.is_(False)), connection=connection
        )
        await self._database.run(update(table).where(theirs).values(ownerId=None), connection=connection)

    async def _mine(self, user_id: int, key: str, *, any_shared: bool) -> dict[str, Any]:
        rows = (await self._database.run(select(*self._table.c).where(self._table.c.id == key))).rows
        view = _view(rows[0]) if rows else None
        if view is None or not (view["shared"] or view["ownerId"] == user_id):
            raise NotFound(f"There is no view {key!r}. It may have been deleted; reload the list")
        if view["ownerId"] != user_id and not any_shared:
            raise Forbidden("Only its owner, or who may configure the user interface, changes a shared view")
        return view


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The changeable values among those given; raises BadRequest when one has the wrong shape."""
    found = {name: values[name] for name in _CHANGEABLE if name in values}
    if "title" in found:
        title = found["title"]
        if not isinstance(title, str) or not 0 < len(title.strip()) <= LONGEST_TITLE:
            raise BadRequest(f"The title of a view has 1 to {LONGEST_TITLE} characters")
        found["title"] = title.strip()
    if "shared" in found and not isinstance(found["shared"], bool):
        raise BadRequest("`shared` is true or false")
    for name, kind in _CONTENT.items():
        if found.get(name) is not None and not isinstance(found[name], kind):
            raise BadRequest(f"`{name}` of a view is a JSON {_JSON[kind]} or null")
    if not all(isinstance(key, str) for key in found.get("sort") or ()):
        raise BadRequest("`sort` of a view is a list of field names")
    return found


_JSON: Mapping[type, str] = {dict: "object", list: "list", str: "text"}


def _encoded(view: Mapping[str, Any]) -> str:
    return msgspec.json.encode({name: view.get(name) for name in _CONTENT}).decode()


def _row(view: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a view; raises BadRequest when it is too large."""
    content = _encoded(view)
    if len(content.encode()) > LARGEST_VIEW:
        raise BadRequest(f"A view has at most {LARGEST_VIEW:,} bytes as JSON")
    plain = {name: view[name] for name in ("id", "blockId", "title", "shared", "ownerId")}
    return {**plain, "content": content}


def _view(row: tuple[Any, ...]) -> dict[str, Any]:
    key, block, title, shared, owner, content = row
    plain = {"id": key, "blockId": block, "title": title, "shared": bool(shared), "ownerId": owner}
    return {**plain, **msgspec.json.decode(content)}
