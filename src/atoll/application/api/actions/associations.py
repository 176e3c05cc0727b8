"""The actions of a record's relations: `/api/posts/1/tags:list` (http-api.md 3.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from atoll.application.api.actions.records import caller, restricted, seen, with_body
from atoll.application.collections.model import Collection
from atoll.application.collections.relations import Relation
from atoll.application.context import NOTHING, Context, Handler, Page
from atoll.application.fields.base import MISSING
from atoll.application.records.reader import Record, Within
from atoll.application.records.rights import refused, writable
from atoll.application.records.unit_of_work import UnitOfWork
from atoll.errors import BadRequest, NotFound, NotSupported

# What somebody must be allowed to do to the source to use an action; other actions ask for the target.
ON_SOURCE: Final = frozenset({"add", "set", "remove", "toggle"})


@dataclass(frozen=True, slots=True)
class Place:
    """Whose relation it is.

    Attributes:
        key: the driver value by which records of the other side are linked; None when there is no source.
    """

    source: Collection
    relation: Relation
    target: Collection
    key: Any = None

    def within(self) -> Within:
        """Restricts the target's records to those that are linked."""
        relation = self.relation
        if self.key is None:
            return ("never",), []
        if relation.through is not None:
            between = (relation.through, relation.foreign_key, relation.other_key)
            return ("linked", relation.target_key, *between), [self.key]
        return ("eq", relation.target_key if relation.holds_key else relation.foreign_key), [self.key]


def relation_of(ctx: Context) -> Place:
    """The relation that a resource `posts.tags` names, of no record yet; raises NotFound."""
    source_name, _, name = ctx.resource.partition(".")
    source = ctx.app.collections.own().get(source_name)
    relation = source.relations.get(name) if source is not None else None
    target = ctx.app.collections.get(relation.target) if relation is not None else None
    if source is None or relation is None or target is None:
        raise NotFound(f"{source_name!r} has no relation {name!r}")
    if relation.kind == "belongsToArray":
        raise NotSupported(
            f"{name!r} is a list of keys: read it with `appends`, write it as the value of a record"
        )
    return Place(source, relation, target)


async def _place(ctx: Context) -> Place:
    """The relation of the record that the path names."""
    found = relation_of(ctx)
    source, relation = found.source, found.relation
    if not relation.holds_key:
        key = source.fields[relation.source_key].operand(ctx.source_id, source.kind)
        return Place(source, relation, found.target, key)
    record = await ctx.app.records.get(source, {"filterByTk": ctx.source_id}, restricted(ctx))
    value = record[relation.foreign_key] if record is not None else None
    key = None if value is None else source.fields[relation.foreign_key].operand(value, source.kind)
    return Place(source, relation, found.target, key)


async def _locked(ctx: Context, unit: UnitOfWork, place: Place, *, action: str | None = None) -> Record:
    """The source record, kept from others until the commit; raises NotFound."""
    name = place.source.target_key if place.relation.holds_key else place.relation.source_key
    if name is None:
        raise BadRequest(f"Collection {place.source.name!r} has no record key; its relations have no address")
    record = await ctx.app.records.find_locked(unit, place.source, name, ctx.source_id, action=action)
    if record is None:
        raise NotFound(f"There is no record {ctx.source_id!r} in {place.source.title!r}")
    return record


async def list_linked(ctx: Context) -> Any:
    """One page of linked records."""
    place = await _place(ctx)
    if not place.relation.to_many:
        raise BadRequest(f"{place.relation.name!r} leads to one record: use `get`")
    page = await ctx.app.records.page(place.target, ctx.params, restricted(ctx), within=place.within())
    await _with_between(ctx, place, page.rows if isinstance(page, Page) else page)
    return page


async def get_linked(ctx: Context) -> Any:
    """One linked record or null."""
    place = await _place(ctx)
    record = await ctx.app.records.get(place.target, ctx.params, restricted(ctx), within=place.within())
    if record is not None:
        await _with_between(ctx, place, [record])
    return record


