"""What screens say beside their main matter: what an app is for, how many rows there are, who uses it."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from .accessibility import all_looks
from .installation import ACCOUNT, Installation
from .steps import go, open_menu, row, sign_in

pytestmark = pytest.mark.anyio


async def test_the_launcher_says_what_an_app_is_for(page: Page, installation: Installation) -> None:
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        await client.create_app("hires", ["env_a"])
        await client.call("applications:update/hires", {"options": {"description": "Who applied for what"}})
    await sign_in(page, ACCOUNT, "/admin/apps")
    card = page.get_by_role("link", name="hires")
    await expect(card.get_by_text("Who applied for what")).to_be_visible()
    await page.get_by_role("textbox", name="Search apps").fill("applied")
    await expect(card).to_be_visible()
    found = await all_looks(page, "launcher with a description")
    assert found == [], "\n".join(found)


async def test_one_place_of_the_page_is_read_out(page: Page, installation: Installation) -> None:
    """Lists and toasts share it."""
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        await client.create_app("aloud", ["env_a"])
    await sign_in(page, ACCOUNT)
    await go(page, "Applications")
    said = page.locator("[aria-live=polite]")
    await page.get_by_role("searchbox", name="Search").fill("aloud")
    await expect(said).to_have_text("1 result")
    await page.context.grant_permissions(["clipboard-write"])
    await open_menu(page, "aloud", "Copy address")
    await expect(said).to_have_text("Address copied.")
    await expect(page.locator("[aria-live=assertive]")).to_have_text("")


async def test_the_page_of_an_app_has_the_menu_of_its_row(page: Page, installation: Installation) -> None:
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        await client.create_app("used", ["env_a"])
        await client.ask("used")
    await sign_in(page, ACCOUNT)
    await go(page, "Applications")
    line = row(page, "used")
    await expect(line.get_by_text("ago").or_(line.get_by_text("now"))).to_be_visible()
    await line.get_by_role("button", name="Actions for").click()
    entries = await page.get_by_role("menuitem").all_inner_texts()
    await page.keyboard.press("Escape")
    await page.goto("/admin/settings/supervisor/apps/used")
    await page.get_by_role("button", name="Actions for Used").click()
    shown = await page.get_by_role("menuitem").all_inner_texts()
    assert set(entries) - set(shown) <= {"Open", "Edit", "Delete"}, (entries, shown)
    found = await all_looks(page, "menu of an app")
    await page.get_by_role("menuitem", name="Edit").click()
    await expect(page.get_by_role("tab", name="Settings", selected=True)).to_be_visible()
    await page.get_by_role("button", name="Stop Used").click()
    question = page.get_by_role("dialog", name="Stop Used?")
    await expect(question.get_by_text("in the last 5 minutes")).to_be_visible()
    found += await all_looks(page, "question before stopping")
    assert found == [], "\n".join(found)


async def test_an_environment_is_called_at_its_address(page: Page) -> None:
    await sign_in(page, ACCOUNT, "/admin/settings/supervisor/environments/env_a")
    await page.get_by_role("button", name="Test URL of env_a").click()
    await expect(page.get_by_role("main").get_by_text("200 in")).to_be_visible()
    await expect(page.locator("[aria-live=polite]")).to_contain_text("URL: 200 in")
    found = await all_looks(page, "page of an environment")
    await go(page, "Environments")
    await page.get_by_role("button", name="Test URL of env_b").click()
    await expect(row(page, "env_b").get_by_text("200 in")).to_be_visible()
    found += await all_looks(page, "environments")
    assert found == [], "\n".join(found)


async def test_preferences_hold_for_lists_and_calendars(page: Page) -> None:
    await sign_in(page, ACCOUNT)
    await go(page, "Environments")
    line = row(page, "env_a")
    before = await line.bounding_box()
    await page.get_by_role("button", name="Account of").click()
    await page.get_by_role("menuitem", name="Preferences").click()
    dialog = page.get_by_role("dialog", name="Preferences")
    await (
        dialog.get_by_role("radiogroup", name="Row height of lists")
        .get_by_text("Comfortable")
        .click(force=True)
    )
    async with page.expect_response(lambda answer: "userPreferences:set" in answer.url):
        await dialog.get_by_label("First day of the week").select_option(label="Saturday")
    await dialog.get_by_role("button", name="Show all shortcuts").click()
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts and help")).to_be_visible()
    await page.keyboard.press("Escape")
    after = await line.bounding_box()
    assert before and after and after["height"] == before["height"] + 12
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog", name="Search or jump to…")).to_match_aria_snapshot("""
        - text: Settings
        - button "Applications"
        - button "Environments"
        """)
