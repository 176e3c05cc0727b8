"""Reading what people send about an app into a record, and showing its options back without secrets."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from atoll.errors import AppNameInvalid, AppOptionsInvalid
from atoll.supervisor.models import AdminAccount, CallerAccount, ConnectionKind, DatabaseOptions
from atoll.supervisor.store.base import AppRecord

#: What stands for a secret that is set; sent back, it means "leave it as it is".
MASK = "********"
RESERVED = frozenset(
    [
        "main",
        "api",
        "admin",
        "static",
        "apps",
        "files",
        "ws",
        "signin",
        "signup",
        "signout",
        "assets",
        "storage",
        "uploads",
        "plugins",
        "environments",
        "applications",
        "supervisor",
        "server",
        "system",
        "settings",
        "health",
        "public",
        "root",
    ]
)
_T = TypeVar("_T")
_NAME = re.compile(r"[a-z][a-z0-9_]{1,31}")
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ALPHABET = string.ascii_lowercase + string.digits
_OWN_OPTIONS = ("autoStart", "dbConnType", "database", "authManager", "admin")


class _Jwt(Struct, frozen=True):
    secret: str | None = None


class _Auth(Struct, frozen=True):
    jwt: _Jwt = _Jwt()


class _Database(Struct, rename="camel"):
    dialect: str | None = None
    host: str | None = None
    port: int | None = None
    database: str | None = None
    username: str | None = None
    password: str | None = None
    schema: str | None = None
    table_prefix: str | None = None
    storage: str | None = None


class _Admin(Struct, rename="camel"):
    username: str = ""
    email: str = ""
    nickname: str = ""
    password: str = ""
    copy_caller: bool = False


class _Options(Struct, rename="camel"):
    auto_start: bool | UnsetType = UNSET
    db_conn_type: ConnectionKind | UnsetType = UNSET
    database: _Database | UnsetType | None = UNSET
    auth_manager: _Auth | UnsetType | None = UNSET
    admin: _Admin | None = None


class _App(Struct, rename="camel"):
    name: str | None = None
    display_name: str | UnsetType | None = UNSET
    icon: str | UnsetType | None = UNSET
    cname: str | UnsetType | None = UNSET
    pinned: bool | UnsetType | None = UNSET
    sort: int | UnsetType | None = UNSET
    environments: list[str] | UnsetType = UNSET
    environment: str | None = None
    options: dict[str, Any] | UnsetType | None = UNSET
    start: bool = True


def generated_name() -> str:
    """An app id nobody has: `a_` and 11 characters."""
    return "a_" + "".join(secrets.choice(_ALPHABET) for _ in range(11))


def check_name(name: str) -> None:
    """Raises AppNameInvalid for an id that breaks the rule or is reserved."""
    if name in RESERVED:
        raise AppNameInvalid(f"The id {name!r} is reserved. Choose another one.")
    if not _NAME.fullmatch(name):
        raise AppNameInvalid(
            f"The id {name[:64]!r} is not allowed. An id has 2 to 32 characters: small letters, digits and _,"
            " beginning with a letter."
        )


def new_record(
    values: Mapping[str, Any], environments: tuple[str, ...], caller: CallerAccount | None
) -> AppRecord:
    """The record of an app to be created.

    Args:
        values: as in http-api.md 10.1 and 10.2, and `environments: [names]`, `start: false` to install only.
        environments: where it goes when `values` do not say.
        caller: who asks; copied as first account with `options.admin.copyCaller`.

    Raises AppNameInvalid, AppOptionsInvalid.
    """
    app = _convert(dict(values), _App)
    options = _convert(app.options or {}, _Options)
    name = app.name or generated_name()
    check_name(name)
    now = datetime.now(UTC)
    placed = tuple(dict.fromkeys(app.environments or ())) or (
        (app.environment,) if app.environment else environments
    )
    record = AppRecord(
        uid=secrets.token_hex(12),
        name=name,
        display_name=app.display_name or name,
        secret=secrets.token_hex(32),
        created_at=now,
        updated_at=now,
        environments=placed,
        desired="running" if app.start else "ready",
        admin=_admin(options.admin, caller),
    )
    return changed_record(record, values)


def changed_record(record: AppRecord, values: Mapping[str, Any]) -> AppRecord:
    """The record with the given values in place; generations are the caller's business. Raises like
    `new_record`.
    """
    app = _convert(dict(values), _App)
    given: dict[str, Any] = {}
    if app.display_name is not UNSET:
        given["display_name"] = _short(app.display_name or record.name, "displayName")
    for field in ("icon", "pinned"):
        if (value := getattr(app, field)) is not UNSET:
            given[field] = value
    if app.cname is not UNSET:
        given["cname"] = _host(app.cname)
    if app.sort is not UNSET:
        given["sort"] = app.sort or 0
    if app.options is not UNSET:
        given |= _changed_options(record, app.options or {})
    return replace(record, **given)


def _changed_options(record: AppRecord, raw: dict[str, Any]) -> dict[str, Any]:
    options = _convert(raw, _Options)
    given: dict[str, Any] = {
        "options": record.options | {key: value for key, value in raw.items() if key not in _OWN_OPTIONS}
    }
    if options.auto_start is not UNSET:
        given["auto_start"] = options.auto_start
    if options.db_conn_type is not UNSET:
        given["connection"] = options.db_conn_type
    if options.database is not UNSET:
        given["database"] = _database(record.database, options.database or _Database())
    auth = options.auth_manager
    secret = auth.jwt.secret if auth is not UNSET and auth is not None else None
    if secret and secret != MASK:
        if len(secret) < 8:
            raise AppOptionsInvalid("options.authManager.jwt.secret: give at least 8 characters.")
        given["secret"] = secret.encode().hex()
    return given


def _database(present: DatabaseOptions, asked: _Database) -> DatabaseOptions:
    if asked.dialect not in (None, "", "postgres", "sqlite"):
        raise AppOptionsInvalid(
            f"options.database.dialect: {asked.dialect!r} is not known; use postgres or sqlite."
        )
    if asked.port is not None and not 0 < asked.port < 65536:
        raise AppOptionsInvalid("options.database.port: give a number from 1 to 65535.")
    values = {key: value if value != "" else None for key, value in msgspec.structs.asdict(asked).items()}
    if values["password"] == MASK:
        values["password"] = present.password
    return DatabaseOptions(**values)


def _admin(asked: _Admin | None, caller: CallerAccount | None) -> AdminAccount | None:
    if asked is None:
        return None
    if asked.copy_caller:
        if caller is None or not caller.password_hash:
            raise AppOptionsInvalid(
                "options.admin.copyCaller: the caller has no account with a password to copy."
            )
        return AdminAccount(
            username=caller.username,
            email=caller.email,
            nickname=caller.nickname,
            password_hash=caller.password_hash,
        )
    if not asked.username or len(asked.password) < 6:
        raise AppOptionsInvalid("options.admin: give a username and a password of at least 6 characters.")
    return AdminAccount(
        username=asked.username,
        email=asked.email,
        nickname=asked.nickname or asked.username,
        password=asked.password,
    )


def shown_options(record: AppRecord) -> dict[str, Any]:
    """The options as people see them: what they sent, secrets masked."""
    database = {
        key: value for key, value in msgspec.to_builtins(record.database).items() if value is not None
    }
    if "password" in database:
        database["password"] = MASK
    shown: dict[str, Any] = {
        **record.options,
        "autoStart": record.auto_start,
        "dbConnType": record.connection,
        "authManager": {"jwt": {"secret": MASK}},
    }
    if database:
        shown["database"] = database
    return shown


def _host(cname: str | None) -> str | None:
    if not cname:
        return None
    host = cname.strip().lower().rstrip(".")
    if not _HOST.fullmatch(host):
        raise AppOptionsInvalid(f"cname: {cname[:80]!r} is no host name. Give one like shop.example.com.")
    return host


def _short(text: str, field: str) -> str:
    if len(text) > 255:
        raise AppOptionsInvalid(f"{field}: give at most 255 characters.")
    return text


def _convert(values: dict[str, Any], kind: type[_T]) -> _T:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        where = "options" if kind is _Options else "the app"
        raise AppOptionsInvalid(f"A value of {where} has the wrong kind: {error}") from error
