"""Input that is not saved is never dropped without a question."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Dialog, Locator, Page, expect

from . import tasks_app
from .installation import ACCOUNT, Installation
from .steps import give_credentials, open_menu, row

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def tasks(installation: Installation) -> None:
    await tasks_app.prepare(installation, [{"title": "Mow the lawn", "hours": 2}])


async def _start_editing(page: Page) -> Locator:
    """A drawer with a changed title, reached through a history entry of its own."""
    await tasks_app.open_tasks(page, "Mow the lawn")
    await open_menu(page, "Mow the lawn", "Edit")
    drawer = page.get_by_role("dialog", name="Mow the lawn")
    await drawer.get_by_label("Title").fill("Mow the meadow")
    return drawer


def _question(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Discard changes?")


async def test_back_asks_and_keeps_what_was_typed(page: Page) -> None:
    drawer = await _start_editing(page)
    address = page.url
    await page.go_back()
    await _question(page).get_by_role("button", name="Keep editing").click()
    await expect(_question(page)).to_have_count(0)
    await expect(drawer.get_by_label("Title")).to_have_value("Mow the meadow")
    assert page.url == address
    await page.go_back()
    await page.keyboard.press("Escape")
    await expect(_question(page)).to_have_count(0)
    await expect(drawer.get_by_label("Title")).to_have_value("Mow the meadow")


async def test_back_saves_and_leaves(page: Page) -> None:
    await _start_editing(page)
    await page.go_back()
    await _question(page).get_by_role("button", name="Save and leave").click()
    await expect(page).to_have_url(re.compile(r"/r/tasks(\?|$)(?!.*record)"))
    await expect(row(page, "Mow the meadow")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_back_discards(page: Page, installation: Installation) -> None:
    await _start_editing(page)
    await page.go_back()
    await _question(page).get_by_role("button", name="Discard", exact=True).click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(row(page, "Mow the lawn")).to_be_visible()
    async with tasks_app.api(installation) as app:
        assert [each["title"] for each in await app.call("tasks:list")] == ["Mow the lawn"]


async def test_escape_and_discard_close_the_drawer(page: Page) -> None:
    drawer = await _start_editing(page)
    await page.keyboard.press("Escape")
    await expect(_question(page)).to_be_visible()
    await _question(page).get_by_role("button", name="Discard", exact=True).click()
    await expect(drawer).to_have_count(0)


async def test_the_browser_asks_before_the_tab_goes(page: Page) -> None:
    drawer = await _start_editing(page)
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    page.on("dialog", stay)
    async with page.expect_event("dialog"):
        await page.evaluate("() => { setTimeout(() => location.reload()) }")
    await expect(drawer.get_by_label("Title")).to_have_value("Mow the meadow")
    assert asked == ["beforeunload"]


async def test_a_drawer_of_the_supervisor_asks_too(page: Page) -> None:
    await page.goto("/admin/settings/supervisor/apps")
    await give_credentials(page, ACCOUNT)
    await page.get_by_role("button", name="New application").first.click()
    drawer = page.get_by_role("dialog", name="New application")
    await drawer.get_by_label("Display name").fill("Nearly lost")
    await page.go_back()
    await _question(page).get_by_role("button", name="Keep editing").click()
    await expect(drawer.get_by_label("Display name")).to_have_value("Nearly lost")
    await page.go_back()
    await _question(page).get_by_role("button", name="Discard", exact=True).click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
