"""The plugin's collections. What an object in a storage is stands in `fileObjects`, which no client writes:
the fields of a file's record (`path`, `filename`, `url`, ...) are only for people to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from atoll.application.collections.file_template import FILE_FIELDS
from atoll.application.collections.model import Collection

if TYPE_CHECKING:
    from atoll.database.drivers.base import Database

_ID = {"name": "id", "type": "snowflakeId", "interface": "snowflakeId", "primaryKey": True}


def _field(name: str, kind: str, **options: Any) -> Mapping[str, Any]:
    return {"name": name, "type": kind, **options}


class Tables:
    """The collections for one app's database."""

    def __init__(self, database: Database) -> None:
        def make(name: str, options: Mapping[str, Any], fields: list[Mapping[str, Any]]) -> Collection:
            prefix = database.table_prefix
            return Collection(name, options, fields, kind=database.kind, prefix=prefix, system=True)

        times = {"createdAt": True, "updatedAt": True}
        self.attachments = make(
            "attachments",
            {
                "title": '{{t("Attachments")}}',
                "template": "file",
                "titleField": "title",
                "strategy": True,
                "ownChanges": True,
                "createdBy": True,
                "updatedBy": True,
                **times,
            },
            [_ID, *FILE_FIELDS],
        )
        self.storages = make(
            "storages",
            {"title": '{{t("Storages")}}', **times},
            [
                _ID,
                _field("title", "string"),
                _field("name", "uid", unique=True, allowNull=False),
                _field("type", "string", allowNull=False),
                _field("options", "json", defaultValue={}),
                _field("rules", "json", defaultValue={}),
                _field("path", "text", defaultValue=""),
                _field("baseUrl", "text", defaultValue=""),
                _field("renameMode", "string", defaultValue="appendRandomID"),
                _field("default", "boolean", defaultValue=False),
                _field("paranoid", "boolean", defaultValue=False),
                _field("settings", "json", defaultValue={}),
                # The secret key of an S3 storage, encrypted with a key of the app.
                _field("sealed", "text", hidden=True),
            ],
        )
        self.objects = make(
            "fileObjects",
            {"autoGenId": False},
            [
                _field("id", "string", primaryKey=True),
                _field("storageId", "bigInt", allowNull=False),
                _field("key", "text", allowNull=False),
                _field("filename", "string", allowNull=False),
                _field("mimetype", "string", allowNull=False),
                _field("size", "bigInt", allowNull=False),
                _field("collection", "string", allowNull=False, index=True),
                # Null while the file is being stored.
                _field("recordKey", "string", index=True),
                _field("storedAt", "bigInt", allowNull=False, index=True),
            ],
        )

    @property
    def all(self) -> list[Collection]:
        """All of them."""
        return [self.attachments, self.storages, self.objects]
