"""The first steps on a fresh server, from the first sign-in to an app with something in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from atoll.testing.client import Account

from .accessibility import all_looks
from .installation import ACCOUNT, Installation, running
from .steps import LONG_MS, png_file

pytestmark = pytest.mark.anyio

NEW = Account("mia", "chosen-by-mia-herself")


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    """A server that nobody has signed in to yet."""
    async with running(tmp_path / "up", first_run=True) as made:
        yield made


async def test_a_fresh_server_is_set_up(page: Page, installation: Installation) -> None:
    await _sign_in(page, ACCOUNT)
    wizard = page.get_by_role("dialog", name="Welcome to Atoll")
    await expect(wizard).to_be_visible()
    found = await all_looks(page, "account step")
    await wizard.get_by_label("Your name").fill("Mia Berg")
    await wizard.get_by_label("User name").fill(NEW.username)
    await wizard.get_by_label("E-mail").fill("mia@example.com")
    await wizard.get_by_label("New password", exact=True).fill(NEW.password)
    await wizard.get_by_label("New password again").fill(NEW.password)
    await wizard.get_by_role("button", name="Save and continue").click()
    await wizard.get_by_label("Name", exact=True).fill("Berg Trading")
    await wizard.locator("input[type=file]").set_input_files(png_file("logo.png"))
    await expect(wizard.get_by_role("button", name="Remove")).to_be_visible()
    found += await all_looks(page, "platform step")
    await wizard.get_by_role("button", name="Save and continue").click()
    await wizard.get_by_role("radio", name="Tickets").check()
    found += await all_looks(page, "start step")
    await wizard.get_by_role("button", name="Create the app").click()
    await expect(wizard.get_by_text("The app is ready.")).to_be_visible(timeout=LONG_MS)
    found += await all_looks(page, "app is made")
    await wizard.get_by_role("button", name="Continue").click()
    await wizard.get_by_role("button", name="Show me around").click()
    for title in ("All your apps", "Where things are", "Search or jump", "Lists that do the work"):
        await expect(page.get_by_text(title, exact=True)).to_be_visible()
        await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Done").last.click()
    await expect(page.get_by_text("You", exact=True)).to_have_count(0)
    assert found == [], "\n".join(found)
    await _is_kept(page, installation)


async def _is_kept(page: Page, installation: Installation) -> None:
    """Nothing of it lives in the browser: a second look shows the same, without the wizard."""
    await page.reload()
    await expect(page.get_by_role("button", name="Berg Trading: switch app")).to_be_visible()
    await expect(page.get_by_role("dialog", name="Welcome to Atoll")).to_have_count(0)
    async with installation.client() as client:
        await client.sign_in(NEW)
        settings = await client.call("systemSettings:get")
        assert settings["options"]["setup"] == "done"
        assert settings["options"]["logo"].startswith("data:image/")
        row = await client.app_row("tickets")
        assert row is not None
        async with client.other("tickets") as app:
            await app.sign_in(NEW)
            tickets = await app.call("tickets:list")
            assert "Cannot print labels" in [ticket["subject"] for ticket in tickets]
            assert {ticket["status"] for ticket in tickets} >= {"open", "solved"}


async def test_it_can_be_left_and_stays_away(page: Page, installation: Installation) -> None:
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        await client.call("users:create", {"username": "guest", "password": "password-of-guest"})
    await _sign_in(page, Account("guest", "password-of-guest"))
    await expect(page.get_by_role("navigation", name="Main navigation")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.evaluate("() => localStorage.clear()")
    await _sign_in(page, ACCOUNT)
    wizard = page.get_by_role("dialog", name="Welcome to Atoll")
    await wizard.get_by_role("button", name="Skip the setup").click()
    await expect(wizard).to_have_count(0)
    await page.reload()
    await expect(page.get_by_role("navigation", name="Main navigation")).to_be_visible()
    await expect(wizard).to_have_count(0)


async def _sign_in(page: Page, account: Account) -> None:
    await page.goto("/signin")
    await page.get_by_label("User name or e-mail").fill(account.username)
    await page.get_by_label("Password", exact=True).fill(account.password)
    await page.get_by_role("button", name="Sign in").click()
