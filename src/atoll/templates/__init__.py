"""What a new app can begin with: collections, fields and a few sample records, in several languages.

Each template is one JSON file beside this one. A text is either a plain string or an object with one string
per language; `{"days": 3}` in a row is a date counted from today.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import msgspec
from msgspec import Struct

#: In the order in which they are offered. An app without a template is empty.
NAMES: Final = ("crm", "tickets", "project", "inventory")
LANGUAGES: Final = ("en-US", "zh-CN")

_SYSTEM_ID: Final[Mapping[str, Any]] = {
    "name": "id",
    "type": "bigInt",
    "interface": "id",
    "autoIncrement": True,
    "primaryKey": True,
    "allowNull": False,
}
_KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    # kind: interface, type, component
    "text": ("input", "string", "Input"),
    "longText": ("textarea", "text", "Input.TextArea"),
    "integer": ("integer", "integer", "InputNumber"),
    "number": ("number", "double", "InputNumber"),
    "checkbox": ("checkbox", "boolean", "Checkbox"),
    "select": ("select", "string", "Select"),
    "date": ("date", "dateOnly", "DatePicker"),
    "datetime": ("datetime", "date", "DatePicker"),
}


class TemplateCollection(Struct, frozen=True, kw_only=True):
    """One collection: `values` as for `collections:create`, and the records as for `<name>:create`."""

    values: dict[str, Any]
    rows: list[dict[str, Any]]


class Template(Struct, frozen=True, kw_only=True):
    """One template in one language."""

    name: str
    title: str
    about: str
    icon: str
    collections: list[TemplateCollection]


class _Field(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    kind: str
    title: Any
    choices: list[dict[str, Any]] = []


class _Collection(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    name: str
    title: Any
    title_field: str
    fields: list[_Field]
    rows: list[dict[str, Any]]


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Any
    about: Any
    icon: str
    collections: list[_Collection]


@lru_cache(maxsize=16)
def load(name: str, language: str) -> Template:
    """The template in a language; in English when it is written in no other one that was asked for.

    Rows still hold `{"days": n}`; `dated` makes dates of them. Raises KeyError for an unknown name.
    """
    if name not in NAMES:
        raise KeyError(name)
    spoken = language if language in LANGUAGES else LANGUAGES[0]
    content = msgspec.json.decode(files(__package__).joinpath(f"{name}.json").read_bytes(), type=_File)
    return Template(
        name=name,
        title=_said(content.title, spoken),
        about=_said(content.about, spoken),
        icon=content.icon,
        collections=[_collection(each, spoken) for each in content.collections],
    )


def dated(rows: list[dict[str, Any]], today: date) -> list[dict[str, Any]]:
    """The rows with their dates, counted from a day."""
    return [
        {
            name: (today + timedelta(days=value["days"])).isoformat() if isinstance(value, dict) else value
            for name, value in row.items()
        }
        for row in rows
    ]


def _collection(content: _Collection, language: str) -> TemplateCollection:
    values = {
        "name": content.name,
        "title": _said(content.title, language),
        "titleField": content.title_field,
        "template": "general",
        "autoGenId": False,
        "createdAt": True,
        "updatedAt": True,
        "createdBy": True,
        "updatedBy": True,
        "fields": [
            dict(_SYSTEM_ID),
            *(_field(each, language) for each in content.fields),
            {"name": "createdAt", "type": "date", "interface": "createdAt"},
            {"name": "updatedAt", "type": "date", "interface": "updatedAt"},
        ],
    }
    rows = [{name: _said(value, language) for name, value in row.items()} for row in content.rows]
    return TemplateCollection(values=values, rows=rows)


def _field(field: _Field, language: str) -> dict[str, Any]:
    interface, kind, component = _KINDS[field.kind]
    schema: dict[str, Any] = {"title": _said(field.title, language), "x-component": component}
    if field.choices:
        schema["enum"] = [{**each, "label": _said(each["label"], language)} for each in field.choices]
    return {"name": field.name, "type": kind, "interface": interface, "uiSchema": schema}


def _said(value: Any, language: str) -> Any:
    """The text in a language; whatever is not an object with languages stays as it is."""
    return value[language] if isinstance(value, dict) and LANGUAGES[0] in value else value
