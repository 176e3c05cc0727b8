"""Menus, themes, variables, data sources and the parts of an app."""

from __future__ import annotations

from typing import Any

import pytest

from atoll.application.app import Application
from atoll.errors import BadRequest, SecretUnreadable

from .conftest import Api, client_of, make_app


@pytest.fixture
async def ann(root: Api) -> Api:
    """Somebody with a role that may see nothing yet."""
    await root.data("roles:create", {"name": "plain"})
    await root.data("users:create", {"username": "ann", "password": "secret-1", "roles": ["plain"]})
    return await root.sign_in("ann", "secret-1")


def titles(nodes: list[dict[str, Any]]) -> list[Any]:
    return [
        [node["title"], titles(node["children"])] if "children" in node else node["title"] for node in nodes
    ]


async def test_roles_see_the_entries_they_are_given(root: Api, ann: Api) -> None:
    group = await root.data(
        "desktopRoutes:create", {"type": "group", "title": "g", "children": [{"title": "p"}]}
    )
    page = group["children"][0]
    other = await root.data("desktopRoutes:create", {"type": "page", "title": "o", "options": {"a": 1}})
    assert titles(await root.data("desktopRoutes:listAccessible", tree="true")) == [["g", ["p"]], "o"]
    assert await ann.data("desktopRoutes:listAccessible", tree="true") == []
    await root.data("roles/plain/desktopRoutes:add", [page["id"]])
    assert titles(await ann.data("desktopRoutes:listAccessible", tree="true")) == [["g", ["p"]]]
    assert titles(await ann.data("desktopRoutes:listAccessible")) == ["p"]
    assert (await ann.data("desktopRoutes:getAccessible", filterByTk=page["id"]))["title"] == "p"
    assert await ann.data("desktopRoutes:getAccessible", filterByTk=other["id"]) is None
    await root.data("roles/plain/desktopRoutes:set", [other["id"]])
    assert titles(await root.data("roles/plain/desktopRoutes:list")) == ["o"]
    for action in ("create", "update", "destroy", "list"):
        answer = await ann.call(f"desktopRoutes:{action}", {"title": "x"}, filterByTk=other["id"])
        assert answer.status_code == 403
    assert (await root.data("desktopRoutes:get", filterByTk=other["id"]))["options"] == {"a": 1}


async def test_destroying_an_entry_takes_those_below_and_their_links(root: Api, ann: Api) -> None:
    group = await root.data("desktopRoutes:create", {"title": "g", "children": [{"title": "p"}]})
    await root.data("roles/plain/desktopRoutes:add", [group["id"], group["children"][0]["id"]])
    assert await root.data("desktopRoutes:destroy", {}, filterByTk=group["id"]) == 1
    assert await root.data("desktopRoutes:list") == []
    assert await root.data("roles/plain/desktopRoutes:list") == []


async def test_roles_with_new_menus_see_a_new_entry_at_once(root: Api) -> None:
    await root.data("users:create", {"username": "bob", "password": "secret-1", "roles": ["member"]})
    bob = await root.sign_in("bob", "secret-1")
    await root.data("mobileRoutes:create", [{"title": "a"}, {"title": "b"}])
    assert titles(await bob.data("mobileRoutes:listAccessible")) == ["a", "b"]


async def test_entries_are_moved_and_made_when_missing(root: Api) -> None:
    made = [await root.data("desktopRoutes:create", {"title": title}) for title in "abc"]
    await root.data("desktopRoutes:move", {}, sourceId=made[2]["id"], targetId=made[0]["id"])
    assert titles(await root.data("desktopRoutes:listAccessible", tree="true")) == ["c", "a", "b"]
    keys = {"filterKeys[]": "title"}
    assert (await root.data("desktopRoutes:updateOrCreate", {"title": "d"}, **keys))["title"] == "d"
    changed = await root.data("desktopRoutes:updateOrCreate", {"title": "d", "icon": "i"}, **keys)
    assert [row["icon"] for row in changed] == ["i"]


async def test_a_secret_goes_in_and_never_comes_out(root: Api, ann: Api, app: Application) -> None:
    await root.data("environmentVariables:create", {"name": "HOST", "type": "default", "value": "h"})
    made = await root.data(
        "environmentVariables:create", {"name": "KEY", "type": "secret", "value": "s3cret"}
    )
    assert "value" not in made
    seen = [
        await ann.call("environmentVariables:list"),
        await root.call("environmentVariables:get", filterByTk="KEY"),
        await root.call("environmentVariables:list", sort="value", fields="name,value"),
        await root.call("environmentVariables:update", {"value": "s3cret-2"}, filterByTk="KEY"),
    ]
    assert all(answer.status_code == 200 and "s3cret" not in answer.text for answer in seen)
    rows = {row["name"]: row.get("value") for row in seen[0].json()["data"]}
    assert rows == {"HOST": "h", "KEY": None}
    stored = await app.database.fetch_all('SELECT "value" FROM "environmentVariables" WHERE "name" = \'KEY\'')
    assert "s3cret" not in stored[0][0]
    variables = (await app.accounts.settings()).variables
    given = {"url": "https://{{$env.HOST}}/", "keys": ["{{ $env.KEY }}"], "n": 1}
    assert variables.filled(given, app.vault) == {"url": "https://h/", "keys": ["s3cret-2"], "n": 1}
    with pytest.raises(BadRequest, match="NONE"):
        variables.filled("{{$env.NONE}}", app.vault)


