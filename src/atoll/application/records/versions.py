"""Versions of records: whether one is still as a client saw it (`ETag` and `If-Match`, RFC 9110 13.1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from atoll.application.collections.model import Collection
from atoll.application.records.rights import Rights, shown

ANY = "*"
"""An `If-Match` that only wants the record to be there."""

_BYTES = 12
_encode = msgspec.json.Encoder().encode


def version(collection: Collection, rights: Rights, record: Mapping[str, Any]) -> str | None:
    """The entity tag of a record, quoted; None when a column that belongs to it is not there.

    It is made of the values of all columns that the caller may see, so it needs no column of its own and no
    query, and nobody learns of changes to what is hidden from them. Links that are not columns of the record
    (of other collections to it, and those between) are not part of it.
    """
    readable = shown(collection, rights.on(collection, "view"))
    names = [name for name in collection.visible if readable is None or name in readable]
    if any(name not in record for name in names):
        return None
    digest = blake2b(_encode([(name, record[name]) for name in names]), digest_size=_BYTES)
    return f'"{digest.hexdigest()}"'


def expected(header: str) -> frozenset[str]:
    """The entity tags of an `If-Match` header; proxies that compress may have weakened them."""
    return frozenset(tag.strip().removeprefix("W/") for tag in header.split(",") if tag.strip())
