"""Without a connection people read on, are told why nothing can be changed, and go on when it is back."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from . import tasks_app
from .accessibility import all_looks
from .installation import Installation
from .steps import row, toast

pytestmark = pytest.mark.anyio

GONE = "The server cannot be reached"
HOURS = 2


@pytest.fixture(autouse=True)
async def tasks(installation: Installation) -> None:
    await tasks_app.prepare(installation, [{"title": "Mow the lawn", "hours": 2}])


async def test_reading_goes_on_and_writing_waits(page: Page, installation: Installation) -> None:
    await tasks_app.open_tasks(page, "Mow the lawn")
    create = page.get_by_role("button", name="New record")
    await page.context.set_offline(True)
    await expect(page.get_by_role("alert").filter(has_text=GONE)).to_be_visible()
    await expect(row(page, "Mow the lawn")).to_be_visible()
    await expect(create).to_have_attribute("aria-disabled", "true")
    await create.hover()
    await expect(page.get_by_role("tooltip", name="No connection to the server")).to_be_visible()
    assert await all_looks(page, "offline") == []
    cell = row(page, "Mow the lawn").get_by_role("gridcell").nth(HOURS)
    await cell.click()
    await page.keyboard.type("9")
    await expect(toast(page, "No connection to the server").first).to_be_visible()
    await expect(cell).to_have_text("2")
    await row(page, "Mow the lawn").get_by_role("button", name="Actions for").click()
    await expect(page.get_by_role("menuitem", name="Edit")).to_be_disabled()
    await page.keyboard.press("Escape")

    async with tasks_app.api(installation) as app:
        await app.call("tasks:create", {"title": "Made meanwhile"})
    await page.context.set_offline(False)
    await expect(page.get_by_role("alert").filter(has_text=GONE)).to_have_count(0)
    await expect(row(page, "Made meanwhile")).to_be_visible()
    await cell.click()
    await page.keyboard.type("9")
    async with page.expect_response("**/tasks:update*"):
        await page.keyboard.press("Enter")
    await expect(cell).to_have_text("9")


async def test_a_form_keeps_its_input_and_saves_later(page: Page) -> None:
    await tasks_app.open_tasks(page, "Mow the lawn")
    await page.get_by_role("button", name="New record").click()
    drawer = page.get_by_role("dialog")
    await drawer.get_by_label("Title").fill("Typed before")
    await page.context.set_offline(True)
    await expect(drawer.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    await expect(drawer.get_by_text("No connection to the server")).to_be_visible()
    await page.context.set_offline(False)
    await drawer.get_by_role("button", name="Save", exact=True).click()
    await expect(row(page, "Typed before")).to_be_visible()


async def test_moments_are_in_the_chosen_time_zone(page: Page) -> None:
    await tasks_app.open_tasks(page, "Mow the lawn")
    zones: list[Any] = []
    page.on("request", lambda request: zones.append(request.headers.get("x-timezone")))
    await page.get_by_role("button", name="Account of").click()
    await page.get_by_role("menuitem", name="Preferences").click()
    dialog = page.get_by_role("dialog", name="Preferences")
    zone = dialog.get_by_role("combobox", name="Time zone")
    await zone.fill("tokyo")
    await page.get_by_role("option", name="Asia/Tokyo (UTC+09:00)").click()
    assert await all_looks(page, "preferences") == []
    await dialog.get_by_role("button", name="Close").click()
    zones.clear()
    await page.reload()
    await expect(row(page, "Mow the lawn")).to_be_visible()
    assert "+09:00" in zones
