"""Two people at one list: what one does, the other sees, and nothing jumps."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from . import tasks_app
from .accessibility import all_looks
from .installation import Installation
from .steps import row

pytestmark = pytest.mark.anyio

FLASHED = """(row) => new Promise((done) => {
  const look = () => row.className.includes('flash') && (watcher.disconnect(), done(true));
  const watcher = new MutationObserver(look);
  watcher.observe(row, { attributes: true });
  look();
})"""


@pytest.fixture
async def other(browser: Browser, installation: Installation) -> AsyncIterator[Page]:
    """Somebody else, in a browser profile of their own."""
    context = await browser.new_context(base_url=installation.url, viewport={"width": 1280, "height": 800})
    yield await context.new_page()
    await context.close()


@pytest.fixture(autouse=True)
async def tasks(installation: Installation) -> None:
    await tasks_app.prepare(installation, [{"title": "First", "hours": 1}, {"title": "Second", "hours": 2}])


async def test_changes_of_others_arrive(page: Page, other: Page) -> None:
    await tasks_app.open_tasks(page, "First", "?sort=id")
    await tasks_app.open_tasks(other, "First", "?sort=id")
    flash = asyncio.ensure_future(row(page, "First").evaluate(FLASHED))
    assert await row(page, "First").evaluate("(row) => !row.className.includes('flash')")
    await row(other, "First").get_by_role("gridcell").nth(2).click()
    await other.keyboard.type("11")
    await other.keyboard.press("Enter")
    assert await flash is True
    await expect(row(page, "First").get_by_text("11")).to_be_visible()


async def test_new_rows_wait_to_be_shown(page: Page, installation: Installation) -> None:
    await tasks_app.open_tasks(page, "First", "?sort=-id")
    async with tasks_app.api(installation) as app:
        await app.call("tasks:create", [{"title": f"New {number}"} for number in range(3)])
    pill = page.get_by_role("button", name="3 new — Show")
    await expect(pill).to_be_visible()
    await expect(row(page, "New 0")).to_have_count(0)
    assert await all_looks(page, "new rows") == []
    await pill.click()
    await expect(row(page, "New 2")).to_be_visible()
    await expect(pill).to_have_count(0)


async def test_only_new_rows_that_match_are_counted(page: Page, installation: Installation) -> None:
    await tasks_app.open_tasks(page, "First", "?q=First")
    async with tasks_app.api(installation) as app:
        await app.call("tasks:create", [{"title": "First again"}, {"title": "Else"}])
    await expect(page.get_by_role("button", name="1 new — Show")).to_be_visible()


async def test_deleted_rows_fade(page: Page, installation: Installation) -> None:
    await tasks_app.open_tasks(page, "Second", "?sort=id")
    await page.get_by_role("heading", name="Tasks").hover()
    async with tasks_app.api(installation) as app:
        second = (await app.call("tasks:list", filter={"title": "Second"}))[0]
        await app.call(f"tasks:destroy/{second['id']}")
    await expect(row(page, "Second")).to_have_class(re.compile("gone"))
    await expect(row(page, "Second")).to_have_count(0)
    await expect(row(page, "First")).to_be_visible()


async def test_own_changes_neither_flash_nor_wait(page: Page) -> None:
    await tasks_app.open_tasks(page, "First", "?sort=id")
    await page.get_by_role("button", name="New record").first.click()
    drawer = page.get_by_role("dialog", name="New record in Tasks")
    await drawer.get_by_label("Title").fill("Mine")
    await drawer.get_by_role("button", name="Save", exact=True).click()
    await expect(row(page, "Mine")).to_be_visible()
    await expect(page.get_by_role("button", name="new — Show")).to_have_count(0)
