"""Saved views: a name for what a list shows, for oneself or everybody; and the list on paper."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, expect

from . import tasks_app
from .accessibility import all_looks
from .installation import ACCOUNT, Installation
from .steps import add_condition, give_credentials, row, toast

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def tasks(installation: Installation) -> None:
    await tasks_app.prepare(installation, [{"title": "Paint", "hours": 2}, {"title": "Sand", "hours": 1}])


async def choose(page: Page, button: str, entry: str) -> None:
    """An entry of the menu of views, whose button is named after the view the list is in."""
    await page.get_by_role("button", name=button).click()
    await page.get_by_role("menuitem", name=entry).click()


async def test_a_list_as_a_named_view(page: Page, browser: Browser, installation: Installation) -> None:
    await tasks_app.open_tasks(page, "Paint")
    await add_condition(page, "Title", "contains", "Pai")
    await expect(row(page, "Sand")).to_have_count(0)
    await page.get_by_role("columnheader", name=re.compile("^Notes")).press("Enter")
    await page.get_by_role("menuitem", name="Hide column").press("Enter")
    await choose(page, "Views", "Save as new view")
    dialog = page.get_by_role("dialog", name="Save as new view")
    await dialog.get_by_label("Name of the view").fill("To paint")
    await dialog.get_by_label("Open this view by itself").check()
    await dialog.get_by_role("button", name="Save").click()
    await expect(page).to_have_url(re.compile(r"\?view=v_\w+$"))
    await expect(page.get_by_role("button", name="To paint")).to_be_visible()
    await expect(row(page, "Paint")).to_be_visible()
    await expect(row(page, "Sand")).to_have_count(0)
    address = page.url

    await page.get_by_role("button", name="To paint").click()
    assert await all_looks(page, "menu of views") == []
    await page.get_by_role("menuitem", name="All records").click()
    await expect(row(page, "Sand")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"\?view=all$"))

    context = await browser.new_context(base_url=installation.url)
    try:
        elsewhere = await context.new_page()
        await elsewhere.goto(tasks_app.LIST)
        await give_credentials(elsewhere, ACCOUNT)
        await expect(elsewhere).to_have_url(address)
        await expect(row(elsewhere, "Paint")).to_be_visible()
        await expect(row(elsewhere, "Sand")).to_have_count(0)
        await expect(elsewhere.get_by_role("columnheader", name=re.compile("^Notes"))).to_have_count(0)
    finally:
        await context.close()


async def test_a_view_is_changed_shared_and_deleted(page: Page, installation: Installation) -> None:
    async with tasks_app.api(installation) as app:
        view = {"blockId": "records.tasks", "title": "By hours", "sort": ["hours"]}
        key = (await app.call("views:create", view))["id"]
    await tasks_app.open_tasks(page, "Paint", f"?view={key}")
    await expect(page.get_by_role("row").nth(1)).to_contain_text("Sand")
    await page.get_by_role("columnheader", name=re.compile("^Hours")).click()
    await expect(page.get_by_role("row").nth(1)).to_contain_text("Paint")
    await expect(page.get_by_role("button", name="By hours (changed)")).to_be_visible()
    await choose(page, "By hours", "Discard changes")
    await expect(page.get_by_role("row").nth(1)).to_contain_text("Sand")
    await page.get_by_role("columnheader", name=re.compile("^Hours")).click()
    await choose(page, "By hours", "Save changes to")
    await expect(toast(page, "View “By hours” saved")).to_be_visible()
    await choose(page, "By hours", "Rename or share")
    dialog = page.get_by_role("dialog", name="Rename or share")
    await dialog.get_by_label("Name of the view").fill("Longest first")
    await dialog.get_by_label("Share with everybody").check()
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="Longest first", exact=True)).to_be_visible()
    async with tasks_app.api(installation) as app:
        (kept,) = [
            each for each in await app.call("views:list", blockId="records.tasks") if each["id"] == key
        ]
    assert (kept["title"], kept["shared"], kept["sort"]) == ("Longest first", True, ["-hours"])
    await choose(page, "Longest first", "Delete view")
    await page.get_by_role("dialog").get_by_role("button", name="Delete view").click()
    await expect(page.get_by_role("button", name="Views", exact=True)).to_be_visible()
    await page.goto(f"{tasks_app.LIST}?view={key}")
    await expect(page.get_by_text("This view does not exist any more")).to_be_visible()
    await expect(row(page, "Sand")).to_be_visible()


async def test_the_list_on_paper(page: Page) -> None:
    await page.add_init_script("window.print = () => { window.printed = true; }")
    await tasks_app.open_tasks(page, "Paint", "?view=all")
    await page.get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("menuitem", name="Print").click()
    await page.wait_for_function("window.printed === true")
    await page.emulate_media(media="print")
    await expect(page.get_by_role("table")).to_contain_text("Tasks 1–2 of 2")
    await expect(page.get_by_role("table").get_by_role("row")).to_have_count(3)
    await expect(page.get_by_role("navigation", name="Main navigation")).to_be_hidden()
    await page.emulate_media(media="screen")
    await page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    await expect(page.locator("[data-print]")).to_have_count(0)
