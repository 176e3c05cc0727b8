"""Which names collections and fields may have."""

from __future__ import annotations

import re

from atoll.errors import BadRequest

_COLLECTION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_FIELD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
LONGEST = 63
_RESERVED_FIELDS = frozenset(
    {"__proto__", "constructor", "prototype", "__collection", "__tableName", "__schemaName"}
)
_RESERVED_PREFIXES = ("sqlite_", "pg_")


def check_collection_name(name: object, prefix: str, taken: frozenset[str]) -> str:
    """The name, if a collection may have it.

    Args:
        prefix: put before the table's name, counts towards the longest identifier.
        taken: names of resources and system collections, none of which may be used.
    """
    if not isinstance(name, str) or not _COLLECTION.fullmatch(name):
        raise BadRequest(f"Collection name {name!r} is not allowed: use letters, digits, _ and - only")
    if len(prefix + name) > LONGEST:
        raise BadRequest(f"Collection name {name!r} is too long: at most {LONGEST - len(prefix)} characters")
    if name in taken or name in _RESERVED_FIELDS or name.lower().startswith(_RESERVED_PREFIXES):
        raise BadRequest(f"Collection name {name!r} is reserved: choose another one")
    return name


def check_field_name(name: object) -> str:
    """The name, if a field may have it."""
    if not isinstance(name, str) or not _FIELD.fullmatch(name):
        raise BadRequest(f"Field name {name!r} is not allowed: use letters, digits, _ and - only")
    if len(name) > LONGEST:
        raise BadRequest(f"Field name {name!r} is too long: at most {LONGEST} characters")
    if name in _RESERVED_FIELDS:
        raise BadRequest(f"Field name {name!r} is reserved: choose another one")
    return name
