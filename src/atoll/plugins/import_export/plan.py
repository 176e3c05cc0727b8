"""What an import is to do, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from atoll.application.collections.model import Collection
from atoll.application.collections.store import CollectionStore
from atoll.application.records.filter import Caller
from atoll.errors import BadRequest
from atoll.plugins.import_export.columns import ImportColumn, importable, refuse_doubles
from atoll.plugins.import_export.importing import Places
from atoll.plugins.import_export.sheets import FORMATS, Layout

Mode = Literal["create", "update", "updateOrCreate"]
MODES: Final = ("create", "update", "updateOrCreate")
MOST_KEYS: Final = 4


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """A checked request.

    Attributes:
        keys: the fields by which existing records are found; empty for mode "create".
        stops: the first bad row ends the import; else bad rows are left out and given back as a file.
        dry: nothing is written.
    """

    collection: Collection
    layout: Layout
    places: Places
    mode: Mode
    keys: tuple[str, ...]
    stops: bool
    dry: bool

    @classmethod
    def read(
        cls, store: CollectionStore, collection: Collection, given: Mapping[str, Any], caller: Caller
    ) -> ImportPlan:
        """Checks a request; raises BadRequest.

        Args:
            given: `layout`, `columns` (`[{"index", "field", "title"}]`; the field may be a relation, or a
                path to the field of linked records by which they are found), `mode`, `keys`, `emptyCells`
                ("keep" or "clear"), `onError` ("stop" or "continue"), `dryRun`.
        """
        mode = _one_of(given, "mode", MODES)
        places = _places(store, collection, given.get("columns"))
        mapped = [column.name for _, column in places if column.relation is None]
        keys = given.get("keys") or []
        if mode == "create":
            keys = []
        elif not isinstance(keys, list) or not keys or len(keys) > MOST_KEYS or not set(keys) <= set(mapped):
            raise BadRequest("`keys` must name one to four of the imported fields, to find records by them")
        for _, column in places:
            field = column.field
            if column.relation is None and field.auto_increment and field.name not in keys:
                raise BadRequest(
                    f"{field.title} is numbered by the database; it can only be used to find records"
                )
        clears = _one_of(given, "emptyCells", ("keep", "clear")) == "clear"
        return cls(
            collection,
            _layout(given.get("layout")),
            Places(places, caller.zone(), collection.kind, clears),
            cast("Mode", mode),
            tuple(keys),
            _one_of(given, "onError", ("stop", "continue")) == "stop",
            given.get("dryRun") is True,
        )

    @classmethod
    def creating(cls, collection: Collection, places: Places) -> ImportPlan:
        """Each row becomes a record, or nothing does."""
        return cls(collection, Layout("xlsx"), places, "create", (), stops=True, dry=False)


def _one_of(given: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = given.get(name) or allowed[0]
    if value not in allowed:
        raise BadRequest(f"`{name}` must be one of {', '.join(allowed)}")
    return str(value)


def _places(store: CollectionStore, collection: Collection, given: Any) -> list[tuple[int, ImportColumn]]:
    if not isinstance(given, list) or not given:
        raise BadRequest("`columns` is required: a list of objects with `index` and `field`")
    found: list[tuple[int, ImportColumn]] = []
    for item in given:
        index = item.get("index") if isinstance(item, Mapping) else None
        name = item.get("field") if isinstance(item, Mapping) else None
        if not isinstance(index, int) or isinstance(index, bool) or index < 0 or not isinstance(name, str):
            raise BadRequest("Each column needs an `index` (from 0) and a `field`")
        title = item.get("title")
        new = importable(store, collection, name.split("."), title if isinstance(title, str) else "")
        found.append((index, new))
    refuse_doubles([column for _, column in found])
    return found


def _layout(given: Any) -> Layout:
    if not isinstance(given, Mapping) or given.get("format") not in FORMATS:
        raise BadRequest("`layout` is required: what `inspectImport` answered")
    header = given.get("headerRow", 1)
    if not isinstance(header, int) or isinstance(header, bool) or header < 1:
        raise BadRequest("`headerRow` must be a whole number from 1")
    texts = {name: str(given.get(name) or "") for name in ("sheet", "encoding", "delimiter")}
    return Layout(
        str(given["format"]),
        sheet=texts["sheet"],
        encoding=texts["encoding"],
        delimiter=texts["delimiter"],
        header_row=header,
    )
