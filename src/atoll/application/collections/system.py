"""The collections every app has. They are defined here, not in the database, and share the record engine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from atoll.application.collections.model import Collection
from atoll.application.fields.base import DatabaseKind

_ID = {
    "name": "id",
    "type": "bigInt",
    "interface": "id",
    "primaryKey": True,
    "autoIncrement": True,
    "allowNull": False,
}


def _field(name: str, kind: str, title: str = "", **options: Any) -> dict[str, Any]:
    field = {"name": name, "type": kind, **options}
    return {**field, "uiSchema": {"title": title}} if title else field


def _linked(
    name: str, target: str, foreign_key: str, other_key: str, *, source_key: str, target_key: str
) -> dict[str, Any]:
    return {
        "name": name,
        "type": "belongsToMany",
        "interface": "m2m",
        "target": target,
        "through": "rolesUsers",
        "foreignKey": foreign_key,
        "otherKey": other_key,
        "sourceKey": source_key,
        "targetKey": target_key,
    }


_METADATA: Mapping[str, tuple[Mapping[str, Any], tuple[Mapping[str, Any], ...]]] = {
    "collections": (
        {"filterTargetKey": "name"},
        (
            _field("key", "uid", primaryKey=True),
            _field("name", "string", unique=True, allowNull=False),
            _field("title", "string"),
            _field("inherit", "boolean", defaultValue=False),
            _field("hidden", "boolean", defaultValue=False),
            _field("description", "text"),
            _field("sort", "bigInt"),
            _field("options", "json", defaultValue={}),
        ),
    ),
    "fields": (
        {"filterTargetKey": "name"},
        (
            _field("key", "uid", primaryKey=True),
            _field("name", "string", allowNull=False),
            _field("type", "string"),
            _field("interface", "string"),
            _field("description", "text"),
            _field("collectionName", "string", allowNull=False),
            _field("parentKey", "string"),
            _field("reverseKey", "string"),
            _field("sort", "bigInt"),
            _field("options", "json", defaultValue={}),
        ),
    ),
}

_PEOPLE: Mapping[str, tuple[Mapping[str, Any], tuple[Mapping[str, Any], ...]]] = {
    "users": (
        {
            "title": '{{t("Users")}}',
            "createdAt": True,
            "updatedAt": True,
            "createdBy": True,
            "updatedBy": True,
        },
        (
            _ID,
            _field("nickname", "string", '{{t("Nickname")}}', interface="input"),
            _field("username", "string", '{{t("Username")}}', interface="input", unique=True),
            _field("email", "string", '{{t("Email")}}', interface="email", unique=True),
            _field("phone", "string", '{{t("Phone")}}', interface="input", unique=True),
            _field("password", "password", '{{t("Password")}}', interface="password", hidden=True),
            _field("appLang", "string"),
            _field("passwordChangeTz", "bigInt"),
            _field("systemSettings", "json", defaultValue={}),
            _field("sort", "bigInt"),
            _linked("roles", "roles", "userId", "roleName", source_key="id", target_key="name"),
        ),
    ),
    "roles": (
        {"title": '{{t("Roles")}}', "autoGenId": False, "createdAt": True, "updatedAt": True},
        (
            _field("name", "uid", '{{t("Role UID")}}', interface="input", prefix="r_", primaryKey=True),
            _field("title", "string", '{{t("Role name")}}', interface="input", unique=True),
            _field("description", "text"),
            _field("default", "boolean", defaultValue=False),
            _field("hidden", "boolean", defaultValue=False),
            _field("allowConfigure", "boolean"),
            _field("allowNewMenu", "boolean", defaultValue=False),
            _field("strategy", "json"),
            _field("snippets", "set", defaultValue=["!ui.*", "!pm", "!pm.*"]),
            _field("sort", "bigInt"),
            _linked("users", "users", "roleName", "userId", source_key="name", target_key="id"),
        ),
    ),
    "rolesUsers": (
        {"autoGenId": False, "createdAt": True, "updatedAt": True},
        (
            _field("userId", "bigInt", primaryKey=True),
            _field("roleName", "string", primaryKey=True),
            _field("default", "boolean"),
        ),
    ),
}

_RULES: Mapping[str, tuple[Mapping[str, Any], tuple[Mapping[str, Any], ...]]] = {
    "dataSourcesRolesResources": (
        {"createdAt": True, "updatedAt": True},
        (
            _ID,
            _field("roleName", "string", allowNull=False, index=True),
            _field("dataSourceKey", "string", defaultValue="main"),
            _field("name", "string", allowNull=False),
            _field("usingActionsConfig", "boolean", defaultValue=False),
            {
                "name": "actions",
                "type": "hasMany",
                "target": "dataSourcesRolesResourcesActions",
                "foreignKey": "rolesResourceId",
                "onDelete": "CASCADE",
            },
        ),
    ),
    "dataSourcesRolesResourcesActions": (
        {"createdAt": True, "updatedAt": True},
        (
            _ID,
            _field("name", "string", allowNull=False),
            _field("fields", "set", defaultValue=[]),
            _field("rolesResourceId", "bigInt", allowNull=False, index=True),
            _field("scopeId", "bigInt"),
            {
                "name": "scope",
                "type": "belongsTo",
                "target": "dataSourcesRolesResourcesScopes",
                "foreignKey": "scopeId",
                "onDelete": "RESTRICT",
            },
        ),
    ),
    "dataSourcesRolesResourcesScopes": (
        {"createdAt": True, "updatedAt": True},
        (
            _ID,
            _field("key", "uid", unique=True),
            _field("name", "string"),
            _field("dataSourceKey", "string", defaultValue="main"),
            _field("resourceName", "string"),
            _field("scope", "json"),
        ),
    ),
}

_SETTINGS: Mapping[str, tuple[Mapping[str, Any], tuple[Mapping[str, Any], ...]]] = {
    "systemSettings": (
        {"createdAt": True, "updatedAt": True},
        (
            _ID,
            _field("title", "string"),
            _field("raw_title", "string"),
            _field("showLogoOnly", "boolean"),
            _field("allowSignUp", "boolean", defaultValue=True),
            _field("smsAuthEnabled", "boolean", defaultValue=False),
            _field("logoId", "bigInt"),
            _field("enabledLanguages", "json", defaultValue=["en-US"]),
            _field("appLang", "string"),
            _field("options", "json", defaultValue={}),
            _field("enableEditProfile", "boolean", defaultValue=True),
            _field("enableChangePassword", "boolean", defaultValue=True),
            _field("roleMode", "string", defaultValue="default"),
        ),
    ),
    "authenticators": (
        {"createdAt": True, "updatedAt": True},
        (
            _ID,
            _field("name", "uid", unique=True, allowNull=False),
            _field("authType", "string", allowNull=False),
            _field("title", "string"),
            _field("description", "string"),
            _field("options", "json", defaultValue={}),
            _field("enabled", "boolean", defaultValue=False),
            _field("sort", "bigInt"),
        ),
    ),
    "tokenControlConfig": (
        {"autoGenId": False, "createdAt": True, "updatedAt": True},
        (_field("key", "string", primaryKey=True), _field("config", "json", defaultValue={})),
    ),
    "tokenBlacklist": (
        {"autoGenId": False},
        (_field("token", "string", primaryKey=True), _field("expiration", "bigInt", allowNull=False)),
    ),
    "issuedTokens": (
        {"autoGenId": False},
        (
            _field("jti", "string", primaryKey=True),
            _field("userId", "bigInt", allowNull=False),
            _field("signInTime", "bigInt", allowNull=False),
            _field("previousJti", "string", unique=True),
            _field("issuedTime", "bigInt", allowNull=False),
            _field("session", "string"),
            _field("agent", "string"),
            _field("address", "string"),
            _field("seenTime", "bigInt"),
        ),
    ),
    "apiKeys": (
        {"createdAt": True, "updatedAt": True, "createdBy": True},
        (
            _ID,
            _field("name", "string", allowNull=False),
            _field("roleName", "string", allowNull=False),
            {
                "name": "role",
                "type": "belongsTo",
                "target": "roles",
                "foreignKey": "roleName",
                "targetKey": "name",
            },
            _field("expiresIn", "string"),
            _field("expiresAt", "date"),
            _field("lastUsedAt", "date"),
            _field("tokenEnd", "string"),
            _field("tokenId", "string", allowNull=False, unique=True, hidden=True),
        ),
    ),
    "userPreferences": (
        {"autoGenId": False},
        (
            _field("userId", "bigInt", primaryKey=True),
            _field("key", "string", primaryKey=True),
            _field("value", "text", allowNull=False),
        ),
    ),
    "views": (
        {"autoGenId": False},
        (
            _field("id", "string", primaryKey=True),
            _field("blockId", "string", allowNull=False, index=True),
            _field("title", "string", allowNull=False),
            _field("shared", "boolean", allowNull=False),
            _field("ownerId", "bigInt"),
            _field("content", "text", allowNull=False),
        ),
    ),
    "revisions": (
        {"autoGenId": False},
        (_field("name", "string", primaryKey=True), _field("number", "bigInt", allowNull=False)),
    ),
    "migrations": (
        {"autoGenId": False},
        (_field("name", "string", primaryKey=True), _field("appliedAt", "date", defaultToCurrentTime=True)),
    ),
}

DEFINITIONS: Mapping[str, tuple[Mapping[str, Any], tuple[Mapping[str, Any], ...]]] = MappingProxyType(
    {**_METADATA, **_PEOPLE, **_RULES, **_SETTINGS}
)


@lru_cache(maxsize=16)
def system_collections(kind: DatabaseKind, prefix: str) -> Mapping[str, Collection]:
    """The system collections by name; all apps with one database kind and prefix share the same objects."""
    return MappingProxyType(
        {
            name: Collection(name, options, fields, kind=kind, prefix=prefix, system=True)
            for name, (options, fields) in DEFINITIONS.items()
        }
    )
