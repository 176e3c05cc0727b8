"""The collections that the screens of every app live on: menus, themes, categories, variables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from atoll.application.collections.definitions import ID, Definition, field, linked

BUILT_IN_THEMES: tuple[Mapping[str, Any], ...] = tuple(
    {"uid": uid, "config": config, "optional": True, "isBuiltIn": True, "default": uid == "default"}
    for uid, config in (
        ("default", {"name": "Default"}),
        ("dark", {"name": "Dark", "algorithm": "darkAlgorithm"}),
        ("compact", {"name": "Compact", "algorithm": "compactAlgorithm"}),
        ("compact_dark", {"name": "Compact dark", "algorithm": ["compactAlgorithm", "darkAlgorithm"]}),
    )
)
_FLAGS = ("hideInMenu", "hidden", "enableTabs", "enableHeader", "displayTitle")


def _menu(name: str, between: str, key: str) -> Definition:
    """The entries of a menu, as a tree; each is for the roles that it is linked to."""
    tree = {"target": name, "foreignKey": "parentId"}
    return (
        {
            "tree": "adjacency-list",
            "createdAt": True,
            "updatedAt": True,
            "createdBy": True,
            "updatedBy": True,
        },
        (
            ID,
            field("parentId", "bigInt", isForeignKey=True, index=True),
            {"name": "parent", "type": "belongsTo", "treeParent": True, "onDelete": "CASCADE", **tree},
            {"name": "children", "type": "hasMany", "treeChildren": True, "onDelete": "CASCADE", **tree},
            *(field(each, "string") for each in ("title", "tooltip", "icon", "type", "schemaUid")),
            *(field(each, "string") for each in ("menuSchemaUid", "tabSchemaName", "pageSchemaUid")),
            field("options", "json"),
            field("sort", "sort", scopeKey="parentId"),
            *(field(each, "boolean") for each in _FLAGS),
            linked("roles", "roles", between, (key, "roleName"), ("id", "name")),
        ),
    )


def _menu_roles(key: str) -> Definition:
    return (
        {"autoGenId": False},
        (field(key, "bigInt", primaryKey=True), field("roleName", "string", primaryKey=True)),
    )


SCREENS: Mapping[str, Definition] = MappingProxyType(
    {
        "desktopRoutes": _menu("desktopRoutes", "rolesDesktopRoutes", "desktopRouteId"),
        "rolesDesktopRoutes": _menu_roles("desktopRouteId"),
        "mobileRoutes": _menu("mobileRoutes", "rolesMobileRoutes", "mobileRouteId"),
        "rolesMobileRoutes": _menu_roles("mobileRouteId"),
        "themeConfig": (
            {"createdAt": True, "updatedAt": True},
            (
                ID,
                field("uid", "uid", unique=True),
                field("config", "json", defaultValue={}),
                field("optional", "boolean", defaultValue=True),
                field("isBuiltIn", "boolean", defaultValue=False),
                field("default", "boolean", defaultValue=False),
            ),
        ),
        "environmentVariables": (
            {"autoGenId": False, "createdAt": True, "updatedAt": True},
            (
                field("name", "string", "Name", primaryKey=True),
                field("type", "string", defaultValue="default"),
                field("value", "text"),
            ),
        ),
        "collectionCategories": (
            {"createdAt": True, "updatedAt": True},
            (
                ID,
                field("name", "string", '{{t("Name")}}'),
                field("color", "string", defaultValue="default"),
                field("sort", "sort"),
            ),
        ),
        "collectionCategory": (
            {"autoGenId": False},
            (
                field("collectionName", "string", primaryKey=True),
                field("categoryId", "bigInt", primaryKey=True),
            ),
        ),
        "sequences": (
            {"autoGenId": False},
            (
                field("collection", "string", primaryKey=True),
                field("field", "string", primaryKey=True),
                field("key", "string", primaryKey=True),
                field("current", "bigInt"),
                field("lastGeneratedAt", "date"),
            ),
        ),
    }
)
