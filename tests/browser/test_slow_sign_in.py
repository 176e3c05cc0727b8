"""Who types before the page knows the ways to sign in loses nothing."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from .installation import ACCOUNT
from .steps import give_credentials

pytestmark = pytest.mark.anyio


async def test_what_is_typed_early_stays(page: Page) -> None:
    known = asyncio.Event()

    async def hold(route: Route) -> None:
        await known.wait()
        await route.continue_()

    await page.route("**/authenticators:publicList*", hold)
    await page.goto("/signin")
    await page.get_by_label("User name or e-mail").fill(ACCOUNT.username)
    async with page.expect_response("**/authenticators:publicList*"):
        known.set()
    await expect(page.get_by_role("link", name="Create account")).to_be_visible()
    await expect(page.get_by_label("User name or e-mail")).to_have_value(ACCOUNT.username)
    await give_credentials(page, ACCOUNT)
