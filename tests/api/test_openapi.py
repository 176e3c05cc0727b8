"""The description of an app's API."""

from __future__ import annotations

from typing import Any

from .conftest import Api


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        return (
            [part["$ref"]] if "$ref" in part else [ref for each in part.values() for ref in references(each)]
        )
    return [ref for each in part for ref in references(each)] if isinstance(part, list) else []


async def test_the_api_describes_itself(root: Api) -> None:
    fields = [
        {"name": "title", "type": "string", "length": 40, "allowNull": False},
        {"name": "placed", "type": "date"},
        {"name": "lines", "type": "hasMany", "target": "orders", "foreignKey": "upId"},
        {"name": "secret", "type": "password", "hidden": True},
    ]
    await root.data("collections:create", {"name": "orders", "title": "Orders", "fields": fields})
    document = (await root.call("swagger:get", ns="collections/orders")).json()
    assert document["openapi"].startswith("3.1")
    record = document["components"]["schemas"]["orders"]["properties"]
    assert record["title"] == {"type": "string", "maxLength": 40, "title": "title"}
    assert record["placed"]["format"] == "date-time"
    assert record["lines"]["type"] == "array"
    assert record["id"]["readOnly"]
    assert "secret" not in record
    assert set(document["paths"]) == {
        f"/orders:{action}" for action in ("list", "get", "create", "update", "destroy", "query")
    }
    for space in ("core", "collections"):
        whole = (await root.call("swagger:get", ns=space)).json()
        known = {f"#/components/schemas/{name}" for name in whole["components"]["schemas"]}
        assert set(references(whole)) <= known
        for path, methods in whole["paths"].items():
            for operation in methods.values():
                assert operation["summary"], path
    assert "/desktopRoutes:listAccessible" in (await root.call("swagger:get", ns="core")).json()["paths"]
    urls = [each["name"] for each in await root.data("swagger:getUrls")]
    assert urls[:2] == ["core", "collections"]
    assert "collections/orders" in urls
    assert (await root.call("swagger:get", ns="collections/zzz")).status_code == 404
    await root.data("users:create", {"username": "ann", "password": "secret-1"})
    ann = await root.sign_in("ann", "secret-1")
    assert (await ann.call("swagger:get")).status_code == 403