async def test_a_condition_on_values_sees_no_secret(root: Api) -> None:
    for name, kind in (("A", "default"), ("B", "secret")):
        await root.data("environmentVariables:create", {"name": name, "type": kind, "value": "v"})
    for condition in ('{"value.$notEmpty":true}', '{"$or":[{"name":"B"},{"value":{"$includes":"v"}}]}'):
        rows = await root.data("environmentVariables:list", filter=condition)
        assert [row["name"] for row in rows if row["name"] == "B"] == []


async def test_a_secret_of_another_key_cannot_be_read(root: Api, app: Application) -> None:
    sealed = app.vault.seal("text", "one")
    assert app.vault.open(sealed, "one") == "text"
    for what, about in ((sealed, "two"), ("no base64", "one"), ("", "one")):
        with pytest.raises(SecretUnreadable):
            app.vault.open(what, about)


async def test_filters_may_use_plain_variables_only(root: Api) -> None:
    await root.data("collections:create", {"name": "things", "fields": [{"name": "t", "type": "string"}]})
    await root.data("things:create", [{"t": "x"}, {"t": "y"}, {"t": None}])
    for name, kind in (("PLAIN", "default"), ("SECRET", "secret")):
        await root.data("environmentVariables:create", {"name": name, "type": kind, "value": "x"})
    rows = await root.data("things:list", filter='{"t":"{{$env.PLAIN}}"}')
    assert [row["t"] for row in rows] == ["x"]
    rows = await root.data("things:list", filter='{"t":"{{$env.SECRET}}"}')
    assert [row["t"] for row in rows] == [None]


async def test_a_variable_that_makes_no_sense_is_refused(root: Api) -> None:
    given: list[Any] = [
        {},
        {"name": "1a", "value": "x"},
        {"name": "A", "type": "odd", "value": "x"},
        {"name": "A", "value": 1},
    ]
    for values in given:
        assert (await root.call("environmentVariables:create", values)).status_code == 400


async def test_themes_are_public_and_built_in_ones_stay(root: Api, anonymous: Api) -> None:
    themes = await anonymous.data("themeConfig:list")
    assert [theme["uid"] for theme in themes] == ["default", "dark", "compact", "compact_dark"]
    own = await root.data("themeConfig:create", {"uid": "own", "config": {"name": "Own"}})
    await root.data("themeConfig:update", {"default": True}, filterByTk=own["id"])
    defaults = await root.data("themeConfig:list", filter='{"default":true}')
    assert [theme["uid"] for theme in defaults] == ["own"]
    for key in (themes[1]["id"], own["id"]):
        assert (await root.call("themeConfig:destroy", {}, filterByTk=key)).status_code == 400


async def test_everybody_chooses_a_theme(root: Api, ann: Api) -> None:
    themes = await root.data("themeConfig:list")
    await ann.data("users:updateTheme", {"themeId": themes[1]["id"]})
    assert (await ann.data("auth:check"))["systemSettings"]["themeId"] == themes[1]["id"]
    assert (await ann.call("users:updateTheme", {"themeId": 99})).status_code == 400


async def test_parts_are_what_there_is(root: Api, ann: Api) -> None:
    parts = {part["name"]: part for part in await root.data("pm:list")}
    assert parts["acl"]["packageName"] == "@nocobase/plugin-acl"
    assert {part["name"] for part in await ann.data("pm:listEnabled")} == set(parts)
    assert await root.data("pm:enable", {}, filterByTk="acl") == "acl"
    missing = await root.call("pm:enable", {}, filterByTk="crystal-ball")
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (404, "MODULE_NOT_FOUND")
    assert (await root.call("pm:disable", {}, filterByTk="acl")).status_code == 400
    assert (await root.call("pm:enable", {})).status_code == 400
    assert (await ann.call("pm:list")).status_code == 403


async def test_the_app_reads_its_memory_anew(root: Api, app: Application, ann: Api) -> None:
    """What somebody wrote past the API, an import of a backup for one, is seen afterwards."""
    await root.data("systemSettings:get")
    await app.database.execute('UPDATE "systemSettings" SET "title" = \'Past the API\'')
    assert (await ann.call("app:clearCache", {})).status_code == 403
    assert (await root.call("app:clearCache", {})).json() == {}
    assert (await root.data("systemSettings:get"))["title"] == "Past the API"


async def test_other_instances_read_anew_too(app: Application, root: Api, tmp_path: Any) -> None:
    other = make_app(app.database, tmp_path, app._sync)
    await other.start()
    try:
        async with client_of(other) as there:
            await there.data("systemSettings:get")
            await app.database.execute('UPDATE "systemSettings" SET "title" = \'Past the API\'')
            await root.call("app:refresh", {})
            assert (await there.data("systemSettings:get"))["title"] == "Past the API"
    finally:
        await other.stop()


async def test_the_main_data_source_is_the_only_one(root: Api, ann: Api) -> None:
    await root.data("collections:create", {"name": "things", "fields": [{"name": "t", "type": "string"}]})
    assert [source["key"] for source in await root.data("dataSources:list")] == ["main"]
    assert await root.data("dataSources:get", filterByTk="other") is None
    enabled = await ann.data("dataSources:listEnabled", appends="collections")
    assert "things" in {each["name"] for each in enabled[0]["collections"]}
    listed = await root.data("dataSources/main/collections:list", filter='{"name":"things"}')
    assert [each["name"] for each in listed] == ["things"]
    assert (await root.call("dataSources/other/collections:list")).status_code == 404
