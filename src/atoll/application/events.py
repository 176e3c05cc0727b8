"""What happens to records and collections, for plugins that want to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from atoll.hooks import Hook


@dataclass(frozen=True, slots=True)
class RecordsChanged:
    """Records of a collection were created, updated or destroyed (`kind`), and the change is committed.

    `rows` are the records as the API delivers them; empty for "destroyed".
    """

    collection: str
    kind: str
    rows: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class CollectionChanged:
    """A collection was created, changed or destroyed; the change is committed."""

    collection: str


@dataclass(frozen=True, slots=True)
class Events:
    """The extension points of one app."""

    records: Hook[RecordsChanged] = field(default_factory=Hook)
    collections: Hook[CollectionChanged] = field(default_factory=Hook)