async def _with_between(ctx: Context, place: Place, records: list[Record]) -> None:
    """Puts the row between into each record, under the name of its collection."""
    relation = place.relation
    through = ctx.app.collections.get(relation.through) if relation.through is not None else None
    if through is None or not records or relation.target_key not in records[0]:
        return
    keys = [record[relation.target_key] for record in records]
    rows = await ctx.app.records.find(
        through,
        {relation.other_key: {"$in": keys}},
        caller(ctx),
        within=(("eq", relation.foreign_key), [place.key]),
    )
    by_key = {row[relation.other_key]: row for row in rows}
    for record in records:
        record[through.name] = by_key.get(record[relation.target_key])


async def create_linked(ctx: Context) -> Any:
    """New records, linked to the source."""
    place, records = await _place(ctx), ctx.app.records
    several = isinstance(ctx.values, list)
    made = []
    async with records.work(restricted(ctx), ctx.params) as unit:
        source = await _locked(ctx, unit, place)
        for values in ctx.values if several else [ctx.values]:
            made.append(await _create(ctx, unit, place, source, values))
    return made if several else made[0]


async def _create(ctx: Context, unit: UnitOfWork, place: Place, source: Record, values: Any) -> Record:
    if values is not None and not isinstance(values, Mapping):
        raise BadRequest("The values of a record are an object")
    relation, links = place.relation, ctx.app.records.associations
    right = unit.caller.rights.need(place.target, "create")
    given = writable(
        unit.caller.rights,
        right,
        {name: value for name, value in (values or {}).items() if name != relation.through},
    )
    if relation.holds_key:
        record = await links.create(unit, place.target, given)
        await links.update(unit, place.source, source, {relation.name: record[relation.target_key]})
    elif relation.through is not None:
        record = await links.create(unit, place.target, given)
        between = (values or {}).get(relation.through)
        linked = [(record, between if isinstance(between, Mapping) else {})]
        await links.add(unit, relation, place.key, place.target, linked)
    else:
        if not relation.to_many:
            await links.remove(unit, relation, place.key, place.target, None)
        record = await links.create(unit, place.target, given, links={relation.foreign_key: place.key})
    return record


async def update_linked(ctx: Context) -> Any:
    """The changed records; only linked ones can be changed."""
    place, records = await _place(ctx), ctx.app.records
    relation = place.relation
    given = ctx.values if isinstance(ctx.values, Mapping) else {}
    between = given.get(relation.through) if relation.through is not None else None
    async with records.work(restricted(ctx), ctx.params) as unit:
        changed = await records.update_in(
            unit, place.target, ctx.params, ctx.values, within=place.within(), expected=seen(ctx)
        )
        if isinstance(between, Mapping):
            linked = [(record, between) for record in changed]
            await records.associations.add(unit, relation, place.key, place.target, linked)
    return changed


async def destroy_linked(ctx: Context) -> Any:
    """Destroys linked records; `true` whether or not there were any."""
    place = await _place(ctx)
    await ctx.app.records.destroy(place.target, ctx.params, restricted(ctx), within=place.within())
    return True


async def add_links(ctx: Context) -> Any:
    """Links more records."""
    return await _link(ctx, "add")


async def set_links(ctx: Context) -> Any:
    """Links exactly these records."""
    return await _link(ctx, "set")


async def remove_links(ctx: Context) -> Any:
    """Unlinks records; a relation to one record takes no key."""
    return await _link(ctx, "remove")


async def toggle_link(ctx: Context) -> Any:
    """Links a record or unlinks it when it is linked."""
    await _link(ctx, "toggle")
    return "ok"


