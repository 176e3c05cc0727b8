"""What happens to records and collections, for plugins that want to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from atoll.hooks import Hook


@dataclass(frozen=True, slots=True)
class RecordsChanged:
    """Records of a collection were created, updated or destroyed (`kind`), and the change is committed.

    `rows` are the records as the API delivers them; empty for "destroyed". `keys` are the values of the
    collection's key field; empty when they are not known, as for records destroyed by a filter alone.
    `origin` is what the client that asked for the change calls itself (`X-Client-Id`), "" for others.
    """

    collection: str
    kind: str
    rows: tuple[Mapping[str, Any], ...] = ()
    keys: tuple[Any, ...] = ()
    origin: str = ""


@dataclass(frozen=True, slots=True)
class CollectionChanged:
    """A collection was created, changed or destroyed; the change is committed."""

    collection: str


@dataclass(frozen=True, slots=True)
class Events:
    """The extension points of one app."""

    records: Hook[RecordsChanged] = field(default_factory=Hook)
    collections: Hook[CollectionChanged] = field(default_factory=Hook)
