"""How the collections that are defined in code are written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Definition: TypeAlias = tuple[Mapping[str, Any], tuple[Mapping[str, Any], ...]]
"""The options of a collection and of its fields."""

ID: Final[Mapping[str, Any]] = {
    "name": "id",
    "type": "bigInt",
    "interface": "id",
    "primaryKey": True,
    "autoIncrement": True,
    "allowNull": False,
}


def field(name: str, kind: str, title: str = "", **options: Any) -> dict[str, Any]:
    """A field; `title` is what people call it."""
    described = {"name": name, "type": kind, **options}
    return {**described, "uiSchema": {"title": title}} if title else described


def linked(
    name: str,
    target: str,
    through: str,
    keys: tuple[str, str],
    refers_to: tuple[str, str],
) -> dict[str, Any]:
    """A belongsToMany.

    Args:
        keys: the columns between that hold the keys of this side and of the other.
        refers_to: the fields here and there that they hold values of.
    """
    return {
        "name": name,
        "type": "belongsToMany",
        "interface": "m2m",
        "target": target,
        "through": through,
        "foreignKey": keys[0],
        "otherKey": keys[1],
        "sourceKey": refers_to[0],
        "targetKey": refers_to[1],
    }
