"""`atoll up --demo` as a person meets it: both sample apps, and the pictures of the README."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from .installation import ACCOUNT, Installation, running
from .steps import add_condition, close_record, give_credentials, go, open_menu, row, sign_in

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def installation(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """With the sample apps."""
    async with running(tmp_path_factory.mktemp("demo"), ["--demo"], within=180) as made:
        yield made


async def test_travel_is_filtered(page: Page, pictures: Path) -> None:
    await _enter(page, "travel", "Airports")
    await add_condition(page, "City", "is", "Seattle")
    await expect(row(page, "Seattle").first).to_be_visible()
    await expect(page.get_by_role("row").filter(has_not_text="Seattle")).to_have_count(1)
    await page.screenshot(path=pictures / "records.png")


async def test_garage_record_is_edited(page: Page, pictures: Path) -> None:
    await _enter(page, "garage", "Cars")
    await page.get_by_role("searchbox", name="Search").fill("amc gremlin")
    await expect(row(page, "amc gremlin").first).to_be_visible()
    await open_menu(page, "amc gremlin", "Edit")
    drawer = page.get_by_role("dialog")
    await drawer.get_by_label("Name").fill("amc gremlin, restored")
    await page.screenshot(path=pictures / "record.png")
    await drawer.get_by_role("button", name="Save", exact=True).click()
    await close_record(page)
    await page.reload()
    await expect(row(page, "amc gremlin, restored")).to_be_visible()


async def test_overview_pictures(page: Page, pictures: Path) -> None:
    await sign_in(page, ACCOUNT)
    await go(page, "Applications")
    for name in ("travel", "garage"):
        await expect(row(page, name).get_by_text("Running")).to_be_visible()
    await page.screenshot(path=pictures / "applications.png")
    await page.emulate_media(color_scheme="dark")
    await page.screenshot(path=pictures / "applications-dark.png")
    await page.emulate_media(color_scheme="light")
    await go(page, "Environments")
    for name in ("env_a", "env_b"):
        await expect(row(page, name).get_by_text("Online")).to_be_visible()
    await page.screenshot(path=pictures / "environments.png")


async def _enter(page: Page, app: str, collection: str) -> None:
    """Opens an app through the entry point, signs in there, and shows one of its collections."""
    await page.goto(f"/apps/{app}/admin/")
    await give_credentials(page, ACCOUNT)
    await expect(page).to_have_url(re.compile(f"/apps/{app}/"))
    navigation = page.get_by_role("navigation", name="Main navigation")
    await navigation.get_by_role("link", name=collection).click()
    await expect(page.get_by_role("row").nth(1)).to_be_visible()
