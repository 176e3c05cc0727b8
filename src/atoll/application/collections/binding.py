"""What a relation field brings along: foreign keys, the collection between, the field of the other side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from atoll.application.collections.model import Collection
from atoll.application.collections.relations import KINDS, Relation
from atoll.application.fields.uuid import random_name
from atoll.errors import BadRequest

Row = dict[str, Any]
_KEY_TYPES = {
    "bigInt": "bigInt", "integer": "bigInt", "sort": "bigInt", "snowflakeId": "bigInt",
    "string": "string", "uid": "string", "nanoid": "string", "sequence": "string", "uuid": "uuid",
}  # fmt: skip
# What cannot change once a relation exists: data in columns depends on it.
STRUCTURE = ("type", "target", "foreignKey", "targetKey", "sourceKey", "through", "otherKey")


@dataclass
class Binding:
    """A relation field with complete options, and what has to be there for it.

    Attributes:
        row: the field as it is stored.
        columns: fields that collections must have, by collection; those that are there are left alone.
        through: the collection between, to be made when there is none of its name.
        reverse: collection and row of the field on the other side.
    """

    row: Row
    columns: dict[str, list[Row]] = field(default_factory=dict)
    through: Row | None = None
    reverse: tuple[str, Row] | None = None

    def need(self, collection: str, row: Row) -> None:
        """Asks for a column."""
        self.columns.setdefault(collection, []).append(row)


def bind(here: Collection, values: Row, find: Callable[[str], Collection | None]) -> Binding:
    """Completes a relation field of `here`.

    A target that does not exist yet is allowed, since clients make collections one after another; its keys
    are taken for numbers, and columns it needs are added when it is made. Raises BadRequest.

    Args:
        find: the collection of a name, `here` included.
    """
    name, kind = str(values["name"]), values.get("type")
    if kind not in KINDS:
        raise BadRequest(f"Field {name!r}: {kind!r} is no kind of relation")
    target_name = values.get("target")
    if not isinstance(target_name, str) or not target_name:
        raise BadRequest(f"Field {name!r}: `target` is missing: the collection it leads to")
    target = find(target_name)
    row: Row = {key: value for key, value in values.items() if key != "reverseField"}
    row["targetKey"] = row.get("targetKey") or (target and target.target_key) or "id"
    binding = Binding(row)
    if kind == "belongsToMany":
        _between(binding, here, target, find)
    elif kind in ("hasOne", "hasMany"):
        row["sourceKey"] = row.get("sourceKey") or here.target_key or "id"
        row["foreignKey"] = row.get("foreignKey") or random_name("f_")
        if target is not None and target.system:
            raise BadRequest(
                f"Field {name!r}: {target_name!r} belongs to the system and gets no columns; "
                "make a belongsTo on the other side, or a belongsToMany"
            )
        binding.need(target_name, _key_field(row["foreignKey"], _referenced(here, row["sourceKey"], name)))
    else:
        row["foreignKey"] = row.get("foreignKey") or random_name("f_")
        referenced = _referenced(target, row["targetKey"], name)
        if kind == "belongsToArray":
            referenced = "array"
        binding.need(here.name, _key_field(row["foreignKey"], referenced))
    binding.reverse = _reverse(here, row, values.get("reverseField"))
    return binding


def check_key(collection: Collection, wanted: Mapping[str, Any]) -> None:
    """Raises BadRequest when a declared foreign key cannot hold what it refers to."""
    present = collection.fields[wanted["name"]]
    if _KEY_TYPES.get(present.type, present.type) != wanted["type"]:
        raise BadRequest(
            f"Field {present.name!r} of {collection.name!r} is {present.type!r} and cannot hold a key of "
            f"type {wanted['type']!r}: declare it with that type or name another `foreignKey`"
        )


def _between(
    binding: Binding, here: Collection, target: Collection | None, find: Callable[[str], Collection | None]
) -> None:
    row = binding.row
    name = str(row["name"])
    row["sourceKey"] = row.get("sourceKey") or here.target_key or "id"
    row["through"] = row.get("through") or random_name("t_")
    row["foreignKey"] = row.get("foreignKey") or random_name("f_")
    row["otherKey"] = row.get("otherKey") or random_name("f_")
    if row["through"] in (row["target"], here.name):
        raise BadRequest(f"Field {name!r}: `through` must be a collection of its own")
    if row["foreignKey"] == row["otherKey"]:
        raise BadRequest(f"Field {name!r}: `foreignKey` and `otherKey` must differ")
    keys = [
        _key_field(row["foreignKey"], _referenced(here, row["sourceKey"], name)),
        _key_field(row["otherKey"], _referenced(target, row["targetKey"], name)),
    ]
    through = find(row["through"])
    if through is None:
        parts = [{**key, "primaryKey": True, "allowNull": False} for key in keys]
        binding.through = {
            "name": row["through"], "title": row["through"], "isThrough": True, "hidden": True,
            "autoGenId": False, "fields": parts,
        }  # fmt: skip
    elif through.system:
        raise BadRequest(f"Field {name!r}: {row['through']!r} belongs to the system")
    else:
        for key in keys:
            binding.need(row["through"], key)


def key_field(name: str, source: Collection, relation: Relation) -> Row:
    """The foreign key that a `hasOne` or `hasMany` of `source` needs in its target."""
    return _key_field(name, _referenced(source, relation.source_key, relation.name))


def _key_field(name: str, kind: str) -> Row:
    interface = {"bigInt": "integer", "uuid": "uuid", "array": "json"}.get(kind, "input")
    return {
        "name": name, "type": kind, "interface": interface, "isForeignKey": True, "index": kind != "array",
        "uiSchema": {"title": name},
    }  # fmt: skip


def _referenced(collection: Collection | None, key: str, name: str) -> str:
    """The type of a column that holds values of `key`."""
    if collection is None:
        return "bigInt"
    found = collection.fields.get(key)
    if found is None:
        raise BadRequest(f"Field {name!r}: collection {collection.name!r} has no field {key!r} to refer to")
    kind = _KEY_TYPES.get(found.type)
    if kind is None:
        raise BadRequest(f"Field {name!r}: a field of type {found.type!r} ({key!r}) cannot be referred to")
    return kind


_OPPOSITE = {
    "belongsTo": ("hasMany", "hasOne"),
    "hasMany": ("belongsTo",),
    "hasOne": ("belongsTo",),
    "belongsToMany": ("belongsToMany",),
}


def _reverse(here: Collection, row: Row, wanted: Any) -> tuple[str, Row] | None:
    if not wanted:
        return None
    name = str(row["name"])
    allowed = _OPPOSITE.get(str(row["type"]), ())
    if not isinstance(wanted, Mapping) or (wanted.get("type") or (allowed or ("",))[0]) not in allowed:
        raise BadRequest(
            f"Field {name!r}: `reverseField` is a field of type {' or '.join(allowed) or '(none here)'}"
        )
    other: Row = {
        **wanted,
        "name": wanted.get("name") or random_name("f_"),
        "type": wanted.get("type") or allowed[0],
        "target": here.name,
        "foreignKey": row["foreignKey"],
    }
    if row["type"] == "belongsToMany":
        other |= {"foreignKey": row["otherKey"], "otherKey": row["foreignKey"], "through": row["through"]}
        other |= {"sourceKey": row["targetKey"], "targetKey": row["sourceKey"]}
    elif row["type"] == "belongsTo":
        other |= {"sourceKey": row["targetKey"]}
    else:
        other |= {"targetKey": row["sourceKey"]}
    return str(row["target"]), other
