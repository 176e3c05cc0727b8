"""The main job as a person does it, from the first sign-in to the last delete."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from .installation import ACCOUNT, Installation
from .steps import LONG_MS, add_condition, close_record, give_credentials, go, open_menu, row, sign_in

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
    """The creator's account was copied into the new app: same name, same password, another session."""
    await expect(page.get_by_role("heading", name="Sign in to Orders")).to_be_visible(timeout=LONG_MS)
    await give_credentials(page, ACCOUNT)


async def _make_collection(page: Page) -> None:
    await go(page, "Data", heading="Collections")
    await page.get_by_role("button", name="New collection").first.click()
    drawer = page.get_by_role("dialog", name="New collection")
    await drawer.get_by_role("textbox", name="Title", exact=True).first.fill("Deals")
    fields = [("Customer", "Text"), ("Amount", "Number"), ("Paid", "Checkbox")]
    for number, (title, kind) in enumerate(fields, 1):
        line = drawer.get_by_role("group", name=f"Field {number}", exact=True)
        if await line.count() == 0:
            await drawer.get_by_role("button", name="Add field").click()
        await line.get_by_label("Title", exact=True).fill(title)
        await line.get_by_label("Kind").click()
        await page.get_by_role("option", name=kind, exact=True).click()
    await drawer.get_by_role("button", name="Create collection").click()
    await expect(page.get_by_text("No records in Deals yet.")).to_be_visible()


async def _work_with_records(page: Page) -> None:
    await page.get_by_role("navigation", name="Main navigation").get_by_role("link", name="Deals").click()
    for customer, amount in (("Anna", "120"), ("Ben", "45.5"), ("Chen", "900")):
        await page.get_by_role("button", name="New record").first.click()
        drawer = page.get_by_role("dialog", name="New record in Deals")
        await drawer.get_by_label("Customer").fill(customer)
        await drawer.get_by_label("Amount").fill(amount)
        await drawer.get_by_role("button", name="Save", exact=True).click()
        await expect(row(page, customer)).to_be_visible()
    await _edit(page)
    await _filter(page)
    await open_menu(page, "Ben", "Delete")
    await expect(row(page, "Ben")).to_have_count(0)
    await page.reload()
    await expect(row(page, "Anna")).to_be_visible()
    await expect(row(page, "Ben")).to_have_count(0)


async def _edit(page: Page) -> None:
    await open_menu(page, "Chen", "Edit")
    drawer = page.get_by_role("dialog")
    await drawer.get_by_label("Amount").fill("950")
    await drawer.get_by_label("Paid").check()
    await drawer.get_by_role("button", name="Save", exact=True).click()
    await close_record(page)
    await expect(row(page, "Chen").get_by_text("950")).to_be_visible()


async def _filter(page: Page) -> None:
    await add_condition(page, "Amount", "at least", "100")
    await expect(row(page, "Ben")).to_have_count(0)
    await expect(row(page, "Anna")).to_be_visible()
    await page.get_by_role("button", name="Clear all").click()
    await expect(row(page, "Ben")).to_be_visible()


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
