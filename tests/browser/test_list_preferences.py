"""My table stays my table: on every device, and back to the default with one click."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.async_api import Browser, Page, Response, expect

from . import tasks_app
from .installation import Installation

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def tasks(installation: Installation) -> None:
    await tasks_app.prepare(installation, [{"title": "Paint", "hours": 2}, {"title": "Sand", "hours": 1}])


async def headers(page: Page) -> list[str]:
    """Titles of the columns, from left to right."""
    cells = page.get_by_role("columnheader").locator("[data-fit]")
    return [text.strip() for text in await cells.all_inner_texts()]


def says(text: str) -> Callable[[Response], bool]:
    """Whether an answer is that to saving preferences that hold a text."""
    return lambda answer: "userPreferences:set" in answer.url and text in (answer.request.post_data or "")


async def from_menu(page: Page, column: str, entry: str) -> None:
    """An entry of a column's menu, by keyboard."""
    await page.get_by_role("columnheader", name=re.compile(f"^{column}")).press("Enter")
    menu = page.get_by_role("menu", name=f"Menu of column {column}")
    await menu.get_by_role("menuitem", name=entry, exact=True).press("Enter")


async def test_the_look_of_a_list_follows_its_user(
    page: Page, browser: Browser, installation: Installation
) -> None:
    await tasks_app.open_tasks(page, "Paint")
    assert await headers(page) == ["Title", "Hours", "Code", "Notes", "Done", "Due", "State"]
    await from_menu(page, "Notes", "Hide column")
    await from_menu(page, "Code", "Move left")
    await from_menu(page, "Done", "Pin left")
    await from_menu(page, "Code", "Resize")
    header = page.get_by_role("columnheader", name=re.compile("^Code"))
    before = await header.bounding_box()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Columns").click()
    async with page.expect_response(says("comfortable")):
        await page.get_by_text("Comfortable").click()
    wide = await header.bounding_box()
    assert before and wide and wide["width"] == before["width"] + 16
    assert await headers(page) == ["Done", "Title", "Code", "Hours", "Due", "State"]

    context = await browser.new_context(base_url=installation.url, viewport={"width": 1280, "height": 800})
    try:
        elsewhere = await context.new_page()
        await tasks_app.open_tasks(elsewhere, "Paint")
        assert await headers(elsewhere) == ["Done", "Title", "Code", "Hours", "Due", "State"]
        box = await elsewhere.get_by_role("columnheader", name=re.compile("^Code")).bounding_box()
        assert box and box["width"] == wide["width"]
        row = await elsewhere.get_by_role("row").nth(1).bounding_box()
        assert row and round(row["height"]) == 52
        await elsewhere.get_by_role("button", name="Columns").click()
        async with elsewhere.expect_response(says("null")):
            await elsewhere.get_by_role("button", name="Reset to default").click()
        await expect(elsewhere.get_by_role("columnheader", name=re.compile("^Notes"))).to_be_visible()
    finally:
        await context.close()
    await page.reload()
    await expect(page.get_by_role("columnheader", name=re.compile("^Notes"))).to_be_visible()
    assert await headers(page) == ["Title", "Hours", "Code", "Notes", "Done", "Due", "State"]


async def test_the_order_of_two_columns_is_in_the_address(page: Page) -> None:
    await tasks_app.open_tasks(page, "Paint")
    await page.get_by_role("columnheader", name=re.compile("^Done")).click()
    await page.get_by_role("columnheader", name=re.compile("^Hours")).click(modifiers=["Shift"])
    await expect(page).to_have_url(re.compile(r"sort=done(%2C|,)hours"))
    await expect(page.get_by_role("row").nth(1)).to_contain_text("Sand")
    await expect(page.get_by_role("columnheader", name=re.compile("^Hours"))).to_contain_text("2")
