"""The fields of collections of files (template `file`): each record is one file (http-api.md 7.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final


def _field(name: str, kind: str, interface: str, title: str, **options: Any) -> Mapping[str, Any]:
    return {"name": name, "type": kind, "interface": interface, "uiSchema": {"title": title}, **options}


FILE_FIELDS: Final[Sequence[Mapping[str, Any]]] = (
    _field("title", "string", "input", '{{t("Title")}}'),
    _field("filename", "string", "input", '{{t("File name")}}'),
    _field("extname", "string", "input", '{{t("Extension name")}}'),
    _field("size", "bigInt", "integer", '{{t("Size")}}'),
    _field("mimetype", "string", "input", '{{t("MIME type")}}'),
    _field("path", "text", "textarea", '{{t("Path")}}'),
    _field("url", "text", "url", '{{t("URL")}}'),
    _field("preview", "text", "url", '{{t("Preview")}}'),
    _field("meta", "json", "json", '{{t("Meta")}}', defaultValue={}),
    _field("storageId", "bigInt", "integer", '{{t("Storage")}}', isForeignKey=True),
)
