"""Every screen, in light and dark, wide and narrow: axe finds nothing serious."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest
from playwright.async_api import Page, expect

from .accessibility import all_looks
from .installation import ACCOUNT, Installation
from .steps import LONG_MS, give_credentials, sign_in

pytestmark = pytest.mark.anyio

Screen: TypeAlias = Callable[[Page], Awaitable[None]]
SUPERVISOR = "/admin/settings/supervisor"


async def test_sign_in(page: Page) -> None:
    await page.goto("/signin")
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert await all_looks(page, "sign-in") == []


async def test_screens_of_the_supervisor(page: Page, installation: Installation) -> None:
    await _make_app(installation)
    await sign_in(page, ACCOUNT)
    found: list[str] = []
    for path, text in (
        ("/admin/apps", "Looks"),
        (f"{SUPERVISOR}/apps", "Looks"),
        (f"{SUPERVISOR}/apps/looks", "Looks"),
        (f"{SUPERVISOR}/apps/looks/runtime", "env_a"),
        (f"{SUPERVISOR}/apps/looks/logs", "app started"),
        (f"{SUPERVISOR}/apps?create=true", "New application"),
        (f"{SUPERVISOR}/environments", "env_a"),
        (f"{SUPERVISOR}/environments/env_a", "env_a"),
        (f"{SUPERVISOR}/overview", "Needs attention"),
    ):
        await page.goto(path)
        await expect(page.get_by_text(text).locator("visible=true").first).to_be_visible()
        found += await all_looks(page, path)
    assert found == [], "\n".join(found)


async def test_screens_of_an_app(page: Page, installation: Installation) -> None:
    await _make_app(installation)
    await page.goto("/apps/looks/admin/")
    await give_credentials(page, ACCOUNT)
    found: list[str] = []
    for path, text in (
        ("/settings/data/main/collections", "Things"),
        ("/settings/data/main/collections?create=true", "New collection"),
        ("/settings/data/main/collections/things/fields", "Label"),
        ("/r/things", "Lamp"),
        ("/r/things?record=new", "New record in Things"),
        ("/r/things/1", "Lamp"),
    ):
        await page.goto(f"/apps/looks/admin{path}")
        await expect(page.get_by_text(text).locator("visible=true").first).to_be_visible()
        found += await all_looks(page, path)
    assert found == [], "\n".join(found)


async def test_page_of_a_stopped_app(page: Page, installation: Installation) -> None:
    await _make_app(installation, "resting")
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        await client.call("applications:stop/resting")
        await client.wait_status("resting", "stopped")
    await page.goto("/apps/resting/admin/")
    await expect(page.get_by_text("stopped").first).to_be_visible(timeout=LONG_MS)
    assert await all_looks(page, "stopped app") == []


async def _make_app(installation: Installation, name: str = "looks") -> None:
    """An app with one collection and one record, made once."""
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        if await client.app_row(name) is not None:
            return
        await client.create_app(name, ["env_a"])
        async with client.other(name) as app:
            await app.sign_in(ACCOUNT)
            label = {"type": "string", "title": "Label", "x-component": "Input"}
            fields = [{"name": "label", "type": "string", "interface": "input", "uiSchema": label}]
            await app.call("collections:create", {"name": "things", "title": "Things", "fields": fields})
            await app.call("things:create", {"id": 1, "label": "Lamp"})
