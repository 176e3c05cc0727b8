"""Finding things by name, and what a person may choose about the screens."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from .accessibility import all_looks
from .installation import ACCOUNT, Installation
from .steps import give_credentials

pytestmark = pytest.mark.anyio


async def test_a_record_is_found_and_remembered(page: Page, installation: Installation) -> None:
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        await client.create_app("desk", ["env_a"])
        async with client.other("desk") as app:
            await app.sign_in(ACCOUNT)
            label = {"type": "string", "title": "Label", "x-component": "Input"}
            fields = [{"name": "label", "type": "string", "interface": "input", "uiSchema": label}]
            await app.call("collections:create", {"name": "things", "title": "Things", "fields": fields})
            await app.call("things:create", [{"id": 7, "label": "Copper lamp"}, {"id": 8, "label": "Chair"}])
    await page.goto("/apps/desk/admin/")
    await give_credentials(page, ACCOUNT)
    await page.keyboard.press("Control+k")
    search = page.get_by_role("textbox", name="Search or jump to…")
    await search.fill("copper")
    found = page.get_by_role("dialog").get_by_role("button", name="Copper lamp")
    await expect(found).to_be_visible()
    looks = await all_looks(page, "palette")
    await found.click()
    await expect(page.get_by_role("heading", name="Copper lamp")).to_be_visible()
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog").get_by_role("button", name="Copper lamp")).to_be_visible()
    await search.fill("> things")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="New record in Things")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await search.fill("> dark")
    await page.keyboard.press("Enter")
    await expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    assert looks == [], "\n".join(looks)


async def test_single_letters_can_be_switched_off(page: Page) -> None:
    await page.goto("/admin")
    await give_credentials(page, ACCOUNT)
    await page.keyboard.press("?")
    await page.get_by_role("dialog", name="Keyboard shortcuts and help").get_by_role("button").first.click()
    await page.get_by_role("button", name="Account of").click()
    await page.get_by_role("menuitem", name="Preferences").click()
    dialog = page.get_by_role("dialog", name="Preferences")
    found = await all_looks(page, "preferences")
    async with page.expect_response(lambda answer: "userPreferences:set" in answer.url):
        await dialog.get_by_label("Single-letter shortcuts").click(force=True)
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await page.reload()
    await expect(page.get_by_role("navigation", name="Main navigation")).to_be_visible()
    await page.keyboard.press("?")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog")).to_have_count(1)
    await expect(page.get_by_role("textbox", name="Search or jump to…")).to_be_focused()
    assert found == [], "\n".join(found)
