"""Reading what people send about an app into a record, and showing its options back without secrets."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from atoll import images, templates
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
_FILE = re.compile(r"[A-Za-z0-9_-]{1,64}(\.sqlite)?")
_ACCOUNT = re.compile(r"""[^@<>"'/\x00-\x1f]{1,50}""")
_EMAIL = re.compile(r"[^@\s<>\"']+@[^@\s<>\"']+")
_LARGEST = 2**53
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?")
#: Where the picture of an app is; shown in place of the picture itself.
ICON_PATH = "/api/applications:icon/"
_OWN_OPTIONS = ("autoStart", "dbConnType", "database", "authManager", "admin")


class _Jwt(Struct, frozen=True, forbid_unknown_fields=True):
    secret: str | None = None


class _Auth(Struct, frozen=True, forbid_unknown_fields=True):
    jwt: _Jwt = _Jwt()


class _Database(Struct, rename="camel", forbid_unknown_fields=True):
    dialect: str | None = None
    host: str | None = None
    port: int | None = None
    database: str | None = None
    username: str | None = None
    password: str | None = None
    schema: str | None = None
    table_prefix: str | None = None
    storage: str | None = None


class _Admin(Struct, rename="camel", forbid_unknown_fields=True):
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


_KNOWN = frozenset(info.encode_name for info in msgspec.structs.fields(_App))
#: What a row has beside that; clients that send a whole row back are not told off for it.
_SHOWN_ONLY = frozenset(
    [
        "status",
        "statuses",
        "desired",
        "reason",
        "reasons",
        "progress",
        "restartNeeded",
        "instances",
        "operation",
        "traffic",
        "createdAt",
        "updatedAt",
    ]
)


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
    values: Mapping[str, Any],
    environments: tuple[str, ...],
    caller: CallerAccount | None,
    connection: ConnectionKind = "new_database",
) -> AppRecord:
    """The record of an app to be created.

    Args:
        values: as in http-api.md 10.1 and 10.2, and `environments: [names]`, `start: false` to install only.
        environments: where it goes when `values` do not say. connection: its database when they do not.
        caller: who asks; copied as first account with `options.admin.copyCaller`.

    Raises AppNameInvalid, AppOptionsInvalid.
    """
    app = _convert(dict(values), _App, "")
    options = _convert(app.options or {}, _Options, "options")
    name = app.name or generated_name()
    check_name(name)
    now = datetime.now(UTC)
    alone = (app.environment,) if app.environment else environments
    record = AppRecord(
        uid=secrets.token_hex(12),
        name=name,
        display_name=name,
        secret=secrets.token_hex(32),
        created_at=now,
        updated_at=now,
        connection=connection,
        environments=tuple(dict.fromkeys(app.environments or ())) or alone,
        desired="running" if app.start else "ready",
        admin=_admin(options.admin, caller),
    )
    record = _changed(record, {**values, "name": name})
    _check_database(record)
    return record


def changed_record(record: AppRecord, values: Mapping[str, Any]) -> AppRecord:
    """The record with the given values in place; generations are the caller's business.

    What says which database is the app's can not be changed; the way to it (host, port, account) can.
    Raises AppOptionsInvalid.
    """
    changed = _changed(record, values)
    if changed.connection != record.connection:
        raise AppOptionsInvalid("cannot be changed once the app exists.", field="options.dbConnType")
    for key in ("dialect", "database", "schema", "table_prefix"):
        if getattr(changed.database, key) != getattr(record.database, key):
            field = "options.database." + ("tablePrefix" if key == "table_prefix" else key)
            raise AppOptionsInvalid(
                "cannot be changed once the app exists; its data would be left behind.", field=field
            )
    _check_database(changed)
    return changed