async def _link(ctx: Context, verb: str) -> Any:
    place, records = await _place(ctx), ctx.app.records
    relation, links = place.relation, records.associations
    async with records.work(restricted(ctx), ctx.params) as unit:
        fields = unit.caller.rights.need(place.source, "update").fields
        if fields is not None and relation.name not in fields:
            raise refused()
        source = await _locked(ctx, unit, place, action="update")
        if relation.holds_key:
            value = None if verb == "remove" else _items(ctx)[0]
            await links.update(unit, place.source, source, {relation.name: value})
            return NOTHING
        if verb == "remove" and not relation.to_many:
            await links.remove(unit, relation, place.key, place.target, None)
            return NOTHING
        linked = await links.find(unit, place.target, relation, _items(ctx))
        if verb == "toggle":
            mine = (record[place.target.target_key or relation.target_key] for record, _ in linked)
            on = await records.find(
                place.target,
                {place.target.target_key or relation.target_key: {"$in": list(mine)}},
                unit.caller.unlimited(),
                within=place.within(),
                connection=unit.connection,
            )
            verb = "remove" if on else "add"
        if verb == "set" or (verb == "add" and not relation.to_many):
            await links.replace(unit, relation, place.key, place.target, linked)
        elif verb == "add":
            await links.add(unit, relation, place.key, place.target, linked)
        else:
            await links.remove(unit, relation, place.key, place.target, linked)
    return NOTHING


def _items(ctx: Context) -> list[Any]:
    """Keys, or objects with keys, of the query or the body; `[key, {…}]` brings values of the row between."""
    relation = relation_of(ctx).relation
    given = ctx.params.get("filterByTk", ctx.params.get("filterByTks", MISSING))
    if given is MISSING:
        given = ctx.values
    if isinstance(given, str) and "," in given:
        given = given.split(",")
    items = given if isinstance(given, list) else [given]
    found: list[Any] = []
    for item in items:
        if isinstance(item, list) and len(item) == 2 and isinstance(item[1], Mapping):
            found.append({relation.target_key: item[0], (relation.through or ""): item[1]})
        elif isinstance(item, Mapping) and relation.target_key not in item:
            raise BadRequest(f"Name the records by {relation.target_key!r}: keys, or objects with it")
        elif item is None or isinstance(item, list):
            raise BadRequest("Name the records: `filterByTk` in the query, or a list of keys as the body")
        else:
            found.append(item)
    return found


async def first_or_create_linked(ctx: Context) -> Any:
    """The linked record that has the given `filterKeys`, else a new one."""
    return await _found(ctx) or await create_linked(ctx)


async def update_or_create_linked(ctx: Context) -> Any:
    """Changes the linked record that has the given `filterKeys`, else makes one."""
    found = await _found(ctx)
    if found is None:
        return await create_linked(ctx)
    place = relation_of(ctx)
    ctx.params = {**ctx.params, "filterByTk": found[place.target.target_key or place.relation.target_key]}
    changed = await update_linked(ctx)
    return next(iter(changed), found)


async def _found(ctx: Context) -> Record | None:
    place, records = await _place(ctx), ctx.app.records
    condition = records.key_filter(ctx.params, ctx.values)
    if condition is None:
        return None
    return await records.get(place.target, {"filter": condition}, restricted(ctx), within=place.within())


async def move_linked(ctx: Context) -> Any:
    """Gives a linked record another place among those of its source."""
    place = await _place(ctx)
    if place.relation.kind != "hasMany":
        raise NotSupported(
            f"{place.relation.name!r} has no order of its own: records are moved along hasMany"
        )
    params = with_body(ctx)
    own = f"{place.relation.foreign_key}Sort"
    if not params.get("sortField") and own in place.target.fields:
        params["sortField"] = own
    await ctx.app.records.move(place.target, params, restricted(ctx), within=place.within())
    return "ok"


async def not_yet(ctx: Context) -> Any:
    """Actions that relations do not have."""
    raise NotSupported(f"The action {ctx.action!r} on a relation is not supported by this version")


ASSOCIATED: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        "list": list_linked,
        "get": get_linked,
        "create": create_linked,
        "update": update_linked,
        "destroy": destroy_linked,
        "add": add_links,
        "set": set_links,
        "remove": remove_links,
        "toggle": toggle_link,
        "firstOrCreate": first_or_create_linked,
        "updateOrCreate": update_or_create_linked,
        "move": move_linked,
        "query": not_yet,
    }
)
