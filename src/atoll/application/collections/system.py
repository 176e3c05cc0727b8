"""The collections every app has. They are defined here, not in the database, and share the record engine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from atoll.application.collections.definitions import ID, Definition, field, linked
from atoll.application.collections.model import Collection
from atoll.application.collections.system_screens import SCREENS
from atoll.application.fields.base import DatabaseKind

_METADATA: Mapping[str, Definition] = {
    "collections": (
        {"filterTargetKey": "name"},
        (
            field("key", "uid", primaryKey=True),
            field("name", "string", unique=True, allowNull=False),
            field("title", "string"),
            field("inherit", "boolean", defaultValue=False),
            field("hidden", "boolean", defaultValue=False),
            field("description", "text"),
            field("sort", "bigInt"),
            field("options", "json", defaultValue={}),
            linked(
                "category",
                "collectionCategories",
                "collectionCategory",
                ("collectionName", "categoryId"),
                ("name", "id"),
            ),
        ),
    ),
    "fields": (
        {"filterTargetKey": "name"},
        (
            field("key", "uid", primaryKey=True),
            field("name", "string", allowNull=False),
            field("type", "string"),
            field("interface", "string"),
            field("description", "text"),
            field("collectionName", "string", allowNull=False),
            field("parentKey", "string"),
            field("reverseKey", "string"),
            field("sort", "bigInt"),
            field("options", "json", defaultValue={}),
        ),
    ),
}

_PEOPLE: Mapping[str, Definition] = {
    "users": (
        {
            "title": '{{t("Users")}}',
            "createdAt": True,
            "updatedAt": True,
            "createdBy": True,
            "updatedBy": True,
        },
        (
            ID,
            field("nickname", "string", '{{t("Nickname")}}', interface="input"),
            field("username", "string", '{{t("Username")}}', interface="input", unique=True),
            field("email", "string", '{{t("Email")}}', interface="email", unique=True),
            field("phone", "string", '{{t("Phone")}}', interface="input", unique=True),
            field("password", "password", '{{t("Password")}}', interface="password", hidden=True),
            field("appLang", "string"),
            field("passwordChangeTz", "bigInt"),
            field("systemSettings", "json", defaultValue={}),
            field("sort", "bigInt"),
            linked("roles", "roles", "rolesUsers", ("userId", "roleName"), ("id", "name")),
        ),
    ),
    "roles": (
        {"title": '{{t("Roles")}}', "autoGenId": False, "createdAt": True, "updatedAt": True},
        (
            field("name", "uid", '{{t("Role UID")}}', interface="input", prefix="r_", primaryKey=True),
            field("title", "string", '{{t("Role name")}}', interface="input", unique=True),
            field("description", "text"),
            field("default", "boolean", defaultValue=False),
            field("hidden", "boolean", defaultValue=False),
            field("allowConfigure", "boolean"),
            field("allowNewMenu", "boolean", defaultValue=False),
            field("strategy", "json"),
            field("snippets", "set", defaultValue=["!ui.*", "!pm", "!pm.*"]),
            field("sort", "bigInt"),
            linked("users", "users", "rolesUsers", ("roleName", "userId"), ("name", "id")),
        ),
    ),
    "rolesUsers": (
        {"autoGenId": False, "createdAt": True, "updatedAt": True},
        (
            field("userId", "bigInt", primaryKey=True),
            field("roleName", "string", primaryKey=True),
            field("default", "boolean"),
        ),
    ),
}

_RULES: Mapping[str, Definition] = {
    "dataSourcesRolesResources": (
        {"createdAt": True, "updatedAt": True},
        (
            ID,
            field("roleName", "string", allowNull=False, index=True),
            field("dataSourceKey", "string", defaultValue="main"),
            field("name", "string", allowNull=False),
            field("usingActionsConfig", "boolean", defaultValue=False),
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
            ID,
            field("name", "string", allowNull=False),
            field("fields", "set", defaultValue=[]),
            field("rolesResourceId", "bigInt", allowNull=False, index=True),
            field("scopeId", "bigInt"),
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
            ID,
            field("key", "uid", unique=True),
            field("name", "string"),
            field("dataSourceKey", "string", defaultValue="main"),
            field("resourceName", "string"),
            field("scope", "json"),
        ),
    ),
}

_SETTINGS: Mapping[str, Definition] = {
    "systemSettings": (
        {"createdAt": True, "updatedAt": True},
        (
            ID,
            field("title", "string"),
            field("raw_title", "string"),
            field("showLogoOnly", "boolean"),
            field("allowSignUp", "boolean", defaultValue=True),
            field("smsAuthEnabled", "boolean", defaultValue=False),
            field("logoId", "bigInt"),
            field("enabledLanguages", "json", defaultValue=["en-US"]),
            field("appLang", "string"),
            field("options", "json", defaultValue={}),
            field("enableEditProfile", "boolean", defaultValue=True),
            field("enableChangePassword", "boolean", defaultValue=True),
            field("roleMode", "string", defaultValue="default"),
        ),
    ),
    "authenticators": (
        {"createdAt": True, "updatedAt": True},
        (
            ID,
            field("name", "uid", unique=True, allowNull=False),
            field("authType", "string", allowNull=False),
            field("title", "string"),
            field("description", "string"),
            field("options", "json", defaultValue={}),
            field("enabled", "boolean", defaultValue=False),
            field("sort", "bigInt"),
        ),
    ),
    "tokenControlConfig": (
        {"autoGenId": False, "createdAt": True, "updatedAt": True},
        (field("key", "string", primaryKey=True), field("config", "json", defaultValue={})),
    ),
    "tokenBlacklist": (
        {"autoGenId": False},
        (field("token", "string", primaryKey=True), field("expiration", "bigInt", allowNull=False)),
    ),
    "issuedTokens": (
        {"autoGenId": False},
        (
            field("jti", "string", primaryKey=True),
            field("userId", "bigInt", allowNull=False),
            field("signInTime", "bigInt", allowNull=False),
            field("previousJti", "string", unique=True),
            field("issuedTime", "bigInt", allowNull=False),
            field("session", "string"),
            field("agent", "string"),
            field("address", "string"),
            field("seenTime", "bigInt"),
        ),
    ),
    "secondFactors": (
        {"autoGenId": False},
        (
            field("userId", "bigInt", primaryKey=True),
            field("secret", "text", allowNull=False),
            field("lastStep", "bigInt"),
            field("confirmedAt", "bigInt"),
        ),
    ),
    "usersAuthenticators": (
        {"autoGenId": False},
        (
            field("authenticator", "string", primaryKey=True),
            field("uuid", "string", primaryKey=True),
            field("userId", "bigInt", allowNull=False),
        ),
    ),
    "recoveryCodes": (
        {"autoGenId": False},
        (
            field("codeHash", "string", primaryKey=True),
            field("userId", "bigInt", allowNull=False, index=True),
        ),
    ),
    "passwordResets": (
        {"autoGenId": False},
        (
            field("tokenHash", "string", primaryKey=True),
            field("userId", "bigInt", allowNull=False),
            field("expires", "bigInt", allowNull=False),
        ),
    ),
    "apiKeys": (
        {"createdAt": True, "updatedAt": True, "createdBy": True},
        (
            ID,
            field("name", "string", allowNull=False),
            field("roleName", "string", allowNull=False),
            {
                "name": "role",
                "type": "belongsTo",
                "target": "roles",
                "foreignKey": "roleName",
                "targetKey": "name",
            },
            field("expiresIn", "string"),
            field("expiresAt", "date"),
            field("lastUsedAt", "date"),
            field("tokenEnd", "string"),
            field("tokenId", "string", allowNull=False, unique=True, hidden=True),
        ),
    ),
    "userPreferences": (
        {"autoGenId": False},
        (
            field("userId", "bigInt", primaryKey=True),
            field("key", "string", primaryKey=True),
            field("value", "text", allowNull=False),
        ),
    ),
    "views": (
        {"autoGenId": False},
        (
            field("id", "string", primaryKey=True),
            field("blockId", "string", allowNull=False, index=True),
            field("title", "string", allowNull=False),
            field("shared", "boolean", allowNull=False),
            field("ownerId", "bigInt"),
            field("content", "text", allowNull=False),
        ),
    ),
    "revisions": (
        {"autoGenId": False},
        (field("name", "string", primaryKey=True), field("number", "bigInt", allowNull=False)),
    ),
    "migrations": (
        {"autoGenId": False},
        (field("name", "string", primaryKey=True), field("appliedAt", "date", defaultToCurrentTime=True)),
    ),
}

DEFINITIONS: Mapping[str, Definition] = MappingProxyType(
    {**_METADATA, **_PEOPLE, **_RULES, **_SETTINGS, **SCREENS}
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
