"""Which columns and linked records an answer has: `fields`, `except` and `appends` (http-api.md 3.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from atoll.application.collections.model import Collection, Lookup
from atoll.application.records.rights import EVERYTHING, Rights, shown
from atoll.errors import BadRequest

_OPTIONS = re.compile(r"\([^)]*\)")
DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Projection:
    """What each record of an answer has.

    Attributes:
        columns: in their order.
        appends: relations with what their records have in turn.
        recursive: relations that are followed again from the records they lead to.
    """

    columns: tuple[str, ...]
    appends: tuple[tuple[str, Projection], ...] = ()
    recursive: frozenset[str] = frozenset()


@dataclass
class _Wish:
    """The parameters as a tree of relations, while it is read."""

    whole: bool = True
    columns: list[str] = field(default_factory=list)
    without: set[str] = field(default_factory=set)
    relations: dict[str, _Wish] = field(default_factory=dict)
    recursive: set[str] = field(default_factory=set)

    def relation(self, name: str) -> _Wish:
        """The wish for a relation's records; of none of their columns so far."""
        return self.relations.setdefault(name, _Wish(whole=False))


def projection(
    collection: Collection,
    lookup: Lookup,
    fields: tuple[str, ...],
    excluded: tuple[str, ...],
    appends: tuple[str, ...],
    *,
    rights: Rights = EVERYTHING,
    action: str = "view",
) -> Projection:
    """Resolves the three parameters; unknown names are refused in `fields` and ignored elsewhere.

    What the rights do not show is left out, in linked records too.
    """
    wish = _Wish(whole=not fields)
    for name in fields:
        if not _add_field(wish, collection, name.split("."), lookup):
            raise BadRequest(f"Unknown field {name!r} in `fields` for {collection.name!r}")
    for name in appends:
        _add_append(wish, collection, name.split("."), lookup)
    for name in excluded:
        _exclude(wish, name.split("."))
    return _resolve(wish, collection, lookup, rights, action)


def _add_field(wish: _Wish, collection: Collection, path: list[str], lookup: Lookup) -> bool:
    head, rest = path[0], path[1:]
    if head in collection.relations:
        target = lookup(collection.relations[head].target)
        inner = wish.relation(head)
        if not rest:
            inner.whole = True
            return True
        return target is not None and _add_field(inner, target, rest, lookup)
    if rest or head not in collection.fields:
        return False
    wish.columns.append(head)
    return True


def _add_append(wish: _Wish, collection: Collection, path: list[str], lookup: Lookup) -> None:
    head, rest = _OPTIONS.sub("", path[0]), path[1:]
    relation = collection.relations.get(head)
    target = lookup(relation.target) if relation is not None else None
    if target is None:
        return
    if "recursively=true" in path[0].replace(" ", ""):
        wish.recursive.add(head)
    inner = wish.relation(head)
    if len(rest) == 1 and rest[0] in target.fields:
        inner.columns.append(rest[0])
        return
    inner.whole = True
    if rest:
        _add_append(inner, target, rest, lookup)


def _exclude(wish: _Wish, path: list[str]) -> None:
    for name in path[:-1]:
        if name not in wish.relations:
            return
        wish = wish.relations[name]
    wish.without.add(path[-1])


def _resolve(
    wish: _Wish, collection: Collection, lookup: Lookup, rights: Rights, action: str = "view", depth: int = 0
) -> Projection:
    if depth > DEEPEST:
        raise BadRequest(f"Relations can be followed {DEEPEST} steps deep; ask for fewer")
    readable = shown(collection, rights.on(collection, action))
    whole = wish.whole or not (wish.columns or wish.relations)
    columns = tuple(
        name
        for name in collection.visible
        if (whole or name in wish.columns)
        and name not in wish.without
        and (readable is None or name in readable)
    )
    appends = []
    for name, inner in wish.relations.items():
        target = lookup(collection.relations[name].target)
        if name in wish.without or target is None or (readable is not None and name not in readable):
            continue
        if rights.on(target, "view") is not None:
            appends.append((name, _resolve(inner, target, lookup, rights, depth=depth + 1)))
    return Projection(columns, tuple(appends), frozenset(wish.recursive))


def joining(collection: Collection, wanted: Projection, also: Iterable[str] = ()) -> tuple[str, ...]:
    """The columns to read: those asked for, and silently those that relations are followed by."""
    keys = (collection.relations[name].column for name, _ in wanted.appends)
    names = dict.fromkeys([*wanted.columns, *keys, *also])
    if not names and collection.fields:
        names = dict.fromkeys([next(iter(collection.fields))])
    return tuple(names)
