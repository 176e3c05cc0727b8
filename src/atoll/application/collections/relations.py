"""What a relation is: which column here or there holds the key of the other side (http-api.md 5.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from atoll.errors import BadRequest

RelationKind = Literal["belongsTo", "hasOne", "hasMany", "belongsToMany", "belongsToArray"]
TreeRole = Literal["parent", "children"]
OnDelete = Literal["NO ACTION", "SET NULL", "CASCADE", "RESTRICT"]
KINDS: tuple[RelationKind, ...] = get_args(RelationKind)
ON_DELETE: tuple[OnDelete, ...] = get_args(OnDelete)
_PEOPLE = {"createdBy": "createdById", "updatedBy": "updatedById"}


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation to records of `target`.

    | kind | which records are linked |
    |---|---|
    | `belongsTo` | `foreign_key` here is `target_key` there |
    | `hasOne`, `hasMany` | `foreign_key` there is `source_key` here |
    | `belongsToMany` | a row of `through` has `source_key` in `foreign_key` and `target_key` in `other_key` |
    | `belongsToArray` | the list `foreign_key` here contains `target_key` there, as text |

    Attributes:
        on_delete: what happens to the side that holds the foreign key when the other side is destroyed.
        explicit: whether people chose `on_delete`; their word on either side wins over a default.
        tree: what the relation is in a tree collection.
    """

    name: str
    kind: RelationKind
    target: str
    foreign_key: str
    target_key: str = "id"
    source_key: str = "id"
    through: str | None = None
    other_key: str = ""
    on_delete: OnDelete = "NO ACTION"
    explicit: bool = False
    tree: TreeRole | None = None

    @property
    def to_many(self) -> bool:
        """Whether a record has a list of the others."""
        return self.kind in ("hasMany", "belongsToMany", "belongsToArray")

    @property
    def holds_key(self) -> bool:
        """Whether the foreign key is a column of this side."""
        return self.kind in ("belongsTo", "belongsToArray")

    @property
    def column(self) -> str:
        """The column of this side that the relation is followed by."""
        return self.foreign_key if self.holds_key else self.source_key

    def columns_in(self, name: str, source: str) -> tuple[str, ...]:
        """The columns of the collection `name` that this relation of `source` rests on."""
        if name == self.through:
            return (self.foreign_key, self.other_key)
        here = (self.column,) if name == source else ()
        there = (self.target_key,) if self.through or self.holds_key else (self.foreign_key,)
        return here + (there if name == self.target else ())


def read_relation(name: str, options: Mapping[str, Any]) -> Relation:
    """The relation of a field's complete options (see `bind`); raises BadRequest."""
    kind = options.get("type")
    found = next((each for each in KINDS if each == kind), None)
    if found is None:
        raise BadRequest(f"Field {name!r}: {kind!r} is no kind of relation")
    if name in _PEOPLE:
        wanted = ("belongsTo", "users", _PEOPLE[name])
        if (kind, options.get("target"), options.get("foreignKey", _PEOPLE[name])) != wanted:
            raise BadRequest(f"Field {name!r}: it is a belongsTo of users by {_PEOPLE[name]!r}")
        return Relation(name, "belongsTo", "users", _PEOPLE[name])
    on_delete = options.get("onDelete")
    chosen = next((each for each in ON_DELETE if each == str(on_delete).upper()), None)
    if on_delete and chosen is None:
        raise BadRequest(f"Field {name!r}: `onDelete` is one of {', '.join(ON_DELETE)}")
    default: OnDelete = "CASCADE" if found == "belongsToMany" else "NO ACTION"
    return Relation(
        name=name,
        kind=found,
        target=_text(name, options, "target"),
        foreign_key=_text(name, options, "foreignKey"),
        target_key=str(options.get("targetKey") or "id"),
        source_key=str(options.get("sourceKey") or "id"),
        through=_text(name, options, "through") if found == "belongsToMany" else None,
        other_key=_text(name, options, "otherKey") if found == "belongsToMany" else "",
        on_delete=chosen or default,
        explicit=chosen is not None,
        tree="parent" if options.get("treeParent") else "children" if options.get("treeChildren") else None,
    )


def _text(name: str, options: Mapping[str, Any], key: str) -> str:
    value = options.get(key)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"Field {name!r}: `{key}` is missing")
    return value