def places(values: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The environments a change asks for, None when it does not. Raises AppOptionsInvalid."""
    app = _convert({key: value for key, value in values.items() if key == "environments"}, _App, "")
    if app.environments is UNSET:
        return None
    if not app.environments:
        raise AppOptionsInvalid("give at least one environment.", field="environments")
    return tuple(dict.fromkeys(app.environments))


def _changed(record: AppRecord, values: Mapping[str, Any]) -> AppRecord:
    unknown = [key for key in values if key not in _KNOWN and key not in _SHOWN_ONLY]
    if unknown:
        raise AppOptionsInvalid("there is no such property of an application.", field=unknown[0][:64])
    app = _convert({key: value for key, value in values.items() if key in _KNOWN}, _App, "")
    if app.name is not None and app.name != record.name:
        raise AppOptionsInvalid("the id of an app cannot be changed.", field="name")
    given: dict[str, Any] = {}
    if app.display_name is not UNSET:
        given["display_name"] = _text(app.display_name or record.name, "displayName", 255)
    if app.icon is not UNSET:
        given["icon"] = _icon(record, app.icon)
    if app.pinned is not UNSET:
        given["pinned"] = app.pinned
    if app.cname is not UNSET:
        given["cname"] = _host(app.cname)
    if app.sort is not UNSET:
        if abs(app.sort or 0) > _LARGEST:
            raise AppOptionsInvalid("give a number within 2^53.", field="sort")
        given["sort"] = app.sort or 0
    if app.options is not UNSET:
        given |= _changed_options(record, app.options or {})
    return replace(record, **given)


def _changed_options(record: AppRecord, raw: dict[str, Any]) -> dict[str, Any]:
    options = _convert(raw, _Options, "options")
    given: dict[str, Any] = {
        "options": record.options | {key: value for key, value in raw.items() if key not in _OWN_OPTIONS}
    }
    _check_template(record, raw)
    if options.auto_start is not UNSET:
        given["auto_start"] = options.auto_start
    if options.db_conn_type is not UNSET:
        given["connection"] = options.db_conn_type
    if options.database is not UNSET and options.database is not None:
        given["database"] = _database(record.database, options.database)
    auth = options.auth_manager
    secret = auth.jwt.secret if auth is not UNSET and auth is not None else None
    if secret and secret != MASK:
        if len(secret) < 8:
            raise AppOptionsInvalid("give at least 8 characters.", field="options.authManager.jwt.secret")
        changed = record.signing_with(secret.encode().hex())
        given |= {"secret": changed.secret, "storage_secret": changed.storage_secret}
    return given


def _check_template(record: AppRecord, raw: dict[str, Any]) -> None:
    """`template`: what the app begins with; `lang`: in which language, and the app's own first language."""
    for key in ("template", "lang"):
        value = raw.get(key)
        if value is None or value == record.options.get(key):
            continue
        if record.installed:
            raise AppOptionsInvalid("can be chosen only for a new app.", field=f"options.{key}")
        if key == "template" and value not in templates.NAMES:
            raise AppOptionsInvalid(f"give one of {', '.join(templates.NAMES)}.", field="options.template")
        if key == "lang" and not (isinstance(value, str) and _LANGUAGE.fullmatch(value)):
            raise AppOptionsInvalid("give a language like en-US.", field="options.lang")


def _icon(record: AppRecord, icon: str | None) -> str | None:
    """A short sign such as an emoji, or a small picture. The address of the present picture keeps it."""
    if icon is not None and icon.startswith(ICON_PATH):
        return record.icon
    if icon is None or not icon.startswith(images.PREFIX):
        return _text(icon, "icon", 255) if icon is not None else None
    try:
        _ = images.read(icon)
    except ValueError as error:
        raise AppOptionsInvalid(str(error), field="icon") from error
    return icon


def shown_icon(record: AppRecord) -> str | None:
    """The sign, or the address of the picture; the address changes with the picture, so it may be kept."""
    if record.icon is None or not record.icon.startswith(images.PREFIX):
        return record.icon
    return f"{ICON_PATH}{record.name}?v={hashlib.sha256(record.icon.encode()).hexdigest()[:12]}"


def _database(present: DatabaseOptions, asked: _Database) -> DatabaseOptions:
    if asked.dialect not in (None, "", "postgres", "sqlite"):
        raise AppOptionsInvalid(
            f"{asked.dialect!r} is not known; use postgres or sqlite.", field="options.database.dialect"
        )
    if asked.port is not None and not 0 < asked.port < 65536:
        raise AppOptionsInvalid("give a number from 1 to 65535.", field="options.database.port")
    values = {key: value for key, value in msgspec.structs.asdict(asked).items() if value not in (None, "")}
    for key, value in values.items():
        if isinstance(value, str):
            _ = _text(value, f"options.database.{key}", 1024)
    if values.get("password") == MASK:
        values["password"] = present.password
    storage = values.pop("storage", None)
    if storage is not None:
        if not _FILE.fullmatch(storage):
            raise AppOptionsInvalid(
                "give the name of a file, without a folder: letters, digits, _ and -.",
                field="options.database.storage",
            )
        values.setdefault("database", storage.removesuffix(".sqlite"))
    return DatabaseOptions(**values)


def _check_database(record: AppRecord) -> None:
    """Refuses what would have no effect with this kind of connection."""
    allowed = {
        "new_database": ("database", "table_prefix"),
        "new_schema": ("schema", "table_prefix"),
    }.get(record.connection)
    if allowed is None:
        return
    for key, value in msgspec.structs.asdict(record.database).items():
        if value is not None and key not in allowed:
            raise AppOptionsInvalid(
                f"has no effect with {record.connection}: the environment's own database service is used."
                " Leave it out, or choose new_connection.",
                field=f"options.database.{key}",
            )


def _admin(asked: _Admin | None, caller: CallerAccount | None) -> AdminAccount | None:
    if asked is None:
        return None
    if asked.copy_caller:
        if caller is None or not caller.password_hash:
            raise AppOptionsInvalid(
                "the caller has no account with a password to copy.", field="options.admin.copyCaller"
            )
        return AdminAccount(
            username=caller.username,
            email=caller.email,
            nickname=caller.nickname,
            password_hash=caller.password_hash,
        )
    if not _ACCOUNT.fullmatch(asked.username):
        raise AppOptionsInvalid(
            "give 1 to 50 characters without @ < > \" ' / and control characters.",
            field="options.admin.username",
        )
    if asked.email and not _EMAIL.fullmatch(asked.email):
        raise AppOptionsInvalid("give an address like ann@example.com.", field="options.admin.email")
    if len(asked.password) < 8:
        raise AppOptionsInvalid("give at least 8 characters.", field="options.admin.password")
    return AdminAccount(
        username=asked.username,
        email=asked.email,
        nickname=_text(asked.nickname, "options.admin.nickname", 255) or asked.username,
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


def is_host(name: str) -> bool:
    """Whether it can be the name of a host."""
    return _HOST.fullmatch(name.strip().lower().rstrip(".")) is not None


def _host(cname: str | None) -> str | None:
    if not cname:
        return None
    host = cname.strip().lower().rstrip(".")
    if not _HOST.fullmatch(host):
        raise AppOptionsInvalid(
            f"{cname[:80]!r} is no host name. Give one like shop.example.com.", field="cname"
        )
    return host


def _text(text: str, field: str, most: int) -> str:
    if len(text) > most:
        raise AppOptionsInvalid(f"give at most {most} characters.", field=field)
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise AppOptionsInvalid("control characters are not allowed.", field=field)
    return text


def _convert(values: dict[str, Any], kind: type[_T], below: str) -> _T:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        words, _, path = str(error).partition(" - at `$")
        field = ".".join(part for part in (below, path.strip("`.").split("[")[0]) if part)
        raise AppOptionsInvalid(f"has the wrong kind: {words}.", field=field) from error
