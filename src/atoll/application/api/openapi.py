"""The API of one app as an OpenAPI 3.1 document, made from its collections and its resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from atoll import __version__
from atoll.application.api.resources import LOGGED_IN, PUBLIC, Action
from atoll.application.collections.model import Collection
from atoll.application.fields.base import Field
from atoll.application.fields.decimal import DecimalField
from atoll.application.fields.integer import BigIntField, IntegerField
from atoll.application.fields.string import StringField
from atoll.application.fields.unix_timestamp import UnixTimestampField

Document = dict[str, Any]
_READING: Final = ("list", "get", "check", "listEnabled", "listMeta", "listAccessible", "getInfo", "getLang")
_CATEGORIES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "text": {"type": "string"},
        "number": {"type": "number"},
        "boolean": {"type": "boolean"},
        "instant": {"type": "string", "format": "date-time"},
        "wall": {"type": "string"},
        "day": {"type": "string", "format": "date"},
        "time": {"type": "string"},
        "json": {},
        "array": {"type": "array", "items": {}},
        "uuid": {"type": "string", "format": "uuid"},
    }
)
_KEY: Final = {
    "name": "filterByTk",
    "in": "query",
    "description": "The key of a record.",
    "schema": {"type": "string"},
}
_SELECTING: Final = tuple(
    {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
    for name, text in (
        ("filter", "A condition as JSON."),
        ("fields", "The fields of the answer, with commas."),
        ("except", "Fields that the answer does not have, with commas."),
        ("appends", "Linked records of the answer, with commas."),
    )
)
_PAGING: Final = (
    {"name": "sort", "in": "query", "description": "Fields with commas; `-` in front: downwards.",
     "schema": {"type": "string"}},
    {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1, "default": 1}},
    {"name": "pageSize", "in": "query", "schema": {"type": "integer", "minimum": 0, "default": 20}},
)  # fmt: skip


def of_collections(app: str, collections: Iterable[Collection]) -> Document:
    """The generic actions of collections, and what their records look like."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for collection in collections:
        schemas[collection.name] = _record(collection)
        paths |= _paths(collection)
    return _document(app, paths, schemas)


def of_resources(app: str, actions: Iterable[tuple[str, str, Action]]) -> Document:
    """The actions that are code, with what their handlers say of themselves."""
    paths: dict[str, Any] = {}
    for resource, name, action in actions:
        first, _, last = resource.partition(".")
        path = f"/{first}/{{sourceId}}/{last}:{name}" if last else f"/{first}:{name}"
        source = {"name": "sourceId", "in": "path", "required": True, "schema": {"type": "string"}}
        method = "get" if name in _READING else "post"
        operation: dict[str, Any] = {
            "tags": [resource],
            "summary": (action.handler.__doc__ or name).strip().splitlines()[0],
            "description": _access(action),
            "parameters": [source, _KEY] if last else [_KEY],
            "responses": _responses({}),
        }
        if action.access == PUBLIC:
            operation["security"] = []
        if method == "post":
            operation["requestBody"] = _body({})
        paths[path] = {method: operation}
    return _document(app, paths, {})


def _access(action: Action) -> str:
    if action.access == PUBLIC:
        return "For everybody."
    if action.access == LOGGED_IN:
        return "For everybody who is signed in."
    return f"For roles that may use `{action.snippet}`."


def _document(app: str, paths: Mapping[str, Any], schemas: Mapping[str, Any]) -> Document:
    return {
        "openapi": "3.1.0",
        "info": {"title": app, "version": __version__},
        "servers": [{"url": "/api"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {**schemas, "errors": _ERRORS},
        },
    }


_ERRORS: Final = {
    "type": "object",
    "properties": {
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"message": {"type": "string"}, "code": {"type": ["string", "null"]}},
                "required": ["message"],
            },
        }
    },
    "required": ["errors"],
}


def _record(collection: Collection) -> dict[str, Any]:
    properties = {name: _value(collection.fields[name]) for name in collection.visible}
    for name, relation in collection.relations.items():
        linked = {"type": "object"}
        properties[name] = {
            "description": f"Linked records of {relation.target}, when appended.",
            **({"type": "array", "items": linked} if relation.to_many else {"type": ["object", "null"]}),
        }
    return {"type": "object", "title": collection.title, "properties": properties}


def _value(field: Field) -> dict[str, Any]:
    schema = dict(_CATEGORIES[field.category])
    if isinstance(field, IntegerField):
        schema = {"type": "integer"}
    elif isinstance(field, BigIntField):
        schema = {"type": ["integer", "string"]}
    elif isinstance(field, DecimalField):
        schema = {"type": ["string", "number"]}
    elif isinstance(field, UnixTimestampField):
        schema = {"type": "string", "format": "date-time"}
    elif isinstance(field, StringField):
        schema["maxLength"] = field.length
    if field.allow_null and "type" in schema:
        kinds = schema["type"]
        schema["type"] = [*(kinds if isinstance(kinds, list) else [kinds]), "null"]
    schema["title"] = field.title
    if field.read_only or field.auto_increment:
        schema["readOnly"] = True
    return schema


def _paths(collection: Collection) -> dict[str, Any]:
    one = {"$ref": f"#/components/schemas/{collection.name}"}
    many = {"type": "array", "items": one}
    page = {
        "type": "object",
        "properties": {name: {"type": "integer"} for name in ("count", "page", "pageSize")},
    }

    def operation(summary: str, data: Any, parameters: Iterable[Any], body: Any = None, **more: Any) -> Any:
        described: dict[str, Any] = {"tags": [collection.name], "summary": summary}
        described |= {"parameters": [*parameters], "responses": _responses(data, **more)}
        return {**described, "requestBody": _body(body)} if body is not None else described

    name = collection.name
    paths = {
        f"/{name}:list": {"get": operation("One page of records.", many, [*_SELECTING, *_PAGING], meta=page)},
        f"/{name}:get": {"get": operation("One record or null.", one, [_KEY, *_SELECTING])},
        f"/{name}:query": {"post": operation("Sums, counts and groups.", {"type": "array"}, [], {})},
    }
    if not collection.read_only:
        either = [_KEY, _SELECTING[0]]
        paths |= {
            f"/{name}:create": {"post": operation("A new record.", one, [], one)},
            f"/{name}:update": {"post": operation("The changed records.", many, either, one)},
            f"/{name}:destroy": {"post": operation("How many are gone.", {"type": "integer"}, either)},
        }
    return paths


def _body(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _responses(data: Any, **more: Any) -> dict[str, Any]:
    answer = {"type": "object", "properties": {"data": data, **more}}
    failed = {"$ref": "#/components/schemas/errors"}
    return {
        "200": {"description": "Done.", **_body(answer)},
        "4XX": {"description": "Refused; `errors` says why.", **_body(failed)},
    }
